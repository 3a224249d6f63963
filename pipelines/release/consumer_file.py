"""The DuckDB file that a consumer opens: real tables with comments, made from the release's Parquet.

The file is derived: its bytes differ at every write, so it is compared table by table and never hashed.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import duckdb

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract


def build_consumer_file(release: Path, consumer: str, catalog: Catalog, release_row: dict[str, str]) -> Path:
    """Write `<consumer>/<consumer>.duckdb` below `release`: its products in main, shared ones in schema shared."""
    path = release / consumer / f"{consumer}.duckdb"
    with closing(duckdb.connect(str(path))) as con:
        con.execute("create schema shared")
        for product, table in tables(consumer, catalog):
            con.execute(f"create table {table} as from read_parquet('{_parquet(release, product)}')")
            _comment(con, "table", table, f"{product.name}. {product.purpose} {product.grain} Owner: {product.owner}.")
            for column in product.columns:
                _comment(con, "column", f"{table}.{column.name}", column.description)
        values = ", ".join(f"'{value}' as {name}" for name, value in release_row.items())
        con.execute(f"create table release as select {values}")
        _comment(con, "table", "release", "The release that this file belongs to. One row.")
        con.execute("checkpoint")
    return path


def differences(release: Path, consumer: str, catalog: Catalog) -> list[str]:
    """Tables of the consumer's file that do not hold exactly the rows of their Parquet file."""
    path = release / consumer / f"{consumer}.duckdb"
    if not path.exists():
        return [f"{path.name} is missing"]
    found = []
    with closing(duckdb.connect(str(path), read_only=True)) as con:
        for product, table in tables(consumer, catalog):
            parquet = f"read_parquet('{_parquet(release, product)}')"
            try:
                (count,) = con.execute(
                    f"select count(*) from ((from {table} except all from {parquet}) union all "
                    f"(from {parquet} except all from {table}))"
                ).fetchall()[0]
            except duckdb.Error as error:
                found.append(f"{path.name}: {table}: {str(error).splitlines()[0]}")
                continue
            if count:
                found.append(f"{path.name}: {table} differs from its Parquet file in {count} rows")
    return found


def tables(consumer: str, catalog: Catalog) -> list[tuple[Contract, str]]:
    """The products in a consumer's file, with the name of each table there."""
    own = [(product, product.table) for product in catalog.products.values() if product.consumer == consumer]
    shared = [(p, f"shared.{p.table}") for p in catalog.products.values() if p.consumer == "shared"]
    return own + shared


def _parquet(release: Path, product: Contract) -> Path:
    return release / str(product.consumer) / f"{product.table}.parquet"


def _comment(con: duckdb.DuckDBPyConnection, what: str, name: str, text: str) -> None:
    con.execute(f"comment on {what} {name} is '{text.replace(chr(39), chr(39) * 2)}'")
