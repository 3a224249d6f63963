"""Purchases by card: who buys how often, what for and for how much, with the shape of the week and of the year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour.budget import budget, purse
from pipelines.simulation.behaviour.holders import Holders, holders
from pipelines.simulation.behaviour.journal import CARD, Lines
from pipelines.simulation.behaviour.months import MEAN_MONTH, lately
from pipelines.simulation.behaviour.parameters import CATEGORIES, behaviour

if TYPE_CHECKING:
    from pipelines.simulation.world import World

# Categories are looked up by twelve random bits; amounts by the rest of the same number would be too coarse.
_SLOTS = 4096
_GROUPS = 4
# Nobody buys for less than this.
_LEAST_CENTS = 100
_YEAR = 365
_SUMMER, _TERMS = (7, 8), (2, 9)


def season(world: World, day: int) -> np.ndarray:
    """How much more than usual is bought in each category on `day`."""
    settings, calendar = behaviour().spending, world.calendar
    factor = np.ones(len(CATEGORIES))
    when, holiday = calendar.date(day), calendar.holiday(day)
    effects = [
        {name: week[calendar.weekday(day)] / (sum(week) / 7) for name, week in settings.weekday.items()},
        settings.holiday.get(holiday or "", {}),
        settings.summer if when.month in _SUMMER else {},
        settings.term_begins if when.month in _TERMS else {},
    ]
    ahead = calendar.days_until("spring_festival", day)
    if ahead is not None and 0 < ahead <= settings.festival_run_up["days"]:
        effects.append({name: value for name, value in settings.festival_run_up.items() if name != "days"})
    for month, first, last, online in settings.shopping_days:
        if when.month == month and first <= when.day <= last:
            effects.append({"online": online})
    for effect in effects:
        for name, value in effect.items():
            factor[CATEGORIES.index(name)] *= value
    return factor


def purchases(world: World, day: int) -> Lines:
    """The purchases posted on `day`."""
    every, settings = holders(world), behaviour()
    month = world.calendar.month(day)
    factor = season(world, day)
    mix = np.array([settings.spending.mix[name] for name in CATEGORIES]).T
    weights = mix * factor
    today = (weights.sum(1) / mix.sum(1)).astype(np.float32)
    rate, mean = _rates(world, day, month)
    rng = world.streams.of("purchases", day)
    count = rng.poisson(rate * today[every.group])
    row = np.repeat(np.arange(len(every), dtype=np.int32), count)
    total = len(row)
    bits = rng.integers(0, 2**16, total, dtype=np.uint16)
    slots = _slots(weights)
    category = slots[every.group[row], bits & (_SLOTS - 1)]
    sigma = np.array([settings.spending.sigma[name] for name in CATEGORIES], np.float32)
    price = np.array([settings.spending.price[name] for name in CATEGORIES], np.float32)
    noise = rng.standard_normal(total, dtype=np.float32)
    amount = mean[row] * price[category] * np.exp(noise * sigma[category])
    # Nobody spends a whole purse at once; who wants something dearer pays for it in parts or elsewhere.
    most = settings.spending.dearest * MEAN_MONTH * purse(world, day).astype(np.float32)
    cents = np.maximum(np.minimum(amount, most[row]), _LEAST_CENTS).astype(np.int64)
    whole = (bits >> 12) < round(settings.bookings.whole_yuan * 16)
    cents = np.where(whole, (cents + 50) // 100 * 100, cents)
    return Lines(every.account[row], cents, True, CARD, category=category, late=_lateness(rng, every, row, day))


def _lateness(rng: np.random.Generator, every: Holders, row: np.ndarray, day: int) -> np.ndarray:
    """Days between purchase and posting: none for most, one to three for some."""
    late = np.zeros(len(row), np.int8)
    chosen = np.flatnonzero(rng.random(len(row), dtype=np.float32) < behaviour().bookings.late_posting)
    possible = np.minimum(rng.integers(1, 4, len(chosen)), day - np.maximum(every.starts[row[chosen]], 0))
    late[chosen] = np.maximum(possible, 0)
    return late


def _slots(weights: np.ndarray) -> np.ndarray:
    """Category by group and random number below _SLOTS."""
    edges = np.round(np.cumsum(weights, axis=1) / weights.sum(1, keepdims=True) * _SLOTS)
    numbers = np.arange(_SLOTS)
    return np.stack([np.searchsorted(edges[group], numbers, side="right") for group in range(_GROUPS)]).astype(np.int8)


def _rates(world: World, day: int, month: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean purchases of each holder on a usual day, and cents per unit of price, so that they spend what is free."""
    settings = behaviour()
    usual, per_yuan = world.cached("purchases.usual", lambda: _usual(world))
    fall = lately(world, "purchases.fall", month, lambda: _fall(world, month))
    money = purse(world, day)
    shared = settings.transfers.cash_share + settings.transfers.out_share
    mean = (money * (1 - shared) / per_yuan).astype(np.float32)
    # Who may spend next to nothing buys less often rather than for cents.
    rate = usual * fall * np.minimum(mean / _LEAST_MEAN, 1)
    return rate * (money > 0), np.maximum(mean, _LEAST_MEAN)


_LEAST_MEAN = np.float32(8.0)  # cents per yuan of price: a meal of 52 yuan for about four


def _fall(world: World, month: int) -> np.ndarray:
    """Fewer purchases in distress; ups and downs from month to month in everybody."""
    every = holders(world)
    mood = world.streams.of("purchases.mood", month).standard_normal(len(every), dtype=np.float32)
    spending = behaviour().spending
    return (1 - spending.fall * budget(world, month).distress) * np.exp(spending.mood * mood - spending.mood**2 / 2)


def _usual(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Purchases of each holder on a usual day, and yuan of price that they come to."""
    every, settings = holders(world), behaviour()
    people = world.people
    spread = settings.spending.taste * (2 * every.draw("buys") - 1)
    taste = (settings.spending.undigital + people.digital[every.person]) * np.exp(spread)
    # Scaled over holders at the beginning, so that all bookings together come to the set number per customer.
    known = every.starts <= 0
    wanted = settings.bookings.per_customer_day - settings.bookings.not_purchases
    usual = (taste / taste[known].sum() * wanted * world.customers).astype(np.float32)
    mix = np.array([settings.spending.mix[name] for name in CATEGORIES]).T
    sigma = np.array([settings.spending.sigma[name] for name in CATEGORIES])
    price = np.array([settings.spending.price[name] for name in CATEGORIES]) * np.exp(sigma**2 / 2)
    # Holidays and sales make more of a year than its usual days: a year's money pays for them too.
    year = np.mean([season(world, day) for day in range(_YEAR)], axis=0)
    basket = (mix * year * price).sum(1) / mix.sum(1)
    return usual, (usual * basket[every.group]).astype(np.float32)
