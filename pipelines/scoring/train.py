"""Trains a card: bins, points and calibration of the columns it names, chosen and measured on published history.

What belongs here: the order of the steps, and why a column is set aside. What does not: each step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from pipelines.contracts.model import Contract
from pipelines.contracts.scorecards import (
    Characteristic,
    Decile,
    Sample,
    Scorecard,
    SetAside,
    Training,
)  # fmt: skip
from pipelines.scoring import measure, points
from pipelines.scoring.binning import Class, Limits, classes
from pipelines.scoring.fit import information, logistic, weights
from pipelines.scoring.sample import Observed

_DIGITS = Decimal("0.0001")


@dataclass(frozen=True)
class Arguments:
    """How finely to look and how much to ask for; all of them are written into the card."""

    fine_classes: int = 20
    min_share: float = 0.005
    min_bads: int = 15
    min_information: float = 0.05
    penalty: float = 1.0

    @property
    def limits(self) -> Limits:
        """Those of the bins."""
        return Limits(self.fine_classes, self.min_share, self.min_bads)


@dataclass(frozen=True)
class _Candidate:
    """A column with its classes on the training rows, the first of which is what is missing."""

    asked: Characteristic | SetAside
    found: list[Class]
    values: np.ndarray  # the weight of evidence of each row
    weights: list[float]
    coefficient: float = 0.0


def trained(
    card: Scorecard, mart: Contract, train: Observed, test: Observed, arguments: Arguments, world: str, seed: int
) -> Scorecard:
    """`card` with bins, points, calibration and figures anew; the same rows and arguments give the same card."""
    kept, aside = _candidates(card, mart, train, arguments)
    kept, intercept, wrong = _fitted(kept, ~train.bad, arguments.penalty)
    aside |= wrong
    made = []
    for one in kept:
        required = mart.column(one.asked.column).required
        bins = points.bins(one.found[1:], one.weights, one.coefficient, required=required, scaling=card.scaling)
        if max(each.points for each in bins) > min(each.points for each in bins):
            made.append(
                Characteristic(column=one.asked.column, risk=one.asked.risk, reason=one.asked.reason, bins=bins)
            )
        else:
            aside[one.asked.column] = "worth less than a point"
    considered = {one.column: one for one in (*card.characteristics, *card.set_aside)}
    new = card.model_copy(update={
        "method": "trained", "characteristics": tuple(made), "base_points": points.base(intercept, card.scaling),
        "set_aside": tuple(
            SetAside(column=name, risk=considered[name].risk, reason=considered[name].reason, why=why)
            for name, why in aside.items()
        ),
    })  # fmt: skip
    score = points.scores(new, train.rows)
    days, floor = card.calibration.performance_days, card.calibration.pd_floor
    new = new.model_copy(update={"calibration": points.calibrated(card.scaling, score, train.bad, days, floor)})
    return new.model_copy(update={"training": _training(new, train, test, arguments, world, seed)})


def _candidates(
    card: Scorecard, mart: Contract, train: Observed, arguments: Arguments
) -> tuple[list[_Candidate], dict[str, str]]:
    """Columns that tell good from bad, and why the others are set aside."""
    kept, aside = [], {}
    for asked in (*card.characteristics, *card.set_aside):
        values = [row[asked.column] for row in train.rows]
        missing, found = classes(values, train.bad, asked.risk, arguments.limits)
        if len(found) < 2:
            aside[asked.column] = "no two bins differ as they should"
            continue
        every = [missing, *found]
        worth = weights(every)
        small = missing.rows < arguments.min_share * len(values) or missing.bads < arguments.min_bads
        worth[0] = 0.0 if small else worth[0]
        told = information(every)
        if told < arguments.min_information:
            aside[asked.column] = f"information value {told:.4f}"
            continue
        kept.append(_Candidate(asked, every, _evidence(asked, every, worth, values, mart), worth))
    return kept, aside


def _evidence(asked: Characteristic | SetAside, every: list[Class], worth: list[float], values: list, mart: Contract
              ) -> np.ndarray:  # fmt: skip
    """The weight of each row, through the bins as the card will have them; weights are kept by their place."""
    required = mart.column(asked.column).required
    shape = points.places(every[1:], required=required)
    placed = Characteristic(column=asked.column, risk=asked.risk, reason=asked.reason, bins=shape)
    by_place = worth[1:] if required else worth
    return np.array([by_place[int(points.points_of(placed, value))] for value in values])


def _fitted(kept: list[_Candidate], good: np.ndarray, penalty: float
            ) -> tuple[list[_Candidate], float, dict[str, str]]:  # fmt: skip
    """Coefficients of what is kept; a column that would count the wrong way beside the others is left out."""
    wrong: dict[str, str] = {}
    while kept:
        intercept, *found = logistic(np.column_stack([one.values for one in kept]), good, penalty)
        worst = int(np.argmin(found))
        if found[worst] > 0:
            return [replace(one, coefficient=b) for one, b in zip(kept, found, strict=True)], float(intercept), wrong
        wrong[kept[worst].asked.column] = "says nothing beside the others"
        kept = kept[:worst] + kept[worst + 1 :]
    raise ValueError("no column tells good from bad")


def _training(
    card: Scorecard, train: Observed, test: Observed, arguments: Arguments, world: str, seed: int
) -> Training:
    score = points.scores(card, test.rows)
    table = measure.deciles(score, points.probabilities(card, score), test.bad)
    return Training(
        world=world, customers=train.customers, seed=seed, arguments=vars(arguments).copy(),
        train=_sample(card, train), test=_sample(card, test),
        calibration=tuple(
            Decile(decile=n, rows=rows, defaults=bads, expected=_exact(expected), observed=_exact(share))
            for n, rows, bads, expected, share in table
        ),
    )  # fmt: skip


def _sample(card: Scorecard, given: Observed) -> Sample:
    score = points.scores(card, given.rows)
    low, high = measure.auc_interval(score, given.bad)
    return Sample(
        observed=given.dates, rows=len(given.rows), defaults=int(given.bad.sum()),
        auc=_exact(measure.auc(score, given.bad)), auc_from=_exact(low), auc_to=_exact(high),
        ks=_exact(measure.ks(score, given.bad)),
    )  # fmt: skip


def _exact(value: float) -> Decimal:
    return Decimal(str(value)).quantize(_DIGITS)
