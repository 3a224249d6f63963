"""Writes docs/simulated-bank.md and its plots from one simulated year.

python -m benchmarks.simulated_bank [--customers N] [--seed S] [--check]
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.simulated_bank.figures import Figure, figures
from benchmarks.simulated_bank.observe import observe
from benchmarks.simulated_bank.plots import draw
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import build_world

DOCS = Path(__file__).parents[2] / "docs"
DAYS = 365


def main() -> int:
    """Generate, draw, write; 1 where a figure leaves its range."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="only print the figures")
    given = parser.parse_args()
    started = time.perf_counter()
    observed = observe(build_world(load_settings(), given.customers, given.seed), DAYS)
    found = figures(observed)
    for figure in found:
        print(f"{'ok  ' if figure.holds else 'OUT '} {figure.name}: {_number(figure, figure.value)}")
    if not given.check:
        captions = draw(observed, DOCS / "images" / "simulated-bank")
        (DOCS / "simulated-bank.md").write_text(_page(found, captions, given.customers, given.seed), encoding="utf-8")
    print(f"{DAYS} days of {given.customers:,} customers in {time.perf_counter() - started:.0f} s")
    return 0 if all(figure.holds for figure in found) else 1


def _number(figure: Figure, value: float, digits: int = 1) -> str:
    if figure.unit == "share":
        return f"{value:.{digits}%}"
    return f"{value:,.0f} {figure.unit}" if abs(value) >= 1000 else f"{value:.2f} {figure.unit}".rstrip()


def _page(found: list[Figure], captions: dict[str, str], customers: int, seed: int) -> str:
    text = (Path(__file__).parent / "page.md").read_text(encoding="utf-8")
    rows = ["| figure | here | range held by the tests | imitates | source |", "| --- | --- | --- | --- | --- |"]
    for figure in found:
        published = "" if figure.published is None else _number(figure, figure.published, 2)
        span = f"{_number(figure, figure.low)} to {_number(figure, figure.high)}"
        rows.append(f"| {figure.name} | {_number(figure, figure.value)} | {span} | {published} | {figure.source} |")
    images = [f"![{caption}](images/simulated-bank/{name})\n\n{caption}" for name, caption in captions.items()]
    made = (
        f"Made by `make docs-bank`: {customers:,} customers, {DAYS} days, seed {seed}, on {platform.machine()} with "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}."
    )
    return text.format(figures="\n".join(rows), plots="\n\n".join(images), made=made)


if __name__ == "__main__":
    sys.exit(main())
