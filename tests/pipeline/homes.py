"""What is looked at in a home after a run, whatever its bank."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from pipelines.release.catalogue import current
from pipelines.settings import Home

# Who is on the list stays by wider limits than who enters: that depends on the nights before, and so do these.
LISTS = {
    f"{name}{variant}.parquet" for name in ("low_risk_list", "low_risk_decision") for variant in ("", "_with_bureau")
}
# What says since when it holds, or was last looked at, likewise.
SINCE = {"customer_tag.parquet", "tag_refresh.parquet", *LISTS}


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
    return Path(shutil.copytree(source, target, copy_function=os.link, symlinks=True, ignore=ignored))
