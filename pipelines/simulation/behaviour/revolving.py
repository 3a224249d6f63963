"""Credit cards month by month: what is owed at the close of a cycle, what is paid for it, and cash drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour.months import MEAN_MONTH, lately
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.calendar import NEVER

if TYPE_CHECKING:
    from pipelines.simulation.world import World

# A card is not billed in its first days.
_FIRST_CYCLE = 10
# From the first missed month on, the balance stands at the limit and grows by interest and fees up to a share of it.
_FULL, _MOST = 0.96, 1.3
# Cash is at most this share of what is owed.
_MOST_CASH = 0.8


@dataclass(frozen=True)
class Balances:
    """Statements of one month, one row per credit card, in cents; `billed` is false where there is none."""

    day: np.ndarray
    billed: np.ndarray
    balance: np.ndarray
    advance: np.ndarray


def balances(world: World, month: int) -> Balances:
    """What is owed on each card when its cycle of this month closes."""
    return lately(world, "cards.balances", month, lambda: _balances(world, month))


def minimum_due(balance: np.ndarray) -> np.ndarray:
    """The least amount to be paid for a statement."""
    settings = behaviour().cards
    share = np.round(balance * settings.minimum_share).astype(np.int64)
    return np.minimum(np.maximum(share, round(settings.minimum * 100)), balance)


def payments(world: World, month: int) -> np.ndarray:
    """What is paid by the due date for the statements of a month: all of it, a part, or nothing in arrears."""
    return lately(world, "cards.payments", month, lambda: _payments(world, month))


def due_on(world: World, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Cards whose statement is due on `day`, and what is paid for it."""
    closed = day - behaviour().cards.due_days
    month = world.calendar.month(closed)
    now = balances(world, month)
    cards = np.flatnonzero((now.day == closed) & now.billed)
    return cards, payments(world, month)[cards]


def _balances(world: World, month: int) -> Balances:
    cards, people, settings = world.cards, world.people, behaviour().cards
    rng = world.streams.of("cards.balances", month)
    noise = rng.standard_normal(len(cards), dtype=np.float32)
    draws, size = rng.random(len(cards), dtype=np.float32), rng.uniform(*settings.advance_spread, len(cards))
    first, holder = world.calendar.first_of_month(month), cards.holder
    day = first + cards.cycle_day.astype(np.int32) - 1
    ends = np.minimum(people.dormant[holder], people.flight[holder])
    billed = (cards.issued + _FIRST_CYCLE <= day) & (day + settings.due_days < ends)
    income, distress = people.income[holder], people.distress(first + 14)[holder]
    level = cards.use * cards.limit
    level = np.where(pays_in_full(world), np.minimum(level, settings.income_share * income), level)
    season = settings.season.get(world.calendar.date(first).month, 1.0)
    owed = np.minimum(level * season * np.exp(settings.sigma * noise - settings.sigma**2 / 2), cards.limit)
    owed += settings.rise * distress * (cards.limit - owed)
    miss, cure = people.miss[holder], people.cure[holder]
    arrears = (miss <= day + settings.due_days) & (day < cure) & (miss < NEVER)
    months = np.clip((day - miss) / MEAN_MONTH, 0, None)
    full = cards.limit * np.minimum(_FULL + settings.missed_growth * months, _MOST)
    owed = np.where(arrears, np.maximum(full, 0), owed)
    takes = draws < settings.advance_share + settings.advance_in_distress * distress * ~arrears
    advance = np.where(takes & billed & ~arrears, settings.advance * size * cards.limit, 0)
    advance = np.minimum(np.round(advance / 10_000) * 10_000, owed * _MOST_CASH)
    return Balances(
        day, billed, np.where(billed, np.round(owed), 0).astype(np.int64), np.floor(advance).astype(np.int64)
    )  # fmt: skip


def pays_in_full(world: World) -> np.ndarray:
    """Which card holders pay the whole balance as long as they can."""

    def build() -> np.ndarray:
        draw = world.streams.of("cards.transactors").random(len(world.cards))
        risk = world.people.risk[world.cards.holder]
        settings = behaviour().cards
        return draw < settings.transactor_share - settings.transactor_risk * np.clip(risk, -2, 2)

    return world.cached("cards.transactors", build)


def _payments(world: World, month: int) -> np.ndarray:
    cards, people, settings = world.cards, world.people, behaviour().cards
    now, after = balances(world, month), balances(world, month + 1)
    due, holder = now.day + settings.due_days, cards.holder
    low, high = settings.revolver_pays
    share = low + (high - low) * world.streams.of("cards.habits").random(len(cards))
    distress = people.distress(world.calendar.first_of_month(month) + 14)[holder]
    part = share * (1 - distress) * now.balance
    part = np.minimum(part, settings.income_share * people.income[holder])
    # Whoever owes less a month later has paid the difference at least.
    part = np.maximum(np.maximum(part, minimum_due(now.balance)), now.balance - after.balance)
    full = pays_in_full(world) & (distress < settings.full_until)
    paid = np.where(full, now.balance, np.round(part)).astype(np.int64)
    arrears = (people.miss[holder] <= due) & (due < people.cure[holder])
    return np.where(arrears | ~now.billed, 0, np.minimum(paid, now.balance))


def closing_on(world: World, day: int) -> np.ndarray:
    """Cards that are billed on `day`."""
    now = balances(world, world.calendar.month(day))
    return np.flatnonzero((now.day == day) & now.billed)
