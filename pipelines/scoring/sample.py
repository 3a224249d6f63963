"""The rows a card is trained and tested on: what was published on a date, with what came of it later.

What belongs here: which parties and which dates. What does not: how defaults are found (`outcome`).

Nothing later than the observation date can reach a feature: features are read from the history as they were published
on that date, by a release that was made before the rest was delivered. Outcomes begin on the day after. The test is
observed only once every outcome of the training is known, so that no default counts in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from pipelines.contracts.scorecards import Scorecard
from pipelines.history.reading import as_of
from pipelines.scoring.outcome import outcomes
from pipelines.settings import Home, InputError

_PAST_DUE = "days_past_due"


@dataclass(frozen=True)
class Observed:
    """Rows of the mart on some dates, and whether each party defaulted within the days after."""

    dates: tuple[date, ...]
    rows: list[dict[str, Any]]
    bad: np.ndarray
    customers: int


def observed(home: Home, card: Scorecard, dates: Sequence[date], past_due: int) -> Observed:
    """Parties that the card speaks of, that owed or could draw something on a date, and were not in default on it.

    Raises InputError where a date was not published, or what came of it is not known yet.
    """
    parts = []
    for day in dates:
        rows = as_of(home, card.mart.removeprefix("mart."), day, "published")
        if not rows.height or rows["business_date"][0] != day:
            raise InputError(f"nothing was published as of {day} in {home.path}: `zhongtai backfill --to {day}` first")
        customers = rows.height
        for name, values in card.population.items():
            rows = rows.filter(pl.col(name).cast(pl.String).is_in(values))
        for name, least in card.requires.items():
            rows = rows.filter(pl.col(name) >= least)
        rows = rows.filter(pl.col(_PAST_DUE).fill_null(0) < past_due)
        known = outcomes(home, day, card.calibration.performance_days, past_due)
        parts.append(rows.join(known, on="party_id", how="inner").sort("party_id"))
    frame = pl.concat(parts)
    bad = frame["bad"].to_numpy().astype(bool)
    if not 0 < bad.sum() < len(bad):
        raise InputError(
            f"of {len(bad)} parties observed on {', '.join(map(str, dates))} {bad.sum()} defaulted: no card"
        )
    return Observed(tuple(dates), frame.rows(named=True), bad, customers)


def check_dates(observe: Sequence[date], test: Sequence[date], performance_days: int) -> None:
    """Raise InputError where an outcome of the training is not known when the test is observed."""
    end = max(observe) + timedelta(days=performance_days)
    if min(test) < end:
        raise InputError(
            f"--test {min(test)}: outcomes of {max(observe)} are known on {end}; test on that day or later"
        )
