"""Dagster's event log on SQLite, with connections that stay open.

Dagster's own storage makes an engine and a connection for every statement, and closing the last connection of a
database folds its write-ahead log in: about 25 ms an event, half of a small night. It keeps one engine per database
here, for the index and the latest run. `_connect` is private to Dagster: a test holds this class against the version
that is pinned. PostgreSQL, the choice for production, does not need it.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

_BUSY_SECONDS = 5
_KEPT = 2


class KeptSqliteEventLogStorage(SqliteEventLogStorage):
    """As Dagster's, with the same files; named in dagster.yaml."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> "KeptSqliteEventLogStorage":
        """How Dagster makes it from dagster.yaml. A relative `base_dir` lies below DAGSTER_HOME."""
        below = Path(os.environ.get("DAGSTER_HOME", ""))
        return cls(inst_data=inst_data, base_dir=str(below / config_value["base_dir"]))

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            for old in [name for name in self._engines if name != INDEX_SHARD_NAME][: len(self._engines) - _KEPT + 1]:
                self._engines.pop(old).dispose()
            engine = create_engine(
                self.conn_string_for_shard(shard), poolclass=QueuePool, pool_size=1,
                connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
            )  # fmt: skip
            event.listen(engine, "connect", _wait_at_checkpoints_only)
            self._engines[shard] = engine
        return self._engines[shard]

    def dispose(self) -> None:
        """Close what was kept."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()


def _wait_at_checkpoints_only(connection: sqlite3.Connection, _: Any) -> None:
    # With a write-ahead log nothing is corrupted by this; a power cut can cost the last events of a run's history.
    connection.execute("pragma synchronous = normal")
