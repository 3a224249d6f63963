"""Reduces a delivery to what changed against the lake: new, changed, unchanged, vanished.

Comparison is by row hash with the latest landed row of each key before the delivery. A key that vanished from a
full delivery becomes a tombstone, unless its row is in quarantine: a bad row is not a deletion.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.contracts.arrow import lake_schema
from pipelines.contracts.model import Contract
from pipelines.ingest import lake
from pipelines.ingest.deliveries import Delivery
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import Tokenised, tokenise

# The state before the first date of a delivery stands at this date.
_BEFORE = "date '0001-01-01'"


def tokenise_rows(
    con: duckdb.DuckDBPyConnection, rows: str, name: str, contract: Contract, ring: KeyRing
) -> Tokenised | None:
    """Make table `name` from the relation `rows`: lake columns, `_row_hash`, `_line`, `_deleted`, `business_date`.

    Of a deletion, only the key is kept. Returns what the tokens stand for; None where the contract has no identifiers.
    A row hash is made of hashes that no rotation of the token keys changes, so that none makes a row look changed.
    """
    identifiers = {column.name: column.identifier for column in contract.columns if column.identifier}
    source, tokenised = rows, None
    if identifiers:
        names = ", ".join(identifiers)
        raw = con.execute(f"select _line, {names} from {rows} where coalesce({names}) is not null").pl()
        tokenised = tokenise(raw, identifiers, ring)
        con.register("_tokens", tokenised.rows.to_arrow())
        source = f"(select * from {rows}) left join _tokens using (_line)"
    lake_columns = ", ".join(
        column.lake_name if column.key else f"case when not _deleted then {column.lake_name} end as {column.lake_name}"
        for column in contract.columns
    )
    # With its length before it, no value can be taken for the end of another.
    texts = (f"{c.name}_row_hash" if c.identifier else f"cast({c.lake_name} as varchar)" for c in contract.columns)
    parts = ", '|', ".join(
        f"case when {text} is null then '-' else concat(length({text}), ':', {text}) end" for text in texts
    )
    con.execute(
        f"create or replace temp table {name} as select {lake_columns}, _line, _deleted, business_date, "
        f"case when _deleted then 'deleted' else md5(concat({parts})) end as _row_hash from {source}"
    )
    if identifiers:
        con.unregister("_tokens")
    return tokenised


def find_changes(con: duckdb.DuckDBPyConnection, delivery: Delivery, home: Home, first: date) -> None:
    """Make `changed` of `good` and tombstones: lake columns, `_change`, `_row_hash`, `_line`, `business_date`."""
    contract = delivery.contract
    lake_columns = ", ".join(column.lake_name for column in contract.columns)
    if contract.delivery == "append":
        con.execute(
            f"create or replace temp view changed as select {lake_columns}, 'upsert' as _change, _row_hash, _line, "
            f"business_date from good"
        )
        return
    key = ", ".join(contract.key)
    con.execute(
        f"create or replace temp table before as {lake.latest_before(home, contract, delivery.feed.source, first)}"
    )
    order = f"over (partition by {key} order by business_date)"
    con.execute(
        f"create or replace temp table changed as with versions as ("
        f"select {lake_columns}, case when _deleted then 'delete' else 'upsert' end as _change, _row_hash, _line, "
        f"business_date from good "
        f"union all by name select {key}, _change, _row_hash, {_BEFORE} as business_date from before"
        f"), compared as (select *, lag(_row_hash) {order} as _hash_before, lag(_change) {order} as _change_before "
        f"from versions) select {lake_columns}, _change, _row_hash, _line, business_date from compared "
        f"where business_date <> {_BEFORE} and (_hash_before is null or _change <> _change_before "
        f"or (_change = 'upsert' and _row_hash <> _hash_before))"
    )
    if contract.delivery == "full" and not delivery.is_history:
        _add_tombstones(con, contract, first)


def _add_tombstones(con: duckdb.DuckDBPyConnection, contract: Contract, day: date) -> None:
    # Where the key of a bad row cannot be read, any key might be its own: then nothing counts as vanished.
    if _keyless(con, contract):
        return
    con.execute(
        f"insert into changed by name select *, 'delete' as _change, 'deleted' as _row_hash, "
        f"date '{day}' as business_date from ({_vanished(contract)})"
    )


def vanished(con: duckdb.DuckDBPyConnection, contract: Contract) -> tuple[int, int]:
    """How many of the keys alive before this full delivery leaves out, and how many there were.

    Each row without a readable key counts as one of them that is there.
    """
    alive = con.execute("select count(*) from before where _change = 'upsert'").fetchall()[0][0]
    gone = con.execute(f"select count(*) from ({_vanished(contract)})").fetchall()[0][0]
    return max(0, gone - _keyless(con, contract)), alive


def _vanished(contract: Contract) -> str:
    key = ", ".join(contract.key)
    return f"select {key} from before anti join checked using ({key}) where _change = 'upsert'"


def _keyless(con: duckdb.DuckDBPyConnection, contract: Contract) -> int:
    unreadable = " or ".join(f"{name} is null" for name in contract.key)
    return con.execute(
        f"select (select count(*) from checked where {unreadable}) "
        f"+ (select count(distinct line) from quarantined where rule = 'malformed')"
    ).fetchall()[0][0]


def landed_values(con: duckdb.DuckDBPyConnection, tokenised: Tokenised) -> dict[date, pl.Series]:
    """Which of the `values` of `tokenised` the rows that are landed have, by date; a date without any is not there."""
    lines = con.execute("select _line, business_date as day from changed where _change = 'upsert'").pl()
    cells = tokenised.cells.join(lines, on="_line").drop("_line")
    names = [name for name in cells.columns if name != "day"]
    held = pl.concat([cells.select("day", place=name) for name in names]).drop_nulls().unique().sort("day", "place")
    return {day: part["place"] for (day,), part in held.partition_by("day", as_dict=True).items()}


def by_date(con: duckdb.DuckDBPyConnection, contract: Contract) -> Iterator[tuple[date, pa.Table]]:
    """The changed rows of each date in the shape of the lake, sorted by key."""
    schema = lake_schema(contract)
    columns, key = ", ".join(schema.names), ", ".join(contract.key)
    rows = con.execute(f"select {columns} from changed order by business_date, {key}").to_arrow_table()
    start = 0
    for day, count in con.execute("select business_date, count(*) from changed group by 1 order by 1").fetchall():
        yield day, rows.slice(start, count).cast(schema)
        start += count
