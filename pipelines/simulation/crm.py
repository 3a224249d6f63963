"""The CRM as a database: a PostgreSQL server of this machine, with the rows that it has of each date.

Belongs here: the server and its two tables. Does not belong here: what the rows say.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

import polars as pl

from pipelines.contracts.feed import Feed
from pipelines.contracts.model import Contract
from pipelines.settings import InputError
from pipelines.simulation.raw import Field, fields_of, raw_columns

#: Where the feed looks for the address.
VARIABLE = "SIMBANK_CRM_URL"
_TYPES = {"string": "text", "bigint": "bigint", "date": "date", "boolean": "boolean", "timestamp": "timestamp"}


class CrmDatabase:
    """A server whose data lie in `directory`; it goes on running when the `with` ends."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.rows = directory, 0
        self._con: Any = None
        self._known: set[str] = set()

    def __enter__(self) -> CrmDatabase:
        try:
            import pgserver
        except ImportError as error:
            raise InputError(
                "--crm postgres needs the package pgserver: install the project with its extra `simulation`"
            ) from error
        import psycopg

        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self._server = pgserver.get_server(self.directory, cleanup_mode=None)
        self.url: str = self._server.get_uri()
        self._con = psycopg.connect(self.url, autocommit=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._con.close()

    def deliver(self, feed: Feed, contract: Contract, day: date, frame: pl.DataFrame) -> None:
        """Replace the rows of a date and say that they are complete, all at once or not at all."""
        assert feed.daily is not None and feed.daily.table is not None
        table, fields = feed.daily.table, fields_of(feed, contract)
        self._prepare(table, fields)
        names = ", ".join(field.name for field in fields)
        rows = raw_columns(fields, frame).select(pl.lit(day).alias("business_date"), pl.all()).rows()
        with self._con.transaction(), self._con.cursor() as cursor:
            for each in (table, _delivered(table)):
                cursor.execute(f"delete from {each} where business_date = %s", [day])
            places = ", ".join(["%s"] * (len(fields) + 1))
            cursor.executemany(f"insert into {table} (business_date, {names}) values ({places})", rows)
            cursor.execute(f"insert into {_delivered(table)} values (%s)", [day])
        self.rows = len(rows)

    def execute(self, sql: str, values: dict[str, object]) -> None:
        """Change what was delivered."""
        self._con.execute(sql, values)

    def rows_of(self, table: str, day: date) -> int:
        """How many rows were delivered for a date."""
        return int(self._con.execute(f"select count(*) from {table} where business_date = %s", [day]).fetchone()[0])

    def _prepare(self, table: str, fields: tuple[Field, ...]) -> None:
        if table in self._known:
            return
        columns = ", ".join(f"{field.name} {_type(field)}" for field in fields)
        with self._con.transaction():
            self._con.execute(f"create schema if not exists {table.split('.')[0]}")
            self._con.execute(f"create table if not exists {table} (business_date date not null, {columns})")
            self._con.execute(f"create index if not exists by_date on {table} (business_date)")
            self._con.execute(f"create table if not exists {_delivered(table)} (business_date date primary key)")
        self._known.add(table)


def _delivered(table: str) -> str:
    return f"{table.split('.')[0]}.delivered"


def _type(field: Field) -> str:
    return _TYPES["string"] if field.codes else _TYPES.get(field.type) or f"numeric(18,{field.places})"
