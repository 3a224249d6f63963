"""What must be lawful of a party before a consumer is given a row of it, or a value: by the classes of data behind it.

Belongs here: the classes of data behind each row and value of a product, and which columns of `mart.lawful_use` these
need. Does not belong here: what is lawful of whom (the mart), holding it back (`pipelines.release.projection`), and
what was used of whom (`pipelines.release.usage`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import DATA_CLASSES, Contract
from pipelines.lineage.graph import Lineage
from pipelines.lineage.purpose import data_classes, published
from pipelines.lineage.trace import ROWS, Origin

LAWFUL_USE = "mart.lawful_use"
TAGGED = "mart.customer_360"  # what the rules of tags look at


@dataclass(frozen=True)
class Classes:
    """Classes of personal data that are used by handing over a row, a value of a column, a row with a tag."""

    rows: frozenset[str] = frozenset()
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Needs:
    """Columns of `mart.lawful_use` that must be true: for a row, for a value of a column, for a row with a tag.

    What is known of nobody needs nothing: a product without parties has no needs.
    """

    rows: frozenset[str] = frozenset()
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tags: Mapping[str, frozenset[str]] = field(default_factory=dict)
    classes: Classes = Classes()


def needs_of(catalog: Catalog, lineage: Lineage) -> dict[str, Needs]:
    """The needs of every product, by its id."""
    return {product.id: _needs(catalog, lineage, product) for product in catalog.products.values()}


def _needs(catalog: Catalog, lineage: Lineage, product: Contract) -> Needs:
    if not any(party_column(column.name) for column in product.columns):
        return Needs()
    mart = catalog.marts[str(product.mart)]
    behind = {name: _classes(catalog, lineage, origins) for name, origins in published(catalog, product).items()}
    of = {name: _permissions(catalog, product, classes) - {_basic(product)} for name, classes in behind.items()}
    values = [column for column in product.columns if not column.key]
    if "tag" in mart.key:
        rows = of[ROWS] - set().union(*(of[column.name] for column in product.columns))
        chosen = behind[ROWS] - set().union(*(behind[column.name] for column in product.columns))
        tags = _of_tags(catalog, lineage, product)
        needed = {name: _permissions(catalog, product, classes) for name, classes in tags.items()}
        return Needs(
            rows | {_basic(product)}, {}, {n: p for n, p in needed.items() if p}, Classes(chosen | {"basic"}, {}, tags)
        )
    # A value that is never empty cannot be held back: without it there is no row.
    rows = of[ROWS].union(*(of[column.name] for column in values if column.required))
    masked = {c.name: of[c.name] - rows for c in values if not c.required and of[c.name] - rows}
    chosen = behind[ROWS] | {"basic"}
    told = {c.name: behind[c.name] - chosen for c in values if behind[c.name] - chosen}
    return Needs(rows | {_basic(product)}, masked, {}, Classes(chosen, told))


def _of_tags(catalog: Catalog, lineage: Lineage, product: Contract) -> dict[str, frozenset[str]]:
    table = catalog.marts[TAGGED].table
    return {
        tag.name: _classes(catalog, lineage, [Origin(table, column) for column in tag.columns])
        for tag in catalog.tags.values()
        if set(product.purposes) <= set(tag.purposes)
    }


def _classes(catalog: Catalog, lineage: Lineage, origins: Iterable[Origin]) -> frozenset[str]:
    return data_classes(catalog, lineage, origins) & set(DATA_CLASSES)


def _permissions(catalog: Catalog, product: Contract, classes: Iterable[str]) -> frozenset[str]:
    known = {column.name for column in catalog.marts[LAWFUL_USE].columns}
    return frozenset({f"{product.consumer}_{each}" for each in classes} & known)


def _basic(product: Contract) -> str:
    """That somebody is known at all is what every row says."""
    return f"{product.consumer}_basic"
