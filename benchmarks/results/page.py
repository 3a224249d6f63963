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
from benchmarks.results.world import END, OBSERVED, WARNED
from pipelines.contracts.scorecards import Scorecard
from pipelines.scoring.sample import Observed

LEARNED = (
    "Asked of who is on a list and has a probability of default (PD), in bits of its quintile: what does a column tell "
    "beyond the band, and how much may that be by chance (a permutation null at 1 %, Bonferroni)? Columns that are not "
    "on the list show what another choice would have told.",
    "",
    "Marketing keeps its files, so they are joined as it can join them: by pseudonym, both lists, first and last "
    "night. Membership and bands over time tell of risk what they were signed to tell, and are a party's history; "
    "everything else in the files must add nothing to them.",
)


def added(trained: date, judged: date) -> str:
    """What the table of scenarios compares, and how it is to be read."""
    return (
        f"Learned on {trained}, judged on {judged}; no party is both learned from and judged. The model without is of "
        "what the bank knows itself. Defaults are few, so that each feature also brings noise: an interval below zero "
        "says that the features of that scenario cost more than they tell, and no scorecard should take them."
    )


def made(customers: int, seed: int) -> str:
    """What was measured, where and when, and what it says nothing about."""
    return (
        f"Made by `make results`: {customers:,} customers, seed {seed}, deliveries of one year, judged on {OBSERVED} "
        f"(warnings on {WARNED}) by what is known by {END}; {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}. Intervals are of 95 %, "
        "those of shares Wilson's. The bank is simulated, and who defaults in it is drawn by rules of this repository: "
        "the figures say that the platform finds what is there, and nothing of another bank."
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
        ], "",
        "Bands are cut by how steady income is and what debts take of it, not by PD: they say what may be offered, and "
        "their default rates need not be in order.",
    ]  # fmt: skip


def warnings(found: Outcome, signals: Sequence[str]) -> list[str]:
    """Early warnings: precision, recall and lead; of `signals` those that warned of nobody as well."""

    def row(level: Level) -> list[str]:
        lead = "" if level.median_lead_days is None else f"{level.median_lead_days:.0f}"
        return [level.name, said(level.precision), said(level.recall), lead, f"{level.lift:.1f}" if level.lift else ""]

    warned = {level.name for level in found.signals}
    return [
        f"As of {found.business_date}: {said(found.base)} of borrowers who are not in arrears miss an instalment "
        f"within {found.horizon} days.", "",
        *table(["warning", "precision", "recall", "median lead, days", "lift"],
               [*(row(level) for level in (*found.levels, *found.signals)),
                *([name, "nobody was warned", "", "", ""] for name in signals if name not in warned)]),
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
