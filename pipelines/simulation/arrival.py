"""When deliveries come: most in the night, some a day late, some wrong at first and corrected two days later.

A function of world and day alone: whether a file is there, or right, depends only on the last date simulated.
"""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from pipelines.contracts.feed import Feed
from pipelines.simulation.world import World

# Partners whose file of a day sometimes comes with that of the next, and how often. Assumption.
_SOMETIMES_LATE = {
    ("ecommerce.order", "pinhao"): 0.04,
    ("market.daily_turnover", "market_west"): 0.05,
    ("medical.payment", "hospital"): 0.03,
}
# The till of a market is read wrongly, and corrected once somebody has noticed. Assumption.
_SOMETIMES_WRONG = {("market.daily_turnover", "market_east"): 0.10}
LATE, CORRECTED = 1, 2  # days after which a file is there, or right
_TIMES = 10  # too much: a decimal point was read as nothing


_EARLIEST, _SPAN = 15, 45  # minutes after midnight at which files of the day before come: before 01:00. Assumption


def at(world: World, feed: Feed, day: int, wrong: bool, zone: ZoneInfo) -> datetime:
    """When the file of `day` comes, by the clock of the simulated bank; where it is corrected, when that one does."""
    late = LATE if is_late(world, feed, day) else 0
    corrected = CORRECTED if is_corrected(world, feed, day) and not wrong else 0
    night = world.calendar.date(day + 1 + max(late, corrected))
    minute = _EARLIEST + int(world.streams.of(f"arrival.minute.{feed.contract}.{feed.source}", day).integers(_SPAN))
    return datetime.combine(night, time(0, minute), zone)


def is_late(world: World, feed: Feed, day: int) -> bool:
    """Whether the file of `day` comes a day late. The first never does: it would be missing, not late."""
    return day > 0 and _happens(world, feed, day, "late", _SOMETIMES_LATE)


def is_corrected(world: World, feed: Feed, day: int) -> bool:
    """Whether the file of `day` is wrong at first."""
    return _happens(world, feed, day, "wrong", _SOMETIMES_WRONG)


def wrong_at_first(world: World, day: int, frame: pl.DataFrame) -> pl.DataFrame:
    """The turnover of a day with a row that is missing, or is ten times what it was."""
    if frame.is_empty():
        return frame
    random = world.streams.of("arrival.what", day)
    row = int(random.integers(len(frame)))
    if random.random() < 0.5:
        return frame.filter(pl.Series(np.arange(len(frame)) != row))
    times = pl.when(pl.int_range(pl.len()) == row).then(_TIMES).otherwise(1)
    return frame.with_columns(pl.col("turnover") * times)


def _happens(world: World, feed: Feed, day: int, what: str, shares: dict[tuple[str, str], float]) -> bool:
    share = shares.get((feed.contract, feed.source), 0.0)
    return share > 0 and world.streams.of(f"arrival.{what}.{feed.source}", day).random() < share
