"""Purpose travels with lineage: a published column serves what every ancestor allows, or what a release point signed.

Belongs here: what columns of products claim against what they descend from, and the classes of data in them. Does not
belong here: whether a release point is well formed (`pipelines.contracts.purpose`), and how columns are traced.

Source: purpose limitation and minimal necessity, PIPL art. 6; capability B32 calls a named widening a release point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from pipelines.contracts.expectations import mentioned, party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.lineage.graph import Lineage
from pipelines.lineage.trace import ROWS, Origin, named

# What all rows of a night say alike, and who a row is about: these need no signature at a release point.
_ALIKE, _WHO = frozenset({"control__business_date", "control__policy"}), Origin("identity__party_crosswalk", "party_id")


class PurposeRefused(Exception):
    """A product claims more than its ancestors allow. The message shows the way from the column to the ancestor."""


@dataclass(frozen=True)
class Claim:
    """A column of a product that claims `purposes` which the last column of `path` does not allow.

    Of a column that release point `point` would have to sign, the last column of `path` is one that was delivered.
    """

    product: str
    column: str
    purposes: tuple[str, ...]
    path: tuple[Origin, ...]
    point: str | None = None


def check_purposes(catalog: Catalog, lineage: Lineage) -> None:
    """Raise PurposeRefused for the products that claim more than lineage and release points allow."""
    if refused := [claim for product in catalog.products.values() for claim in unsigned(catalog, lineage, product)]:
        raise PurposeRefused("\n".join(_words(catalog, lineage, claim) for claim in refused))


def unsigned(catalog: Catalog, lineage: Lineage, product: Contract) -> list[Claim]:
    """The claims of a product that no release point lets through."""
    if product.release_point is None:
        return list(claims(catalog, lineage, product))
    point = catalog.policy.release_points[product.release_point]
    signed = {name.rpartition(".")[2] for name in point["inputs"]} | {ROWS}
    found = []
    for claim in claims(catalog, lineage, product):
        if set(claim.purposes) - {point["to_purpose"]}:
            found.append(claim)
        elif claim.column not in signed and (path := _told(catalog, lineage, product, claim.column)):
            found.append(replace(claim, path=path, point=product.release_point))
    return found


def _told(catalog: Catalog, lineage: Lineage, product: Contract, column: str) -> tuple[Origin, ...]:
    """The shortest way from a column to what somebody delivered of the party; empty where it says nothing of it."""
    origins, released = published(catalog, product)[column], released_columns(catalog)
    delivered = [o for o in reach(lineage, origins, released) if o.table in lineage.contracts]
    goals = sorted(origin for origin in delivered if origin.table not in _ALIKE and origin != _WHO)
    if not goals:
        return ()
    ways = [lineage.path(origin, goals, released) for origin in sorted(origins)]
    return tuple(min((way for way in ways if way), key=len, default=goals[:1]))


def claims(catalog: Catalog, lineage: Lineage, product: Contract) -> Iterator[Claim]:
    """Every column of a product, and its rows, that claims more than an ancestor allows."""
    wanted = set(product.purposes)
    released = released_columns(catalog)
    may = permitted(catalog, lineage)
    for name, origins in published(catalog, product).items():
        reached = reach(lineage, origins, released)
        narrower = sorted(o for o in reached if (purposes := may(o)) and not wanted <= purposes)
        if narrower:
            beyond = set().union(*(wanted - (may(origin) or wanted) for origin in narrower))
            # What was delivered says it best; a mart may only repeat it.
            goals = [origin for origin in narrower if origin.table in lineage.contracts] or narrower
            ways = [lineage.path(origin, goals, released) for origin in sorted(origins)]
            path = min((way for way in ways if way), key=len, default=goals[:1])
            yield Claim(product.id, name, tuple(sorted(beyond)), tuple(path))


def published(catalog: Catalog, product: Contract) -> dict[str, frozenset[Origin]]:
    """The columns of a mart that each column of a product is made from; what chooses its rows is under (rows)."""
    mart = catalog.marts[str(product.mart)]
    found = {c.name: frozenset([Origin(mart.table, party_column(c.name) or c.name)]) for c in product.columns}
    chosen = mentioned(product.filter, mart) if product.filter else ()
    return found | {ROWS: frozenset(Origin(mart.table, name) for name in (ROWS, *chosen))}


def permitted(catalog: Catalog, lineage: Lineage) -> Callable[[Origin], frozenset[str] | None]:
    """What a column may be used for; None for a column of a model without a contract, which only passes on."""
    marts = {mart.table: mart for mart in catalog.marts.values()}

    @cache
    def may(origin: Origin) -> frozenset[str] | None:
        contract = lineage.contracts.get(origin.table) or marts.get(origin.table)
        if contract is None:
            return None
        column = next((one for one in contract.columns if origin.column in (one.name, one.lake_name)), None)
        # A column that the lake adds to every row serves what its contract serves.
        return frozenset(column.purposes if column else contract.purposes)

    return may


def data_classes(catalog: Catalog, lineage: Lineage, origins: Iterable[Origin]) -> frozenset[str]:
    """The classes of personal data (`dataClass` of source contracts) that columns descend from."""
    reached = reach(lineage, origins, released_columns(catalog))
    sources = (lineage.contracts[o.table] for o in reached if o.table in lineage.contracts)
    return frozenset(contract.data_class for contract in sources if contract.kind == "source")


def released_columns(catalog: Catalog) -> frozenset[Origin]:
    """Columns of Python steps at which a purpose widens by a signed release point."""
    points = catalog.policy.table_release_points.values()
    return frozenset(Origin(named(point["table"]), column) for point in points for column in point["columns"])


def reach(lineage: Lineage, origins: Iterable[Origin], released: frozenset[Origin]) -> frozenset[Origin]:
    """`origins` and every column they descend from, not looking behind what a table's release point lets through."""
    return frozenset().union(*(lineage.reach(origin, released) for origin in origins))


def _words(catalog: Catalog, lineage: Lineage, claim: Claim) -> str:
    product, last = catalog.products[claim.product], claim.path[-1]
    may = ", ".join(sorted(permitted(catalog, lineage)(last) or ()))
    contract = lineage.contracts.get(last.table)
    where = f"{contract.id}.{last.column} ({contract.path})" if contract else f"{last.table}.{last.column}"
    way = " <- ".join([f"{claim.product}.{claim.column}", *(f"{one.table}.{one.column}" for one in claim.path)])
    if claim.point:
        return (
            f"{product.path}: {claim.column}: claims {', '.join(claim.purposes)}, and descends from {where}: {way}. It "
            f"is not among the inputs of release point {claim.point}: remove the column, let it say of all parties the "
            f"same, or have it signed in policy.yaml"
        )
    return (
        f"{product.path}: {claim.column}: claims {', '.join(claim.purposes)}, and descends from {where}, which may "
        f"serve only {may}: {way}. Remove the column, narrow the purposes of the product, or have a release point of "
        f"policy.yaml signed"
    )
