"""What the bank delivers of itself and of the employers it pays salaries for: districts, staff, payroll agreements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.keys import account_key, party_key, spread, staff_key, text_key
from pipelines.simulation.records.noise import load_noise
from pipelines.simulation.world import ROLES

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_THOUSAND, _CENTS, _PERCENT_TEN_THOUSANDTHS = 1_000, 100, 1_000_000
_AGREEMENT_SALT = 34


@delivers("reference.district", "reference")
def districts(world: World, day: int, source: str) -> pl.DataFrame:
    """The districts of the city: the same every day."""
    every = world.districts
    return pl.DataFrame({
        "district_key": [district.key for district in every],
        "district_name": [district.name for district in every],
        "region": [district.region for district in every],
        "inhabitants": [district.inhabitants * _THOUSAND for district in every],
        "average_salary": [district.salary * _CENTS for district in every],
        "unemployment_rate": [round(district.unemployment * _PERCENT_TEN_THOUSANDTHS) for district in every],
    })  # fmt: skip


@delivers("reference.staff", "hr")
def staff(world: World, day: int, source: str) -> pl.DataFrame:
    """Everybody hired by `day`, those who have left as well."""
    members = world.staff
    rows = np.flatnonzero(members.hired <= day)
    left = members.left[rows]
    return pl.DataFrame({
        "staff_key": staff_key(rows),
        "role": pick(ROLES, members.role[rows]),
        "branch_key": text_key("B", members.branch[rows] + 1, 4),
        "district_key": pick([district.key for district in world.districts], members.district[rows]),
        "hired_on": dates(world, members.hired[rows]),
        "left_on": dates(world, np.where(left <= day, left, NEVER)),
    })  # fmt: skip


@dataclass(frozen=True)
class Agreements:
    """Employers with a payroll agreement, in the order of its first day."""

    company: np.ndarray
    signed: np.ndarray
    employees: np.ndarray
    salary: np.ndarray


@delivers("payroll.agreement", "payroll")
def agreements(world: World, day: int, source: str) -> pl.DataFrame:
    """Agreements signed by `day`."""
    signed = world.cached("emitters.agreements", lambda: _agreements(world))
    known = slice(0, int(np.searchsorted(signed.signed, day, side="right")))
    company = signed.company[known]
    return pl.DataFrame({
        "agreement_key": text_key("PAY", spread(company, _AGREEMENT_SALT)),
        "employer_party_key": party_key(True, company),
        "employer_account": account_key(world.accounts.of_company[company]),
        "employee_count": signed.employees[known],
        "pay_day": world.companies.payday[company].astype(np.int64),
        "average_salary": signed.salary[known],
        "signed_on": dates(world, signed.signed[known]),
    })  # fmt: skip


def _agreements(world: World) -> Agreements:
    rates, companies, people, rng = load_noise().payroll, world.companies, world.people, world.streams.of("payroll")
    employs = np.flatnonzero(world.employer >= 0)
    count = len(companies)
    total = np.bincount(world.employer[employs], weights=people.income[employs], minlength=count)
    account = world.accounts.of_company
    opened = np.where(account >= 0, world.accounts.opened[np.maximum(account, 0)], NEVER)
    signed = opened + np.ceil(rng.exponential(rates.after_days, count)).astype(np.int64)
    has = (rng.random(count) < rates.share) & (companies.employees >= rates.smallest)
    company = np.flatnonzero(has & (signed < world.settings.horizon_days))
    company = company[np.argsort(signed[company], kind="stable")]
    employees = companies.employees[company].astype(np.int64)
    mean = np.round(total[company] / employees / _CENTS) * _CENTS
    return Agreements(company, signed[company].astype(np.int32), employees, mean.astype(np.int64))
