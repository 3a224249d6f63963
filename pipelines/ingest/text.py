"""Bytes to lines: decompress, decode, hold the trailer back. Whole-file faults of a text delivery are raised here.

Nothing is written: raw text goes from the file straight into the batch's memory.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.mark import unagreed

_WHOLE, _NUMBER = re.compile(r"[0-9]+"), re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Declared:
    """What the trailer states: rows, and sums by contract column."""

    rows: int | None
    sums: dict[str, Decimal]


class Body:
    """The lines of a delivery without its trailer, each with its line end.

    `number` counts the lines given out, `declared` is there once all were, `take` gives the text of a record.
    With `lines`, they are the body, and follow on line `number`.
    """

    def __init__(self, delivery: Delivery, lines: Iterable[str] | None = None, number: int = 0) -> None:
        self.number = number
        self._lines = lines
        self.declared: Declared | None = None
        self._delivery = delivery
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        lines = self._lines
        if lines is None:
            lines = _lines(self._delivery)
            if self._delivery.feed.format.trailer is not None:
                lines = self._hold_trailer_back(lines)
        for line in lines:
            self.number += 1
            self._taken.append(line)
            yield line

    def take(self) -> str:
        """The lines given out since the last call, without the last line end."""
        text = "".join(self._taken).rstrip("\r\n")
        self._taken.clear()
        return text

    def _hold_trailer_back(self, lines: Iterator[str]) -> Iterator[str]:
        held: list[str] = []  # the last line that is not empty, and empty ones after it
        for line in lines:
            if line.strip():
                yield from held
                held = []
            held.append(line)
        self.declared = trailer_of(self._delivery, held[0].rstrip("\r\n") if held else "")


def dialect(delivery: Delivery) -> dict[str, Any]:
    """The feed's format as arguments of Python's `csv.reader`."""
    form = delivery.feed.format
    quoting = csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE
    return {"delimiter": form.delimiter, "quotechar": form.quote or None, "quoting": quoting, "strict": True}


def _lines(delivery: Delivery) -> Iterator[str]:
    encoding, number = delivery.feed.format.encoding, 0
    try:
        with open_bytes(delivery.path) as raw, io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
            for line in text:
                number += 1
                if number == 1 and line.startswith(BYTE_ORDER_MARK):
                    raise unagreed(delivery)
                yield line
    except UnicodeDecodeError as error:
        number += 1 + error.object[: error.start].count(b"\n")
        byte = error.object[error.start]
        raise delivery.fault("wrong_encoding", f"line {number}: byte 0x{byte:02x} is not {encoding}") from error
    except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
        raise delivery.unreadable(error) from error
    if number == 0:
        raise delivery.empty()


def open_bytes(path: Path) -> BinaryIO:
    """The bytes of a file, decompressed as its name says."""
    if path.suffix == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    if path.suffix == ".zst":
        return pa.input_stream(path, compression="zstd")
    return path.open("rb")


def trailer_of(delivery: Delivery, line: str) -> Declared:
    """What the last line states. Raises DeliveryFault where it is no trailer."""
    form = delivery.feed.format
    trailer = form.trailer
    assert trailer is not None
    try:
        fields = next(csv.reader([line], **dialect(delivery)), [])
    except csv.Error:
        fields = []
    if fields[:1] != [trailer.prefix]:
        message = f"the last line does not begin with '{trailer.prefix}{form.delimiter}'; it may be cut off"
        raise delivery.fault("missing_trailer", message)
    positions = {"rows": trailer.rows, **trailer.sums} if trailer.rows else dict(trailer.sums)
    stated = {}
    for name, position in positions.items():
        text = fields[position - 1].strip() if position and position <= len(fields) else ""
        if not (_WHOLE if name == "rows" else _NUMBER).fullmatch(text):
            raise delivery.fault(
                "bad_trailer", f"the trailer '{line[:80]}' does not state {name} in field {position} as a number"
            )
        stated[name] = Decimal(text)
    rows = stated.pop("rows") if trailer.rows else None
    return Declared(None if rows is None else int(rows), stated)
