"""Money that people receive: salaries and the thirteenth month, pensions, receipts of the self-employed, allowances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour import counterparties as to
from pipelines.simulation.behaviour.budget import budget, household, own_business, waits
from pipelines.simulation.behaviour.holders import OWN_BUSINESS, PENSIONER, SALARIED, SUPPORTED, holders
from pipelines.simulation.behaviour.journal import PENSION, SALARY, TRANSFER_IN, TRANSFER_OUT, Lines, between
from pipelines.simulation.behaviour.months import MEAN_MONTH, lately, length_of
from pipelines.simulation.behaviour.parameters import behaviour

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_SPRING = "spring_festival"
# Day of the month on which those who are supported get their money.
_ALLOWANCE_DAY = 1
_FIRST_WEEKS = 31
# Customers from whom somebody self-employed gets money again and again.
_CLIENTS = 5


def wage_delay(world: World, month: int) -> np.ndarray:
    """Days by which each company pays wages late in a month."""
    settings = behaviour().income
    distress = world.companies.distress(world.calendar.first_of_month(month))
    return np.where(distress > settings.late_wages, settings.late_wages_days, 0)


def salaries(world: World, day: int) -> list[Lines]:
    """Salaries and, before Spring Festival, the thirteenth month: from the employer's account, here or elsewhere."""
    every, calendar = holders(world), world.calendar
    rows = np.flatnonzero((_payday(world, calendar.month(day)) == calendar.day_of_month(day)) & every.active(day))
    amount = budget(world, calendar.month(day)).income
    bonus = np.flatnonzero(has_bonus(world, day)[world.employer[every.person]] & every.active(day))
    bonus = bonus[(every.source[bonus] == SALARIED) & (world.employer[every.person[bonus]] >= 0)]
    return [
        Lines(every.account[chosen], amount[chosen], False, TRANSFER_IN, SALARY, partner=_payer(world)[chosen])
        for chosen in (rows, bonus)
    ]  # fmt: skip


def _payday(world: World, month: int) -> np.ndarray:
    """Day of the month on which each holder is paid a salary; 0 for those without."""

    def build() -> np.ndarray:
        every = holders(world)
        employer = world.employer[every.person]
        delay = np.where(employer >= 0, wage_delay(world, month)[employer], 0)
        day = np.minimum(every.payday + delay, length_of(world, month))
        return np.where(every.source == SALARIED, day, 0).astype(np.int8)

    return lately(world, "income.payday", month, build)


def has_bonus(world: World, day: int) -> np.ndarray:
    """Which companies pay the thirteenth month on `day`; the last place, for nobody, is false."""
    settings, count = behaviour().income, len(world.companies)
    ahead = world.calendar.days_until(_SPRING, day)
    pays = world.cached("income.bonus", lambda: world.streams.of("income.bonus").random(count))
    first, last = settings.bonus_days_before
    number = first + np.arange(count) % (last - first + 1)
    found = (number == (-1 if ahead is None else ahead)) & (pays < settings.bonus_share)
    return np.append(found, False)


def _payer(world: World) -> np.ndarray:
    """Account from which each holder's salary comes."""

    def build() -> np.ndarray:
        every = holders(world)
        employer = world.employer[every.person]
        known = np.where(employer >= 0, world.accounts.of_company[employer], -1)
        # Who works for no company of this world has an employer without a number: one for each.
        abroad = np.where(employer >= 0, employer, len(world.companies) + every.person)
        return np.where(known >= 0, known, to.outside(world, abroad, to.EMPLOYER)).astype(np.int32)

    return world.cached("income.payer", build)


def pensions(world: World, day: int) -> list[Lines]:
    """Pensions, all on one day of the month."""
    settings, every = behaviour().income, holders(world)
    if world.calendar.day_of_month(day) != settings.pension_day:
        return []
    rows = np.flatnonzero((every.source == PENSIONER) & every.active(day))
    amount = budget(world, world.calendar.month(day)).income[rows]
    return [Lines(every.account[rows], amount, False, TRANSFER_IN, PENSION, partner=to.named(world, to.TREASURY))]


def receipts(world: World, day: int) -> list[Lines]:
    """Irregular incomes of self-employed people whose business has no account here; drawings of those whose has one."""
    every, settings = holders(world), behaviour().income
    turn = every.person % settings.receipts_every_days == day % settings.receipts_every_days
    rows = np.flatnonzero(turn & (every.source == OWN_BUSINESS) & every.active(day) & (own_business(world) < 0))
    rng = world.streams.of("income.receipts", day)
    size = np.exp(settings.receipts_sigma * rng.standard_normal(len(rows)) - settings.receipts_sigma**2 / 2)
    share = settings.receipts_every_days / MEAN_MONTH
    amount = np.round(budget(world, world.calendar.month(day)).income[rows] * share * size / 100).astype(np.int64) * 100
    partner = to.outside(world, every.person[rows], to.BUYER, rng.integers(0, _CLIENTS, len(rows)))
    return [
        Lines(every.account[rows], amount, False, TRANSFER_IN, partner=partner),
        *drawings(world, day),
    ]  # fmt: skip


def drawings(world: World, day: int) -> list[Lines]:
    """What owners take out of their business every month."""
    every, date = holders(world), world.calendar.day_of_month(day)
    company = own_business(world)
    rows = np.flatnonzero((company >= 0) & every.active(day))
    rows = rows[world.companies.payday[company[rows]] == date]
    amount = budget(world, world.calendar.month(day)).income[rows]
    return between(world.accounts.of_company[company[rows]], every.account[rows], amount)


def allowances(world: World, day: int) -> list[Lines]:
    """Money for holders without an income, from the household or elsewhere; the first on the account's first day."""
    every, given = holders(world), household(world)
    begins = np.maximum(every.starts, 0) == day
    regular = world.calendar.day_of_month(day) == _ALLOWANCE_DAY
    rows = np.flatnonzero((every.source == SUPPORTED) & every.active(day) & (begins | regular))
    here = (given.giver[rows] >= 0) & ~waits(world, day)[given.giver[rows]]
    inside, elsewhere = rows[here], rows[~here]
    giver = given.giver[inside]
    return [
        Lines(every.account[elsewhere], given.amount[elsewhere], False, TRANSFER_IN,
              partner=to.outside(world, every.person[elsewhere], to.PARENT)),
        *between(every.account[giver], every.account[inside], given.amount[inside]),
    ]  # fmt: skip


def support(world: World, day: int) -> list[Lines]:
    """Money from own accounts elsewhere where debts take too much of an income: it comes on the day of the income."""
    every, calendar = holders(world), world.calendar
    plan = budget(world, calendar.month(day)).support
    rows = np.flatnonzero((plan > 0) & (every.day("support", 5) == calendar.day_of_month(day)) & every.active(day))
    partner = to.outside(world, every.person[rows], to.OWN)
    return [Lines(every.account[rows], plan[rows], False, TRANSFER_IN, partner=partner)]


def wages_debited(world: World, day: int) -> list[Lines]:
    """One booking per company and payday for all wages, those that go to other banks as well."""
    people, companies, calendar = world.people, world.companies, world.calendar
    month = calendar.month(day)
    accounts = world.accounts.of_company
    payday = np.minimum(companies.payday + wage_delay(world, month), length_of(world, month))
    regular = (payday == calendar.day_of_month(day)).astype(np.int64)
    times = (regular + has_bonus(world, day)[:-1]) * ((accounts >= 0) & (companies.join <= day))
    if not times.any():
        return []
    rows = np.flatnonzero(times)
    income = people.income.astype(float)
    every = holders(world)
    income[every.person] = budget(world, month).income
    income = np.where(np.isin(world.employer, rows), income, 0)
    total = np.bincount(np.maximum(world.employer, 0), income, len(companies))[rows]
    total = np.round(total).astype(np.int64) * times[rows]
    # In its first weeks here a company with little on the account brings the money for its wages.
    begun = np.maximum(world.accounts.opened[accounts[rows]], 0)
    short = (day - begun < _FIRST_WEEKS) & (world.accounts.opening[accounts[rows]] < 2 * total)
    owner = to.outside(world, companies.owner[rows[short]], to.OWN)
    return [
        Lines(accounts[rows][short], total[short], False, TRANSFER_IN, partner=owner),
        Lines(accounts[rows], total, True, TRANSFER_OUT, SALARY),
    ]  # fmt: skip
