"""Files of fixed width to raw columns: fields by position, counted in bytes of the encoding, padded with blanks.

Blocks of lines are cut with NumPy and trimmed with Arrow; only what is wrong is looked at line by line.
"""

from __future__ import annotations

import re
import zlib
from codecs import lookup
from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate, pairwise

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.header import check_columns
from pipelines.ingest.raw_rows import RawRows
from pipelines.ingest.read import Rows, Unsplit
from pipelines.ingest.text import Declared, open_bytes

_BLOCK, _LONGEST = 1 << 24, 1 << 26  # bytes read at once; bytes that one line, or what may follow it, can have
_WHOLE, _NUMBER = re.compile(r"[0-9]+"), re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_NEWLINE, _RETURN = 10, 13
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Bytes = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
Numbers = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def read_fixed(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    """Read `delivery` into a new table `name`. Lines end with a line feed, before which a return may stand."""
    form = delivery.feed.format
    columns = tuple(form.widths)
    check_columns(con, delivery, columns)
    cut = _Cut(delivery, RawRows(con))
    last = b""  # the last line that is not empty, and what follows it: it may be the trailer
    try:
        for block, held in _blocks(delivery):
            cut.take(block)
            last = held
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise delivery.unreadable(error) from error
    declared = None
    if form.trailer is not None:
        declared = _trailer(delivery, cut.text(last.splitlines()[0] if last.strip() else b"", cut.number + 1))
    else:
        cut.take(last)
    cut.raw.view(name, columns)
    return Rows(
        name, columns, cut.raw.count + len(cut.unsplit), sorted(cut.unsplit, key=lambda each: each.line), declared
    )


def _blocks(delivery: Delivery) -> Iterator[tuple[bytes, bytes]]:
    """Whole lines, and what is held back: the last line that is not empty, and all after it."""
    held = b""
    first = True
    with open_bytes(delivery.path) as file:
        while chunk := file.read(max(_BLOCK, len(_BYTE_ORDER_MARK))):  # whole, where it is there
            if first and lookup(delivery.feed.format.encoding).name.endswith("-sig"):
                chunk = chunk.removeprefix(_BYTE_ORDER_MARK)
            first = False
            held += chunk
            end = held.rfind(b"\n", 0, len(held.rstrip(b"\r\n"))) + 1
            yield held[:end], held[end:]
            held = held[end:]
            if len(held) > _LONGEST:
                raise delivery.fault("unreadable", f"no line ends within {_LONGEST >> 20} MiB: no lines at all?")
    if first:
        raise delivery.empty()


class _Cut:
    """Cuts lines into rows; `number` counts them, `unsplit` are those that do not split."""

    def __init__(self, delivery: Delivery, raw: RawRows) -> None:
        self.raw, self.number = raw, 0
        self.unsplit: list[Unsplit] = []
        self._delivery = delivery
        self._encoding = lookup(delivery.feed.format.encoding).name.removesuffix("-sig")
        self._names = tuple(delivery.feed.format.widths)
        ends = list(accumulate(delivery.feed.format.widths.values(), initial=0))
        self._width, self._fields = ends[-1], list(pairwise(ends))

    def take(self, block: bytes) -> None:
        """Cut the lines of `block`; all but the last end with a line feed."""
        if not block:
            return
        data = np.frombuffer(block if block.endswith(b"\n") else block + b"\n", np.uint8)
        ends = np.flatnonzero(data == _NEWLINE)
        starts = np.concatenate(([0], ends[:-1] + 1))
        lengths = ends - starts
        lengths -= (lengths > 0) & (data[ends - 1] == _RETURN)
        good = lengths == self._width
        for n in np.flatnonzero(~good & (lengths > 0)):
            line = self.number + int(n) + 1
            text = self.text(data[starts[n] : starts[n] + lengths[n]].tobytes(), line)
            self.unsplit.append(Unsplit(line, f"has {lengths[n]} bytes, not {self._width}", text))
        lines = np.flatnonzero(good)
        if lines.size:
            records = np.lib.stride_tricks.sliding_window_view(data, self._width)[starts[lines]]
            self._append(records, lines + self.number + 1)
        self.number += ends.size

    def text(self, line: bytes, number: int) -> str:
        """A line as text. Raises DeliveryFault where its bytes are not of the encoding."""
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError as error:
            wrong = f"line {number}: byte 0x{line[error.start]:02x} is not {self._encoding}"
            raise self._delivery.fault("wrong_encoding", wrong) from None

    def _append(self, records: Bytes, lines: Numbers) -> None:
        try:
            values = [_texts(records[:, start:end], self._encoding) for start, end in self._fields]
        except UnicodeDecodeError:
            whole = self._whole(records, lines)
            records, lines = records[whole], lines[whole]
            values = [_texts(records[:, start:end], self._encoding) for start, end in self._fields]
        if len(lines):
            self.raw.append(pa.table([pa.array(lines, pa.int64()), *values], names=["_line", *self._names]))

    def _whole(self, records: Bytes, lines: Numbers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which records have only fields that begin and end with a whole character; others are unsplit."""
        whole = np.ones(len(lines), np.bool_)
        for n in np.flatnonzero((records > 0x7F).any(axis=1)):
            record, line = records[n].tobytes(), int(lines[n])
            text = self.text(record, line)
            for name, (start, end) in zip(self._names, self._fields, strict=True):
                try:
                    record[start:end].decode(self._encoding)
                except UnicodeDecodeError:
                    whole[n] = False
                    self.unsplit.append(Unsplit(line, f"is cut within a character by field {name}", text))
                    break
        return whole


def _texts(field: Bytes, encoding: str) -> pa.Array:
    """The trimmed texts of one field. Raises UnicodeDecodeError where one is not whole characters."""
    count, width = field.shape
    if encoding == "utf-8" or field.max() < 0x80:
        data = np.ascontiguousarray(field)
        offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
        if data.max() >= 0x80:
            _separated(field).decode(encoding)
    else:
        # All texts are decoded as one; the line feeds between them, which are none within, tell where each ends.
        data = np.frombuffer(_separated(field).decode(encoding).encode(), np.uint8)
        ends = np.flatnonzero(data == _NEWLINE)
        offsets = np.concatenate(([0], ends + 1)).astype(np.int32)
        data = data.copy()
        data[ends] = ord(" ")
    texts = pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))
    return pc.ascii_trim(texts, characters=" ")


def _separated(field: Bytes) -> bytes:
    separated = np.full((field.shape[0], field.shape[1] + 1), _NEWLINE, np.uint8)
    separated[:, :-1] = field
    return separated.tobytes()


def _trailer(delivery: Delivery, line: str) -> Declared:
    trailer = delivery.feed.format.trailer
    assert trailer is not None
    if not line.startswith(trailer.prefix):
        message = f"the last line does not begin with '{trailer.prefix}'; it may be cut off"
        raise delivery.fault("missing_trailer", message)
    # Cut in characters: a trailer is plain ASCII, or no number of it can be read.
    ends = list(accumulate(trailer.widths, initial=0))
    if line[ends[-1] :].strip():
        raise delivery.fault("bad_trailer", f"the trailer '{line[:80]}' is longer than its widths, {ends[-1]} bytes")
    fields = [line[start:end].strip(" ") for start, end in pairwise(ends)]
    stated = {}
    for name, position in {"rows": trailer.rows, **trailer.sums}.items():
        if position is None:
            continue
        if not (_WHOLE if name == "rows" else _NUMBER).fullmatch(fields[position - 1]):
            raise delivery.fault(
                "bad_trailer", f"the trailer '{line[:80]}' does not state {name} in field {position} as a number"
            )
        stated[name] = Decimal(fields[position - 1])
    rows = stated.pop("rows", None)
    return Declared(None if rows is None else int(rows), stated)
