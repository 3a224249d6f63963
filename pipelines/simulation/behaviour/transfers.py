"""Cash, transfers to people and to savings, and money that leaves: before a default and before a customer does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.accounts import CORPORATE, TERM_DEPOSIT
from pipelines.simulation.behaviour import counterparties as to
from pipelines.simulation.behaviour.budget import able, billed, budget, household, purse
from pipelines.simulation.behaviour.holders import holders
from pipelines.simulation.behaviour.journal import (
    CASH_OUT,
    CATEGORY,
    HOUSEHOLD,
    INTERNAL,
    TRANSFER_OUT,
    Lines,
    between,
)  # fmt: skip
from pipelines.simulation.behaviour.months import MEAN_MONTH, lately
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.calendar import NEVER

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_NOTE = 10_000  # the note that machines give
_ROUND = 1_000  # transfers of whole tens of yuan
_FRIENDS = 6
# Whoever saves does so within days of the income; every month has the last day.
_SAVES_WITHIN, _LAST_DAY = 6, 28
_HOT, _COLD = (7, 8), 1
_UTILITIES, _TELECOMS = 3, 3
# Below this a rest is not drawn.
_LEAST = 5_000


def cash(world: World, day: int) -> list[Lines]:
    """Withdrawals in notes of a hundred."""
    every, settings = holders(world), behaviour().transfers
    rng = world.streams.of("transfers.cash", day)
    dislike = settings.cash_dislike - world.people.digital[every.person]
    rows = np.flatnonzero(rng.random(len(every), dtype=np.float32) < settings.cash_per_month / MEAN_MONTH * dislike)
    size = np.exp(settings.cash_sigma * rng.standard_normal(len(rows)) - settings.cash_sigma**2 / 2)
    amount = purse(world, day)[rows] * settings.cash_share * MEAN_MONTH / settings.cash_per_month * size
    return [Lines(every.account[rows], (np.round(amount / _NOTE) * _NOTE).astype(np.int64), True, CASH_OUT)]


def out(world: World, day: int) -> list[Lines]:
    """Transfers to the household, to friends and to wallets."""
    every, settings = holders(world), behaviour().transfers
    rng = world.streams.of("transfers.out", day)
    rows = np.flatnonzero(rng.random(len(every), dtype=np.float32) < settings.out_per_month / MEAN_MONTH)
    size = np.exp(settings.out_sigma * rng.standard_normal(len(rows)) - settings.out_sigma**2 / 2)
    friend = rng.integers(0, _FRIENDS, len(rows))
    family = rng.random(len(rows)) < settings.family_share
    whole = np.where(rng.random(len(rows)) < settings.round_share, _ROUND, 1)
    money = purse(world, day)[rows] * MEAN_MONTH
    amount = np.minimum(money * settings.out_share / settings.out_per_month * size, money * settings.dearest)
    amount = (np.maximum(amount // whole, 0) * whole).astype(np.int64)
    relative = household(world).relative[rows]
    near = family & (relative >= 0) & every.active(day)[relative]
    far = rows[~near]
    return [
        Lines(every.account[far], amount[~near], True, TRANSFER_OUT,
              partner=to.outside(world, every.person[far], to.FRIEND, friend[~near])),
        *between(every.account[rows[near]], every.account[relative[near]], amount[near]),
    ]  # fmt: skip


def _shape(world: World, month: int) -> np.ndarray:
    """How much each bill of a month is above or below the usual one."""
    return np.exp(
        behaviour().bills.sigma * world.streams.of("bills", month).standard_normal(len(holders(world)), np.float32)
    )


def savings(world: World, day: int) -> list[Lines]:
    """What is saved in a month, to the savings account or to an account elsewhere."""
    every, calendar = holders(world), world.calendar
    # The week after the income: whoever saves does so before spending.
    due = (every.payday + every.day("saves", _SAVES_WITHIN)) % _LAST_DAY + 1
    rows = np.flatnonzero((due == calendar.day_of_month(day)) & every.active(day) & (day > every.first_income))
    amount = budget(world, calendar.month(day)).saved[rows]
    account = every.savings[rows]
    here = (account >= 0) & (world.accounts.opened[np.maximum(account, 0)] <= day)
    there = rows[~here]
    return [
        *(_within(every.account[rows[here]], account[here], amount[here])),
        Lines(every.account[there], amount[~here], True, TRANSFER_OUT,
              partner=to.outside(world, every.person[there], to.OWN)),
    ]  # fmt: skip


def _within(payer: np.ndarray, payee: np.ndarray, amount: np.ndarray) -> list[Lines]:
    """A transfer between two accounts of the same person."""
    return [
        Lines(payer, amount, True, INTERNAL, partner=payee),
        Lines(payee, amount, False, INTERNAL, partner=payer),
    ]  # fmt: skip


def bills(world: World, day: int) -> list[Lines]:
    """Electricity, water and gas, and telecom: by direct debit, on a day of the month of their own."""
    every, settings, calendar = holders(world), behaviour().bills, world.calendar
    date, when, pays = calendar.day_of_month(day), calendar.date(day), able(world, day)
    month = calendar.month(day)
    shape = lately(world, "bills", month, lambda: _shape(world, month))
    utilities, telecom = billed(world)
    warm = settings.summer_utilities if when.month in (*_HOT, _COLD) else 1.0
    first = np.flatnonzero((every.day("utilities") == date) & pays & (utilities > 0))
    second = np.flatnonzero((every.day("telecom") == date) & pays & (telecom > 0))
    power = (utilities * shape)[first] * settings.utilities * warm * 100
    return [
        Lines(every.account[first], power.astype(np.int64), True, TRANSFER_OUT, HOUSEHOLD, CATEGORY["utilities"],
              to.named(world, to.UTILITY, every.person[first] % _UTILITIES)),
        Lines(every.account[second], np.round(telecom[second] * settings.telecom).astype(np.int64) * 100,
              True, TRANSFER_OUT, HOUSEHOLD, CATEGORY["telecom"],
              to.named(world, to.TELECOM, every.person[second] % _TELECOMS)),
    ]  # fmt: skip


def drains(world: World, day: int) -> list[Lines]:
    """Balances that leave week by week: between a shock and its peak, and when somebody moves to another bank."""
    accounts, people, settings = world.accounts, world.people, behaviour().transfers
    turn = np.arange(len(accounts)) % settings.every_days == day % settings.every_days
    rows = np.flatnonzero(turn & (accounts.opened < day) & (accounts.cls != CORPORATE))
    person = accounts.holder[rows]
    timeline = people.timeline
    # A household that nothing announces drains nothing: depth is small then.
    lost = settings.drain * timeline.depth[person]
    moved = np.where(people.dormant[person] > people.flight[person], settings.flight, 0.0)
    length = np.full(len(rows), settings.flight_days)
    share = lost * _step(day, timeline.shock[person], (timeline.peak - timeline.shock)[person], settings.every_days)
    share = share + moved * _step(day, people.flight[person], length, settings.every_days)
    amount = (accounts.opening[rows] * share / 1000).astype(np.int64) * 1000
    # A term deposit is broken as a whole, if at all: in the week in which half of the drain is over.
    begin, span = np.minimum(people.flight[person], NEVER), settings.flight_days
    halfway = (begin + span // 2 <= day) & (day < begin + span // 2 + settings.every_days) & (moved > 0)
    is_term = accounts.cls[rows] == TERM_DEPOSIT
    amount = np.where(is_term, np.where(halfway, accounts.opening[rows], 0), amount)
    kept = (amount >= _LEAST) & (day < people.dormant[person])
    rows, amount, person = rows[kept], amount[kept], person[kept]
    return [Lines(rows.astype(np.int32), amount, True, TRANSFER_OUT, partner=to.outside(world, person, to.OWN))]


def _step(day: int, begins: np.ndarray, length: np.ndarray, step: int) -> np.ndarray:
    """Share of a steady drain that falls into the `step` days up to `day`; what began before the world has gone."""
    spans = np.maximum(length, step).astype(float)
    until = np.clip((day - begins) / spans, 0, 1)
    before = np.clip((day - step - begins) / spans, 0, 1)
    return np.where(begins < NEVER, until - before, 0.0)
