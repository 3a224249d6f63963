"""What an audit asks of DuckDB: every statement that is sent, and which of them are questions of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import duckdb
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipelines.audit import tables

_LOOKS = re.compile(r"\b(marketing|risk|shared)__|read_parquet\(")
_NO_QUESTION = ("create view ", "describe ")
_COUNTED = "SELECT COUNT(*) as unexpected_row_count FROM ("  # how Great Expectations counts what a query gives
Statement = tuple[str, Any]


@contextmanager
def recorded() -> Iterator[list[Statement]]:
    """Collects every statement that is sent to DuckDB, by the audit itself or by Great Expectations."""
    statements: list[Statement] = []
    connect = duckdb.connect

    def listen(_: Any, __: Any, sql: str, parameters: Any, *___: Any) -> None:
        statements.append((sql, parameters))

    def recording(*arguments: Any, **more: Any) -> Any:
        return _Recording(connect(*arguments, **more), statements)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        with patch.object(tables.duckdb, "connect", recording):
            yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


class _Recording:
    """A connection that keeps what it is asked."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, statements: list[Statement]) -> None:
        self._connection, self._statements = connection, statements

    def execute(self, sql: str, parameters: Any = None) -> Any:
        self._statements.append((sql, parameters))
        return self._connection.execute(sql, parameters)

    def __enter__(self) -> _Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def questions(statements: list[Statement]) -> list[Statement]:
    """Each statement that looks at a file or a view of one, once, and not again as the inside of another."""
    once = list({f"{sql} {parameters}": (sql, parameters) for sql, parameters in statements}.values())
    looking = [(sql, given) for sql, given in once if _LOOKS.search(sql) and not sql.lower().startswith(_NO_QUESTION)]
    counted = {sql.partition(_COUNTED)[2].rpartition(")")[0].strip() for sql, _ in looking if _COUNTED in sql}
    return [(sql, given) for sql, given in looking if sql.strip() not in counted]
