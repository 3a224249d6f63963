"""One delivered file: opened, filled frame by frame, closed as its feed says, and there only once it is complete.

Belongs here: names, modes, compression, control totals, the flag. Does not belong here: how values and formats are
written (`raw`, `writers`), and what is delivered when (`run`, `arrival`).
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from pipelines.contracts.feed import Feed
from pipelines.contracts.model import Contract
from pipelines.settings import PRIVATE_FILE, make_directory
from pipelines.simulation.lines import Lines
from pipelines.simulation.raw import fields_of, raw_columns
from pipelines.simulation.writers import Writer, writer

_LEVEL = 1  # of compression: what is delivered is read once
_FEW = 100_000  # rows of a history that wait for more of them: writing few costs nearly as much as writing many


class Delivery:
    """A file that is being written under a name of its own until `close`."""

    def __init__(
        self, feed: Feed, contract: Contract, path: Path, flag: Path | None = None, *, waits: bool = False
    ) -> None:
        self.path, self.rows, self.bytes = path, 0, 0
        self._flag, self._fields = flag, fields_of(feed, contract)
        sums = feed.format.trailer.sums if feed.format.trailer else {}
        self._sums = {field.column: 0 for field in self._fields if field.column in sums}
        self._places = {field.column: field.places or 0 for field in self._fields}
        make_directory(path.parent)
        self._hidden = path.with_name(f".{path.name}.part")
        self._files = [_private(self._hidden)]
        if path.suffix == ".gz":
            # Neither a name nor a time: the same rows are the same bytes.
            self._files.append(gzip.GzipFile("", "wb", _LEVEL, self._files[0], mtime=0))  # type: ignore[arg-type]
        self._writer: Writer = writer(feed.format, self._fields, self._files[-1])
        self._waiting: list[pl.DataFrame] = []
        self._waits = waits and feed.format.type != "parquet"  # there, each frame is a group of rows

    def add(self, frame: pl.DataFrame) -> None:
        """Append rows in the contract's terms."""
        for column in self._sums:
            self._sums[column] += int(frame.get_column(column).sum())
        self.rows += len(frame)
        if not self._waits:
            self._writer.write(raw_columns(self._fields, frame))
            return
        if self._waiting and self._waiting[0].schema != frame.schema:
            self._write_waiting()
        self._waiting.append(frame)
        if sum(map(len, self._waiting)) >= _FEW:
            self._write_waiting()

    def add_lines(self, lines: Lines, records: pl.DataFrame, rows: np.ndarray) -> None:
        """Append some of the records of which there are lines already."""
        for column in self._sums:
            self._sums[column] += int(records.get_column(column).gather(rows).sum())
        self.rows += len(rows)
        lines.write(rows, self._files[-1])

    def close(self, arrives: datetime | None = None) -> None:
        """Complete the file, put it in its place, and say by its flag that it is there; as of when it `arrives`."""
        self._write_waiting()
        self._end()
        self.bytes = self._hidden.stat().st_size
        self._hidden.replace(self.path)
        if self._flag is not None:
            _private(self._flag).close()
        if arrives is not None:
            date_files([self.path, *([self._flag] if self._flag else [])], arrives)

    def abandon(self) -> None:
        """Leave nothing behind of a file that will not be completed."""
        self._end()
        self._hidden.unlink(missing_ok=True)

    def _write_waiting(self) -> None:
        if self._waiting:
            self._writer.write(raw_columns(self._fields, pl.concat(self._waiting)))
            self._waiting.clear()

    def _end(self) -> None:
        self._writer.end(self.rows, {name: _number(total, self._places[name]) for name, total in self._sums.items()})
        for file in reversed(self._files):
            file.close()


def daily(feed: Feed, contract: Contract, deliveries: Path, day: date) -> Delivery:
    """The delivery of one date."""
    assert feed.daily is not None
    flag = feed.daily.flag and deliveries / feed.daily.flag.format(date=day)
    return Delivery(feed, contract, deliveries / feed.daily.path.format(date=day), flag or None)


def history(feed: Feed, contract: Contract, deliveries: Path) -> Delivery:
    """The delivery of all dates up to that on which daily ones begin."""
    assert feed.history is not None
    return Delivery(feed, contract, deliveries / feed.history.path, waits=True)


def date_files(paths: Iterable[Path], when: datetime) -> None:
    """Have files be written at `when`, by the clock of the simulated world."""
    for path in paths:
        os.utime(path, (when.timestamp(), when.timestamp()))


def _private(path: Path) -> BinaryIO:
    file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb")
    path.chmod(PRIVATE_FILE)
    return file


def _number(units: int, places: int) -> str:
    if not places:
        return str(units)
    whole, rest = divmod(abs(units), 10**places)
    return f"{'-' if units < 0 else ''}{whole}.{rest:0{places}d}"
