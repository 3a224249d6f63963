"""Lines to rows of text: splits CSV, JSON lines and Parquet into columns, whatever they mean.

Rows that cannot be split are returned apart. Every column is text; an empty one is null.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from pipelines.ingest import fast, fastjson
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.fast import Read
from pipelines.ingest.header import check_columns
from pipelines.ingest.raw_rows import RawRows, arrow_of
from pipelines.ingest.records import Unsplit, csv_records, csv_tables, json_tables
from pipelines.ingest.sql import pattern, quoted
from pipelines.ingest.text import Body, Declared


@dataclass(frozen=True)
class Rows:
    """The raw table or view `name` of the connection: `_line`, the line a row begins on, and its columns as text."""

    name: str
    columns: tuple[str, ...]
    count: int  # with the unsplit
    unsplit: list[Unsplit]
    declared: Declared | None


def read_delivery(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    """Read `delivery` into a new table `name`. Raises DeliveryFault for a fault of the whole file."""
    delivery.require()
    _ = delivery.sha256  # taken first, so that a file that changes from here on is noticed
    # Imported here: they give what is defined here.
    from pipelines.ingest.extract import read_extract
    from pipelines.ingest.fixed_width import read_fixed

    readers = {
        "csv": _read_csv, "jsonl": _read_json_lines, "parquet": _read_parquet, "fixed": read_fixed,
        "postgres": read_extract,
    }  # fmt: skip
    rows = readers[delivery.feed.format.type](con, delivery, name)
    delivery.require_untouched()
    return rows


def keep_lines(con: duckdb.DuckDBPyConnection, name: str, lines: str = "") -> None:
    """Leave only some lines of what was read: those of the SQL query `lines`, or none. The others make room."""
    some = f"where _line in ({lines})" if lines else "limit 0"
    kind = con.execute("select table_type from information_schema.tables where table_name = ?", [name]).fetchall()[0][0]
    con.execute(f"create or replace temp table _kept as select * from {quoted(name)} {some}")
    con.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {quoted(name)}")
    con.execute(f"alter table _kept rename to {quoted(name)}")
    con.unregister(arrow_of(name))


def _read_csv(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    return _store(name, fast.read_csv(con, delivery) or _read_csv_exactly(con, delivery))


def _read_csv_exactly(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> Read:
    form, body, unsplit = delivery.feed.format, Body(delivery), list[Unsplit]()
    records = csv_records(delivery, body, unsplit)
    columns = form.fields
    if form.header:
        columns = next((tuple(fields) for _, fields, _ in records), ())
    check_columns(con, delivery, columns)
    raw = RawRows(con)
    for table in csv_tables(records, columns, unsplit):
        raw.append(table)
    return Read(columns, raw, unsplit, body.declared)


def _read_json_lines(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    return _store(name, fastjson.read_json_lines(con, delivery) or _read_json_lines_exactly(con, delivery))


def _read_json_lines_exactly(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> Read:
    body, unsplit = Body(delivery), list[Unsplit]()
    # A field that is null or absent everywhere is still a column of the delivery.
    columns = dict.fromkeys(delivery.feed.format.fields)
    raw = RawRows(con)
    for table in json_tables(body, columns, unsplit):
        raw.append(table)
    if not raw.count and unsplit:
        raise delivery.fault("unreadable", f"no line is a JSON object: line {unsplit[0].line} {unsplit[0].reason}")
    check_columns(con, delivery, tuple(columns))
    return Read(tuple(columns), raw, unsplit, body.declared)


def _read_parquet(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    try:
        source = con.read_parquet(pattern(delivery.path), file_row_number=True, hive_partitioning=False)
        columns = tuple(column for column in source.columns if column != "file_row_number")
        check_columns(con, delivery, columns)
        fields = ", ".join(f"nullif(cast({quoted(c)} as varchar), '') as {quoted(c)}" for c in columns)
        con.execute(f"create or replace temp table {name} as select file_row_number + 1 as _line, {fields} from source")
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise delivery.unreadable(error) from error
    return Rows(name, columns, con.table(name).count("*").fetchall()[0][0], [], None)


def _store(name: str, read: Read) -> Rows:
    read.raw.view(name, read.columns, has_nulls=read.has_nulls)
    return Rows(name, read.columns, read.raw.count + len(read.unsplit), read.unsplit, read.declared)
