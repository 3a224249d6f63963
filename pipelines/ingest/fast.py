"""CSV to columns, many lines at once, wherever that is certain to give what the exact reader gives.

A chunk of lines that is out of the ordinary is read by `records`, one by one; so is a whole file that has a fault,
because the exact reader has the words for it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from pipelines.ingest.chunks import LEAVE, MARK, Chunks, Lines, Unsure, lone_return
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.header import check_columns
from pipelines.ingest.raw_rows import RawRows
from pipelines.ingest.records import Unsplit, csv_records, csv_tables, empty_table, misfit
from pipelines.ingest.text import Body, Declared, dialect

_LINE_FEED = 10
_PLAIN = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\x7f]")


@dataclass(frozen=True)
class Read:
    """What was read of a file: rows with `_line`, records that are none, and the trailer.

    An empty text stands for null, unless it was made one already.
    """

    columns: tuple[str, ...]
    raw: RawRows
    unsplit: list[Unsplit]
    declared: Declared | None
    has_nulls: bool = False


def read_csv(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> Read | None:
    """The rows of a CSV file, or None where the exact reader has to read it."""
    raw = RawRows(con)
    try:
        return _read(con, delivery, raw)
    except LEAVE:
        raw.discard()
        return None


def _read(con: duckdb.DuckDBPyConnection, delivery: Delivery, raw: RawRows) -> Read:
    form, chunks = delivery.feed.format, Chunks(delivery)
    stream, columns, number = iter(chunks), form.fields, 0
    chunk: bytes | None = next(stream, b"")
    if form.header:
        columns, chunk = _header(delivery, chunk or b"")
        number = 1
    check_columns(con, delivery, columns)
    splitter, unsplit = _Splitter(delivery, columns), list[Unsplit]()
    has_nulls = True
    while chunk is not None:
        found = splitter.split(chunk, number) if chunk else _Split(empty_table(columns), [], 0)
        if found is None:
            lines = Lines(chunk, stream)
            body = Body(delivery, lines, number)
            for table in csv_tables(csv_records(delivery, body, unsplit), columns, unsplit, lines.at_end):
                raw.append(table)
            number, has_nulls = body.number, False
        else:
            raw.append(found.table)
            unsplit += found.unsplit
            number += found.lines
        chunk = next(stream, None)
    return Read(columns, raw, unsplit, chunks.declared, has_nulls)


def _header(delivery: Delivery, chunk: bytes) -> tuple[tuple[str, ...], bytes]:
    """The names in the first line, and the lines after it."""
    if lone_return(chunk):
        raise Unsure
    first, _, rest = chunk.partition(b"\n")
    records = list(csv.reader([first.decode()], **dialect(delivery)))
    if len(records) != 1 or not records[0]:
        raise Unsure
    return tuple(records[0]), rest


@dataclass(frozen=True)
class _Split:
    table: pa.Table
    unsplit: list[Unsplit]
    lines: int


class _Splitter:
    """Splits chunks of lines into the columns of one delivery."""

    def __init__(self, delivery: Delivery, columns: tuple[str, ...]) -> None:
        form = delivery.feed.format
        self._columns = columns
        signs = [form.delimiter, form.quote or '"']
        # Of one column, an empty line is no row; what is wider than a byte is not looked for.
        if len(columns) < 2 or signs[0] == signs[1] or not all(_PLAIN.fullmatch(sign) for sign in signs):
            raise Unsure
        self._delimiter, self._quote = ord(form.delimiter), ord(form.quote) if form.quote else None
        names = [f"_{n}" for n in range(len(columns))]  # the file's own may be there twice until they are checked
        self._names = names
        self._parse = arrow_csv.ParseOptions(delimiter=form.delimiter, quote_char=form.quote or False)
        self._convert = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""],
            check_utf8=False,
        )  # fmt: skip

    def split(self, chunk: bytes, number: int) -> _Split | None:
        """The rows of `chunk`, which follows on line `number`; None where they have to be looked at one by one."""
        if b"\0" in chunk or lone_return(chunk):
            return None
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n")
        if not chunk.endswith(b"\n"):
            chunk += b"\n"
        bytes_ = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero(bytes_ == _LINE_FEED)
        if np.diff(ends, prepend=-1).max() > csv.field_size_limit():
            return None
        quotes = np.flatnonzero(bytes_ == self._quote) if self._quote is not None else ends[:0]
        if quotes.size and not self._well_quoted(bytes_, quotes, ends):
            return None
        lines = np.arange(number + 1, number + 1 + len(ends))
        try:
            table = self._table(chunk, lines)
        except pa.ArrowInvalid:
            table = None
        if table is None:
            return self._sorted_out(bytes_, quotes, ends, lines)
        return _Split(table, [], len(ends))

    def _table(self, chunk: bytes, lines: np.ndarray) -> pa.Table | None:
        """The rows of `chunk`, if there are as many as `lines`."""
        if chunk.startswith(MARK):  # which the parser would leave out
            return None
        read = arrow_csv.ReadOptions(column_names=self._names, use_threads=False, block_size=len(chunk) + 1)
        table = arrow_csv.read_csv(pa.py_buffer(chunk), read, self._parse, self._convert)
        if table.num_rows != len(lines):
            return None
        return pa.table([pa.array(lines, pa.int64()), *table.columns], names=["_line", *self._columns])

    def _well_quoted(self, bytes_: np.ndarray, quotes: np.ndarray, ends: np.ndarray) -> bool:
        """Whether every quote opens a field, closes one, or stands twice in one that is quoted, within its line."""
        if len(quotes) % 2 or (np.searchsorted(quotes, ends) % 2).any():
            return False
        opening, closing = quotes[::2], quotes[1::2]
        before = np.where(opening > 0, bytes_[opening - 1], _LINE_FEED)
        after = bytes_[closing + 1]  # a chunk ends with a line feed
        twice = closing[:-1] + 1 == opening[1:]
        opens = (before == self._delimiter) | (before == _LINE_FEED) | np.concatenate([[False], twice])
        closes = (after == self._delimiter) | (after == _LINE_FEED) | np.concatenate([twice, [False]])
        return bool(opens.all() and closes.all())

    def _sorted_out(self, bytes_: np.ndarray, quotes: np.ndarray, ends: np.ndarray, lines: np.ndarray) -> _Split | None:
        """The rows of a chunk that has other lines too."""
        delimiters = np.flatnonzero(bytes_ == self._delimiter)
        if quotes.size:
            delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
        fields = np.diff(np.searchsorted(delimiters, ends), prepend=0) + 1
        lengths = np.diff(ends, prepend=-1)
        good, bad = fields == len(self._columns), (fields != len(self._columns)) & (lengths > 1)
        unsplit = list(self._misfits(bytes_, ends, lines, fields, bad))
        if not good.any():
            return _Split(empty_table(self._columns), unsplit, len(ends))
        table = self._table(bytes_[np.repeat(good, lengths)].tobytes(), lines[good])
        return None if table is None else _Split(table, unsplit, len(ends))

    def _misfits(
        self, bytes_: np.ndarray, ends: np.ndarray, lines: np.ndarray, fields: np.ndarray, bad: np.ndarray
    ) -> Iterator[Unsplit]:
        for n in np.flatnonzero(bad).tolist():
            text = bytes_[ends[n - 1] + 1 if n else 0 : ends[n]].tobytes().decode()
            yield Unsplit(int(lines[n]), misfit(int(fields[n]), len(self._columns)), text)
