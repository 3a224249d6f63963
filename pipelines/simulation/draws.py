"""How scenarios draw: who has an event, when in the day, and how distress shows through everybody's noise.

What belongs here: drawing that several emitters share. What does not: what it means, nor any number of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

Kept = TypeVar("Kept")
WEEK = 7
_DAY = 86_400
_LAST_SECOND = _DAY - 1


def recent(world: World, name: str, period: int, build: Callable[[int], Kept], keep: int = 2) -> Kept:
    """What `build(period)` returns, kept for the last `keep` periods, so that memory does not grow with the days."""
    kept: OrderedDict[int, Kept] = world.cached(f"recent.{name}", OrderedDict)
    if period not in kept:
        kept[period] = build(period)
        while len(kept) > keep:
            kept.popitem(last=False)
    kept.move_to_end(period)
    return kept[period]


def cumulated(rates: np.ndarray) -> np.ndarray:
    """Running sum of rates, which `picks` draws from."""
    return np.cumsum(rates, dtype=np.float64)


def picks(rng: np.random.Generator, ends: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """Rows that have an event, in random order, as often as Poisson processes with rates of these running sums do."""
    total = float(ends[-1]) if len(ends) else 0.0
    count = int(rng.poisson(total * factor))
    return np.searchsorted(ends, rng.random(count) * total, side="right").clip(0, max(len(ends) - 1, 0))


def codes(rng: np.random.Generator, shares: Sequence[float] | np.ndarray, count: int) -> np.ndarray:
    """Code numbers drawn by their shares, which need not add up to 1."""
    ends = np.cumsum(np.asarray(shares, dtype=float))
    return np.searchsorted(ends, rng.random(count) * ends[-1], side="right").clip(0, len(ends) - 1)


def seconds(rng: np.random.Generator, hours: Sequence[float], count: int, in_order: bool = False) -> np.ndarray:
    """Seconds after midnight by a weight for each hour; `in_order` draws them ascending without sorting."""
    if in_order:
        steps = np.cumsum(rng.standard_exponential(count + 1))
        even = steps[:-1] / steps[-1]
    else:
        even = rng.random(count)
    ends = np.concatenate([[0.0], np.cumsum(np.asarray(hours, dtype=float))])
    return np.interp(even * ends[-1], ends, np.arange(25) * 3600.0).astype(np.int64).clip(0, _LAST_SECOND)


def within_day(moments: np.ndarray) -> np.ndarray:
    """Seconds after midnight, cut off at the end of the day."""
    return np.minimum(moments, _LAST_SECOND)


def cents(rng: np.random.Generator, median: np.ndarray | float, sigma: float, count: int) -> np.ndarray:
    """Amounts in cents, lognormal around a median in yuan."""
    return np.rint(np.maximum(median * 100.0 * np.exp(sigma * rng.standard_normal(count)), 1.0)).astype(np.int64)


def mood(world: World, month: int) -> np.ndarray:
    """How active each person is in a month, lognormal around 1: healthy people have quiet months too."""
    sigma = load_scenarios().noise.mood_sigma

    def draw(period: int) -> np.ndarray:
        normal = world.streams.of("mood", period).standard_normal(len(world.people), dtype=np.float32)
        return np.exp(np.float32(sigma) * normal - np.float32(sigma**2 / 2))

    return recent(world, "mood", month, draw)


def strain(world: World, day: int) -> np.ndarray:
    """How much of each person's distress shows in scenarios, 0 to 1; the same for the days of a week."""

    def show(week: int) -> np.ndarray:
        shown = world.cached("strain.people", lambda: _shown(world, "people", len(world.people)))
        return world.people.distress(week * WEEK) * shown

    return recent(world, "strain.people", day // WEEK, show, keep=3)


def company_strain(world: World, day: int) -> np.ndarray:
    """The same for companies: their own distress or, of micro ones, which live off one person, that of their owner."""

    def show(week: int) -> np.ndarray:
        shown = world.cached("strain.companies", lambda: _shown(world, "companies", len(world.companies)))
        owner = np.where(world.companies.size == 0, world.people.distress(week * WEEK)[world.companies.owner], 0)
        return np.maximum(world.companies.distress(week * WEEK), owner).astype(np.float32) * shown

    return recent(world, "strain.companies", day // WEEK, show, keep=8)


def slow(world: World, day: int) -> np.ndarray:
    """Slow ups and downs of each company's business, lognormal around 1: waves of several lengths and any phase."""
    noise = load_scenarios().noise
    phases = world.cached(
        "slow.phases",
        lambda: world.streams.of("slow").random((len(noise.slow_days), len(world.companies))).astype(np.float32),
    )
    turns = [phase + np.float32(day / length) for phase, length in zip(phases, noise.slow_days, strict=True)]
    waves = sum(np.sin(np.float32(2 * np.pi) * turn) for turn in turns)
    sigma = noise.slow_sigma * np.sqrt(2 / len(noise.slow_days))  # a sine has variance 1/2
    return np.exp(np.float32(sigma) * waves)


def _shown(world: World, whose: str, count: int) -> np.ndarray:
    """How much of anybody's distress shows here: nothing of the deaf, most of the others."""
    rng, noise = world.streams.of(f"strain.{whose}"), load_scenarios().noise
    return np.where(rng.random(count) < noise.deaf, 0.0, rng.uniform(0.6, 1.0, count)).astype(np.float32)
