"""How texts get lost or wrong on their way into a system: names, digits, phones.

What belongs here: functions that spoil a share of a column, always with the random numbers of a stream of their own.
What does not: which system does how much of it (its module, and noise.yaml).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import identifiers
from pipelines.simulation.names import Names, joined, tables
from pipelines.simulation.records import citizens
from pipelines.simulation.records.noise import load_noise

if TYPE_CHECKING:
    from pipelines.simulation.world import World

WIDE_BLANK = "\u3000"
_HOMOPHONE, _SIMILAR, _MISSING, _TRADITIONAL, _PINYIN, _SWAPPED, _PADDED = range(7)
# Digits of a resident id that clerks mistype: of the day of birth and of the sequence.
_TYPED = (6, 17)
_CODE_TYPED = (10, 16)


def hits(world: World, stream: str, count: int, share: float) -> np.ndarray:
    """Which of `count` records something happens to."""
    return world.streams.of(f"records.{stream}").random(count) < share


def lost(world: World, stream: str, texts: pl.Series, share: float) -> pl.Series:
    """The texts, null in a share of rows."""
    return without(texts, hits(world, stream, len(texts), share))


def without(texts: pl.Series, gone: np.ndarray) -> pl.Series:
    """The texts, null where `gone`."""
    return pl.select(pl.when(~pl.Series(gone)).then(texts)).to_series() if len(texts) else texts


def replaced(texts: pl.Series, rows: np.ndarray, by: pl.Series) -> pl.Series:
    """The texts, with others in some rows."""
    place = np.arange(len(texts))
    place[rows] = len(texts) + np.arange(len(rows))
    return pl.concat([texts, by]).gather(place) if len(rows) else texts


def mistyped_ids(world: World, stream: str, ids: pl.Series, share: float) -> pl.Series:
    """Resident ids, a share of them with one wrong digit: their check character mostly tells."""
    return _mistyped(world, stream, ids, share, _TYPED)


def mistyped_codes(world: World, stream: str, codes: pl.Series, share: float) -> pl.Series:
    """Credit codes, a share of them with one wrong character."""
    return _mistyped(world, stream, codes, share, _CODE_TYPED)


def _mistyped(world: World, stream: str, texts: pl.Series, share: float, within: tuple[int, int]) -> pl.Series:
    rng = world.streams.of(f"records.{stream}")
    rows = np.flatnonzero(rng.random(len(texts)) < share)
    place = pl.Series(rng.integers(*within, len(rows)))
    step = rng.integers(1, 10, len(rows))
    right = texts.gather(rows).to_frame("text").with_columns(place=place, after=17 - place, step=step)
    digit = pl.col("text").str.slice(pl.col("place"), 1).cast(pl.Int64, strict=False).fill_null(0)
    wrong = right.select(
        pl.concat_str(
            pl.col("text").str.slice(0, pl.col("place")),
            ((digit + pl.col("step")) % 10).cast(pl.String),
            pl.col("text").str.slice(pl.col("place") + 1, pl.col("after")),
        )
    ).to_series()
    return replaced(texts, rows, wrong)


def phones(world: World, system: str, person: np.ndarray, old: float, missing: float = 0.0) -> pl.Series:
    """Phones of people as a system has them: the old one in some rows, none in others."""
    is_old = hits(world, f"{system}.old_phone", len(person), old)
    number = np.where(is_old, citizens.old_phones(world)[person], citizens.phones(world)[person])
    return lost(world, f"{system}.phone_missing", identifiers.phones(number), missing)


def varied_names(world: World, stream: str, person: np.ndarray, share: float) -> pl.Series:
    """Names of people, a share of them spoilt."""
    texts = citizens.full_names(world).gather(person)
    rows = np.flatnonzero(hits(world, stream, len(person), share))
    return replaced(texts, rows, variants(world, f"{stream}.kind", person[rows]))


def padded_names(texts: pl.Series) -> pl.Series:
    """Names with a wide blank after the surname."""
    return joined(texts.str.slice(0, 1), WIDE_BLANK, texts.str.slice(1))


def variants(world: World, stream: str, person: np.ndarray) -> pl.Series:
    """A wrong name of each person, wrong in a way that is drawn."""
    names, count = citizens.names(world).take(person), len(person)
    shares = np.cumsum(load_noise().variants.shares)
    kind = np.searchsorted(shares, world.streams.of(f"records.{stream}").random(count), side="right").clip(0, 6)
    last, surname = _other_sounds()
    by_last, by_surname = last[names.last], surname[names.surname]
    # Where no character sounds alike, a blank is what goes wrong.
    kind = np.where((kind == _HOMOPHONE) & (by_last < 0) & (by_surname < 0), _PADDED, kind)
    kind = np.where((kind == _MISSING) & (names.first < 0), _PADDED, kind)
    sound = by_last >= 0
    heard = Names(np.where(sound, names.surname, np.where(by_surname >= 0, by_surname, names.surname)), names.first,
                  np.where(sound, by_last, names.last))  # fmt: skip
    right = names.text()
    spoilt = {
        _HOMOPHONE: lambda rows: heard.take(rows).text(),
        _SIMILAR: lambda rows: _exchanged(right.gather(rows), tables().similar),
        _MISSING: lambda rows: Names(names.surname[rows], np.full(len(rows), -1), names.last[rows]).text(),
        _TRADITIONAL: lambda rows: _exchanged(right.gather(rows), tables().traditional),
        _PINYIN: lambda rows: joined(
            names.take(rows).surname_pinyin(), " ", names.take(rows).given_pinyin()
        ).str.to_uppercase(),
        _SWAPPED: lambda rows: joined(names.take(rows).given_text(), names.take(rows).surname_text()),
        _PADDED: lambda rows: padded_names(right.gather(rows)),
    }
    texts = right
    for number, spoil in spoilt.items():
        rows = np.flatnonzero(kind == number)
        texts = replaced(texts, rows, spoil(rows))
    # Nothing to exchange in some names: a blank again.
    same = np.flatnonzero((texts == right).to_numpy()) if count else np.empty(0, dtype=np.int64)
    return replaced(texts, same, padded_names(right.gather(same)))


def _passport(names: Names) -> pl.Series:
    return joined(names.surname_pinyin(), " ", names.given_pinyin()).str.to_uppercase()


def _exchanged(texts: pl.Series, pairs: str) -> pl.Series:
    table = {pair[0]: pair[1] for pair in pairs.split()}
    return texts.str.replace_many(list(table), list(table.values()))


@cache
def _other_sounds() -> tuple[np.ndarray, np.ndarray]:
    """Of each character of given names, and of each surname, another one that sounds the same, -1 for none."""
    return tuple(
        np.array(_next_alike(list(table.values()))) for table in (tables().character_pinyin, tables().surname_pinyin)
    )  # type: ignore[return-value]


def _next_alike(sounds: list[str]) -> list[int]:
    places: dict[str, list[int]] = {}
    for place, sound in enumerate(sounds):
        places.setdefault(sound, []).append(place)
    following = {}
    for alike in places.values():
        for number, place in enumerate(alike):
            following[place] = alike[(number + 1) % len(alike)] if len(alike) > 1 else -1
    return [following[place] for place in range(len(sounds))]
