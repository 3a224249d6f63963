"""Months and days of the month of many days at once, and a small memory of months and days that were just asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from pipelines.simulation.world import World

T = TypeVar("T")
# Days beyond this are not told apart: no loan and no account lasts longer.
_LAST = 40_000
# Neighbouring periods that are kept: a day looks back a few days, and seldom beyond the month before.
_KEPT = 4
#: Mean days of a month.
MEAN_MONTH = 30.4


def month_of(world: World, days: np.ndarray) -> np.ndarray:
    """Month number of each day."""
    return (_moments(world, days).astype("datetime64[M]") - _start(world).astype("datetime64[M]")).astype(np.int64)


def day_of_month(world: World, days: np.ndarray) -> np.ndarray:
    """1 to 31, of each day."""
    moments = _moments(world, days)
    return (moments - moments.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1


def day_in_month(world: World, months: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Day number of a day of the month; the month's last day where it is shorter."""
    first = _first(world, months)
    return first + np.minimum(day, _first(world, np.asarray(months) + 1) - first) - 1


def length_of(world: World, month: int) -> int:
    """Days of a month."""
    return world.calendar.first_of_month(month + 1) - world.calendar.first_of_month(month)


def lately(world: World, name: str, period: int, build: Callable[[], T]) -> T:
    """What `build` makes of a day or month, kept while it is among the last few that were asked for."""
    kept: OrderedDict[int, T] = world.cached(f"lately.{name}", OrderedDict)
    if period in kept:
        kept.move_to_end(period)
    else:
        kept[period] = build()
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    return kept[period]


def _start(world: World) -> np.datetime64:
    return np.datetime64(world.calendar.start, "D")


def _moments(world: World, days: np.ndarray) -> np.ndarray:
    return _start(world) + np.minimum(days, _LAST).astype(np.int64)


def _first(world: World, months: np.ndarray) -> np.ndarray:
    start = _start(world)
    return ((start.astype("datetime64[M]") + np.asarray(months)).astype("datetime64[D]") - start).astype(np.int64)
