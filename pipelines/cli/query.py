"""`zhongtai query`: SQL on what a consumer was given, and on nothing else."""

from __future__ import annotations

import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from pipelines.cli.options import State
from pipelines.release import catalogue
from pipelines.release.catalogue import Release
from pipelines.release.consumer_file import EXAMPLES
from pipelines.release.readers import reading
from pipelines.settings import InputError


class Consumer(StrEnum):
    """Who asks."""

    marketing = "marketing"
    risk = "risk"


class Reader(StrEnum):
    """Whose tables are asked: a consumer's, or the ledger of data usage."""

    marketing = "marketing"
    risk = "risk"
    data_protection = "data_protection"


class Format(StrEnum):
    """How the answer is written."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def query(
    context: typer.Context,
    consumer: Annotated[Reader, typer.Option(help="Whose file to ask; data_protection has the table data_usage.")],
    sql: Annotated[str, typer.Argument(help="One SQL statement; tables in main and shared.")] = "",
    release: Annotated[str | None, typer.Option(help="Release id or its beginning; default the current one.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="How to write the answer.")] = Format.table,
    out: Annotated[Path | None, typer.Option(help="File to write; parquet needs one.")] = None,
    examples: Annotated[bool, typer.Option("--examples", help="Show queries to begin with.")] = False,
) -> None:
    """Ask the file of a consumer in the current release, or the ledger of what was used of whom, read-only."""
    state: State = context.obj
    found = catalogue.find(state.settings.home, release)
    if format_ is Format.parquet and out is None:
        raise InputError("--format parquet needs --out FILE")
    if examples == bool(sql):
        raise InputError("write one SQL statement, or --examples to see some to begin with")
    if examples and consumer is Reader.data_protection:
        raise InputError("examples lie in the files of marketing and risk; name one of them")
    with reading(found.path), closing(_opened(found, consumer)) as con:
        if examples:
            _show_examples(con)
            return
        try:
            # The answer may not reach beyond the consumer's own file.
            con.execute("set enable_external_access = false; set lock_configuration = true")
            relation = con.sql(sql)
        except duckdb.Error as error:
            raise InputError(f"{str(error).splitlines()[0]}; tables: {', '.join(_tables(con))}") from error
        if relation is None:
            raise InputError("the statement gives no rows; write a SELECT")
        _write(relation, format_, out)


def _opened(release: Release, reader: Reader) -> duckdb.DuckDBPyConnection:
    if reader is Reader.data_protection:
        from pipelines.release.usage_table import open_data_usage

        return open_data_usage(release)
    return duckdb.connect(str(release.path / reader / f"{reader}.duckdb"), read_only=True)


def _show_examples(con: duckdb.DuckDBPyConnection) -> None:
    try:
        rows = con.execute(f"select product, title_zh, title_en, sql from {EXAMPLES}").fetchall()
    except duckdb.CatalogException as error:
        raise InputError("this release was published before there were examples; name a later one") from error
    for product, zh, en, sql in rows:
        _emit(f"-- {product}: {en} {zh}\n{sql};\n\n", None)


def _tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    rows = con.execute("select table_schema, table_name from information_schema.tables order by 1, 2").fetchall()
    return [name if schema == "main" else f"{schema}.{name}" for schema, name in rows]


def _write(relation: duckdb.DuckDBPyRelation, format_: Format, out: Path | None) -> None:
    frame = relation.pl()
    if format_ is Format.parquet:
        frame.write_parquet(str(out), compression="zstd")
    elif format_ is Format.csv:
        _emit(frame.write_csv(), out)
    elif format_ is Format.json:
        _emit(frame.write_json() + "\n", out)
    else:
        import polars as pl

        with pl.Config(
            tbl_rows=100, tbl_cols=-1, tbl_hide_dataframe_shape=True, fmt_str_lengths=64, tbl_width_chars=200
        ):
            _emit(f"{frame}\n", out)


def _emit(text: str, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
