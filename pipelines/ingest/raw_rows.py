"""What is read of a delivery: rows of text, in memory while they are few, beyond that in files where the engine spills.

A delivery may so be larger than memory. What the text means is not known here.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.ingest.engine import room_of
from pipelines.ingest.records import empty_table
from pipelines.ingest.sql import literal, pattern, quoted

_IN_MEMORY = 256 << 20  # bytes


class RawRows:
    """Rows that are appended table by table, and then seen as one view."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.count = 0
        self._con = con
        # By position: some names have a meaning of their own for the engine.
        self._places: dict[str, str] = {}
        self._held: list[pa.Table] = []
        self._files: list[Path] = []
        self._bytes = 0  # of what is held

    def append(self, table: pa.Table) -> None:
        """Add rows: `_line`, the line that each begins on, and its columns by their names."""
        self._held.append(table.rename_columns(["_line", *map(self._place, table.column_names[1:])]))
        self.count += table.num_rows
        self._bytes += table.nbytes
        if self._bytes > _IN_MEMORY:
            self._spill()

    def discard(self) -> None:
        """Forget what was appended."""
        for file in self._files:
            file.unlink()
        self._held, self._files, self._bytes, self.count = [], [], 0, 0

    def view(self, name: str, columns: Iterable[str], *, has_nulls: bool = False) -> None:
        """Make the view `name`: `_line` and `columns`, an empty text as null, as it is already where it `has_nulls`."""
        columns = tuple(columns)
        self._held.append(empty_table(map(self._place, columns)))  # what no row has is a column too
        if self._files:
            self._spill()
            files = ", ".join(literal(pattern(file)) for file in self._files)
            source = f"read_parquet([{files}], union_by_name = true)"
        else:
            source = quoted(arrow_of(name))
            self._con.register(arrow_of(name), pa.concat_tables(self._held, promote_options="default"))
        text = "{}" if has_nulls else "nullif({}, '')"
        fields = ", ".join(f"{text.format(self._place(column))} as {quoted(column)}" for column in columns)
        self._con.execute(f"create or replace temp view {quoted(name)} as select _line, {fields} from {source}")

    def _place(self, column: str) -> str:
        return self._places.setdefault(column, f"_{len(self._places)}")

    def _spill(self) -> None:
        descriptor, path = tempfile.mkstemp(suffix=".parquet", dir=room_of(self._con))
        with os.fdopen(descriptor, "wb") as file:
            pq.write_table(pa.concat_tables(self._held, promote_options="default"), file)
        self._files.append(Path(path))
        self._held, self._bytes = [], 0


def arrow_of(name: str) -> str:
    """What the Arrow table below the view `name` is called, where there is one."""
    return f"_read_{name}"
