"""Reduces a delivery to what changed against the lake: new, changed, unchanged, vanished.

Comparison is by row hash with the latest landed row of each key before the delivery. A key that vanished from a
full delivery becomes a tombstone, unless its row is in quarantine: a bad row is not a deletion.
"""

from __future__ import annotations

from datetime import date

import duckdb
import polars as pl

from pipelines.contracts.model import Contract
from pipelines.ingest import lake
from pipelines.ingest.deliveries import Delivery
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import tokenise


def tokenise_good(con: duckdb.DuckDBPyConnection, contract: Contract, ring: KeyRing) -> None:
    """Make table `good` from the faultless rows of `checked`: lake columns, `_row_hash`, `_line`, `_deleted`, `business_date`."""
    names = ", ".join(column.name for column in contract.columns)
    rows = con.execute(f"select {names}, _line, _deleted, business_date from checked where len(_faults) = 0").pl()
    identifiers = {column.name: column.identifier for column in contract.columns if column.identifier}
    con.register("tokenised", tokenise(rows, identifiers, ring).to_arrow())
    parts = " || '|' || ".join(f"coalesce(cast({column.lake_name} as varchar), '~')" for column in contract.columns)
    con.execute(f"create or replace temp table good as select *, md5({parts}) as _row_hash from tokenised")
    con.unregister("tokenised")


def find_changes(con: duckdb.DuckDBPyConnection, delivery: Delivery, home: Home, first: date) -> None:
    """Make table `changed` from `good`: lake columns, `_change`, `_row_hash`, `_line`, `business_date`; tombstones included."""
    contract = delivery.contract
    lake_columns = ", ".join(column.lake_name for column in contract.columns)
    if contract.delivery == "append":
        con.execute(
            f"create or replace temp table changed as select {lake_columns}, 'upsert' as _change, _row_hash, _line, "
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
        f"select {lake_columns}, case when _deleted then 'delete' else 'upsert' end as _change, _row_hash, _line, business_date "
        f"from good union all by name select {key}, _change, _row_hash, date '0001-01-01' as business_date from before"
        f"), compared as (select *, lag(_row_hash) {order} as _hash_before, lag(_change) {order} as _change_before "
        f"from versions) select {lake_columns}, _change, _row_hash, _line, business_date from compared "
        f"where business_date <> date '0001-01-01' and (_hash_before is null or _change <> _change_before "
        f"or (_change = 'upsert' and _row_hash <> _hash_before))"
    )
    if contract.delivery == "full" and not delivery.is_history:
        _add_tombstones(con, contract, first)


def _add_tombstones(con: duckdb.DuckDBPyConnection, contract: Contract, day: date) -> None:
    # Where the key of a bad row cannot be read, any key might be its own: then nothing counts as vanished.
    unreadable = " or ".join(f"{name} is null" for name in contract.key)
    unknown = con.execute(
        f"select count(*) from checked where len(_faults) > 0 and ({unreadable}) "
        f"union all select count(*) from quarantined where rule = 'malformed'"
    ).fetchall()
    if any(count for (count,) in unknown):
        return
    key = ", ".join(contract.key)
    con.execute(
        f"insert into changed by name select {key}, 'delete' as _change, 'deleted' as _row_hash, date '{day}' as business_date "
        f"from before anti join checked using ({key}) where _change = 'upsert'"
    )


def vanished_share(con: duckdb.DuckDBPyConnection) -> float:
    """Share of the keys alive before that this delivery deletes: a cut-off file shows here."""
    alive = con.execute("select count(*) from before where _change = 'upsert'").fetchall()[0][0]
    gone = con.execute("select count(*) from changed where _change = 'delete'").fetchall()[0][0]
    return gone / alive if alive else 0.0


def by_date(con: duckdb.DuckDBPyConnection, contract: Contract) -> dict[date, pl.DataFrame]:
    """The changed rows of each date, sorted by key, without `business_date`."""
    key = ", ".join(contract.key)
    frame = con.execute(f"from changed order by business_date, {key}").pl()
    parts = frame.partition_by("business_date", as_dict=True, include_key=False, maintain_order=True)
    return {day: part for (day,), part in parts.items()}
