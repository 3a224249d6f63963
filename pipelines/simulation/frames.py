"""What an emitter is, and how numbers of the world become columns of a contract.

What belongs here: the registry of emitters, and conversions they share. What does not: what anything means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER

if TYPE_CHECKING:
    from pipelines.simulation.world import World

Emitter = Callable[["World", int, str], pl.DataFrame]

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
    numbers = np.asarray(codes)
    series = pl.Series(numbers.astype(np.int64))
    if numbers.size and numbers.min() < 0:
        series = series.set(series < 0, None)
    return series.cast(pl.UInt32).cat.to(pl.Enum(list(values)))
