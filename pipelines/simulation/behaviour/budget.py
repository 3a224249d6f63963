"""What each holder of a current account earns, owes and can spend in a month, so that no account explodes or drains.

A month's plan is a pure function of the world and the month: income less bills, loans, cards, savings and allowances is
free to spend. People with a thin cushion save on the current account first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour import revolving
from pipelines.simulation.behaviour.holders import OWN_BUSINESS, SUPPORTED, Holders, holders
from pipelines.simulation.behaviour.instalments import schedule
from pipelines.simulation.behaviour.months import MEAN_MONTH, lately, length_of
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.behaviour.standing import orders

if TYPE_CHECKING:
    from pipelines.simulation.world import World


@dataclass(frozen=True)
class Budget:
    """One row per holder, a month's money in cents: what comes in, what is set aside, what is free."""

    income: np.ndarray
    distress: np.ndarray
    allowance: np.ndarray  # given to a member of the household
    saved: np.ndarray
    support: np.ndarray  # comes from elsewhere where debts take too much of the income
    free: np.ndarray


def budget(world: World, month: int) -> Budget:
    """The plan of a month."""
    return lately(world, "budget", month, lambda: _budget(world, month))


@dataclass(frozen=True)
class Household:
    """By holder: row of the one who gives an allowance (-1 from elsewhere), its amount, and row of a relative."""

    giver: np.ndarray
    amount: np.ndarray
    relative: np.ndarray


def household(world: World) -> Household:
    """Who supports whom."""
    return world.cached("budget.household", lambda: _household(world))


def _household(world: World) -> Household:
    every, settings = holders(world), behaviour().income
    home = world.people.household[every.person]
    order = np.lexsort((-every.income, home))
    first = np.r_[True, home[order][1:] != home[order][:-1]]
    best = order[first][np.cumsum(first) - 1]  # the highest income of the household, in the order of `order`
    giver = np.empty(len(every), np.int64)
    giver[order] = best
    # Both accounts must be in use whenever the money flows.
    fits = (giver != np.arange(len(every))) & (every.income[giver] > 0) & (every.starts[giver] <= every.starts)
    fits &= every.ends[giver] >= every.ends
    size = np.exp(settings.allowance_spread * (2 * every.draw("allowance") - 1))
    amount = np.where(fits, np.minimum(settings.allowance * 100 * size, settings.allowance_limit * every.income[giver]),
                      settings.allowance * 100 * size)  # fmt: skip
    amount = np.where(every.source == SUPPORTED, np.round(amount / 10_000) * 10_000, 0).astype(np.int64)
    # Rows are in the order of households: the next one is a relative, the last one's is the one before.
    rows = np.arange(len(every))
    after, before = np.minimum(rows + 1, len(every) - 1), np.maximum(rows - 1, 0)
    near = np.where((home[after] == home) & (after != rows), after, before)
    relative = np.where((home[near] == home) & (near != rows), near, -1)
    return Household(np.where(fits & (every.source == SUPPORTED), giver, -1), amount, relative)


def regular_bills(world: World) -> np.ndarray:
    """What standing orders, utilities and telecom take of each holder in a month."""

    def build() -> np.ndarray:
        every, settings, standing = holders(world), behaviour().bills, orders(world)
        ordered = np.bincount(standing.row, standing.amount, len(every))
        utilities, telecom = billed(world)
        return ordered + utilities * settings.utilities * 100 + telecom * settings.telecom * 100

    return world.cached("budget.bills", build)


def billed(world: World) -> tuple[np.ndarray, np.ndarray]:
    """How much each holder's bills of utilities and telecom are, against the mean ones; 0 for none."""

    def build() -> tuple[np.ndarray, np.ndarray]:
        every, settings = holders(world), behaviour().bills
        able = np.minimum(every.income / (settings.usual_income * 100), settings.most_usual) * (
            every.source != SUPPORTED
        )
        utilities = (every.draw("utilities") < settings.utilities_share) * (0.5 + every.draw("flat")) * able
        return utilities, (every.draw("telecom") < settings.telecom_share) * (0.5 + every.draw("plan")) * able

    return world.cached("budget.billed", build)


def _budget(world: World, month: int) -> Budget:
    every, settings = holders(world), behaviour()
    first = world.calendar.first_of_month(month)
    distress = world.people.distress(first + 14)[every.person]
    given, spending = household(world), settings.spending
    fitted = given.giver >= 0
    loses = every.draw("loses") < settings.income.loss_share
    income = every.income * (1 - settings.income.loss * distress * loses)
    income = np.where(every.source == SUPPORTED, given.amount, income)
    gives = fitted & every.active(first + 14)
    allowance = np.bincount(given.giver[gives], given.amount[gives], len(every))
    debts = _instalments(world, every, month) + _card(world, every, month)
    cushion = spending.cushion_months * every.income
    saving = np.where(every.source == SUPPORTED, 0.0, world.people.saving[every.person])
    # What is missing of the cushion is saved first; only then does money move to savings.
    months = np.clip(cushion - every.opening, 0, None) / np.maximum(saving * every.income, 1)
    since = (first - np.maximum(every.starts, 0)) / MEAN_MONTH
    saved = np.where((distress < spending.saves_until) & (since >= months), saving * every.income, 0)
    kept = np.where(every.source == SUPPORTED, spending.supported_kept, saving + spending.kept) * income
    bills = regular_bills(world) + allowance
    left = income - kept - bills - debts
    left = left - settings.spending.fall * distress * np.maximum(left, 0)
    least = spending.floor * income
    return Budget(
        income=np.round(income).astype(np.int64), distress=distress,
        allowance=np.round(allowance).astype(np.int64), saved=np.round(saved / 10_000).astype(np.int64) * 10_000,
        support=np.round(np.maximum(least - left, 0) * (debts > 0)).astype(np.int64),
        free=np.maximum(left, least),
    )  # fmt: skip


def debt_service(world: World, month: int) -> np.ndarray:
    """What falls due on loans in a month, by account; nothing from those in arrears."""
    loans, plan = world.loans, schedule(world)
    middle = world.calendar.first_of_month(month) + 14
    runs = (plan.first <= month) & (month <= plan.last) & ~((loans.miss <= middle) & (middle < loans.cure))
    return np.bincount(loans.account[runs], loans.payment[runs], len(world.accounts))


def _instalments(world: World, every: Holders, month: int) -> np.ndarray:
    return debt_service(world, month)[every.account]


def _card(world: World, every: Holders, month: int) -> np.ndarray:
    card = world.cards.of_person[every.person]
    paid = revolving.payments(world, month - 1)
    return np.where(card >= 0, paid[np.maximum(card, 0)], 0)


def purse(world: World, day: int) -> np.ndarray:
    """What each holder is free to spend on `day`, in cents: none before and after the account is in use."""
    return lately(world, "purse", day, lambda: _purse(world, day))


def _purse(world: World, day: int) -> np.ndarray:
    every, calendar = holders(world), world.calendar
    month = calendar.month(day)
    plan = budget(world, month)
    daily = plan.free / length_of(world, month)
    # Until the first income there is only what was brought forward.
    wait = np.maximum(every.first_income - np.maximum(every.starts, 0), 1)
    lean = behaviour().spending.lean_share * every.opening / wait
    daily = np.where(day < every.first_income, np.minimum(daily, lean), daily)
    return np.where(every.active(day), daily, 0)


def able(world: World, day: int) -> np.ndarray:
    """Who can pay bills on `day`: whose account is in use, and who has an income already or enough to wait for it."""
    every = holders(world)
    return every.active(day) & ((day >= every.first_income) | (every.opening > every.income))


def waits(world: World, day: int) -> np.ndarray:
    """Who has had no income yet and little to wait with: what must be paid now comes from accounts elsewhere."""
    every = holders(world)
    return (day < every.first_income) & (every.opening < every.income)


def own_business(world: World) -> np.ndarray:
    """For each holder with a business of their own, the company with an account here; -1 for others."""

    def build() -> np.ndarray:
        every, companies = holders(world), world.companies
        company = np.full(len(world.people), -1, np.int32)
        known = np.flatnonzero(world.accounts.of_company >= 0)
        company[companies.owner[known]] = known
        started = companies.join[np.maximum(company[every.person], 0)] <= np.maximum(every.starts, 0)
        return np.where((every.source == OWN_BUSINESS) & started, company[every.person], -1)

    return world.cached("budget.business", build)
