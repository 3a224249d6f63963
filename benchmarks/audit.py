"""What the audit costs: as a share of a night, beside the same checks without the platform, and the night's memory.

    .venv/bin/python -m benchmarks.audit PLACE [--customers 20000] [--seed 1]

PLACE is a home, made where it is empty: so many customers of the simulated bank, landed and published as of the first
day. Then the night of the day after its last release is run and measured, and what it published is audited once more
alone, in a process of its own, whose memory is the audit's. Belongs here: the night, the audit and the bare checks.
Does not belong here: the command's measurement (`benchmarks.command`), and what an audit asks (`benchmarks.recorded`).

Bare is each question that the audit asked of DuckDB, recorded and asked once more over the same views on one
connection: no statement twice, none that another one counts the rows of, none that asks for the catalogue alone. It is
SQL and nothing else. Beside it stands the audit, with all that it does in Python and Great Expectations, but without
hashing the files, which bare checks would do in the same way: that is told apart. Imports are not counted either, as a
night does them beside other work: they are told, as is the start of Great Expectations, which is counted.

The limits are those of a million parties, and are held there. Of a smaller bank most of the audit is a fixed cost.
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
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from benchmarks.command import Measured, machine, run
from benchmarks.recorded import Statement, questions, recorded
from pipelines.audit import tables
from pipelines.audit.content import CANDIDATE, canonical_json, read_content
from pipelines.audit.engine import opened, preload
from pipelines.audit.run import audit_candidate
from pipelines.contracts.load import Catalog, load_catalog
from pipelines.release.catalogue import Release, current, shelf
from pipelines.settings import PROJECT, Home, Settings

FIRST = date(2025, 1, 1)
LARGEST_SHARE, LARGEST_RATIO = 0.30, 1.5
LIMITED_FROM = 950_000  # parties; in thousands of customers a million is not met to the party


@dataclass(frozen=True)
class Alone:
    """Seconds of one audit in a process of its own, of what it starts with, and the memory of that process in MB."""

    seconds: float
    imports: float
    start: float
    imported_mb: float
    peak_mb: float
    not_audited: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """An audit alone, hashing within it, and the seconds of its questions as bare SQL."""

    alone: Alone
    hashing: float
    bare: float
    statements: int

    @property
    def ratio(self) -> float:
        """What the audit costs beside its questions, both without hashing."""
        return (self.alone.seconds - self.hashing) / self.bare


def main() -> int:
    """Run the night, audit once more, print; ends with 1 where a limit of a million parties is passed."""
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
    """The measurement as a table in Markdown, and whether it keeps to the limits, where there are any."""
    seconds, alone = night.outcome["seconds"], audit.alone
    share = seconds["evidence"] / seconds["total"]
    crosswalk = pl.scan_parquet(home.identity / "party_crosswalk.parquet")
    parties = crosswalk.select(pl.col("party_id").n_unique()).collect().item()
    cells = {
        "parties": f"{parties:,}",
        "rows published": f"{sum(release.manifest['rows'].values()):,}",
        "night, s": f"{seconds['total']:.0f}",
        "audit in it, s": f"{seconds['evidence']:.1f}",
        "share": f"{share:.1%}",
        "audit alone, s": f"{alone.seconds:.1f}",
        "of it hashing, s": f"{audit.hashing:.1f}",
        "bare SQL, s": f"{audit.bare:.1f}",
        "ratio without hashing": f"{audit.ratio:.2f}",
        "statements": f"{audit.statements:,}",
        "peak of the audit, GB": f"{alone.peak_mb / 1e3:.1f}",
        "peak of the night, GB": f"{night.peak_mb / 1e3:.1f}",
    }
    lines = [f"| {' | '.join(cells)} |", f"|{'---:|' * len(cells)}", f"| {' | '.join(cells.values())} |", ""]
    lines.append(
        f"Fixed, at any size: imports take {alone.imports:.1f} s and {alone.imported_mb / 1e3:.1f} GB before it; "
        f"in it Great Expectations takes {alone.start:.1f} s to start."
    )
    if parties < LIMITED_FROM:
        lines.append(f"Limits are those of a million parties: at {parties:,} none is held.")
        return "\n".join(lines), True
    return "\n".join(lines), share <= LARGEST_SHARE and audit.ratio <= LARGEST_RATIO


def audited(home: Home, release: Release) -> Audit:
    """Audit what a release holds as if it were a candidate, twice: alone to measure it, here to record what it asks."""
    settings = Settings(home_dir=home.path)
    catalog = load_catalog(settings.contracts)
    limits = {"threads": settings.threads, "memory_limit": settings.memory_limit}
    with tempfile.TemporaryDirectory(dir=home.candidates, prefix=".bench-") as place:
        candidate = _as_candidate(home, catalog, release, Path(place))
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            alone = process.submit(_alone, home, candidate, limits).result()
        if alone.not_audited:
            raise SystemExit(f"not audited, so that no figure says anything: {', '.join(alone.not_audited)}")
        with recorded() as statements:
            audit_candidate(candidate, catalog, _crosswalk(home), shelf(home), **limits)
        started = time.perf_counter()
        read_content(candidate)
        hashing = time.perf_counter() - started
        return Audit(alone, hashing, _bare(candidate, catalog, questions(statements), **limits), len(statements))


def _alone(home: Home, candidate: Path, limits: dict[str, Any]) -> Alone:
    """One audit, in the process that calls this."""
    catalog = load_catalog(Settings(home_dir=home.path).contracts)
    started = time.perf_counter()
    preload()
    imports, imported_mb = time.perf_counter() - started, _largest_mb()
    started = time.perf_counter()
    evidence = audit_candidate(candidate, catalog, _crosswalk(home), shelf(home), **limits)
    seconds, peak_mb = time.perf_counter() - started, _largest_mb()
    with tables.open_tables(candidate, catalog, **limits) as there:
        started = time.perf_counter()
        with opened(there):
            start = time.perf_counter() - started
    missed = tuple(check.id for check in evidence.checks if check.state == "not_audited")
    return Alone(seconds, imports, start, imported_mb, peak_mb, missed)


def _largest_mb() -> float:
    """The most memory that this process has held. That of `getrusage` is also of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def _crosswalk(home: Home) -> Path:
    return home.identity / "party_crosswalk.parquet"


def _as_candidate(home: Home, catalog: Catalog, release: Release, place: Path) -> Path:
    """The content of a release below `place`, by links to its files, named and described as its candidate was."""
    manifest = release.manifest
    candidate = place / manifest["content_hash"]
    for name in manifest["files"]:
        (candidate / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(release.path / name, candidate / name)
    described = {"bank": manifest["bank"], "business_date": manifest["business_date"], "withheld": {}}
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        for name, rows in manifest["rows"].items():
            product = catalog.products[name]
            chosen = (
                f"from marts.{catalog.marts[product.mart].table} where business_date = ? and ({product.filter or True})"
            )
            (count,) = con.execute(f"select count(*) {chosen}", [manifest["business_date"]]).fetchone()
            described["withheld"][name] = count - rows
    (candidate / CANDIDATE).write_bytes(canonical_json(described))
    return candidate


def _bare(candidate: Path, catalog: Catalog, statements: list[Statement], threads: int, memory_limit: str) -> float:
    """Seconds for the statements on one connection."""
    with tables.open_tables(candidate, catalog, threads, memory_limit) as there:
        started = time.perf_counter()
        for sql, parameters in statements:
            there.connection.execute(sql, parameters or None).fetch_arrow_table()
        return time.perf_counter() - started


if __name__ == "__main__":
    raise SystemExit(main())
