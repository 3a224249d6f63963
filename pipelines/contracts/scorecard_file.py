"""Reads the scorecards under `scorecards/` and refuses what nobody may be judged by.

What belongs here: what must hold of a card beside the shape of its fields. What does not: that shape (`scorecards`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from pipelines.contracts.document import faults, read_document, suggestion
from pipelines.contracts.model import Contract, ContractError
from pipelines.contracts.scorecards import Characteristic, Scorecard

PURPOSE = "risk_management"
# What no card may look at: who somebody is by birth, body or belief, and where they live, which stands for it.
PROTECTED = re.compile(
    r"gender|sex|marital|ethnic|nation|religio|belief|medical|health|pregnan|disab|birth|age_years|distr"
)
NUMBERS = ("bigint", "decimal", "double")


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
            raise ContractError(
                f"{path}: banks: no bank '{bank}'{suggestion(bank, set(banks))}; name one that has feeds"
            )
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
        raise ContractError(
            f"{at}: {mart.id}.{one.column} is {'never' if missing else 'sometimes'} missing; say so by a bin"
        )
    for place, each in enumerate(one.bins, start=1):
        said = [each.missing, each.below is not None, bool(each.values)]
        if sum(said) != (place < len(one.bins)):
            raise ContractError(
                f"{at}.{place}: say one of missing, below, values; the last bin takes the rest, and says none"
            )
        if (each.below is not None and not is_number) or (each.values and is_number):
            raise ContractError(
                f"{at}.{place}: {one.column} is {column.type}; {'below' if is_number else 'values'} is its word"
            )
        if abs(each.points.as_tuple().exponent) > 2 or (each.below is not None and each.below.as_tuple().exponent < -4):
            raise ContractError(f"{at}.{place}: points have at most two decimals, bounds four")
    bounds = [each.below for each in ranged if each.below is not None]
    if bounds != sorted(set(bounds)):
        raise ContractError(f"{at}: bounds do not rise; put them in order")
    values = [value for each in ranged for value in each.values]
    if len(set(values)) < len(values):
        raise ContractError(f"{at}: a value is in two bins; keep one")
