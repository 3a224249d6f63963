"""Standing orders of people: rent, insurance, leasing, and loan payments on order; and which of them are paid when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour import counterparties as to
from pipelines.simulation.behaviour.holders import SUPPORTED, holders
from pipelines.simulation.behaviour.journal import CATEGORY, HOUSEHOLD, INSURANCE, TRANSFER_OUT, Lines
from pipelines.simulation.behaviour.parameters import behaviour

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contract core.standing_order lists them.
ORDER_PURPOSES = ("household", "loan_payment", "insurance", "leasing")
RENT, LOAN, INSURED, LEASED = 0, 1, 2, 3
# Assumption: an order begins up to so many days after the account.
_WITHIN = 400
_INSURERS = 6
# Somebody's orders are paid some days apart; every month has the last one.
_APART, _LAST_DAY = 7, 28


@dataclass(frozen=True)
class Orders:
    """One row per standing order of a holder, but for loans: who pays whom how much on which day of the month."""

    row: np.ndarray
    account: np.ndarray
    kind: np.ndarray
    amount: np.ndarray
    day: np.ndarray
    starts: np.ndarray
    partner: np.ndarray


def orders(world: World) -> Orders:
    """All standing orders of the world's horizon."""
    return world.cached("orders", lambda: _build(world))


def _build(world: World) -> Orders:
    people, settings = holders(world), behaviour().bills
    rows, amounts, kinds, partners = [], [], [], []
    earns = people.source != SUPPORTED
    choices = (
        (RENT, settings.rent_share, settings.rent_of_income),
        (INSURED, settings.insurance_share, settings.insurance_of_income),
        (LEASED, settings.leasing_share, settings.leasing_of_income),
    )
    for kind, share, (low, high) in choices:
        row = np.flatnonzero(earns & (people.draw(f"order.{kind}") < share))
        part = low + (high - low) * people.draw(f"order.size.{kind}")[row]
        rows.append(row)
        kinds.append(np.full(len(row), kind, np.int8))
        # Rents and leasing rates are round sums.
        step = 100 if kind == INSURED else 1000
        amounts.append(np.maximum(np.round(people.income[row] * part / step), 1).astype(np.int64) * step)
        partners.append(
            to.outside(world, people.person[row], to.LANDLORD)
            if kind == RENT
            else to.named(world, to.INSURER, people.person[row] % _INSURERS)
            if kind == INSURED
            else to.named(world, to.LEASING, np.zeros(len(row), np.int64))
        )
    row, kind = np.concatenate(rows), np.concatenate(kinds)
    return Orders(
        row=row, account=people.account[row], kind=kind, amount=np.concatenate(amounts),
        day=(people.day("order")[row] + _APART * kind - 1) % _LAST_DAY + 1,
        starts=people.starts[row] + (people.draw("order.start")[row] * _WITHIN).astype(np.int32),
        partner=np.concatenate(partners),
    )  # fmt: skip


def paid(world: World, day: int, able: np.ndarray) -> list[Lines]:
    """Orders carried out on `day` for holders who are `able`; those with little on the account wait for an income."""
    every, date = orders(world), world.calendar.day_of_month(day)
    due = np.flatnonzero((every.day == date) & (every.starts <= day))
    due = due[able[every.row[due]]]
    purpose = np.array([HOUSEHOLD, -1, INSURANCE, -1], np.int8)[every.kind[due]]
    category = np.where(every.kind[due] == RENT, CATEGORY["housing"], -1)
    return [
        Lines(every.account[due], every.amount[due], True, TRANSFER_OUT, purpose, category, every.partner[due])
    ]  # fmt: skip
