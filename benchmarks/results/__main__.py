"""Measures what the platform's judgements are worth and writes docs/results.md.

    make results            # 200,000 customers, one year: hours
    .venv/bin/python -m benchmarks.results PLACE [--customers N] [--seed S] [--write docs/results.md]

PLACE keeps the bank, so that a run that was stopped goes on. Belongs here: the order of things and the page. Does not
belong here: how each figure is measured (the other modules, and the benchmarks that they call).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from benchmarks import early_warning, list_information, pkdd99_outcomes, scenario_uplift
from benchmarks.past_marts import copied
from benchmarks.results import lists, page
from benchmarks.results.world import OBSERVED, WARNED, World, made
from pipelines.contracts.load import Catalog, load_catalog
from pipelines.release.catalogue import current
from pipelines.scoring.measure import auc, auc_interval, deciles, ks
from pipelines.scoring.points import probabilities, scores
from pipelines.scoring.sample import observed
from pipelines.settings import PROJECT, Home, Settings
from pipelines.vault.keys import KeyRing

TRAINED = date(2025, 4, 30)  # features of scenarios are learned on this day and judged on OBSERVED
_MODELS = ("risk_grade", *lists.VARIANTS.values())
_WARNINGS = ("int_party_warning", "int_party_loan", "int_party_card_change", "int_party_record")
_PAST_DUE = "grade.default_days"


def main() -> int:
    """Make the bank, measure, print, and write the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", type=Path)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=11, help="another than those that anything was tuned on: 1, 2, 7")
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    started = time.perf_counter()
    world = made(given.place, given.customers, given.seed)
    found = ["# What the platform's judgements are worth\n\n" + page.made(given.customers, given.seed)]
    for title, lines in _sections(world, given.place / "pkdd99"):
        found.append("\n".join([f"## {title}", "", *lines]))
        print(f"\n{found[-1]}", flush=True)
    if given.write:
        given.write.write_text("\n\n".join(found) + "\n", "utf-8")
    print(f"\n{time.perf_counter() - started:.0f} s" + (f"; written to {given.write}" if given.write else ""))
    return 0


def _sections(world: World, real: Path) -> Iterator[tuple[str, list[str]]]:
    """Each section of the page, as it is measured: its title and lines."""
    catalog = load_catalog(PROJECT / "data_contracts")
    past_due = int(catalog.policy.thresholds[_PAST_DUE])
    with tempfile.TemporaryDirectory(prefix="zhongtai-results-") as scratch:
        again = copied(world.home, Path(scratch) / "lists").built([OBSERVED], _MODELS)
        yield "The low-risk lists", page.lists(*lists.measured(world, OBSERVED, past_due, again))
    home = Home(world.home)
    ring = KeyRing.open(home.vault, Settings(home_dir=world.home).vault_key)
    yield "What marketing could learn from its lists", [*page.LEARNED, "", *list_information.lines(home, ring)]
    with tempfile.TemporaryDirectory(prefix="zhongtai-results-") as scratch:
        copy = Path(scratch) / "warnings"
        copied(world.home, copy).built([WARNED], _WARNINGS)
        found = early_warning.evaluate(copy, world.truth, business_date=WARNED)
        yield "Early warning", page.warnings(found, catalog.marts["mart.early_warning"].column("signal").enum)
    yield "Scorecards, out of time", _cards(catalog, world, past_due)
    gained = scenario_uplift.evaluate(world.home, TRAINED, OBSERVED)
    yield "What scenario features add", [page.added(TRAINED, OBSERVED), "", *scenario_uplift.lines(gained)]
    _published_real(real)
    yield "A real bank: PKDD'99", _real(real)


def _cards(catalog: Catalog, world: World, past_due: int) -> list[str]:
    told: list[str] = []
    for card in catalog.scorecards.values():
        if card.method != "trained":
            continue
        rows = observed(Home(world.home), card, [OBSERVED], past_due)
        score = scores(card, rows.rows)
        area = (auc(score, rows.bad), *auc_interval(score, rows.bad))
        told += [
            *page.scorecard(
                card, rows, area, ks(score, rows.bad), deciles(score, probabilities(card, score), rows.bad)
            ),
            "",
        ]
    return told[:-1]


def _published_real(home: Path) -> None:
    if current(Home(home)) is None:
        command = [str(Path(sys.executable).with_name("zhongtai")), "--home", str(home)]
        subprocess.run([*command, "backfill", "--bank", "pkdd99"], check=True)


def _real(home: Path) -> list[str]:
    return pkdd99_outcomes.told(pkdd99_outcomes.evaluate(home))


if __name__ == "__main__":
    raise SystemExit(main())
