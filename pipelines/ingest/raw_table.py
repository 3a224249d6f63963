"""A table of raw text that is filled batch by batch, so that a delivery may be larger than memory."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from pipelines.ingest.sql import quoted


class RawTable:
    """The table `name` of the connection: `_line` and the columns as text; an empty text is null."""

    def __init__(self, con: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str]) -> None:
        self.count = 0
        self._con, self._name = con, quoted(name)
        # By position: some names have a meaning of their own for the engine.
        self._places = [f"_{n}" for n in range(len(columns))]
        self._fields = ", ".join(f"nullif({place}, '')" for place in self._places)
        typed = ", ".join(f"{quoted(column)} varchar" for column in columns)
        con.execute(f"create or replace temp table {self._name} (_line bigint, {typed})")

    def append(self, lines: pa.Array, values: Sequence[pa.Array | pa.ChunkedArray]) -> None:
        """Add rows: the line that each begins on, and its columns in order."""
        self._con.register("_read", pa.table([lines, *values], names=["_line", *self._places]))
        self._con.execute(f"insert into {self._name} select _line, {self._fields} from _read")
        self._con.unregister("_read")
        self.count += len(lines)
