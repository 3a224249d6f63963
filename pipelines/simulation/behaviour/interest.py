"""What the bank itself books: balances brought forward, interest, fees and penalty interest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.accounts import CORPORATE, CURRENT
from pipelines.simulation.behaviour.budget import able
from pipelines.simulation.behaviour.holders import holders
from pipelines.simulation.behaviour.journal import FEE, INTEREST, INTERNAL, PENALTY, Lines
from pipelines.simulation.behaviour.parameters import behaviour

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: Product of each class of account.
PRODUCTS = ("DEP01", "DEP02", "DEP03", "DEP04")
# Interest is for a quarter; of a round-number balance it would be round too.
_QUARTER = 0.25
_FEE_DAY = 1


def brought_forward(world: World, day: int) -> list[Lines]:
    """Balances that accounts begin with: on the world's first day, or on the day they are opened."""
    accounts = world.accounts
    rows = np.flatnonzero(np.maximum(accounts.opened, 0) == day)
    return [Lines(rows.astype(np.int32), accounts.opening[rows], False, INTERNAL)]


def interest(world: World, day: int) -> list[Lines]:
    """Interest of the quarter on every account with a balance; what savers have added since is estimated."""
    when, accounts, every = world.calendar.date(day), world.accounts, holders(world)
    if (when.month, when.day) not in behaviour().interest.days:
        return []
    rates = {product.key: product.rate or 0.0 for product in world.products}
    rate = np.array([rates[key] for key in PRODUCTS])[accounts.cls]
    rows = np.flatnonzero((accounts.opened < day - 30) & (accounts.opening > 0))
    size = world.streams.of("interest", day).uniform(*behaviour().interest.spread, len(rows))
    amount = np.round(accounts.opening[rows] * rate[rows] * _QUARTER * size).astype(np.int64)
    # Whoever has taken the money elsewhere earns nothing any more.
    gone = np.zeros(len(world.people), bool)
    gone[every.person] = (world.people.flight[every.person] < day) | (every.ends <= day)
    left = ~accounts.is_company[rows] & gone[np.where(accounts.is_company[rows], 0, accounts.holder[rows])]
    amount = np.where(left & (accounts.cls[rows] == CURRENT), 0, amount)
    return [Lines(rows.astype(np.int32), amount, False, INTERNAL, INTEREST)]


def fees(world: World, day: int) -> list[Lines]:
    """Monthly fees for statements and messages, of some people and of all companies."""
    settings, accounts, every = behaviour().bills, world.accounts, holders(world)
    if world.calendar.day_of_month(day) != _FEE_DAY:
        return []
    people = np.flatnonzero(able(world, day) & (every.draw("fee") < settings.fee_share))
    companies = np.flatnonzero((accounts.cls == CORPORATE) & (accounts.opened < day - 30))
    account = np.concatenate([every.account[people], companies]).astype(np.int32)
    amount = np.repeat([round(settings.fee * 100), round(settings.company_fee * 100)], [len(people), len(companies)])
    return [Lines(account, amount, True, INTERNAL, FEE)]


def penalties(world: World, day: int) -> list[Lines]:
    """Penalty interest of those deep in distress and in arrears."""
    settings, every, people = behaviour().interest, holders(world), world.people
    if world.calendar.day_of_month(day) != settings.penalty_day:
        return []
    deep = (people.distress(day) >= settings.penalty_from) & people.timeline.in_arrears(day)
    rows = np.flatnonzero(deep[every.person] & every.active(day))
    low, high = settings.penalty
    amount = world.streams.of("interest.penalty", day).integers(round(low * 100), round(high * 100), len(rows))
    return [Lines(every.account[rows], amount, True, INTERNAL, PENALTY)]
