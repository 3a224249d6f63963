"""The lake on disk: its paths, atomic writing of a day, and the few questions that ingest asks of earlier days.

One Parquet file per contract, source and business date, sorted by key, zstd. Only this module writes the lake.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.arrow import lake_schema
from pipelines.contracts.model import Contract
from pipelines.ingest.sql import literal, pattern
from pipelines.settings import PRIVATE_FILE, Home, make_directory

_SCHEMA_SOURCE, _SCHEMA_DATE = "_schema", date(1, 1, 1)


def partition(root: Path, contract_id: str, source: str, day: date) -> Path:
    """Path of one day's file below `root`, which is the lake or the quarantine."""
    return root / contract_id / f"source={source}" / f"business_date={day.isoformat()}" / "part.parquet"


def is_there(root: Path, contract_id: str, source: str, day: date) -> bool:
    """Whether `partition` names a file: asked of every date of a home, and hence without making a path of it."""
    return os.access(f"{root}/{contract_id}/source={source}/business_date={day.isoformat()}/part.parquet", os.F_OK)


def scan(home: Home, contract_id: str, days: Collection[date] | None = None) -> str:
    """SQL for the landed rows of a contract, of all dates or of `days`, with `source` and `business_date`."""
    root = home.lake / contract_id
    if days is None:
        return _scan(f"{pattern(root)}/*/*/part.parquet")
    # By name: a pattern over every date opens every file for its schema, before a predicate on the date counts.
    sources = sorted(path.name.removeprefix("source=") for path in root.iterdir())
    there = [
        (source, day) for source in sources for day in sorted(days) if is_there(home.lake, contract_id, source, day)
    ]
    files = [(_SCHEMA_SOURCE, _SCHEMA_DATE), *there]
    return _scan(*(pattern(partition(home.lake, contract_id, source, day)) for source, day in files))


def _scan(*files: str) -> str:
    return (
        f"read_parquet([{', '.join(map(literal, files))}], hive_partitioning=true, union_by_name=true, "
        f"hive_types={{'business_date': date, 'source': varchar}})"
    )


def prepare(home: Home, contract: Contract) -> None:
    """Put the empty file in place that gives a contract its schema before anything is landed."""
    path = partition(home.lake, contract.id, _SCHEMA_SOURCE, _SCHEMA_DATE)
    schema = lake_schema(contract)
    if not path.exists() or not pq.read_schema(path).equals(schema):
        write_parquet(path, schema.empty_table())


def write_parquet(path: Path, table: pa.Table) -> None:
    """Replace `path` atomically: whatever happens, the old or the new content is there, never a part of it.

    The same rows give the same bytes, however they are chunked.
    """
    make_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            pq.write_table(table.combine_chunks(), file, compression="zstd", store_schema=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        # Its own where writing failed, and those of runs that were killed: a home has one run at a time.
        for left in path.parent.glob(f".{path.name}.*.tmp"):
            left.unlink()


def latest_before(home: Home, contract: Contract, source: str, day: date) -> str:
    """SQL for the state before `day`: one row per key with `_row_hash` and `_change` of its latest landed row."""
    key = ", ".join(contract.key)
    return (
        f"select {key}, arg_max(_row_hash, business_date) as _row_hash, arg_max(_change, business_date) as _change "
        f"from {scan(home, contract.id)} where source = {literal(source)} and business_date < date '{day}' "
        f"group by {key}"
    )


def states(con: duckdb.DuckDBPyConnection, home: Home, contract: Contract, source: str) -> dict[date, int]:
    """A digest of the state after each landed date with changes, in order of date.

    Each landed row takes the earlier version of its key out of the digest and puts its own in.
    """
    key = ", ".join(contract.key)
    digest, state = {}, 0
    for day, change in con.execute(
        f"with versions as (select business_date, hash({key}, _change, _row_hash) as version, "
        f"lag(hash({key}, _change, _row_hash)) over (partition by {key} order by business_date) as earlier "
        f"from {scan(home, contract.id)} where source = {literal(source)}) "
        f"select business_date, bit_xor(xor(version, coalesce(earlier, 0))) from versions group by 1 order by 1"
    ).fetchall():
        state ^= change
        digest[day] = state
    return digest


def keys_landed(home: Home, contract: Contract, source: str, first: date, last: date, window: int) -> str | None:
    """SQL for the keys landed within `window` days of `first` to `last`, but not on these, with the date of each.

    None where nothing was landed on any of these days. Only their files are opened.
    """
    before = [first - timedelta(days=n) for n in range(window, 0, -1)]
    days = [*before, *(last + timedelta(days=n) for n in range(1, window + 1))]
    there = [day for day in days if is_there(home.lake, contract.id, source, day)]
    files = [partition(home.lake, contract.id, source, day) for day in there]
    if not files:
        return None
    key = ", ".join(contract.key)
    return f"select {key}, min(business_date) as business_date from {_scan(*map(pattern, files))} group by {key}"


def first_known(home: Home, contract_id: str, key: str) -> str:
    """SQL for each key of a contract, from any source, with the first business date on which it was known."""
    return (
        f"select {key} as key, min(business_date) as known from {scan(home, contract_id)} "
        f"where _change = 'upsert' group by 1"
    )
