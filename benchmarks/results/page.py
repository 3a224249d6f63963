"""The words and tables of docs/results.md.

Belongs here: how figures are told. Does not belong here: how they come about.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from benchmarks.early_warning import Level, Outcome, Share
from benchmarks.results.lists import WINDOW, Listed
from pipelines.contracts.scorecards import Scorecard
from pipelines.scoring.sample import Observed


def made(customers: int, seed: int, observed: date, end: date) -> str:
    """What was measured, where and when, and what it says nothing about."""
    return (
        f"Made by `make results`: {customers:,} customers, seed {seed}, deliveries of one year, judged on {observed} "
        f"by what is known by {end}; {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"{datetime.now(UTC):%Y-%m-%d}. Intervals are of 95 %, those of shares Wilson's. The bank is simulated, and "
        "who defaults in it is drawn by rules of this repository: the figures say that the platform finds what is "
        "there, and nothing of another bank."
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table in Markdown; every column but the first is of numbers."""
    told = [[str(cell) for cell in row] for row in rows]
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---", *["---:"] * (len(head) - 1)], *told)]


def said(found: Share) -> str:
    """A share with its counts and interval."""
    if found.value is None:
        return "none"
    return f"{found.value:.2%} ({found.count:,} of {found.of:,}; {found.low:.2%} to {found.high:.2%})"


def lists(base: Share, found: Sequence[Listed]) -> list[str]:
    """The low-risk lists against the base rate."""
    rows = []
    for one in found:
        rows.append([f"{one.variant}: on the list", f"{one.parties:,} of {one.of:,}", said(one.on_the_list)])
        rows += [[f"{one.variant}: band {band}", "", said(of)] for band, of in one.bands.items()]
        rows.append([f"{one.variant}: not on the list", f"{one.of - one.parties:,}", said(one.off_the_list)])
    return [
        f"Base rate: {said(base)} of borrowers default within {WINDOW} days.", "",
        *table(["list", "parties", "borrowers who default"], rows), "",
        *[
            f"{one.variant}: {what} tells {bits.bits:.4f} bits of the probability of default ({bits.low:.4f} to "
            f"{bits.high:.4f}; {bits.rows:,} scored parties)." for one in found for what, bits in one.told.items()
        ],
    ]  # fmt: skip


def warnings(found: Outcome) -> list[str]:
    """Early warnings: precision, recall and lead."""

    def row(level: Level) -> list[str]:
        lead = "" if level.median_lead_days is None else f"{level.median_lead_days:.0f}"
        return [level.name, said(level.precision), said(level.recall), lead, f"{level.lift:.1f}" if level.lift else ""]

    return [
        f"{said(found.base)} of borrowers who are not in arrears miss an instalment within {found.horizon} days.", "",
        *table(["warning", "precision", "recall", "median lead, days", "lift"],
               [row(level) for level in (*found.levels, *found.signals)]),
    ]  # fmt: skip


def scorecard(card: Scorecard, observed: Observed, auc: tuple[float, float, float], ks: float,
              deciles: Sequence[tuple[int, int, int, float, float]]) -> list[str]:  # fmt: skip
    """How well a card tells good from bad on a bank it was not made from, and how right its probabilities are."""
    (value, low, high), bads = auc, int(observed.bad.sum())
    return [
        f"`{card.name}` {card.version} on {len(observed.bad):,} borrowers, of whom {bads:,} default: "
        f"AUC {value:.3f} ({low:.3f} to {high:.3f}), KS {ks:.3f}.", "",
        *table(["decile by score, worst first", "borrowers", "defaults", "mean PD", "default rate"],
               [[n, f"{rows:,}", f"{bads:,}", f"{pd:.2%}", f"{rate:.2%}"] for n, rows, bads, pd, rate in deciles]),
    ]  # fmt: skip
