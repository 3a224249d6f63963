"""Opens a candidate: every product as a view over its Parquet file, on a database in memory.

What belongs here: files, schemas, views, and which rows break an expectation. What does not: verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract


@dataclass(frozen=True)
class Table:
    """One product of a candidate. `schema` is what its file holds; without a readable one `fault` says why."""

    contract: Contract
    path: Path
    schema: pa.Schema | None
    rows: int = 0
    fault: str = ""

    @property
    def view(self) -> str:
        """Name of the view over the file."""
        return f"{self.contract.consumer}__{self.contract.table}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the file holds."""
        return tuple(self.schema.names) if self.schema is not None else ()

    @cached_property
    def mistyped(self) -> dict[str, str]:
        """Columns whose type is not the contract's, each with what is wrong."""
        if self.schema is None:
            return {}
        found = {}
        for field in arrow_schema(self.contract):
            if field.name in self.columns and (actual := _plain(self.schema.field(field.name).type)) != field.type:
                found[field.name] = f"{field.name} is {actual}, not {field.type}"
        return found

    def unusable(self, columns: tuple[str, ...]) -> str:
        """Why `columns` cannot be looked at, or nothing where they can."""
        missing = [name for name in columns if name not in self.columns]
        wrong = [reason for name, reason in self.mistyped.items() if name in columns]
        return self.fault or "; ".join([*(f"{name} is missing" for name in missing), *wrong])


@dataclass(frozen=True)
class Tables:
    """The products of a candidate, and a connection on which the usable ones are views."""

    catalog: Catalog
    connection: duckdb.DuckDBPyConnection
    config: dict[str, Any]
    by_product: dict[str, Table]

    def usable(self) -> list[Table]:
        """Tables whose file could be read."""
        return [table for table in self.by_product.values() if table.schema is not None]

    def need(self, product_id: str, columns: tuple[str, ...] = ()) -> Table:
        """The table of `product_id`. Raises NotAudited where it, or one of `columns`, cannot be looked at."""
        table = self.by_product.get(product_id)
        if table is None:
            raise NotAudited(f"there is no product {product_id}")
        if reason := table.unusable(columns):
            raise NotAudited(f"{product_id}: {reason}")
        return table

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a query over the views."""
        return self.connection.execute(sql, parameters or []).fetchall()


class NotAudited(Exception):
    """A check cannot be carried out. The message says why, without any value of the data."""


def without_values(message: str) -> str:
    """What may be said of an engine's error: its kind, and the rest only where that speaks of names and not of data."""
    if match := re.search(r"\b((?:Binder|Catalog|Parser) Error): ([^\n]*)", message):
        return f"{match[1]}: {match[2].strip()}"
    match = re.search(r"\b([A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)* Error)\b", message)
    return match[1] if match else "the query failed"


def tables_of(directory: Path, catalog: Catalog) -> dict[str, Table]:
    """The tables of the candidate or release in `directory`, by product id, by what their files say of themselves."""
    return {product.id: _table(directory, product) for product in catalog.products.values()}


@contextmanager
def open_tables(
    directory: Path, catalog: Catalog, threads: int, memory_limit: str, room: Path | None = None
) -> Iterator[Tables]:
    """Open the candidate in `directory`. DuckDB spills to a private directory beside it, removed at the end.

    A release is opened with `room` elsewhere: nothing is written beside it.
    """
    with TemporaryDirectory(prefix=".audit-", dir=room or directory.parent) as spill:
        config = {
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": spill,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        tables = tables_of(directory, catalog)
        with duckdb.connect(":memory:", config=config) as connection:
            opened = Tables(catalog, connection, config, tables)
            for statement in view_statements(opened):
                connection.execute(statement)
            yield opened


def view_statements(tables: Tables) -> list[str]:
    """SQL that creates one view per usable product."""
    return [f"create view {table.view} as from read_parquet('{exact_path(table.path)}')" for table in tables.usable()]


def literal(value: str | float | date | None) -> str:
    """A value as SQL."""
    if value is None:
        return "null"
    if isinstance(value, date):
        return f"{'timestamp' if isinstance(value, datetime) else 'date'} '{value.isoformat()}'"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def exact_path(path: Path) -> str:
    """A path as DuckDB reads it: no character of it is a wildcard."""
    return "".join(f"[{c}]" if c in "[*?" else c for c in str(path)).replace("'", "''")


def parquet(path: Path) -> str:
    """A file as a table in SQL, with the columns that it has: names of directories above it are none."""
    return f"read_parquet('{exact_path(path)}', hive_partitioning = false)"


def _table(directory: Path, product: Contract) -> Table:
    path = directory / str(product.consumer) / f"{product.table}.parquet"
    if not path.is_file():
        return Table(product, path, None, fault="the file is missing")
    try:
        metadata = pq.read_metadata(path)
    except (pa.ArrowInvalid, OSError):
        return Table(product, path, None, fault="the file is not readable Parquet")
    return Table(product, path, metadata.schema.to_arrow_schema(), metadata.num_rows)


def _plain(type_: pa.DataType) -> pa.DataType:
    """Arrow has several layouts of text; in Parquet they are one."""
    return pa.string() if type_ in (pa.large_string(), pa.string_view()) else type_
