"""Accounts of companies: customers' payments in, suppliers, wages, taxes and owners out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour import counterparties as to
from pipelines.simulation.behaviour.budget import debt_service, own_business
from pipelines.simulation.behaviour.holders import holders
from pipelines.simulation.behaviour.journal import TRANSFER_IN, TRANSFER_OUT, Lines, between
from pipelines.simulation.behaviour.months import MEAN_MONTH, lately
from pipelines.simulation.behaviour.parameters import behaviour

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_SPRING = "spring_festival"
_BUYERS, _SUPPLIERS = 40, 12


@dataclass(frozen=True)
class Firms:
    """One row per company with an account: its turnover a month, and what of it goes to suppliers."""

    company: np.ndarray
    account: np.ndarray
    starts: np.ndarray
    turnover: np.ndarray
    suppliers: np.ndarray
    core: np.ndarray  # account of the core enterprise it supplies, -1 for none


def firms(world: World, month: int) -> Firms:
    """The companies with an account; what is fixed changes with their loans."""
    return lately(world, "firms", month, lambda: _firms(world, month))


def _firms(world: World, month: int) -> Firms:
    companies, accounts, settings = world.companies, world.accounts, behaviour().companies
    company = np.flatnonzero(accounts.of_company >= 0)
    account = accounts.of_company[company]
    wages = np.bincount(np.maximum(world.employer, 0), np.where(world.employer >= 0, world.people.income, 0),
                        len(companies))  # fmt: skip
    every, business = holders(world), own_business(world)
    drawn = np.bincount(np.maximum(business, 0), np.where(business >= 0, every.income, 0), len(companies))
    fixed = (wages + drawn)[company] + debt_service(world, month)[account]
    # A company that lives must earn what it has to pay.
    turnover = np.maximum(companies.turnover[company], fixed / (settings.fixed_limit - settings.tax))
    core = companies.core[company]
    core = np.where(core >= 0, accounts.of_company[np.maximum(core, 0)], -1)
    starts = np.maximum(companies.join[company], accounts.opened[account])
    chained = np.bincount(np.maximum(core, 0), np.where(core >= 0, turnover * settings.from_core, 0), len(accounts))
    paid = chained[account]
    # What a core enterprise pays its suppliers through accounts here it does not pay again to others.
    turnover = np.maximum(turnover, paid / settings.core_limit)
    left = 1 - settings.tax - settings.margin - (fixed + paid) / turnover
    # Whoever has little pays suppliers less until there is a cushion.
    needs = np.clip(settings.cushion - accounts.opening[account] / turnover, 0, None) / settings.cushion_saved
    since = (world.calendar.first_of_month(month) - np.maximum(starts, 0)) / MEAN_MONTH
    left -= settings.cushion_saved * (since < needs)
    return Firms(company, account, starts, turnover, np.maximum(left, 0.0), core)


def receipts(world: World, day: int) -> list[Lines]:
    """What customers pay on `day`; a supplier's core enterprise is one of them."""
    every, row, amount, partner, _ = lately(world, "firms.receipts", day, lambda: _receipts(world, day))
    chain = partner < 0
    core = every.core[row[chain]]
    return [
        Lines(every.account[row[~chain]], amount[~chain], False, TRANSFER_IN, partner=partner[~chain]),
        *between(core, every.account[row[chain]], amount[chain]),
    ]  # fmt: skip


def _receipts(world: World, day: int) -> tuple[Firms, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows of companies, amounts, payers (-1: the core enterprise), and the share that suppliers get."""
    settings, calendar = behaviour().companies, world.calendar
    every = firms(world, calendar.month(day))
    companies, rng = world.companies, world.streams.of("firms.receipts", day)
    distress = companies.distress(day)[every.company]
    week = settings.weekday[calendar.weekday(day)] / (sum(settings.weekday) / 7)
    level = settings.festival if calendar.holiday(day) == _SPRING else 1.0
    usual = np.array(settings.receipts_per_day)[companies.size[every.company]]
    open_ = (every.starts <= day) & (day >= 0)
    # Half of the fall is fewer receipts, half is smaller ones.
    fewer = np.sqrt(1 - settings.fall * distress)
    count = rng.poisson(usual * week * level * fewer * open_)
    row = np.repeat(np.arange(len(every.company)), count)
    size = np.exp(settings.sigma * rng.standard_normal(len(row)) - settings.sigma**2 / 2)
    mean = every.turnover / MEAN_MONTH / usual * fewer
    amount = np.maximum(np.round(mean[row] * size / 100), 1).astype(np.int64) * 100
    core = every.core[row]
    chain = (core >= 0) & (rng.random(len(row)) < settings.from_core)
    chain &= world.accounts.opened[np.maximum(core, 0)] <= day
    # Half of the buyers come again and again, half are anybody.
    buyer = np.floor(_BUYERS * rng.random(len(row)) ** 2).astype(np.int64)
    payer = to.outside(world, every.company[row], to.BUYER, buyer)
    return every, row, amount, np.where(chain, -1, payer), every.suppliers[row]


def suppliers(world: World, day: int) -> list[Lines]:
    """What suppliers get: a share of what came in some days before, so that accounts follow the turnover."""
    settings = behaviour().companies
    past = day - settings.supplier_days
    if past < 0:
        return []
    every, row, amount, _, share = lately(world, "firms.receipts", past, lambda: _receipts(world, past))
    rng = world.streams.of("firms.suppliers", day)
    chosen = rng.random(len(row)) < settings.supplier_rows
    row, paid = row[chosen], (amount * share / settings.supplier_rows)[chosen]
    partner = to.outside(world, every.company[row], to.SUPPLIER, rng.integers(0, _SUPPLIERS, len(row)))
    paid = np.round(paid * rng.uniform(*settings.supplier_spread, len(row))).astype(np.int64)
    return [Lines(every.account[row], paid, True, TRANSFER_OUT, partner=partner)]


def taxes(world: World, day: int) -> list[Lines]:
    """Taxes of the month before, of what was turned over then."""
    settings, calendar = behaviour().companies, world.calendar
    if calendar.day_of_month(day) != settings.tax_day:
        return []
    every = firms(world, calendar.month(day))
    rows = np.flatnonzero(every.starts <= day - settings.tax_day)
    distress = world.companies.distress(day)[every.company[rows]]
    amount = np.round(every.turnover[rows] * settings.tax * (1 - settings.fall * distress)).astype(np.int64)
    return [Lines(every.account[rows], amount, True, TRANSFER_OUT, partner=to.named(world, to.TREASURY))]
