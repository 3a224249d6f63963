"""The DuckDB file that a consumer opens: real tables with comments, made from the release's Parquet.

The file is derived: its bytes differ at every write, so it is compared table by table and never hashed.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import duckdb

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract

RELEASE_TABLE = "release"
EXAMPLES = "example_queries"
# What tables of the file itself and their columns mean; products say it by their contracts.
_WORDS = {
    (RELEASE_TABLE, ""): "The release that this file belongs to. One row.",
    (RELEASE_TABLE, "release_id"): "Name of the release.",
    (RELEASE_TABLE, "bank"): "Bank whose data it is.",
    (RELEASE_TABLE, "business_date"): "Business date that every row is as of.",
    (RELEASE_TABLE, "content_hash"): "Hash of everything that was audited and published.",
    (EXAMPLES, ""): "Queries to begin with, each on a table of this file. One row per query.",
    (EXAMPLES, "product"): "Product that the query is an example of.",
    (EXAMPLES, "title_zh"): "What it answers, in Chinese.",
    (EXAMPLES, "title_en"): "What it answers, in English.",
    (EXAMPLES, "purpose"): "Purposes for which the product may be used, joined by a semicolon.",
    (EXAMPLES, "sql"): "The query.",
}
_OBJECTS = """
    select schema_name, table_name from duckdb_tables() where not internal
    union all select schema_name, view_name from duckdb_views() where not internal
    union all select schema_name, function_name from duckdb_functions() where not internal
"""
_COMMENTS = """
    select schema_name, table_name, '', comment from duckdb_tables()
    union all select schema_name, table_name, column_name, comment from duckdb_columns() where not internal
"""


def build_consumer_file(release: Path, consumer: str, catalog: Catalog, release_row: dict[str, str]) -> Path:
    """Write `<consumer>/<consumer>.duckdb` below `release`: its products in main, shared ones in schema shared."""
    path = release / consumer / f"{consumer}.duckdb"
    with closing(duckdb.connect(str(path))) as con:
        con.execute("begin")  # one wait for the disk, not one per comment
        con.execute("create schema shared")
        for product in _products(consumer, catalog):
            table = _table(str(product.consumer), product.table)
            con.execute(f"create table {table} as from {_parquet(release, str(product.consumer), product.table)}")
        for (schema, table, column), words in _comments(_products(consumer, catalog)).items():
            what, name = ("column", f".{_quoted(column, chr(34))}") if column else ("table", "")
            con.execute(f"comment on {what} {schema}.{_quoted(table, chr(34))}{name} is {_quoted(words)}")
        values = ", ".join(f"{_quoted(value)} as {name}" for name, value in release_row.items())
        con.execute(f"create table {RELEASE_TABLE} as select {values}")
        con.execute(f"create table {EXAMPLES} (product text, title_zh text, title_en text, purpose text, sql text)")
        if rows := _examples(_products(consumer, catalog)):
            con.executemany(f"insert into {EXAMPLES} values (?, ?, ?, ?, ?)", rows)
        for (table, column), words in _WORDS.items():
            what, name = ("column", f".{column}") if column else ("table", "")
            con.execute(f"comment on {what} {table}{name} is {_quoted(words)}")
        con.execute("commit")
        con.execute("checkpoint")
    return path


def differences(
    release: Path, consumer: str, files: Iterable[str], described: Iterable[Contract], release_row: dict[str, str]
) -> list[str]:
    """What the consumer's file holds that its Parquet files do not, or the other way round; rows, columns and words.

    `files` are the Parquet files of the release; the comments of the tables of `described` are held against them.
    """
    path = release / consumer / f"{consumer}.duckdb"
    parts = [Path(file).parts for file in files]
    shown = {(folder, Path(file).stem) for folder, file in parts if folder in (consumer, "shared")}
    try:
        with closing(duckdb.connect(str(path), read_only=True)) as con:
            found = [f"{path.name}: {words}" for words in _stray(con, shown)]
            for folder, table in sorted(shown):
                words = _compare(con, _table(folder, table), _parquet(release, folder, table))
                found += [f"{path.name}: {words}"] if words else []
            if con.execute(f"from {RELEASE_TABLE}").fetchall() != [tuple(release_row.values())]:
                found.append(f"{path.name}: {RELEASE_TABLE} names another release")
            found += _other_examples(con, path.name, list(described))
            said = {
                (schema, table, column): words for schema, table, column, words in con.execute(_COMMENTS).fetchall()
            }
    except duckdb.Error as error:
        return [f"{path.name}: cannot be read: {str(error).splitlines()[0]}"]
    if found:
        return found
    changed = [place for place, words in _comments(described).items() if said.get(place) != words]
    return [f"{path.name}: the comment on {'.'.join(filter(None, place))} was changed" for place in changed]


def _stray(con: duckdb.DuckDBPyConnection, shown: set[tuple[str, str]]) -> list[str]:
    expected = {("shared" if folder == "shared" else "main", table) for folder, table in shown} | {
        ("main", RELEASE_TABLE),
        ("main", EXAMPLES),
    }
    held = con.execute(_OBJECTS).fetchall()
    return [f"{schema}.{name} does not belong here" for schema, name in sorted(held) if (schema, name) not in expected]


def _other_examples(con: duckdb.DuckDBPyConnection, file: str, described: list[Contract]) -> list[str]:
    """Whether the examples are those of the contracts. A release from before there were any has no table of them."""
    expected = _examples(described)
    if not expected or (("main", EXAMPLES) not in con.execute(_OBJECTS).fetchall()):
        return [f"{file}: {EXAMPLES} is not there"] if expected else []
    products = {product.id for product in described}
    held = [row for row in con.execute(f"from {EXAMPLES}").fetchall() if row[0] in products]
    return [] if held == expected else [f"{file}: {EXAMPLES} was changed"]


def _compare(con: duckdb.DuckDBPyConnection, table: str, parquet: str) -> str:
    try:
        mine, theirs = (con.execute(f"describe from {one}").fetchall() for one in (table, parquet))
        if [column[:2] for column in mine] != [column[:2] for column in theirs]:
            return f"{table} has other columns than its Parquet file"
        only_mine, only_theirs = (
            f"(from {table} except all from {parquet})",
            f"(from {parquet} except all from {table})",
        )
        (count,) = con.execute(f"select count(*) from ({only_mine} union all {only_theirs})").fetchall()[0]
    except duckdb.Error as error:
        return f"{table}: {str(error).splitlines()[0]}"
    return f"{table} differs from its Parquet file in {count} rows" if count else ""


def _products(consumer: str, catalog: Catalog) -> list[Contract]:
    return [product for product in catalog.products.values() if product.consumer in (consumer, "shared")]


def _examples(products: Iterable[Contract]) -> list[tuple[str, ...]]:
    """Rows of the table of examples, in the order of products."""
    return [
        (product.id, example.zh, example.en, ";".join(product.purposes), example.sql)
        for product in sorted(products, key=lambda product: product.id)
        for example in product.examples
    ]


def _comments(products: Iterable[Contract]) -> dict[tuple[str, str, str], str]:
    """What is said of each table and column, by schema, table and column; of the table itself where that is empty."""
    said = {}
    for product in products:
        place = ("shared" if product.consumer == "shared" else "main", product.table)
        said[(*place, "")] = f"{product.name}. {product.purpose} {product.grain} Owner: {product.owner}."
        said |= {(*place, column.name): column.description for column in product.columns}
    return said


def _table(folder: str, table: str) -> str:
    name = _quoted(table, '"')
    return f"shared.{name}" if folder == "shared" else f"main.{name}"


def _parquet(release: Path, folder: str, table: str) -> str:
    return f"read_parquet({_quoted(str(release / folder / f'{table}.parquet'))})"


def _quoted(text: str, mark: str = "'") -> str:
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"
