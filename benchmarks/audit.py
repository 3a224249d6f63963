"""What the audit costs: as a share of a night, beside the same checks without the platform, and the night's memory.

    .venv/bin/python -m benchmarks.audit PLACE [--customers 20000] [--seed 1]

PLACE is a home, made where it is empty: so many customers of the simulated bank, landed and published as of the first
day. Then the night of the day after its last release is run and measured, and what it published is audited once more
in this process, alone. Belongs here: the night, the audit and the bare checks. Does not belong here: the command's
measurement (`benchmarks.command`).

Bare is each question that the audit asked of DuckDB, recorded and asked once more over the same views on one
connection: no statement twice, none that another one counts the rows of, none that asks for the catalogue alone. To it
is added what is no SQL: hashing the files, and the decisions of lawful use, which are polars expressions already.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import polars as pl
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks.command import Measured, machine, run
from pipelines.audit import lawful, tables
from pipelines.audit.content import CANDIDATE, canonical_json, read_content
from pipelines.audit.engine import preload
from pipelines.audit.run import audit_candidate
from pipelines.contracts.load import Catalog, load_catalog
from pipelines.release.catalogue import Release, current, shelf
from pipelines.settings import PROJECT, Home, Settings

FIRST = date(2025, 1, 1)
LARGEST_SHARE, LARGEST_RATIO = 0.30, 1.5
_LOOKS = re.compile(r"\b(marketing|risk|shared)__|read_parquet\(")
_COUNTED = "SELECT COUNT(*) as unexpected_row_count FROM ("  # how Great Expectations counts what a query gives
Statement = tuple[str, Any]


@dataclass(frozen=True)
class Audit:
    """Seconds of an audit alone, and of the same checks without what is around them."""

    seconds: float
    bare: float
    statements: int


def main() -> int:
    """Run the night, audit once more, print; ends with 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    home = Home(given.place.resolve())
    os.environ["ZHONGTAI_CONTRACTS"] = str(_contracts(home.path / "contracts"))
    if current(home) is None:
        _simulate(home, given.customers, given.seed, FIRST, "--history-to", f"{FIRST}")
        run(home.path, "backfill", "--bank", "simbank", "--to", f"{FIRST}")
    day = current(home).business_date + timedelta(days=1)
    _simulate(home, given.customers, given.seed, day)
    night = run(home.path, "nightly", "--bank", "simbank", "--date", f"{day}")
    release = current(home)
    text, kept = told(home, release, night, audited(home, release))
    print(f"{machine('benchmarks/audit.py')}\n\n{text}")
    return 0 if kept else 1


def _contracts(place: Path) -> Path:
    """The project's contracts, under a policy that judges no volume: a bank of two days has no usual one."""
    shutil.copytree(PROJECT / "data_contracts", place, dirs_exist_ok=True)
    policy = place / "policy.yaml"
    policy.write_text(re.sub(r"(volume_min_rows:) \d+", r"\1 1000000000", policy.read_text("utf-8")), "utf-8")
    return place


def _simulate(home: Home, customers: int, seed: int, day: date, *more: str) -> None:
    """Have the simulated bank deliver one day, in the home where its nights look."""
    command = [str(Path(sys.executable).with_name("zhongtai")), "--home", f"{home.path}", "simulate"]
    bank = ["--customers", f"{customers}", "--seed", f"{seed}", "--from", f"{day}", "--to", f"{day}"]
    subprocess.run([*command, *bank, *more], check=True, stdout=subprocess.DEVNULL)


def told(home: Home, release: Release, night: Measured, audit: Audit) -> tuple[str, bool]:
    """The measurement as a table in Markdown, and whether it keeps to the limits."""
    seconds = night.outcome["seconds"]
    share, ratio = seconds["evidence"] / seconds["total"], audit.seconds / audit.bare
    crosswalk = pl.scan_parquet(home.identity / "party_crosswalk.parquet")
    parties = crosswalk.select(pl.col("party_id").n_unique()).collect().item()
    cells = [
        f"{parties:,}", f"{sum(release.manifest['rows'].values()):,}", f"{seconds['total']:.0f}",
        f"{seconds['evidence']:.1f}", f"{share:.1%}", f"{audit.seconds:.1f}", f"{audit.bare:.1f}",
        f"{ratio:.2f}", f"{audit.statements:,}", f"{night.peak_mb / 1e3:.1f}",
    ]  # fmt: skip
    heads = ("parties", "rows published", "night, s", "audit in it, s", "share", "audit alone, s", "bare, s", "ratio",
             "statements", "peak of the night, GB")  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", f"|{'---:|' * len(heads)}", f"| {' | '.join(cells)} |"]
    return "\n".join(lines), share <= LARGEST_SHARE and ratio <= LARGEST_RATIO


def audited(home: Home, release: Release) -> Audit:
    """Audit what a release holds as if it were a candidate, twice: to time it, and to record what it asks."""
    settings = Settings(home_dir=home.path)
    catalog = load_catalog(settings.contracts)
    limits = {"threads": settings.threads, "memory_limit": settings.memory_limit}
    preload()  # a night imports it beside other work
    with tempfile.TemporaryDirectory(dir=home.candidates, prefix=".bench-") as place:
        candidate = _as_candidate(release, Path(place) / "candidate")
        crosswalk = home.identity / "party_crosswalk.parquet"
        started = time.perf_counter()
        audit_candidate(candidate, catalog, crosswalk, shelf(home), **limits)
        seconds = time.perf_counter() - started
        with _recorded() as statements:
            audit_candidate(candidate, catalog, crosswalk, shelf(home), **limits)
        return Audit(seconds, _bare(candidate, catalog, _questions(statements), **limits), len(statements))


def _as_candidate(release: Release, place: Path) -> Path:
    """The content of a release in `place`, by links to its files, described as a candidate is."""
    for name in release.manifest["files"]:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(release.path / name, place / name)
    described = {"bank": release.manifest["bank"], "business_date": release.manifest["business_date"]}
    (place / CANDIDATE).write_bytes(canonical_json(described))
    return place


@contextmanager
def _recorded() -> Iterator[list[Statement]]:
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


def _questions(statements: list[Statement]) -> list[Statement]:
    """Each statement that looks at a file or a view of one, once, and not again as the inside of another."""
    once = list({f"{sql} {parameters}": (sql, parameters) for sql, parameters in statements}.values())
    looking = [(sql, given) for sql, given in once if _LOOKS.search(sql) and not sql.lower().startswith("create view ")]
    counted = {sql.partition(_COUNTED)[2].rpartition(")")[0].strip() for sql, _ in looking if _COUNTED in sql}
    return [(sql, given) for sql, given in looking if sql.strip() not in counted]


def _bare(candidate: Path, catalog: Catalog, statements: list[Statement], threads: int, memory_limit: str) -> float:
    """Seconds for the statements on one connection, for hashing the files, and for what polars decides."""
    with tables.open_tables(candidate, catalog, threads, memory_limit) as opened:
        started = time.perf_counter()
        for sql, parameters in statements:
            opened.connection.execute(sql, parameters or None).fetch_arrow_table()
        read_content(candidate)
        lawful.unproven(candidate, catalog)
        return time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
