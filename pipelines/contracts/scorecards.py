"""Scorecards: points tables as data, read strictly.

What belongs here: the files under `scorecards/`, what they may say, and what a card says of itself. What does not: the
SQL that dbt makes of them (`scorecard_macro`), and how points are estimated (`pipelines.scoring`).

A score is the base points plus the points of one bin per characteristic. Log odds of staying good are (score - offset)
over factor; with 20 points to double the odds and 600 points at 50 to 1, the factor is 28.8539 and the offset 487.1229.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from pipelines.contracts.document import Strict, faults, read_document, suggestion
from pipelines.contracts.model import Contract, ContractError

PURPOSE = "risk_management"
# What no card may look at: who somebody is by birth, body or belief, and where they live, which stands for it.
PROTECTED = re.compile(r"gender|sex|marital|ethnic|nation|religio|belief|medical|health|pregnan|disab|birth|age_years|distr")
NUMBERS = ("bigint", "decimal", "double")

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
            raise ValueError(f"method {self.method}: a trained card says by `training` on what, an expert's says nothing")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the mart that the card looks at."""
        names = [*self.population, *self.requires, *(one.column for one in self.characteristics)]
        return tuple(dict.fromkeys(names))


def load_scorecards(folder: Path, marts: Mapping[str, Contract], banks: tuple[str, ...]) -> dict[str, Scorecard]:
    """Every card under `folder` by name. Raises ContractError at the first fault."""
    found: dict[str, Scorecard] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith("."):
            continue
        if path.suffix != ".yaml" or not path.is_file():
            raise ContractError(f"{path}: would not be read; files here are called <name>.yaml")
        card = read_scorecard(path)
        _check(path, card, marts, banks)
        found[card.name] = card
    return found


def read_scorecard(path: Path) -> Scorecard:
    """The card in `path`, whatever its columns are. Raises ContractError, naming file and field."""
    given, _ = read_document(path, "a scorecard")
    try:
        card = Scorecard(**given)
    except ValidationError as error:
        raise ContractError(f"{path}: {faults(error, given)}") from error
    if card.name != path.stem:
        raise ContractError(f"{path}: name: a file of this name holds '{path.stem}'; make the two agree")
    return card


def _check(path: Path, card: Scorecard, marts: Mapping[str, Contract], banks: tuple[str, ...]) -> None:
    if card.mart not in marts:
        raise ContractError(f"{path}: mart: no mart '{card.mart}'{suggestion(card.mart, set(marts))}; name one that is")
    for bank in card.banks:
        if bank not in banks:
            raise ContractError(f"{path}: banks: no bank '{bank}'{suggestion(bank, set(banks))}; name one that has feeds")
    mart = marts[card.mart]
    known = {column.name for column in mart.columns} - set(mart.key)
    for name in (*card.columns, *(one.column for one in card.set_aside)):
        if name not in known:
            raise ContractError(f"{path}: {name}: no column of {mart.id}{suggestion(name, known)}; name one that is")
        if PURPOSE not in mart.column(name).purposes:
            raise ContractError(f"{path}: {name}: {mart.id} may not be judged by it ({PURPOSE}); remove it")
        if PROTECTED.search(name):
            raise ContractError(f"{path}: {name}: nobody is judged by this (fair treatment); remove it")
    considered = [one.column for one in (*card.characteristics, *card.set_aside)]
    codes = [one.reason.code for one in (*card.characteristics, *card.set_aside)]
    for kind, names in (("column", considered), ("reason code", codes)):
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ContractError(f"{path}: characteristics: {kind} {twice[0]} is there twice; keep one")
    for one in card.characteristics:
        _check_bins(f"{path}: {one.column}.bins", one, mart)


def _check_bins(at: str, one: Characteristic, mart: Contract) -> None:
    column = mart.column(one.column)
    is_number = column.type.startswith(NUMBERS)
    missing, ranged = [b for b in one.bins if b.missing], [b for b in one.bins if not b.missing]
    if len(missing) > 1 or (missing and not one.bins[0].missing):
        raise ContractError(f"{at}: one bin for what is missing comes first, or none")
    if bool(missing) == column.required:
        raise ContractError(f"{at}: {mart.id}.{one.column} is {'never' if missing else 'sometimes'} missing; say so by a bin")
    for place, each in enumerate(one.bins, start=1):
        said = [each.missing, each.below is not None, bool(each.values)]
        if sum(said) != (place < len(one.bins)):
            raise ContractError(f"{at}.{place}: say one of missing, below, values; the last bin takes the rest, and says none")
        if (each.below is not None and not is_number) or (each.values and is_number):
            raise ContractError(f"{at}.{place}: {one.column} is {column.type}; {'below' if is_number else 'values'} is its word")
        if abs(each.points.as_tuple().exponent) > 2 or (each.below is not None and each.below.as_tuple().exponent < -4):
            raise ContractError(f"{at}.{place}: points have at most two decimals, bounds four")
    bounds = [each.below for each in ranged if each.below is not None]
    if bounds != sorted(set(bounds)):
        raise ContractError(f"{at}: bounds do not rise; put them in order")
    values = [value for each in ranged for value in each.values]
    if len(set(values)) < len(values):
        raise ContractError(f"{at}: a value is in two bins; keep one")
