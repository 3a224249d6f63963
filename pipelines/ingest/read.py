"""Bytes to rows of text: decompress, decode, cut the trailer off, split into columns.

Whole-file faults are raised from here; rows that cannot be split are returned apart. Every column is text: what it
means is for `map`.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa

from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.sql import literal, quoted
from pipelines.settings import PRIVATE_FILE

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Declared:
    """What the trailer states: rows, and sums by contract column."""

    rows: int | None
    sums: dict[str, Decimal]


@dataclass(frozen=True)
class Rows:
    """The raw table `name` of the connection, with `_line`; and the rows that did not split into columns."""

    name: str
    columns: tuple[str, ...]
    count: int
    unsplit: list[tuple[int, str, str]]  # line, reason, text
    declared: Declared | None


def read_delivery(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str, scratch: Path) -> Rows:
    """Read `delivery` into a new table `name`. Raises DeliveryFault for a fault of the whole file."""
    delivery.require()
    if delivery.feed.format.type == "parquet":
        return _read_parquet(con, delivery, name)
    text = scratch / f"{name}.{os.getpid()}.txt"
    try:
        declared = _decode(delivery, text)
        reader = _read_csv if delivery.feed.format.type == "csv" else _read_jsonl
        return reader(con, delivery, name, text, declared)
    finally:
        text.unlink(missing_ok=True)


def _decode(delivery: Delivery, target: Path) -> Declared | None:
    """Write the delivery as UTF-8 without its trailer to `target`."""
    decoder = codecs.getincrementaldecoder(delivery.feed.format.encoding)("strict")
    lines = 1
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        try:
            for chunk in _chunks(delivery):
                text = decoder.decode(chunk)
                lines += text.count("\n")
                file.write(text.encode())
            file.write(decoder.decode(b"", final=True).encode())
        except UnicodeDecodeError as error:
            line = lines + error.object[: error.start].count(b"\n")
            raise delivery.fault(
                "wrong_encoding",
                f"line {line}: not {delivery.feed.format.encoding}: byte 0x{error.object[error.start]:02x}",
            ) from error
        except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
            raise delivery.fault("unreadable", f"cannot be decompressed or read: {error}") from error
    return _cut_trailer(delivery, target)


def _chunks(delivery: Delivery) -> Iterator[bytes]:
    with _open(delivery.path) as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if path.suffix == ".zst":
        return pa.input_stream(path, compression="zstd")
    return path.open("rb")


def _cut_trailer(delivery: Delivery, target: Path) -> Declared | None:
    trailer = delivery.feed.format.trailer
    if trailer is None:
        return None
    with target.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - _CHUNK)
        file.seek(start)
        tail = file.read().rstrip(b"\r\n")
        begin = tail.rfind(b"\n") + 1
        fields = tail[begin:].decode().rstrip("\r").split(delivery.feed.format.delimiter)
        if fields[0] != trailer.prefix:
            raise delivery.fault("missing_trailer", f"the last line does not start with '{trailer.prefix}': cut off?")
        file.truncate(start + begin)
    try:
        rows = int(fields[trailer.rows - 1]) if trailer.rows else None
        return Declared(rows, {name: Decimal(fields[position - 1]) for name, position in trailer.sums.items()})
    except (ValueError, IndexError, InvalidOperation) as error:
        raise delivery.fault("bad_trailer", f"'{'|'.join(fields)}' does not hold the agreed fields") from error


def _read_csv(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str, text: Path, declared: Declared | None
) -> Rows:
    form = delivery.feed.format
    header = 1 if form.header else 0
    columns = _header(delivery, text) if form.header else form.fields
    if len(set(columns)) < len(columns):
        raise delivery.fault("wrong_header", f"a column is named twice: {', '.join(columns)}")
    types = ", ".join(f"{literal(column)}: 'varchar'" for column in columns)
    for table in ("reject_scans", "reject_errors"):
        con.execute(f"drop table if exists {table}")
    con.execute(
        f"create or replace temp table {name} as select row_number() over () as _line, * from read_csv("
        f"{literal(str(text))}, auto_detect=false, header=false, skip={header}, columns={{{types}}}, nullstr='', "
        f"delim={literal(form.delimiter)}, quote={literal(form.quote)}, escape={literal(form.quote)}, "
        f"store_rejects=true)"
    )
    rejects = con.execute(
        "select line, any_value(error_message order by column_idx), any_value(csv_line) "
        "from reject_errors group by line order by line"
    ).fetchall()
    # row_number counts the rows that were split; the file's own lines count the header and the rejected ones too.
    con.execute("create or replace temp table _rejected (after bigint, n bigint)")
    if rejects:
        con.executemany(
            "insert into _rejected values (?, ?)",
            [(line - header - n, n) for n, (line, _, _) in enumerate(rejects, start=1)],
        )
    con.execute(
        f"create or replace temp table {name} as select _line + {header} + coalesce(_rejected.n, 0) as _line, "
        f"{name}.* exclude (_line) from {name} asof left join _rejected on {name}._line > _rejected.after"
    )
    count = con.table(name).count("*").fetchall()[0][0]
    return Rows(name, tuple(columns), count + len(rejects), rejects, declared)


def _header(delivery: Delivery, text: Path) -> tuple[str, ...]:
    with text.open(encoding="utf-8", newline="") as file:
        form = delivery.feed.format
        return tuple(next(csv.reader(file, delimiter=form.delimiter, quotechar=form.quote), ()))


def _read_jsonl(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str, text: Path, declared: Declared | None
) -> Rows:
    con.execute(
        f"create or replace temp table _lines as select row_number() over () as _line, line from read_csv("
        f"{literal(str(text))}, auto_detect=false, header=false, columns={{'line': 'varchar'}}, delim=chr(1), "
        f"quote='', escape='', max_line_size=10000000)"
    )
    unsplit = con.execute(
        "select _line, 'not a JSON object', line from _lines where not json_valid(line) or json_type(line) <> 'OBJECT'"
    ).fetchall()
    count = con.table("_lines").count("*").fetchall()[0][0]
    con.execute("delete from _lines where not json_valid(line) or json_type(line) <> 'OBJECT'")
    columns = [
        row[0] for row in con.execute("select distinct unnest(json_keys(line)) as k from _lines order by k").fetchall()
    ]
    # A field that is null or absent everywhere is still a column of the delivery.
    columns += [field for field in delivery.feed.format.fields if field not in columns]
    fields = ", ".join(f"json_extract_string(line, {literal('$.' + quoted(c))}) as {quoted(c)}" for c in columns)
    con.execute(f"create or replace temp table {name} as select _line, {fields or 'null as nothing'} from _lines")
    return Rows(name, tuple(columns), count, unsplit, declared)


def _read_parquet(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    try:
        source = con.read_parquet(str(delivery.path), file_row_number=True)
        columns = tuple(column for column in source.columns if column != "file_row_number")
        fields = ", ".join(f"cast({quoted(c)} as varchar) as {quoted(c)}" for c in columns)
        con.execute(f"create or replace temp table {name} as select file_row_number + 1 as _line, {fields} from source")
    except duckdb.Error as error:
        raise delivery.fault("unreadable", f"not a Parquet file: {str(error).splitlines()[0]}") from error
    return Rows(name, columns, con.table(name).count("*").fetchall()[0][0], [], None)
