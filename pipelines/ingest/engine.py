"""The engine of a run: one in-memory database that spills into the vault zone, and a connection to it per batch.

Temporary tables and what is registered belong to a connection: batches that run at the same time do not meet. The
memory limit is the run's, however many batches share it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from pipelines.ingest.sql import literal
from pipelines.settings import Settings
from pipelines.vault.scratch import scratch

# In a worker, whose main module has no file, DuckDB takes the output for a terminal and draws bars into the log.
_QUIET = "set enable_progress_bar = false"


@contextmanager
def open_engine(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database that fetches nothing; gone with all it held when the `with` ends."""
    with scratch(settings.home.vault) as room:
        config = {
            "temp_directory": str(room), "threads": settings.threads, "autoinstall_known_extensions": False,
            # A file of the lake may be replaced within a run: none is remembered.
            "enable_external_file_cache": False,
        }  # fmt: skip
        con = duckdb.connect(config=config)
        try:
            con.execute(f"set memory_limit = '{settings.memory_limit}'")
            con.execute(_QUIET)
            yield con
        finally:
            con.close()


@contextmanager
def workbench(engine: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for one batch, which knows no time zone but UTC."""
    con = engine.cursor()
    (spilling,) = con.execute("select current_setting('temp_directory')").fetchall()[0]
    with TemporaryDirectory(prefix="batch-", dir=spilling) as room:
        try:
            con.execute("set TimeZone = 'UTC'")
            con.execute(_QUIET)
            con.execute(f"set variable room = {literal(room)}")
            yield con
        finally:
            con.close()


def room_of(con: duckdb.DuckDBPyConnection) -> Path:
    """Where the batch of this workbench may keep what is too much for memory; gone when the batch ends."""
    return Path(con.execute("select getvariable('room')").fetchall()[0][0])
