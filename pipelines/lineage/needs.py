"""What must be lawful of a party before a consumer is given a row of it, or a value: by the classes of data behind it.

Belongs here: which columns of `mart.lawful_use` each row and value of a product needs. Does not belong here: what is
lawful of whom (the mart), and holding it back (`pipelines.release.candidate`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.lineage.graph import Lineage
from pipelines.lineage.purpose import data_classes, published
from pipelines.lineage.trace import ROWS, Origin

LAWFUL_USE = "mart.lawful_use"
TAGGED = "mart.customer_360"  # what the rules of tags look at


@dataclass(frozen=True)
class Needs:
    """Columns of `mart.lawful_use` that must be true: for a row, for a value of a column, for a row with a tag.

    What is known of nobody needs nothing: a product without parties has no needs.
    """

    rows: frozenset[str] = frozenset()
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)


def needs_of(catalog: Catalog, lineage: Lineage) -> dict[str, Needs]:
    """The needs of every product, by its id."""
    return {product.id: _needs(catalog, lineage, product) for product in catalog.products.values()}


def _needs(catalog: Catalog, lineage: Lineage, product: Contract) -> Needs:
    if not any(party_column(column.name) for column in product.columns):
        return Needs()
    mart = catalog.marts[str(product.mart)]
    of = {
        name: _permissions(catalog, lineage, product, origins) for name, origins in published(catalog, product).items()
    }
    of = {name: permissions - {_basic(product)} for name, permissions in of.items()}
    values = [column for column in product.columns if not column.key]
    if "tag" in mart.key:
        rows = of[ROWS] - set().union(*(of[column.name] for column in product.columns))
        return Needs(rows | {_basic(product)}, {}, _of_tags(catalog, lineage, product))
    # A value that is never empty cannot be held back: without it there is no row.
    rows = of[ROWS].union(*(of[column.name] for column in values if column.required))
    masked = {c.name: of[c.name] - rows for c in values if not c.required and of[c.name] - rows}
    return Needs(rows | {_basic(product)}, masked)


def _of_tags(catalog: Catalog, lineage: Lineage, product: Contract) -> dict[str, frozenset[str]]:
    table = catalog.marts[TAGGED].table
    found = {
        tag.name: _permissions(catalog, lineage, product, [Origin(table, column) for column in tag.columns])
        for tag in catalog.tags.values()
        if set(product.purposes) <= set(tag.purposes)
    }
    return {name: permissions for name, permissions in found.items() if permissions}


def _permissions(catalog: Catalog, lineage: Lineage, product: Contract, origins: Iterable[Origin]) -> frozenset[str]:
    known = {column.name for column in catalog.marts[LAWFUL_USE].columns}
    names = {f"{product.consumer}_{each}" for each in data_classes(catalog, lineage, origins)}
    return frozenset(names & known)


def _basic(product: Contract) -> str:
    """That somebody is known at all is what every row says."""
    return f"{product.consumer}_basic"
