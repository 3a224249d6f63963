"""What identity resolution costs: a full run, nights' deltas, and Splink's own share, as ratios in one run.

    .venv/bin/python -m benchmarks.identity [--customers 250000] [--write docs/identity.md]

Simulates a world of a million records in a temporary directory, lands it, and resolves it in processes of their own:
all records on one day, then what the next day brings, then what the four after it bring together. The time of the bare
engine is what DuckDB spends on the very SQL that Splink writes for its predictions, in the same run.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.identity_worlds.page import machine, replaced
from benchmarks.identity_worlds.worlds import BANK, LAST, World, landed
from pipelines.contracts.load import load_catalog
from pipelines.identity import assign, golden, match, run, state, tables
from pipelines.settings import Settings
from pipelines.vault.keys import KeyRing

_SEED = 1
_LONGEST, _LARGEST_GB = 120.0, 4.0  # demanded of a million records
_NIGHTS = (1, 5)  # days after the full run: a night of this world, and as many as bring one record in a hundred
# Where the time goes: attribute of a module, and what it is called.
_STEPS = {
    "read": ((run, "standardised"), (run, "landed")),
    "golden set": ((golden, "read"), (golden, "merge"), (golden, "write")),
    "neighbourhood": ((run, "everything"), (run, "around")),
    "match": ((run, "match"),),
    "assign": ((assign, "assign"),),
    "state": ((state, "before"), (state, "finish")),
    "tables": ((tables, "write"),),
}


@dataclass(frozen=True)
class Measured:
    """One run in a process of its own. `model` is within match; `engine` the SQL of predictions within that."""

    records: int
    new: int
    seconds: float
    cpu: float
    peak_gb: float
    model: float
    engine: float
    steps: dict[str, float]


def main() -> int:
    """Measure, print, write if asked to; 1 where a full run takes more than is demanded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=250_000)
    parser.add_argument("--write", type=Path, help="replace the section of this Markdown file")
    parser.add_argument("--resolve", metavar="DATE", help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.resolve:
        print(json.dumps(asdict(_resolve(given.home, date.fromisoformat(given.resolve)))))
        return 0
    world = World(_SEED, given.customers)
    with tempfile.TemporaryDirectory(prefix="zhongtai-identity-") as directory:
        home = Path(directory) / "home"
        landed(world, home)
        full = _measured(home, LAST)
        nights = []
        for days in _NIGHTS:
            last = LAST + timedelta(days=days)
            landed(world, home, last)
            nights.append(_measured(home, last))
    text = _section(full, *nights)
    print(text)
    if given.write:
        replaced(given.write, "What it costs", text)
    demanded = full.records / 1e6
    return int(full.seconds > _LONGEST * max(demanded, 1) or full.peak_gb > _LARGEST_GB)


def _measured(home: Path, day: date) -> Measured:
    command = [sys.executable, "-m", "benchmarks.identity", "--resolve", f"{day}", "--home", str(home)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Measured(**json.loads(said))


def _resolve(home: Path, day: date) -> Measured:
    """Resolve `day` in this process, with a clock at every step."""
    from splink.internals.duckdb.database_api import DuckDBAPI

    settings = Settings(ZHONGTAI_HOME=str(home), bank=BANK)
    catalog = load_catalog(settings.contracts)
    ring = KeyRing.of_home(settings.home.vault, settings.vault_key)
    took: dict[str, float] = defaultdict(float)
    new: list[int] = []
    clocks: list[tuple[Any, str, str]] = [
        (place, name, step) for step, parts in _STEPS.items() for place, name in parts
    ]
    clocks += [(match, "score", "model"), (DuckDBAPI, "_execute_sql_against_backend", "engine")]
    with ExitStack() as stack:
        for place, name, step in clocks:
            stack.enter_context(patch.object(place, name, _timed(getattr(place, name), took, step)))
        stack.enter_context(patch.object(run, "match", _counted(run.match, new)))
        started = time.perf_counter()
        outcome = run.resolve(catalog, settings, catalog.feeds(BANK), ring, day)
        seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    model, engine = took.pop("model"), took.pop("engine")
    cpu = used.ru_utime + used.ru_stime
    return Measured(outcome.records, new[0], seconds, cpu, _peak_gb(), model, engine, dict(took))


def _peak_gb() -> float:
    """The most memory that this process had. What `getrusage` says may be that of the process that started it."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1e6


def _timed(function: Callable[..., Any], took: dict[str, float], step: str) -> Callable[..., Any]:
    @wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*given, **named)
        finally:
            took[step] += time.perf_counter() - started

    return call


def _counted(function: Callable[..., Any], new: list[int]) -> Callable[..., Any]:
    """Note how many of the records that are matched are new."""

    @wraps(function)
    def call(con: Any, together: Any, *given: Any) -> Any:
        new.append(int(together.records["is_new"].sum()))
        return function(con, together, *given)

    return call


def _section(full: Measured, *nights: Measured) -> str:
    """The section of the page: a table of all runs, and what they are to each other."""

    def row(name: str, one: Measured) -> str:
        steps = [one.steps[step] for step in _STEPS]
        cells = [f"{one.new:,}", *(f"{value:.1f}" for value in (one.seconds, *steps, one.seconds - sum(steps)))]
        return f"| {name} | {' | '.join(cells)} | {one.cpu:.1f} | {one.peak_gb:.1f} |"

    def matching(one: Measured) -> float:
        return one.steps["neighbourhood"] + one.steps["match"]

    def share(one: Measured) -> str:
        return (
            f"- A night in which {one.new / one.records:.1%} of the records are new, as a share of a full run: "
            f"{one.seconds / full.seconds:.2f}; of its CPU {one.cpu / full.cpu:.2f}, of its matching "
            f"{matching(one) / matching(full):.2f}, of its memory {one.peak_gb / full.peak_gb:.2f}."
        )

    return "\n".join([
        f"{full.records:,} records of a simulated world, {machine()}, by `make bench-identity`. Each run",
        "is a process of its own; seconds by step, memory is the peak of the process.",
        "",
        f"| | records matched | seconds | {' | '.join(_STEPS)} | rest | CPU | GB |",
        f"|---|{'---:|' * (len(_STEPS) + 5)}",
        row("every record", full),
        *(row(name, one) for name, one in zip(("the next night", "the four nights after it"), nights, strict=True)),
        "",
        f"- A million records: {full.seconds / full.records * 1e6:.0f} s of the {_LONGEST:.0f} that are demanded, "
        f"at most {full.peak_gb:.1f} GB of {_LARGEST_GB:.0f}.",
        *map(share, nights),
        f"- DuckDB spends {full.engine:.1f} s on the bare SQL of Splink's predictions. Splink with it takes "
        f"{full.model / full.engine:.2f} times that, matching {matching(full) / full.engine:.1f} times, a run "
        f"{full.seconds / full.engine:.1f} times.",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
