"""Lines to rows of text: splits CSV, JSON lines and Parquet into columns, whatever they mean.

Rows that cannot be split are returned apart. Every column is text; an empty one is null.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.header import check_columns
from pipelines.ingest.sql import pattern, quoted
from pipelines.ingest.text import Body, Declared, dialect

_BATCH = 20_000


@dataclass(frozen=True)
class Unsplit:
    """A record that does not split into columns: the line it begins on, why, and its text."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class Rows:
    """The raw table `name` of the connection: `_line`, the line a row begins on, and its columns as text."""

    name: str
    columns: tuple[str, ...]
    count: int  # with the unsplit
    unsplit: list[Unsplit]
    declared: Declared | None


def read_delivery(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    """Read `delivery` into a new table `name`. Raises DeliveryFault for a fault of the whole file."""
    delivery.require()
    _ = delivery.sha256  # taken first, so that a file that changes from here on is noticed
    readers = {"csv": _read_csv, "jsonl": _read_json_lines, "parquet": _read_parquet}
    rows = readers[delivery.feed.format.type](con, delivery, name)
    delivery.require_untouched()
    return rows


def _read_csv(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    form, body, unsplit = delivery.feed.format, Body(delivery), list[Unsplit]()
    records = _records(delivery, body, unsplit)
    columns = form.fields
    if form.header:
        columns = next((tuple(fields) for _, fields, _ in records), ())
    check_columns(con, delivery, columns)
    batches = [_empty(columns)]
    lines: list[int] = []
    kept: list[list[str]] = []
    for line, fields, text in records:
        if len(fields) != len(columns):
            unsplit.append(Unsplit(line, f"has {len(fields)} fields, not {len(columns)}", text))
            continue
        lines.append(line)
        kept.append(fields)
        if len(kept) == _BATCH:
            batches.append(_batch(columns, lines, zip(*kept, strict=True)))
            lines, kept = [], []
    if kept:
        batches.append(_batch(columns, lines, zip(*kept, strict=True)))
    return _store(con, name, columns, pa.concat_tables(batches), unsplit, body)


def _records(delivery: Delivery, body: Body, unsplit: list[Unsplit]) -> Iterator[tuple[int, list[str], str]]:
    """Line, fields and text of each record; an empty line is none. What is quoted wrongly goes to `unsplit`."""
    reader = csv.reader(body, **dialect(delivery))
    while True:
        line = body.number + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            text = body.take()
            # Past the limit of a field, or at the end of the file, the quote has swallowed what follows.
            if "limit" in str(error) or "end of data" in str(error):
                raise delivery.fault(
                    "unbalanced_quote", f"line {line}: a quote is opened and not closed: what follows cannot be split"
                ) from error
            unsplit.append(Unsplit(line, "has a quoted field that goes on after its closing quote", text))
            continue
        text = body.take()
        if fields:
            yield line, fields, text


def _read_json_lines(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    body, unsplit = Body(delivery), list[Unsplit]()
    # A field that is null or absent everywhere is still a column of the delivery.
    columns = dict.fromkeys(delivery.feed.format.fields)
    batches = []
    for batch in _batched(_objects(body, unsplit)):
        names = list(dict.fromkeys(key for _, record in batch for key in record))
        columns |= dict.fromkeys(names)
        texts = ([_json_text(record.get(key)) for _, record in batch] for key in names)
        batches.append(_batch(names, [line for line, _ in batch], texts))
    if not batches and unsplit:
        raise delivery.fault("unreadable", f"no line is a JSON object: line {unsplit[0].line} {unsplit[0].reason}")
    check_columns(con, delivery, tuple(columns))
    table = pa.concat_tables([_empty(tuple(columns)), *batches], promote_options="default")
    return _store(con, name, tuple(columns), table, unsplit, body)


def _objects(body: Body, unsplit: list[Unsplit]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line and content of each JSON object; an empty line is none. Numbers stay the text that they are."""
    decoder = json.JSONDecoder(
        parse_float=str, parse_int=str, parse_constant=_refuse_constant, object_pairs_hook=_unique
    )  # fmt: skip
    for line in body:
        text = body.take()
        if not text.strip():
            continue
        try:
            record = decoder.decode(line)
            if not isinstance(record, dict):
                raise ValueError("is no JSON object")
            if "\\u" in line:
                json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair is no character
        except UnicodeEncodeError:
            unsplit.append(Unsplit(body.number, "is no JSON: an escape is half a character", text))
        except RecursionError:
            unsplit.append(Unsplit(body.number, "is no JSON that can be read: nested too deeply", text))
        except json.JSONDecodeError as error:
            unsplit.append(
                Unsplit(body.number, f"is no JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}", text)
            )
        except ValueError as error:
            unsplit.append(Unsplit(body.number, str(error), text))
        else:
            yield body.number, record


def _refuse_constant(name: str) -> None:
    raise ValueError(f"is no JSON: {name} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("has a field twice")
    return record


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


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


def _batched(records: Iterable[Any]) -> Iterator[list[Any]]:
    batch = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _empty(columns: Iterable[str]) -> pa.Table:
    return pa.schema([("_line", pa.int64()), *((column, pa.string()) for column in columns)]).empty_table()


def _batch(columns: Iterable[str], lines: list[int], values: Iterable[Iterable[str | None]]) -> pa.Table:
    arrays = [pa.array(lines, pa.int64()), *(pa.array(column, pa.string()) for column in values)]
    return pa.table(arrays, names=["_line", *columns])


def _store(
    con: duckdb.DuckDBPyConnection, name: str, columns: tuple[str, ...], table: pa.Table, unsplit: list[Unsplit],
    body: Body,
) -> Rows:  # fmt: skip
    # By position: some names have a meaning of their own for the engine.
    con.register("_read", table.rename_columns(["_line", *(f"_{n}" for n in range(len(columns)))]))
    fields = ", ".join(f"nullif(_{n}, '') as {quoted(c)}" for n, c in enumerate(columns))
    con.execute(f"create or replace temp table {quoted(name)} as select _line, {fields} from _read")
    con.unregister("_read")
    return Rows(name, columns, table.num_rows + len(unsplit), unsplit, body.declared)
