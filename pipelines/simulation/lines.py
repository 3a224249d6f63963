"""Finished lines of records that never change: dressed once, then picked for every day on which they are delivered.

Belongs here: keeping and picking lines. Does not belong here: how a line is written (`writers`), and which records
there are on a day (`emitters`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.contracts.form import Format
from pipelines.simulation.raw import Field, raw_columns
from pipelines.simulation.writers import writer

_ROWS = 50_000  # dressed or picked at once: the next part finds the memory of the one before
_END = ord("\n")


@dataclass(frozen=True)
class Lines:
    """One line for each record, in the encoding of the delivery."""

    text: pa.LargeBinaryArray

    def write(self, rows: np.ndarray, file: BinaryIO) -> None:
        """Write the lines of these rows."""
        for start in range(0, len(rows), _ROWS):
            picked = self.text.take(pa.array(rows[start : start + _ROWS]))
            _, offsets, data = picked.buffers()
            length = int(np.frombuffer(offsets, np.int64)[len(picked)])
            file.write(memoryview(data)[:length])


def can_keep(form: Format) -> bool:
    """Whether rows of this format are lines, each of which says the same wherever it stands."""
    return form.type in ("csv", "fixed")


def dressed(form: Format, fields: tuple[Field, ...], records: pl.DataFrame) -> Lines:
    """The lines of all records."""
    parts = [_part(form, fields, part) for part in records.iter_slices(_ROWS)] if len(records) else []
    return Lines(pa.concat_arrays(parts) if parts else pa.array([], pa.large_binary()))


def _part(form: Format, fields: tuple[Field, ...], records: pl.DataFrame) -> pa.LargeBinaryArray:
    sink = pa.BufferOutputStream()
    lines = writer(form, fields, sink)
    begun = sink.tell()  # what stands before the first row is of the file, not of a row
    lines.write(raw_columns(fields, records))
    text = sink.getvalue()[begun:]
    # No byte of a character is a line end, in any encoding that a feed may have.
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == _END) + 1
    if len(ends) != len(records):
        raise ValueError(f"a value of {fields[0].name}... holds a line end")
    offsets = np.concatenate([[0], ends]).astype(np.int64)
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(records), [None, pa.py_buffer(offsets), text])
