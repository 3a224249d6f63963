"""What is looked at in a home after a run, whatever its bank."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow.parquet as pq

from pipelines.release.catalogue import current
from pipelines.settings import Home

# Who is on the list stays by wider limits than who enters: that depends on the nights before, and so do these.
LISTS = {
    f"{name}{variant}.parquet" for name in ("low_risk_list", "low_risk_decision") for variant in ("", "_with_bureau")
}
# What says since when it holds, or was last looked at, likewise.
# The ledger counts the rows of these.
SINCE = {"customer_tag.parquet", "tag_refresh.parquet", "usage_marketing.parquet", "usage_risk.parquet", *LISTS}


def timeless_bytes(home: Path) -> dict[str, str]:
    """`published_bytes` of tables whose rows are the same whichever nights went before."""
    return {path: digest for path, digest in published_bytes(home).items() if path.rpartition("/")[2] not in SINCE}


def published_bytes(home: Path) -> dict[str, str]:
    """Hash of every published Parquet file of the current release."""
    release = current(Home(home))
    assert release is not None
    files = sorted(release.path.rglob("*.parquet"))
    return {path.relative_to(release.path).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def ask(home: Path, consumer: str, sql: str) -> list[tuple[Any, ...]]:
    """What a consumer's file answers."""
    path = (home / "releases" / "current").resolve() / consumer / f"{consumer}.duckdb"
    with closing(duckdb.connect(str(path), read_only=True)) as con:
        return con.execute(sql).fetchall()


def copied(source: Path, target: Path) -> Path:
    """A copy of a home, to run in."""
    return Path(shutil.copytree(source, target, symlinks=True))


def linked(source: Path, target: Path, *without: str) -> Path:
    """A copy whose files are links: for what replaces files and never writes into them, as landing does."""
    ignored = shutil.ignore_patterns(*without) if without else None
    return Path(shutil.copytree(source, target, copy_function=_link, symlinks=True, ignore=ignored))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another device
        shutil.copy2(source, target)


def readable(home: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every text of every file of a home, but for the vault and what was delivered: values of tables, bytes of all."""
    for path in sorted(home.rglob("*")):
        place = path.relative_to(home)
        if path.is_symlink() or path.is_dir() or place.parts[0] in ("vault", "simulated"):
            continue
        content = path.read_bytes()
        yield path, [str(place), *(content.decode(encoding, "ignore") for encoding in ("utf-8", "gb18030"))]
        if path.suffix == ".parquet":
            yield path, [str(pq.read_schema(path)), str(pq.read_metadata(path).metadata)]
            frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
            yield from ((path, texts(column)) for column in frame.iter_columns())
        elif path.suffix == ".duckdb":
            with closing(duckdb.connect(str(path), read_only=True)) as con:
                names = con.execute("select schema_name, view_name from duckdb_views() where not internal union all "
                                    "select schema_name, table_name from duckdb_tables()").fetchall()  # fmt: skip
                for schema, name in names:
                    try:
                        frame = con.execute(f'from "{schema}"."{name}"').pl()
                    except duckdb.Error:
                        continue  # a view over files that the build has taken away
                    yield from ((path, texts(column)) for column in frame.iter_columns())


def texts(column: pl.Series) -> list[str]:
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return [str(value) for value in column.unique().to_list()]
    return [str(value) for value in column.drop_nulls().unique().to_list()]
