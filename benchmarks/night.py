"""What one night costs beside its SQL: wall time and peak memory by step, as ratios in one run.

    .venv/bin/python -m benchmarks.night [--write docs/performance.md]

Makes a home of its own in a temporary directory, backfills all dates but the last, runs the last night, and then runs
the very SQL that dbt compiled for that night once more on a bare DuckDB connection to a copy of the same warehouse.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.command import Measured, machine, run
from pipelines.contracts.load import load_catalog
from pipelines.settings import Home, Settings
from pipelines.warehouse.manifest import manifest
from pipelines.warehouse.run import Dbt

_STEPS = {
    "start-up": ("start-up",), "ingest": ("ingest", "control"), "identity": ("identity", "relations"),
    "dbt": ("warehouse",), "audit": ("evidence",), "release": ("candidate", "release"),
}  # fmt: skip


def main() -> None:
    """Measure every bank whose deliveries are there, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="replace the recorded figures in this Markdown file")
    write = parser.parse_args().write
    settings = Settings()
    catalog = load_catalog(settings.contracts)
    sections = [_measure(bank) for bank in catalog.banks if _delivers(catalog, settings, bank)]
    text = "\n\n".join([machine("benchmarks/night.py"), *sections])
    print(text)
    if write:
        head = write.read_text("utf-8").partition(_MARK)[0] if write.exists() else "# Performance\n\n"
        write.write_text(f"{head}{_MARK}\n{text}\n", encoding="utf-8")


_MARK = "<!-- below: written by benchmarks/night.py -->"


def _delivers(catalog: Any, settings: Settings, bank: str) -> bool:
    from pipelines.ingest.deliveries import place

    return place(catalog.bank(bank), settings).is_dir()


def _measure(bank: str) -> str:
    settings = Settings(bank=bank)
    chosen = load_catalog(settings.contracts).bank(bank)
    last = chosen.last_date or date.today()
    with tempfile.TemporaryDirectory(prefix="zhongtai-bench-") as directory:
        home = Path(directory) / "home"
        day_before = (last - timedelta(days=1)).isoformat()
        back = run(home, "backfill", "--bank", bank, "--to", day_before)
        night = run(home, "nightly", "--date", last.isoformat())
        again = run(home, "nightly", "--date", last.isoformat())
        bare = _bare_sql(settings.model_copy(update={"home_dir": home}))
    days = (last - chosen.first_date).days
    return _section(bank, days, back, night, again, bare)


def _bare_sql(settings: Settings) -> float:
    """Seconds for the SQL of the last night, models and tests, on a bare connection to a copy of the warehouse."""
    home: Home = settings.home
    described = json.loads(manifest(Dbt(settings)).read_bytes())
    copy = home.path / "bare" / home.warehouse.name
    copy.parent.mkdir()
    shutil.copyfile(home.warehouse, copy)
    nodes = {name: node for name, node in described["nodes"].items() if node["resource_type"] in ("model", "test")}
    with closing(duckdb.connect(str(copy))) as con:
        started = time.perf_counter()
        for name in _in_order(nodes):
            node = nodes[name]
            compiled = home.dbt / "target" / "compiled" / "zhongtai" / _compiled_path(node)
            if not compiled.exists():  # a test of a contract that no night of this bank can read
                continue
            _carry_out(con, node, compiled.read_text("utf-8"))
        return time.perf_counter() - started


def _compiled_path(node: dict[str, Any]) -> str:
    path = node["original_file_path"]
    return path if path.endswith(".sql") else f"{path}/{node['path']}"


def _in_order(nodes: dict[str, Any]) -> list[str]:
    done: list[str] = []
    while len(done) < len(nodes):
        ready = [
            n for n in nodes if n not in done and all(p in done for p in nodes[n]["depends_on"]["nodes"] if p in nodes)
        ]
        done += ready
    return done


def _carry_out(con: duckdb.DuckDBPyConnection, node: dict[str, Any], sql: str) -> None:
    if node["resource_type"] == "test":
        con.execute(f"select count(*) from ({sql})").fetchall()
    elif node["config"]["materialized"] == "incremental":
        con.execute(f"create or replace temp table fresh as {sql}")
        relation = f"{node['schema']}.{node['alias']}"
        con.execute(f"delete from {relation} where business_date in (select business_date from fresh)")
        con.execute(f"insert into {relation} by name from fresh")
    else:
        kind = "view" if node["config"]["materialized"] == "view" else "table"
        con.execute(f"create or replace {kind} {node['schema']}.{node['alias']} as {sql}")


def _section(bank: str, days: int, back: Measured, night: Measured, again: Measured, bare: float) -> str:
    def row(name: str, run: Measured) -> str:
        seconds = run.outcome["seconds"]
        steps = [sum(seconds.get(part, 0) for part in parts) for parts in _STEPS.values()]
        rest = run.wall - sum(steps)
        cells = [f"{run.wall:.1f}", *(f"{step:.1f}" for step in steps), f"{rest:.1f}", f"{run.peak_mb:.0f}"]
        return f"| {name} | {' | '.join(cells)} |"

    rows = sum(counts["read"] for counts in night.outcome["rows"].values())
    return "\n".join(
        [
            f"## {bank}",
            "",
            f"| seconds | wall | {' | '.join(_STEPS)} | rest | peak MB |",
            f"|---|{'---|' * (len(_STEPS) + 3)}",
            row(f"backfill of {days} days", back),
            row("the next night", night),
            row("the same night again", again),
            "",
            f"That night read {rows:,} rows. Its SQL on a bare connection: {bare:.2f} s; the night took "
            f"{night.wall / bare:.0f} times that, {night.wall - bare:.1f} s more. "
            f"The backfill took {back.wall / night.wall:.1f} times the night for {days} times its days.",
        ]
    )


if __name__ == "__main__":
    main()
