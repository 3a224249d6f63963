"""Instalments of loans: when each falls due, what it is made of, when it is paid, and what arrears do.

A loan's due day is the day of the month on which it was granted; for a borrower who will stop paying it is the day of
the month on which that happens, so that the first missed instalment is as old as the borrower's distress says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour.months import day_in_month, day_of_month, lately, month_of
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.calendar import NEVER

if TYPE_CHECKING:
    from pipelines.simulation.world import World

# A first instalment falls due after this many days at least.
_FIRST_GAP = 15


@dataclass(frozen=True)
class Schedule:
    """When the instalments of each loan fall due: day of the month, and month of the first and of the last one."""

    day: np.ndarray
    first: np.ndarray
    last: np.ndarray
    ends: np.ndarray  # day on which the last one falls due


@dataclass(frozen=True)
class Dues:
    """Instalments that fall due in one month, with up to two payments each (NEVER: not paid as agreed)."""

    loan: np.ndarray
    number: np.ndarray
    due: np.ndarray
    amount: np.ndarray
    principal: np.ndarray
    paid: np.ndarray
    paid_amount: np.ndarray
    rest_paid: np.ndarray


@dataclass(frozen=True)
class Events:
    """Instalments due, or payments received: `part` is D due, P payment, Q rest of one, C payment of arrears."""

    loan: np.ndarray
    number: np.ndarray
    day: np.ndarray
    amount: np.ndarray
    principal: np.ndarray
    part: str


def schedule(world: World) -> Schedule:
    """The due days of all loans."""

    def build() -> Schedule:
        loans = world.loans
        day = day_of_month(world, np.where(loans.miss < NEVER, loans.miss, loans.granted))
        first = month_of(world, loans.granted) + 1
        first += day_in_month(world, first, day) - loans.granted < _FIRST_GAP
        last = first + loans.term - 1
        return Schedule(day, first, last, day_in_month(world, last, day))

    return world.cached("lending.schedule", build)


def split(world: World, loan: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Amount and principal part of instalments; the last one takes what rounding left."""
    loans, number = world.loans, np.asarray(number, dtype=np.int64)
    before, after = _remaining(world, loan, number - 1), _remaining(world, loan, number)
    principal, rate = before - after, loans.rate[loan] / 10_000 / 12
    last = number >= loans.term[loan]
    amount = np.where(last, before + np.round(before * rate).astype(np.int64), loans.payment[loan])
    return np.maximum(amount, 1), np.clip(principal, 0, np.maximum(amount, 1))


def _remaining(world: World, loan: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Principal left after an instalment of an annuity."""
    loans = world.loans
    rate = loans.rate[loan] / 10_000 / 12
    growth = (1 + rate) ** number
    paid = np.where(rate > 0, (growth - 1) / np.where(rate > 0, rate, 1), number)
    left = np.round(loans.principal[loan] * growth - loans.payment[loan] * paid)
    return np.where(number >= loans.term[loan], 0, np.maximum(left, 0)).astype(np.int64)


def dues_of(world: World, month: int) -> Dues:
    """The instalments of a month, paid on the due day, some days late, in two parts, or not."""
    return lately(world, "lending.dues", month, lambda: _dues(world, month))


def _dues(world: World, month: int) -> Dues:
    loans, plan, settings = world.loans, schedule(world), behaviour().lending
    rng = world.streams.of("lending.habits", month)
    luck, part = rng.random(len(loans), dtype=np.float32), rng.random(len(loans), dtype=np.float32)
    delay = rng.integers(settings.late_days[0], settings.late_days[1] + 1, len(loans))
    loan = np.flatnonzero((plan.first <= month) & (month <= plan.last))
    number = month - plan.first[loan] + 1
    due = day_in_month(world, month, plan.day[loan])
    amount, principal = split(world, loan, number)
    late = luck[loan] < settings.late_share + settings.late_in_distress * borrower_distress(world, month)[loan]
    missed = (loans.miss[loan] <= due) & (due < loans.cure[loan])
    in_parts = (part[loan] < settings.partial_share) & ~missed & (amount > 1)
    paid = np.where(missed, NEVER, due + np.where(late & ~in_parts, delay[loan], 0))
    return Dues(
        loan, number, due, amount, principal, paid,
        paid_amount=np.where(in_parts, np.round(amount * settings.partial), amount).astype(np.int64),
        rest_paid=np.where(in_parts, due + delay[loan], NEVER),
    )  # fmt: skip


def borrower_distress(world: World, month: int) -> np.ndarray:
    """Distress of each loan's borrower in the middle of a month."""
    loans, day = world.loans, world.calendar.first_of_month(month) + 14
    people, companies = world.people.distress(day), world.companies.distress(day)
    company = companies[np.where(loans.is_company, loans.borrower, 0)]
    return np.where(loans.is_company, company, people[np.where(loans.is_company, 0, loans.borrower)])


def fallen_due(world: World, day: int) -> Events:
    """Instalments that fall due on `day`."""
    dues = dues_of(world, world.calendar.month(day))
    rows = dues.due == day
    return _events(dues, rows, dues.due, dues.amount, "D")


def paid_on(world: World, day: int) -> list[Events]:
    """Payments received on `day`: as agreed or late, rests of payments in two parts, and payments of arrears."""
    found, month = [], world.calendar.month(day)
    for dues in (dues_of(world, month - 1), dues_of(world, month)):
        found.append(_events(dues, dues.paid == day, dues.paid, dues.paid_amount, "P"))
        found.append(_events(dues, dues.rest_paid == day, dues.rest_paid, dues.amount - dues.paid_amount, "Q"))
    return [*found, arrears_paid(world, day)]


def open_before(world: World, day: int) -> Events:
    """Instalments due before `day` and paid on it or later, or never: what a system taken over begins with."""
    plan, month, found = schedule(world), world.calendar.month(day), []
    loans = world.loans
    dues = dues_of(world, month - 1)
    last_paid = np.where(dues.rest_paid < NEVER, dues.rest_paid, dues.paid)
    late = (last_paid >= day) & (dues.paid < NEVER) & (dues.due < day)
    rest = np.where(dues.paid >= day, dues.amount, dues.amount - dues.paid_amount)[late]
    principal = np.minimum(dues.principal[late], rest)
    found.append(Events(dues.loan[late], dues.number[late], dues.due[late], rest, principal, "D"))
    first, count = _missed(world)
    loan = np.repeat(np.arange(len(loans)), count)
    place = _places(count)
    number = first[loan] + place
    due = day_in_month(world, plan.first[loan] + number - 1, plan.day[loan])
    open_ = (due < day) & (_arrears_day(world, loan, place, count[loan]) >= day)
    amount, principal = split(world, loan[open_], number[open_])
    found.append(Events(loan[open_], number[open_], due[open_], amount, principal, "D"))
    return _join(found, "D")


def arrears_paid(world: World, day: int) -> Events:
    """Payments of missed instalments after the cure, oldest first, over the following weeks."""
    loans = world.loans
    window = behaviour().lending.catch_up_days
    first, count = _missed(world)
    paying = np.flatnonzero((loans.cure <= day) & (day < loans.cure + window) & (count > 0))
    loan, place = np.repeat(paying, count[paying]), _places(count[paying])
    rows = _arrears_day(world, loan, place, count[loan]) == day
    loan, number = loan[rows], first[loan[rows]] + place[rows]
    amount, principal = split(world, loan, number)
    return Events(loan, number, np.full(len(loan), day), amount, principal, "C")


def _missed(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Number of the first missed instalment of each loan, and how many are missed until the cure or the end."""

    def build() -> tuple[np.ndarray, np.ndarray]:
        loans, plan = world.loans, schedule(world)
        hit = loans.miss < NEVER
        first = np.where(hit, month_of(world, loans.miss) - plan.first + 1, 0)
        until = np.minimum(loans.cure, plan.ends + 1)
        months = month_of(world, until) - plan.first + 1
        # The instalment of the month of the cure is missed too where it fell due before it.
        months -= day_in_month(world, plan.first + months - 1, plan.day) >= until
        return np.maximum(first, 1), np.where(hit, np.maximum(months - np.maximum(first, 1) + 1, 0), 0)

    return world.cached("lending.missed", build)


def _arrears_day(world: World, loan: np.ndarray, place: np.ndarray, count: np.ndarray) -> np.ndarray:
    cure = world.loans.cure[loan].astype(np.int64)
    return np.where(cure < NEVER, cure + place * behaviour().lending.catch_up_days // np.maximum(count, 1), NEVER)


def _places(count: np.ndarray) -> np.ndarray:
    """0, 1, … for each of `count` rows."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)


def _events(dues: Dues, rows: np.ndarray, day: np.ndarray, amount: np.ndarray, part: str) -> Events:
    principal = dues.principal[rows]
    if part in "PQ":
        # Of a payment in two parts the first covers interest before principal.
        rest = np.minimum(dues.amount - dues.paid_amount, dues.principal)[rows]
        principal = rest if part == "Q" else principal - rest
    return Events(dues.loan[rows], dues.number[rows], day[rows], amount[rows], principal, part)


def _join(events: list[Events], part: str) -> Events:
    columns = ("loan", "number", "day", "amount", "principal")
    return Events(**{name: np.concatenate([getattr(each, name) for each in events]) for name in columns}, part=part)
