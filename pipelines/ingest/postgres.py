"""Deliveries that are rows of a PostgreSQL database: one read-only snapshot, copied out in an order of its own.

What belongs here: the query, its transaction and what can be wrong with them. What does not: how the copy is read
(`extract`). psycopg is imported at the first use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.contracts.form import DATE, Daily, History
from pipelines.ingest.origin import Incomplete, NotAgreed, Unreachable, scrubbed, shown
from pipelines.ingest.sql import literal, quoted

if TYPE_CHECKING:
    import psycopg

_CHECK = "check the address and the access in the environment and run the night again"
_WAIT = 10  # seconds for a server to answer, where the address states no other
# A value is written the same whoever asks, and wherever the server stands.
_WRITTEN = {
    "timezone": "UTC", "datestyle": "ISO", "intervalstyle": "iso_8601", "bytea_output": "hex",
    "extra_float_digits": "1", "client_encoding": "UTF8",
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Extract:
    """The rows of one delivery. `key` are the raw columns that order them first, as far as they are among the rows."""

    url: str
    where: Daily | History
    day: date
    key: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{shown(self.url)}/{self.name}"

    @property
    def name(self) -> str:
        """The table, or that it is a query."""
        return self.where.table or "query"

    def is_there(self) -> bool:
        """Rows are always there; whether they are those of the date is asked together with them."""
        return True

    def incomplete(self) -> str:
        """Nothing: asked in the transaction that reads the rows, so that both see the same."""
        return ""

    def stamp(self) -> tuple[object, ...]:
        """Nothing: the rows are those of one snapshot, whatever is written meanwhile."""
        return ()

    def arrived(self) -> datetime | None:
        """Nothing: a database does not say when its rows came."""
        return None

    def fetch(self, target: Path) -> None:
        """Copy the rows to `target`, as CSV with a header, every value as text; the order is total.

        Raises Incomplete where the `ready` query is not true, NotAgreed where the database has not what is asked for.
        """
        given = {"day": self.day}
        with self._transaction() as con:
            self._check_ready(con, given)
            rows = self._rows()
            described = con.execute(f"select * from ({rows}\n) as delivery limit 0", given).description or []
            names = [column.name for column in described]
            # By number: a name may be there twice, which is told like that of a header.
            numbers = ", ".join(f"c{n}" for n in range(len(names)))
            fields = ", ".join(f"c{n}::text as {_escaped(quoted(name))}" for n, name in enumerate(names))
            first = [names.index(column) for column in self.key if column in names]
            order = ", ".join(f'c{n}::text collate "C"' for n in dict.fromkeys([*first, *range(len(names))]))
            query = f"select {fields} from ({rows}\n) as delivery({numbers}) order by {order}"
            with (
                target.open("wb") as file,
                con.cursor().copy(f"copy ({query}) to stdout (format csv, header)", given) as out,
            ):
                for block in out:
                    file.write(block)

    def _rows(self) -> str:
        if self.where.query:
            return _parameterised(self.where.query)
        table = ".".join(_escaped(quoted(part)) for part in self.name.split("."))
        return f"select * from {table}" + (f" where {_parameterised(self.where.where)}" if self.where.where else "")

    def _check_ready(self, con: psycopg.Connection[Any], given: dict[str, Any]) -> None:
        ready = getattr(self.where, "ready", None)
        if not ready:
            return
        answer = (con.execute(_parameterised(ready), given).fetchone() or [None])[0]
        if answer not in (True, False, None):
            raise NotAgreed("the ready query gives neither true nor false")
        if not answer:
            raise Incomplete("the ready query is not true: not complete yet")

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """One read-only snapshot. What goes wrong in it is told without a secret or a value."""
        import psycopg
        from psycopg import errors
        from psycopg.conninfo import conninfo_to_dict

        try:
            stated = conninfo_to_dict(self.url)
        except psycopg.Error:
            raise Unreachable("the address is none of a PostgreSQL database", _CHECK) from None
        secrets = [str(stated.get(name) or "") for name in ("password", "sslpassword")]
        try:
            with psycopg.connect(**{"connect_timeout": _WAIT, **stated}) as con:  # type: ignore[arg-type]
                con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                con.read_only = True
                for name, value in _WRITTEN.items():
                    con.execute(f"set local {name} = {literal(value)}")
                yield con
        except errors.InsufficientPrivilege as error:
            raise Unreachable(scrubbed(error.diag.message_primary, *secrets), _CHECK) from None
        except errors.ProgrammingError as error:
            raise NotAgreed(f"the database says: {scrubbed(error.diag.message_primary or error, *secrets)}") from None
        except errors.DataError as error:
            # The words of the server would repeat the value.
            raise NotAgreed(f"the query fails for the values of a row ({type(error).__name__})") from None
        except psycopg.Error as error:
            raise Unreachable(scrubbed(_without_user(str(error), stated.get("user")), *secrets), _CHECK) from None


def _parameterised(sql: str) -> str:
    """The SQL of a feed with the date as a parameter."""
    return _escaped(sql).replace(DATE, "%(day)s")


def _escaped(sql: str) -> str:
    return sql.replace("%", "%%")


def _without_user(said: str, user: object) -> str:
    """The last words of a server that refuses; the first name who asked for what."""
    line = next((line for line in reversed(said.splitlines()) if line.strip()), said)
    return line.rpartition("failed: ")[2].partition(' for user "')[0].replace(f'"{user}"', "***").strip()
