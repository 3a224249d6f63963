"""What differs between two releases: columns, rows, who entered and left lists, how far numbers moved.

Rows of two releases are matched by the key of the product without its business date, which is the release's own. Read
from Parquet, which is what was hashed. Belongs here: the comparison. Does not belong here: how it is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.audit.tables import exact_path
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.ingest.sql import quoted

DATE = "business_date"
_NAMED = 20  # members of a list that are named


@dataclass(frozen=True)
class Movement:
    """How a column moved: its mean in the one and in the other, and the difference in standard deviations of the one.

    A flag counts as 0 and 1. `filled` is how many rows have a value.
    """

    column: str
    before: float | None
    after: float | None
    shift: float | None
    filled_before: int
    filled_after: int


@dataclass(frozen=True)
class Members:
    """Who entered and left a list, and the first of them by key."""

    before: int
    after: int
    entered: int
    left: int
    entries: tuple[dict[str, Any], ...]
    exits: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ProductDiff:
    """One product: rows are None where it is not in a release; the others where rows cannot be matched."""

    product: str
    rows_before: int | None
    rows_after: int | None
    columns: tuple[str, ...] = ()
    added: int | None = None
    removed: int | None = None
    changed: int | None = None
    members: Members | None = None
    movements: tuple[Movement, ...] = field(default=())

    @property
    def differs(self) -> bool:
        """Whether anything of it is another."""
        return bool(self.columns or self.rows_before != self.rows_after or self.added or self.removed or self.changed)

    def as_json(self) -> dict[str, Any]:
        """As it is written."""
        return asdict(self)

    def counts(self) -> dict[str, int | None]:
        """Rows that came, went and changed."""
        return {"added": self.added, "removed": self.removed, "changed": self.changed}


def compare(before: Path, after: Path, catalog: Catalog, *, same_names: bool = True) -> list[ProductDiff]:
    """Every product that is in either of two directories of releases or candidates, by id.

    `same_names` says that both call a party by the same pseudonym: under another key its rows match nobody's.
    """
    found = {name: path for side in (before, after) for name, path in _products(side, catalog).items()}
    with closing(duckdb.connect()) as con:
        return [
            _product(con, name, before / path, after / path, catalog.products.get(name), same_names=same_names)
            for name, path in sorted(found.items())
        ]


def _products(directory: Path, catalog: Catalog) -> dict[str, str]:
    folders = sorted({str(product.consumer) for product in catalog.products.values()})
    paths = [path for folder in folders for path in sorted((directory / folder).glob("*.parquet"))]
    return {f"{path.parent.name}.{path.stem}": f"{path.parent.name}/{path.name}" for path in paths}


def _product(
    con: duckdb.DuckDBPyConnection, name: str, before: Path, after: Path, product: Contract | None, *, same_names: bool
) -> ProductDiff:
    if not (before.is_file() and after.is_file()):
        rows = [pq.read_metadata(path).num_rows if path.is_file() else None for path in (before, after)]
        return ProductDiff(name, rows[0], rows[1], ("only in the first" if rows[1] is None else "only in the second",))
    schemas = [pq.read_schema(path) for path in (before, after)]
    rows_before, rows_after = (pq.read_metadata(path).num_rows for path in (before, after))
    columns = tuple(_columns(*schemas))
    one, other = (f"read_parquet('{exact_path(path)}', hive_partitioning = false)" for path in (before, after))
    movements = tuple(_movements(con, one, other, *schemas))
    key = [n for n in product.key if n != DATE] if product else []
    matchable = all(n in schema.names for n in key for schema in schemas) and key
    if product is None or not matchable or (not same_names and any(party_column(n) for n in key)):
        return ProductDiff(name, rows_before, rows_after, columns, movements=movements)
    shared = [n for n in schemas[0].names if n in schemas[1].names and n not in (*key, DATE)]
    added, removed, changed = _matched(con, one, other, key, shared)
    members = _members(con, one, other, product, key, schemas)
    return ProductDiff(name, rows_before, rows_after, columns, added, removed, changed, members, movements)


def _columns(before: pa.Schema, after: pa.Schema) -> Iterable[str]:
    yield from (f"without {name}" for name in before.names if name not in after.names)
    yield from (f"with {name}" for name in after.names if name not in before.names)
    for name in before.names:
        if name in after.names and before.field(name).type != after.field(name).type:
            yield f"{name} is {after.field(name).type}, was {before.field(name).type}"


def _matched(
    con: duckdb.DuckDBPyConnection, one: str, other: str, key: list[str], shared: list[str]
) -> tuple[int, int, int]:
    keys = ", ".join(map(quoted, key))
    row = f"struct_pack({', '.join(f'{quoted(n)} := {quoted(n)}' for n in shared)})" if shared else "true"
    sides = (f"select {keys}, true as is_here, {row} as told from {side}" for side in (one, other))
    (found,) = con.execute(
        "select count(*) filter (before.is_here is null), count(*) filter (after.is_here is null), "
        "count(*) filter (before.is_here and after.is_here and before.told is distinct from after.told) "
        "from ({}) as before full join ({}) as after using ({})".format(*sides, keys)
    ).fetchall()
    return found


def _members(
    con: duckdb.DuckDBPyConnection, one: str, other: str, product: Contract, key: list[str], schemas: list[pa.Schema]
) -> Members | None:
    if product.member is None:
        return None
    keys = ", ".join(map(quoted, key))
    try:
        sides = [con.sql(f"select distinct {keys} from {side} where {product.member}") for side in (one, other)]
    except duckdb.BinderException:
        return None  # a release of before the column that says it
    before, after = sides
    entered, left = after.except_(before), before.except_(after)

    def first(rows: duckdb.DuckDBPyRelation) -> tuple[dict[str, Any], ...]:
        named = rows.order(keys).limit(_NAMED)
        return tuple(dict(zip(key, map(str, row), strict=True)) for row in named.fetchall())

    return Members(*(len(rows) for rows in (before, after, entered, left)), first(entered), first(left))


def _movements(
    con: duckdb.DuckDBPyConnection, one: str, other: str, before: pa.Schema, after: pa.Schema
) -> Iterable[Movement]:
    """Numbers and flags that moved, the furthest first."""
    names = [n for n in before.names if n in after.names and _is_number(before, n) and _is_number(after, n)]
    if not names:
        return []
    told = ", ".join(
        f"avg({value}), stddev_pop({value}), count({value})"
        for value in (
            f"cast(cast({quoted(n)} as {'int' if _is_flag(before, n) else 'double'}) as double)" for n in names
        )
    )
    first, second = (con.execute(f"select {told} from {side}").fetchall()[0] for side in (one, other))
    moved = []
    for at, name in enumerate(names):
        mean, spread, filled = first[3 * at : 3 * at + 3]
        now, _, filled_now = second[3 * at : 3 * at + 3]
        known = mean is not None and now is not None
        # Sums of doubles depend on their order in the last digits.
        same = math.isclose(mean, now, rel_tol=1e-12) if known else mean is now
        if not same or filled != filled_now:
            shift = (now - mean) / spread if known and spread else None
            moved.append(Movement(name, mean, now, shift, filled, filled_now))
    return sorted(moved, key=lambda one: (one.shift is not None, -abs(one.shift or 0.0), one.column))


def _is_number(schema: pa.Schema, name: str) -> bool:
    kind = schema.field(name).type
    return (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or _is_flag(schema, name)
    )


def _is_flag(schema: pa.Schema, name: str) -> bool:
    return pa.types.is_boolean(schema.field(name).type)
