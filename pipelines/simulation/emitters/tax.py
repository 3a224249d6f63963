"""What the tax office delivers: monthly VAT and quarterly income tax of companies that authorised the bank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.draws import company_strain, recent, slow
from pipelines.simulation.emitters.consent import given
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.keys import text_key
from pipelines.simulation.known import known, rows_of
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contract tax.filing lists them.
TYPES, GRADES = ("vat", "corporate_income"), ("A", "B", "M", "C", "D")
VAT, INCOME = 0, 1
_MONTHS_BACK = 100  # months before the world that keys leave room for
_LAST_DAYS, _SHORTEST, _QUARTER, _YEAR = 4, 28, 3, 365
_OWES_FROM = 0.4  # assumption: distress from which some of the tax is not paid


@dataclass(frozen=True)
class Filings:
    """The filings of one period and tax: one row per company; `filed` is NEVER where nothing is filed."""

    filed: np.ndarray
    deadline: int
    revenue: np.ndarray
    due: np.ndarray
    paid: np.ndarray


@delivers("tax.filing", "tax")
def filings(world: World, day: int, source: str) -> pl.DataFrame:
    """Filings made on `day`."""
    this = world.calendar.month(day)
    longest = load_scenarios().tax.late_most // _SHORTEST + 2
    kinds = [(kind, month) for month in range(this - longest, this) for kind in (VAT, INCOME)]
    return pl.concat([_filed(world, day, kind, month) for kind, month in kinds if kind == VAT or _ends_quarter(month)])


def _ends_quarter(month: int) -> bool:
    return month % _QUARTER == _QUARTER - 1


def _filed(world: World, day: int, kind: int, month: int) -> pl.DataFrame:
    """What was filed on `day` for the period that ends with `month`."""
    filed = recent(world, f"tax.{TYPES[kind]}", month, lambda number: _draw(world, kind, number), keep=6)
    records = known(world, "tax")
    rows = rows_of(world, "tax", "company")
    company = np.flatnonzero((filed.filed == day) & (rows >= 0) & given(world, "tax", True).in_force(day))
    grade = world.cached("tax.grades", lambda: _grades(world))[company]
    young = world.companies.founded[company] > day - _YEAR
    begins = world.calendar.first_of_month(month if kind == VAT else month - _QUARTER + 1)
    prefix = "VAT" if kind == VAT else "CIT"
    return pl.DataFrame({
        "filing_key": text_key(f"{prefix}{month + _MONTHS_BACK:03d}", company, 7).cast(pl.String),
        "uscc": records["uscc"].gather(rows[company]),
        "period": dates(world, np.full(len(company), begins)),
        "tax_type": pick(TYPES, np.full(len(company), kind)),
        "declared_revenue": filed.revenue[company],
        "tax_due": filed.due[company],
        "tax_paid": filed.paid[company],
        "filed_on": dates(world, filed.filed[company]),
        "is_late": filed.filed[company] > filed.deadline,
        "credit_grade": pick(GRADES, np.where(young, GRADES.index("M"), grade)),
    })  # fmt: skip


def _draw(world: World, kind: int, month: int) -> Filings:
    settings, count = load_scenarios().tax, len(world.companies)
    rng = world.streams.of(f"tax.{TYPES[kind]}", month)
    opens = world.calendar.first_of_month(month + 1)
    deadline = opens + settings.deadline - 1
    strained = company_strain(world, deadline)
    at_the_end = rng.random(count) < settings.on_the_last_days
    filed = np.where(at_the_end, deadline - rng.integers(0, _LAST_DAYS, count),
                     opens + rng.integers(0, settings.deadline - _LAST_DAYS, count))  # fmt: skip
    late = rng.random(count) < settings.late + settings.late_rise * strained
    delay = 1 + np.minimum(rng.exponential(settings.late_days, count), settings.late_most - 1).astype(np.int64)
    never = late & (rng.random(count) < settings.never * strained)
    filed = np.where(never, NEVER, np.where(late, deadline + delay, filed))
    months = [month] if kind == VAT else range(month - _QUARTER + 1, month + 1)
    revenue = sum(_revenue(world, each) for each in months)
    due = revenue * (settings.vat if kind == VAT else settings.margin * settings.income)
    owed = np.where((strained > _OWES_FROM) & late, rng.random(count), 0.0)
    is_there = world.companies.founded < world.calendar.first_of_month(months[0])
    return Filings(
        filed=np.where(is_there, filed, NEVER), deadline=deadline, revenue=np.rint(revenue).astype(np.int64),
        due=np.rint(due).astype(np.int64), paid=np.rint(due * (1 - owed)).astype(np.int64),
    )  # fmt: skip


def _revenue(world: World, month: int) -> np.ndarray:
    """What each company declares to have turned over in a month, in cents."""
    settings, middle = load_scenarios().tax, world.calendar.first_of_month(month) + _SHORTEST // 2
    noise = world.streams.of("tax.revenue", month).standard_normal(len(world.companies))
    spread = np.exp(settings.sigma * noise - settings.sigma**2 / 2)
    damped = 1 - settings.fall * company_strain(world, middle)
    return settings.declared * world.companies.turnover * slow(world, middle) * spread * damped


def _grades(world: World) -> np.ndarray:
    """Grade of each taxpayer: by risk, with much that the office sees otherwise."""
    settings, risk = load_scenarios().tax, world.companies.risk
    score = risk + world.streams.of("tax.grades").standard_normal(len(risk))
    # M is for new companies; old ones with little revenue have it too.
    ends = np.cumsum(settings.grades)[:-1]
    return np.searchsorted(np.quantile(score, ends), score)
