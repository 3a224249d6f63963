"""Propensity cards: points tables that say who is likely to take up an offer, read strictly.

What belongs here: the files under `propensity/` and what a card may look at, which is what marketing may use: a column
that measures risk is refused with its name. What does not: scorecards of risk (`scorecards`), whose bins and scale
these share; the SQL that dbt makes of a card (`propensity_macro`), and how points are estimated
(`benchmarks.propensity`).

A score is the base points plus the points of one bin per characteristic; the log odds of taking up an offer within the
days of the card are (score - offset) over factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from pipelines.contracts.document import Strict, faults, read_document, suggestion
from pipelines.contracts.model import Contract, ContractError
from pipelines.contracts.scorecards import Bin, Exact, Scaling, Spoken, Words

PURPOSE = "marketing"


class Characteristic(Strict):
    """A column of the card's mart with its bins, tried in their order."""

    column: Words
    bins: Annotated[tuple[Bin, ...], Field(min_length=2)]


class Sample(Strict):
    """Contacts that were observed: of the days after each date, with what came of them."""

    observed: Annotated[tuple[date, ...], Field(min_length=1)]
    contacts: int
    conversions: int
    auc: Exact
    auc_low: Exact
    auc_high: Exact


class Training(Strict):
    """On what the points were estimated, and what they were found to be worth on later contacts."""

    world: Words
    train: Sample
    test: Sample


class PropensityCard(Strict):
    """One file."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    title: Spoken
    target: Words
    limits: Annotated[tuple[Words, ...], Field(min_length=1)]
    owner: Words
    approved_by: Annotated[tuple[Words, ...], Field(min_length=2)]
    mart: Words
    scaling: Scaling
    base_points: Exact
    characteristics: Annotated[tuple[Characteristic, ...], Field(min_length=1)]
    training: Training


def load_propensity(folder: Path, marts: Mapping[str, Contract]) -> dict[str, PropensityCard]:
    """Every card under `folder` by name. Raises ContractError at the first fault."""
    found: dict[str, PropensityCard] = {}
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.name.startswith("."):
            continue
        if path.suffix != ".yaml" or not path.is_file():
            raise ContractError(f"{path}: would not be read; files here are called <name>.yaml")
        given, _ = read_document(path, "a propensity card")
        try:
            card = PropensityCard(**given)
        except ValidationError as error:
            raise ContractError(f"{path}: {faults(error, given)}") from error
        if card.name != path.stem:
            raise ContractError(f"{path}: name: a file of this name holds '{path.stem}'; make the two agree")
        _check(path, card, marts)
        found[card.name] = card
    return found


def _check(path: Path, card: PropensityCard, marts: Mapping[str, Contract]) -> None:
    if card.mart not in marts:
        raise ContractError(f"{path}: mart: no mart '{card.mart}'{suggestion(card.mart, set(marts))}; name one that is")
    mart = marts[card.mart]
    known = {column.name for column in mart.columns} - set(mart.key)
    for one in card.characteristics:
        if one.column not in known:
            hint = suggestion(one.column, known)
            raise ContractError(f"{path}: {one.column}: no column of {mart.id}{hint}; name one that is")
        allowed = mart.column(one.column).purposes
        if PURPOSE not in allowed:
            raise ContractError(
                f"{path}: {one.column}: {mart.id} lets it serve {', '.join(allowed)}, not {PURPOSE}; remove it"
            )
        _check_bins(f"{path}: {one.column}.bins", one.bins)
    columns = [one.column for one in card.characteristics]
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise ContractError(f"{path}: characteristics: {twice[0]} is there twice; keep one")


def _check_bins(at: str, bins: tuple[Bin, ...]) -> None:
    """The first bin is for what is not known, the last one takes the rest, and bounds rise between them."""
    *stated, rest = bins
    if not stated[0].missing or any(each.missing for each in stated[1:]):
        raise ContractError(f"{at}: one bin for what is missing comes first; say what it is worth")
    if rest.missing or rest.below is not None or rest.values:
        raise ContractError(f"{at}: the last bin takes the rest, and says nothing but points")
    bounds = [each.below for each in stated if each.below is not None]
    if bounds != sorted(set(bounds)):
        raise ContractError(f"{at}: bounds do not rise; put them in order")
    if any((each.below is None) == (not each.values) for each in stated[1:]):
        raise ContractError(f"{at}: a bin says one of below and values; correct it")
