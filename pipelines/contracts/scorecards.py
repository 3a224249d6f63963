"""The shape of a scorecard: a points table as data.

What belongs here: what a card may say, and how it is said to people. What does not: reading files and what must hold
of them (`scorecard_file`), the SQL that dbt makes of them (`scorecard_macro`), and how points are estimated
(`pipelines.scoring`).

A score is the base points plus the points of one bin per characteristic. Log odds of staying good are (score - offset)
over factor; with 20 points to double the odds and 600 points at 50 to 1, the factor is 28.8539 and the offset 487.1229.
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from pipelines.contracts.document import Strict

Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]
# Through text: 0.1 is the number that is written, not the double beside it.
Exact = Annotated[Decimal, BeforeValidator(lambda value: Decimal(str(value)))]


class Bin(Strict):
    """Where a value lies, and what that is worth: `missing`, `below` a bound, one of `values`, or else the rest."""

    points: Exact
    missing: bool = False
    below: Exact | None = None
    values: tuple[Words, ...] = ()


class Spoken(Strict):
    """The same words in both languages."""

    zh: Words
    en: Words


class Reason(Spoken):
    """Why points were lost, as a customer may be told."""

    code: Code


class Characteristic(Strict):
    """A column of the card's mart with its bins, tried in their order; `risk` says how it moves with the value."""

    column: Words
    risk: Literal["rises", "falls", "by_value"]
    reason: Reason
    bins: Annotated[tuple[Bin, ...], Field(min_length=2)]

    @property
    def most(self) -> Decimal:
        """Points of the best bin."""
        return max(one.points for one in self.bins)


class SetAside(Strict):
    """A column that was considered and is not used; the next training considers it again."""

    column: Words
    risk: Literal["rises", "falls", "by_value"]
    reason: Reason
    why: Words


class Scaling(Strict):
    """`points` at `odds` of good to bad, and `pdo` points to double the odds."""

    points: Exact
    odds: Annotated[Exact, Field(gt=0)]
    pdo: Annotated[Exact, Field(gt=0)]

    @property
    def factor(self) -> float:
        """Points per unit of log odds."""
        return float(self.pdo) / math.log(2)

    @property
    def offset(self) -> float:
        """Points at odds of one."""
        return float(self.points) - self.factor * math.log(float(self.odds))


class Calibration(Strict):
    """Log odds as they are are intercept + slope times those of the score, over `performance_days`."""

    intercept: Exact
    slope: Annotated[Exact, Field(gt=0)]
    performance_days: Annotated[int, Field(gt=0)]
    pd_floor: Annotated[Exact, Field(gt=0, lt=1)]


class Sample(Strict):
    """What was observed on some dates, and how well the card told good from bad there."""

    observed: Annotated[tuple[date, ...], Field(min_length=1)]
    rows: int
    defaults: int
    auc: Exact
    auc_from: Exact
    auc_to: Exact
    ks: Exact


class Decile(Strict):
    """Parties in order of their score: what was expected of them, and what came."""

    decile: int
    rows: int
    defaults: int
    expected: Exact
    observed: Exact


class Training(Strict):
    """On what the points were estimated, with what, and what they were found to be worth."""

    world: Words
    customers: int
    seed: int
    arguments: dict[str, float | int]
    train: Sample
    test: Sample
    calibration: tuple[Decile, ...]


class Scorecard(Strict):
    """One file. `population` says of which parties it speaks, `requires` what must be known of them at least."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    method: Literal["trained", "expert"]
    title: Spoken
    purpose: Words
    target: Words
    limits: Annotated[tuple[Words, ...], Field(min_length=1)]
    owner: Words
    approved_by: Annotated[tuple[Words, ...], Field(min_length=2)]
    banks: Annotated[tuple[Words, ...], Field(min_length=1)]
    mart: Words
    population: dict[Words, tuple[Words, ...]]
    requires: dict[Words, Exact] = Field(default_factory=dict)
    scaling: Scaling
    calibration: Calibration
    base_points: Exact
    characteristics: Annotated[tuple[Characteristic, ...], Field(min_length=1)]
    set_aside: tuple[SetAside, ...] = ()
    training: Training | None = None

    @model_validator(mode="after")
    def _measured_when_trained(self) -> Scorecard:
        if (self.training is None) == (self.method == "trained"):
            raise ValueError(
                f"method {self.method}: a trained card says by `training` on what, an expert's says nothing"
            )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the mart that the card looks at."""
        names = [*self.population, *self.requires, *(one.column for one in self.characteristics)]
        return tuple(dict.fromkeys(names))


def points_text(each: Bin) -> str:
    """Points as people read them: +12, -3, 0."""
    return f"{each.points:+f}" if each.points else "0"


def range_text(one: Characteristic, place: int) -> str:
    """Which values a bin takes, as people read it."""
    each, bounds = one.bins[place], [earlier.below for earlier in one.bins[:place] if earlier.below is not None]
    if each.missing:
        return "not known"
    if each.values:
        return ", ".join(each.values)
    least = f"from {bounds[-1]:f}" if bounds else ""
    most = f"below {each.below:f}" if each.below is not None else ""
    return " ".join(part for part in (least, most) if part) or "any other"
