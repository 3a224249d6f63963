"""From bins and coefficients to whole points, and from points to probabilities.

What belongs here: the arithmetic of a card. What does not: how bins and coefficients were found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from pipelines.contracts.scorecards import Bin, Calibration, Characteristic, Scaling, Scorecard
from pipelines.scoring.binning import Class
from pipelines.scoring.fit import logistic

_DIGITS = Decimal("0.0001")


def bins(found: list[Class], weights: list[float], coefficient: float, *, required: bool,
         scaling: Scaling) -> tuple[Bin, ...]:  # fmt: skip
    """The bins of a characteristic; `weights` are those of what is missing and then of `found`."""
    worth = [_whole(scaling.factor * coefficient * weight) for weight in weights]
    return _bins(found, worth[1:] if required else worth, required)


def places(found: list[Class], *, required: bool) -> tuple[Bin, ...]:
    """The same bins, each worth its place from zero on, where what is missing comes first."""
    return _bins(found, [Decimal(n) for n in range(len(found) + (not required))], required)


def _bins(found: list[Class], worth: list[Decimal], required: bool) -> tuple[Bin, ...]:
    made = [] if required else [Bin(points=worth[0], missing=True)]
    after = worth[len(made) + 1 :]
    for one, points, following in zip(found[:-1], worth[len(made) : -1], after, strict=True):
        if one.values or points != following:  # neighbours that are worth the same are one
            made.append(Bin(points=points, below=one.below, values=one.values))
    return (*made, Bin(points=worth[-1]))


def base(intercept: float, scaling: Scaling) -> Decimal:
    """Points that everybody has."""
    return _whole(scaling.offset + scaling.factor * intercept)


def points_of(one: Characteristic, value: Any) -> Decimal:
    """What a value is worth."""
    for each in one.bins[:-1]:
        if each.missing:
            if value is None:
                return each.points
        elif each.below is not None:
            if value < each.below:
                return each.points
        elif (str(value).lower() if isinstance(value, bool) else str(value)) in each.values:
            return each.points
    return one.bins[-1].points


def score_of(card: Scorecard, row: Mapping[str, Any]) -> Decimal:
    """Score of one row of the card's mart."""
    return card.base_points + sum((points_of(one, row[one.column]) for one in card.characteristics), Decimal(0))


def scores(card: Scorecard, rows: Iterable[Mapping[str, Any]]) -> np.ndarray:
    """Scores of many rows."""
    return np.array([float(score_of(card, row)) for row in rows])


def calibrated(scaling: Scaling, score: np.ndarray, bad: np.ndarray, days: int, floor: Decimal) -> Calibration:
    """Intercept and slope with which the log odds of the score meet the observed defaults."""
    intercept, slope = logistic(((score - scaling.offset) / scaling.factor)[:, None], ~bad, penalty=0.0)
    return Calibration(
        intercept=Decimal(str(intercept)).quantize(_DIGITS), slope=Decimal(str(slope)).quantize(_DIGITS),
        performance_days=days, pd_floor=floor,
    )  # fmt: skip


def probabilities(card: Scorecard, score: np.ndarray) -> np.ndarray:
    """Probability of default within the card's days."""
    odds = (score - card.scaling.offset) / card.scaling.factor
    return 1.0 / (1.0 + np.exp(float(card.calibration.intercept) + float(card.calibration.slope) * odds))


def _whole(points: float) -> Decimal:
    return Decimal(round(points))
