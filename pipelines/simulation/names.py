"""Names of people: drawn with the frequency, generation and sex of Chinese names, and put together as text.

What belongs here: who is called what, and the characters names are made of. What does not: how systems get names wrong
(`records.variants`), companies (`trade_names`), addresses (`addresses`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
from pydantic import Field

from pipelines.simulation.people import People
from pipelines.simulation.settings import Share, Strict, read_section
from pipelines.simulation.streams import Streams

FILE = Path(__file__).with_name("names.yaml")
_SPELT = re.compile(r"([^a-z\s]+)([a-z]+)")
# A list's n-th character is used as often as one over n and this many: the first ones stand out, no single one rules.
_FLATNESS = 12
# A parent or a child is so much older or younger than the head of the household; a spouse or a brother is not.
_GENERATION_DAYS = 15 * 365
Words = Annotated[tuple[str, ...], Field(min_length=1)]


class Surnames(Strict):
    """Surnames with pinyin, from frequent to rare, and the shares of the first ones."""

    shares: tuple[Share, ...]
    frequent: str
    rare: str


class Fashion(Strict):
    """Given names of one generation and sex."""

    single: Share
    alone: str
    first: str
    last: str


class Generation(Strict):
    """People born up to a year, and after the generation before."""

    until: int
    men: Fashion
    women: Fashion


class Tables(Strict):
    """names.yaml."""

    surnames: Surnames
    generations: tuple[Generation, ...]
    pinyin: str
    traditional: str
    similar: str
    city: str
    fanciful: str
    trades: dict[str, Words]
    shops: dict[str, Words]
    stalls: dict[str, Words]
    forms: Words
    large_forms: Words
    streets: Words
    roads: Words
    estates: Words
    towers: Words
    nicknames: Words

    @cached_property
    def surname_pinyin(self) -> dict[str, str]:
        """Pinyin of each surname, from frequent to rare."""
        return dict(_SPELT.findall(f"{self.surnames.frequent} {self.surnames.rare}"))

    @cached_property
    def character_pinyin(self) -> dict[str, str]:
        """Pinyin of each character of given names."""
        return dict(_SPELT.findall(self.pinyin))

    @cached_property
    def surname_shares(self) -> np.ndarray:
        """Share of each surname: the first ones as given, the others as one over their rank."""
        given, count = np.array(self.surnames.shares), len(self.surname_pinyin)
        falling = 1.0 / np.arange(len(given) + 1, count + 1)
        return np.concatenate([given, falling / falling.sum() * (1 - given.sum())])


@cache
def tables() -> Tables:
    """What names.yaml holds."""
    found = read_section(FILE, Tables)
    assert isinstance(found, Tables)
    return found


@dataclass(frozen=True)
class Names:
    """Names as numbers: of the surname, and of the first and last character of the given name (first -1: only one)."""

    surname: np.ndarray
    first: np.ndarray
    last: np.ndarray

    def __len__(self) -> int:
        return len(self.surname)

    def take(self, rows: np.ndarray) -> Names:
        """The names of some rows."""
        return Names(self.surname[rows], self.first[rows], self.last[rows])

    def text(self) -> pl.Series:
        """Names as written in Chinese."""
        return joined(self.surname_text(), self.given_text())

    def surname_text(self) -> pl.Series:
        """Surnames, most of one character."""
        return surname_texts().gather(self.surname)

    def given_text(self) -> pl.Series:
        """Given names of one or two characters."""
        return joined(given_texts().gather(self.first + 1), given_texts().gather(self.last + 1))

    def pinyin(self) -> pl.Series:
        """Names as written abroad: `wangxiaoming`, with nothing between."""
        return joined(self.surname_pinyin(), self.given_pinyin())

    def surname_pinyin(self) -> pl.Series:
        """Surnames in pinyin."""
        return surname_pinyins().gather(self.surname)

    def given_pinyin(self) -> pl.Series:
        """Given names in pinyin."""
        return joined(given_pinyins().gather(self.first + 1), given_pinyins().gather(self.last + 1))


def joined(*parts: pl.Series | str) -> pl.Series:
    """Texts joined row by row; a plain text stands in every row."""
    series = next(part for part in parts if isinstance(part, pl.Series))
    if not len(series):
        return pl.Series([], dtype=pl.String)
    return pl.select(pl.concat_str([pl.lit(part) for part in parts])).to_series()


def chosen(which: np.ndarray, options: Sequence[pl.Series]) -> pl.Series:
    """Of several texts for each row, the one whose number `which` says."""
    count = len(which)
    return pl.concat(list(options)).gather(np.asarray(which, dtype=np.int64) * count + np.arange(count))


@cache
def surname_texts() -> pl.Series:
    """Surnames by their number."""
    return pl.Series(list(tables().surname_pinyin))


@cache
def surname_pinyins() -> pl.Series:
    """Pinyin of surnames by their number."""
    return pl.Series(list(tables().surname_pinyin.values()))


@cache
def given_texts() -> pl.Series:
    """Characters of given names: by their number and one, so that -1 is nothing."""
    return pl.Series(["", *tables().character_pinyin])


@cache
def given_pinyins() -> pl.Series:
    """Their pinyin, likewise."""
    return pl.Series(["", *tables().character_pinyin.values()])


def draw_names(people: People, birth_year: np.ndarray, streams: Streams) -> Names:
    """Name everybody: surnames run in families from the father, given names follow the fashion of the year of birth."""
    rng, count = streams.of("names.people"), len(people)
    surname = _weighted(tables().surname_shares, rng.random(count))
    surname = np.where(inherits(people), surname[_name_giver(people)], surname)
    generation = np.searchsorted([generation.until for generation in tables().generations], birth_year)
    draws = rng.random((3, count))
    first, last = np.full(count, -1, dtype=np.int16), np.empty(count, dtype=np.int16)
    for number, fashions in enumerate(tables().generations):
        for female, fashion in ((False, fashions.men), (True, fashions.women)):
            rows = np.flatnonzero((generation == number) & (people.female == female))
            single = draws[0, rows] < fashion.single
            alone, before, after = (
                _from_list(order, draws[which, rows])
                for order, which in (
                    (fashion.alone + fashion.last + fashion.first, 1),
                    (fashion.first + fashion.last, 1),
                    (fashion.last + fashion.first, 2),
                )
            )
            first[rows], last[rows] = np.where(single, -1, before), np.where(single, alone, after)
    return Names(surname.astype(np.int16), first, last)


def inherits(people: People) -> np.ndarray:
    """Who bears the surname of the household: everybody but wives, husbands and mothers of the head."""
    head = _heads(people)
    older = people.birth < people.birth[head] - _GENERATION_DAYS
    return (people.spouse != head) & ~(older & people.female) & (head != np.arange(len(people)))


def _heads(people: People) -> np.ndarray:
    return np.flatnonzero(np.diff(people.household, prepend=-1))[people.household]


def _name_giver(people: People) -> np.ndarray:
    """Whose surname children of the household bear: the man of the couple; the head's father bears the head's."""
    head = _heads(people)
    father = np.where(people.female[head] & (people.spouse[head] >= 0), people.spouse[head], head)
    younger = people.birth > people.birth[head] + _GENERATION_DAYS
    return np.where(younger, father, head)


def _from_list(characters: str, draws: np.ndarray) -> np.ndarray:
    order = list(dict.fromkeys(characters))
    number = {character: place for place, character in enumerate(tables().character_pinyin)}
    weights = 1.0 / (np.arange(len(order)) + 1 + _FLATNESS)
    return np.array([number[character] for character in order])[_weighted(weights, draws)]


def _weighted(weights: np.ndarray, draws: np.ndarray) -> np.ndarray:
    ends = np.cumsum(weights) / weights.sum()
    return np.searchsorted(ends, draws, side="right").clip(0, len(weights) - 1)
