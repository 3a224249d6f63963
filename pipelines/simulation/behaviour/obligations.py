"""Bookings that loans, cards and wealth positions cause on accounts, exactly as their own deliveries state them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour import counterparties as to
from pipelines.simulation.behaviour import instalments, revolving
from pipelines.simulation.behaviour.budget import waits
from pipelines.simulation.behaviour.holders import holders
from pipelines.simulation.behaviour.journal import INTERNAL, LOAN_PAYMENT, TRANSFER_IN, TRANSFER_OUT, Lines
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.behaviour.valuation import bought, market_values
from pipelines.simulation.loans import CONSUMER

if TYPE_CHECKING:
    from pipelines.simulation.world import World


def loans(world: World, day: int) -> list[Lines]:
    """Loans paid out and passed on to the seller; and every payment of loan.repayment."""
    every, settings, people = world.loans, behaviour().lending, holders(world)
    granted = np.flatnonzero((every.granted == day) & (day >= 0))
    passed = np.where(every.type[granted] == CONSUMER, settings.passed_on, 1.0)
    passed_on = np.floor(every.principal[granted] * passed / 100).astype(np.int64) * 100
    seller = to.outside(world, granted, to.SELLER)
    found = [
        Lines(every.account[granted], every.principal[granted], False, INTERNAL),
        Lines(every.account[granted], passed_on, True, TRANSFER_OUT, partner=seller),
    ]
    person = np.where(every.is_company, 0, every.borrower)
    row = people.row_of[person]
    idle = ~every.is_company & (~people.active(day) | waits(world, day))[row]
    for events in instalments.paid_on(world, day):
        account = every.account[events.loan]
        found.append(Lines(account, events.amount, True, INTERNAL, LOAN_PAYMENT))
        # Arrears, and instalments on accounts that are not used otherwise, are paid with money from elsewhere.
        funded = idle[events.loan] if events.part != "C" else np.ones(len(events.loan), bool)
        source = to.outside(world, every.borrower[events.loan], to.OWN)
        found.append(Lines(account[funded], events.amount[funded], False, TRANSFER_IN, partner=source[funded]))
    return found


def cards(world: World, day: int) -> list[Lines]:
    """Payments for credit cards, by direct debit on the due date."""
    chosen, paid = revolving.due_on(world, day)
    every, people = world.cards, holders(world)
    holder, account = every.holder[chosen], every.account[chosen]
    excess = np.maximum(paid - behaviour().cards.funded_from * world.people.income[holder], 0).astype(np.int64)
    usual = (people.active(day) & ~waits(world, day))[people.row_of[holder]]
    excess = np.where(usual, excess, paid)
    return [
        Lines(account, excess, False, TRANSFER_IN, partner=to.outside(world, holder, to.OWN)),
        Lines(account, paid, True, INTERNAL),
    ]  # fmt: skip


def wealth(world: World, day: int) -> list[Lines]:
    """Purchases of positions, large ones funded from elsewhere; redemptions, whose money often leaves again."""
    positions, people, settings = world.positions, world.people, behaviour().wealth
    account, exists, every = world.accounts.of_person[positions.person], bought(world), holders(world)
    bought_now = np.flatnonzero(exists & (positions.acquired == day) & (day > 0))
    large = positions.invested > settings.funded_from * people.income[positions.person]
    funded = bought_now[large[bought_now]]
    ended = np.flatnonzero(exists & (positions.redeemed == day) & (day > 0))
    left = np.flatnonzero(exists & (positions.redeemed == day - settings.leaves_days) & (day > settings.leaves_days))
    stays = world.cached("wealth.stays", lambda: world.streams.of("wealth.stays").random(len(positions)))
    left = left[(stays[left] < settings.leaves) & every.active(day)[every.row_of[positions.person[left]]]]
    values = market_values(world, ended, day)
    leaving = market_values(world, left, day - settings.leaves_days)
    source = to.outside(world, positions.person, to.OWN)
    return [
        Lines(account[funded], positions.invested[funded], False, TRANSFER_IN, partner=source[funded]),
        Lines(account[bought_now], positions.invested[bought_now], True, INTERNAL),
        Lines(account[ended], values, False, INTERNAL),
        Lines(account[left], leaving, True, TRANSFER_OUT, partner=source[left]),
    ]  # fmt: skip
