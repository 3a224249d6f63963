"""What an emitter is, and how numbers of the world become columns of a contract.

What belongs here: the registry of emitters, and conversions they share. What does not: what anything means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_FEW = 200  # values that are picked faster one by one than by an engine that has to be set up

Emitter = Callable[["World", int, str], pl.DataFrame]


@dataclass(frozen=True)
class Snapshots:
    """An emitter of what there is on a day, of records that never change: all there ever are, and which ones there are.

    Most are delivered again every day. Whoever writes them needs to dress each only once.
    """

    of: Callable[[World, int], tuple[pl.DataFrame, np.ndarray]]

    def __call__(self, world: World, day: int, source: str) -> pl.DataFrame:
        """The records of a day as a frame."""
        records, rows = self.of(world, day)
        return records[rows]


#: The emitter of each (contract, source).
EMITTERS: dict[tuple[str, str], Emitter] = {}


def delivers(contract: str, *sources: str) -> Callable[[Emitter], Emitter]:
    """Register a function of (world, day, source) as what `sources` deliver of `contract` for a day.

    Its frame is in the contract's terms: column names, codes and types of the contract; money in cents, rates in
    ten-thousandths; besides, under their own names, raw fields that the feed reads beyond them.
    """

    def register(emitter: Emitter) -> Emitter:
        for source in sources:
            if (contract, source) in EMITTERS:
                raise ValueError(f"{contract} of {source} has two emitters")
            EMITTERS[contract, source] = emitter
        return emitter

    return register


def snapshots(
    contract: str, source: str
) -> Callable[[Callable[[World, int], tuple[pl.DataFrame, np.ndarray]]], Emitter]:
    """Register a function of (world, day): the records of the horizon, always the same, and the rows of a day."""
    return lambda of: delivers(contract, source)(Snapshots(of))


def dates(world: World, days: np.ndarray | Sequence[int]) -> pl.Series:
    """Day numbers as dates; NEVER is null."""
    numbers = np.asarray(days, dtype=np.int64)
    epoch = world.calendar.start.toordinal() - 719_163  # day 0 of polars is 1970-01-01
    series = pl.Series(numbers + epoch)
    known = numbers < NEVER
    if not known.all():
        series = pl.select(pl.when(pl.Series(known)).then(series)).to_series()
    return series.cast(pl.Int32).cast(pl.Date)


def times(world: World, day: int | np.ndarray, seconds: np.ndarray) -> pl.Series:
    """Seconds after midnight, bank time, of one day or of a day for each."""
    epoch = world.calendar.start.toordinal() - 719_163
    moments = (np.asarray(day, dtype=np.int64) + epoch) * 86_400 + np.asarray(seconds, dtype=np.int64)
    return pl.Series(moments * 1_000_000).cast(pl.Datetime("us"))


def pick(values: Sequence[str], codes: np.ndarray) -> pl.Series:
    """`values[code]` for each code; a negative code is null."""
    numbers, kind = np.asarray(codes), _enumeration(tuple(values))
    if numbers.size <= _FEW:
        few = numbers.astype(np.int64).tolist()
        return pl.Series([values[code] if code >= 0 else None for code in few], dtype=kind)
    series = pl.Series(numbers.astype(np.int64))
    if numbers.min() < 0:
        series = series.set(series < 0, None)
    return series.cast(pl.UInt32).cat.to(kind)


@cache
def _enumeration(values: tuple[str, ...]) -> pl.Enum:
    return pl.Enum(list(values))
