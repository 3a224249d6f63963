"""What the simulated bank costs: rows per second of CPU over all files, peak memory, and how both depend on the days.

    .venv/bin/python benchmarks/simulate.py [--customers 1000000] [--days 1 5] [--by-feed]

Each measurement is a process of its own that draws the world and writes everything to a temporary directory; CPU is all
that this process and its children took, from its start to its end, user and system. The first day carries the initial
load. Rows are those delivered; the tables of the truth, written beside them, are counted apart. With --by-feed, says
what each feed costs on the day after it, dearest first.
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
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.contracts.load import load_catalog
from pipelines.settings import Settings
from pipelines.simulation import delivery
from pipelines.simulation.book import Request
from pipelines.simulation.run import all_emitters, simulate
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import build_world

_SEED = 1
_FASTEST, _LARGEST_GB, _LONGEST = 1_000_000, 4.0, 180  # what is demanded at a million customers


@dataclass(frozen=True)
class Measured:
    """One run: what it wrote, and what that took."""

    days: int
    rows: int
    truth: int
    bytes: int
    seconds: float
    user: float
    system: float
    peak_gb: float

    @property
    def cpu(self) -> float:
        """CPU seconds."""
        return self.user + self.system


def main() -> None:
    """Measure and print a table, and a line for docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--by-feed", action="store_true", help="what each feed costs on an ordinary day")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(asdict(_measure(given.customers, given.one))))
        return
    if given.by_feed:
        _by_feed(given.customers)
        return
    found = [_apart(given.customers, days) for days in given.days]
    print(f"{given.customers:,} customers\n")
    print("days        rows  of the truth     MB   seconds   user s  system s   us per row   rows per CPU s   peak GB")
    for each in found:
        print(
            f"{each.days:4} {each.rows:11,} {each.truth:13,} {each.bytes / 1e6:6,.0f} {each.seconds:9.1f} "
            f"{each.user:8.1f} {each.system:9.1f} {each.cpu / each.rows * 1e6:12.2f} {each.rows / each.cpu:16,.0f} "
            f"{each.peak_gb:9.2f}"
        )
    first, last = found[0], found[-1]
    print(
        f"\n| simulate, {given.customers:,} customers | "
        f"{first.days} days in {first.seconds:.0f} s (1 day: at most {_LONGEST}) | "
        f"{last.rows / last.cpu:,.0f} rows per CPU second (at least {_FASTEST:,}) | "
        f"{max(each.peak_gb for each in found):.2f} GB at most (below {_LARGEST_GB:g}) |"
    )


def _apart(customers: int, days: int) -> Measured:
    command = [sys.executable, __file__, "--customers", str(customers), "--one", str(days)]
    return Measured(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def _measure(customers: int, days: int) -> Measured:
    settings = Settings()
    catalog = load_catalog(settings.contracts)
    last = catalog.bank("simbank").first_date + timedelta(days=days - 1)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        summary = simulate(Request(out=Path(place) / "simulated", customers=customers, seed=_SEED, last=last), catalog)
        wall = time.perf_counter() - begun
        truth = sum(pq.read_metadata(path).num_rows for path in Path(place).rglob("truth/*.parquet"))
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    unit = 1 << 30 if sys.platform == "darwin" else 1 << 20
    return Measured(
        days, summary.rows, truth, summary.bytes, round(wall, 2),
        user=round(sum(each.ru_utime for each in used), 2), system=round(sum(each.ru_stime for each in used), 2),
        peak_gb=round(max(each.ru_maxrss for each in used) / unit, 3),
    )  # fmt: skip


def _by_feed(customers: int) -> None:
    catalog = load_catalog(Settings().contracts)
    world, emitters = build_world(load_settings(), customers, _SEED), all_emitters()
    cost: dict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        for day in (0, 1, 2):  # what is kept from day to day is made on the first two
            for feed in catalog.feeds("simbank"):
                key = (feed.contract, feed.source)
                begun = time.process_time()
                frame = emitters[key](world, day, feed.source)
                emitted = time.process_time()
                file = delivery.daily(feed, catalog.contract(feed.contract), Path(place), world.calendar.date(day))
                file.add(frame)
                file.close()
                cost[key] = [len(frame), emitted - begun, time.process_time() - emitted]
    print("feed                                              rows   emit CPU s   write CPU s   per million rows")
    for (contract, source), (rows, emit, write) in sorted(cost.items(), key=lambda item: -sum(item[1][1:])):
        each = (emit + write) / max(rows, 1) * 1e6
        print(f"{source + '/' + contract:44} {rows:9,.0f} {emit:12.2f} {write:13.2f} {each:18.2f}")


if __name__ == "__main__":
    main()
