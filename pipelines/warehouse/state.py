"""What the warehouse file says of itself: which business dates its facts hold.

Belongs here: short read-only looks, each with a connection of its own that is closed again. An open reader would keep
dbt from writing, also one that does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from pipelines.settings import Home, InputError
from pipelines.warehouse.holder import in_use

_TABLE = ("intermediate", "int_processed_date")


class WarehouseUnreadable(InputError):
    """The warehouse file is held by another process or is damaged. Says which, and what to do."""


def processed_dates(home: Home) -> dict[date, str]:
    """Business dates that the facts hold, each with the digest of what it was built from; empty without a warehouse.

    Raises WarehouseUnreadable.
    """
    if not home.warehouse.exists():
        return {}
    with _reading(home.warehouse) as con:
        schema, table = _TABLE
        known = con.execute(
            "select count(*) from duckdb_tables() where schema_name = ? and table_name = ?", [schema, table]
        ).fetchone()
        if not known or not known[0]:
            return {}
        return dict(con.execute(f"select business_date, digest from {schema}.{table} order by 1").fetchall())


@contextmanager
def _reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    con = None
    try:
        con = duckdb.connect(str(path), read_only=True)
        yield con
    except duckdb.Error as error:
        raise _explained(path, str(error)) from error
    finally:
        if con is not None:
            con.close()


def _explained(path: Path, words: str) -> WarehouseUnreadable:
    if held := in_use(path, words):
        return WarehouseUnreadable(held)
    return WarehouseUnreadable(
        f"{path} cannot be read: {words.strip().splitlines()[0]}\n"
        f"Nothing in it is original: move it away together with {path.name}.wal if that exists, and the next run "
        f"rebuilds every date from the lake"
    )
