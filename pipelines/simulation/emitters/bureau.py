"""What the credit bureau delivers: reports asked for at applications and in reviews, with debts at other banks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.draws import company_strain, recent, strain
from pipelines.simulation.emitters.consent import given
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.keys import event_key
from pipelines.simulation.known import known, rows_of
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.distress import Timeline
    from pipelines.simulation.world import World

#: As the contract bureau.credit_report lists them.
USES = ("loan_approval", "post_loan")
_MONTH_DAYS, _QUARTER = 30.4375, 3
_TWO_YEARS = 730
_BUSINESS_DEBT = 0.25  # assumption: months of turnover a company owes elsewhere, against months of income of people
_EARLY_FROM = 0.25  # assumption: distress from which some are late elsewhere


@dataclass(frozen=True)
class Elsewhere:
    """What people or companies owe at other banks in ordinary times, and how they borrow more in distress."""

    loans: np.ndarray
    debt: np.ndarray
    card_limit: np.ndarray
    card_use: np.ndarray
    more: np.ndarray
    late: np.ndarray


@delivers("bureau.credit_report", "bureau")
def reports(world: World, day: int, source: str) -> pl.DataFrame:
    """Reports of the day on people and companies that agreed to them."""
    frame = pl.concat([_reports(world, day, is_company) for is_company in (False, True)])
    return frame.insert_column(0, event_key("CR", day, len(frame)).alias("report_key"))


def _reports(world: World, day: int, is_company: bool) -> pl.DataFrame:
    asked, use = _asked(world, day, is_company)
    rows = rows_of(world, "bureau", "company" if is_company else "person")
    agreed = given(world, "bureau", is_company).in_force(day)[asked] & (rows[asked] >= 0)
    asked, use = asked[agreed], use[agreed]
    settings, rng = load_scenarios().bureau, world.streams.of(f"bureau.{is_company}", day)
    other = world.cached(f"bureau.elsewhere.{is_company}", lambda: _elsewhere(world, is_company))
    strained = (company_strain if is_company else strain)(world, day)[asked]
    timeline = (world.companies if is_company else world.people).timeline
    own = recent(
        world, f"bureau.own.{is_company}", world.calendar.month(day), lambda month: _own(world, is_company, month)
    )
    more = np.floor(other.more[asked] * strained + rng.random(len(asked)) * (strained > 0)).astype(np.int64)
    debt = other.debt[asked] * (1 + settings.debt_rise * strained) * np.exp(0.05 * rng.standard_normal(len(asked)))
    used = np.clip(other.card_use[asked] + settings.use_rise * strained + rng.normal(0, 0.08, len(asked)), 0, 1)
    limit = np.rint(other.card_limit[asked] + _own_limit(world, day, is_company, asked)).astype(np.int64)
    has_debt = (other.loans[asked] + more) > 0
    inquiries = rng.poisson(settings.inquiries + settings.inquiries_rise * strained)
    open_loans = own[0][asked] + other.loans[asked] + more
    text = pl.Series([None], dtype=pl.String).new_from_index(0, len(asked))
    identity = known(world, "bureau")["uscc" if is_company else "national_id"].gather(rows[asked])
    return pl.DataFrame({
        "national_id": text if is_company else identity,
        "uscc": identity if is_company else text,
        "report_date": dates(world, np.full(len(asked), day)),
        "agreed_use": pick(USES, use),
        "open_loans": open_loans.astype(np.int64),
        "loan_balance": np.rint(own[1][asked] + np.where(has_debt, debt, 0.0)).astype(np.int64),
        "card_limit": limit,
        "card_balance": np.rint(limit * used).astype(np.int64),
        "worst_days_past_due_24m": _worst(timeline, day, asked, other.late[asked], strained),
        "inquiries_6m": inquiries.astype(np.int64),
    })  # fmt: skip


def _asked(world: World, day: int, is_company: bool) -> tuple[np.ndarray, np.ndarray]:
    """Borrowers on whom a report is asked for on `day`, and for which use (code of USES)."""
    loans = world.loans
    applied = [
        each.borrower[(each.is_company == is_company) & (each.applied == day)] for each in (loans, world.declined)
    ]
    quarter = world.calendar.month(day) // _QUARTER
    reviewed = recent(world, "bureau.reviews", quarter, lambda number: _reviews(world, number))
    ends = loans.granted + np.floor(loans.term * _MONTH_DAYS)
    runs = (loans.granted < day) & (day < ends) & (loans.is_company == is_company)
    review = loans.borrower[(reviewed == day) & runs]
    asked = np.concatenate([*applied, review]).astype(np.int64)
    return asked, np.repeat([0, 1], [len(asked) - len(review), len(review)])


def _reviews(world: World, quarter: int) -> np.ndarray:
    """Day of a quarter on which each loan is reviewed, -1 for none."""
    first, after = (world.calendar.first_of_month(month * _QUARTER) for month in (quarter, quarter + 1))
    rng, count = world.streams.of("bureau.reviews", quarter), len(world.loans)
    day = rng.integers(first, after, count)
    return np.where(rng.random(count) < load_scenarios().bureau.review_share, day, first - 1)


def _elsewhere(world: World, is_company: bool) -> Elsewhere:
    settings, rng = load_scenarios().bureau, world.streams.of(f"bureau.elsewhere.{is_company}")
    monthly = world.companies.turnover * _BUSINESS_DEBT if is_company else world.people.income
    risk = (world.companies if is_company else world.people).risk
    count = len(monthly)
    loans = rng.poisson(settings.other_loans * np.exp(0.2 * np.clip(risk, -2, 2)))
    debt = settings.other_debt * monthly * np.exp(settings.other_sigma * rng.standard_normal(count))
    limit = 0.0 if is_company else settings.card_months * np.exp(settings.other_sigma * rng.standard_normal(count))
    late = np.ceil(rng.exponential(settings.arrears_days, count)).astype(np.int32)
    healthy, early = rng.random(count) < settings.old_arrears, rng.random(count) < settings.early_arrears
    return Elsewhere(
        loans=loans.astype(np.int32), debt=debt.astype(np.float32), card_limit=(limit * monthly).astype(np.float32),
        card_use=np.clip(rng.normal(settings.card_use, 0.2, count), 0, 1).astype(np.float32),
        more=rng.uniform(0, 3, count).astype(np.float32), late=np.where(healthy, late, np.where(early, -late, 0)),
    )  # fmt: skip


def _own(world: World, is_company: bool, month: int) -> tuple[np.ndarray, np.ndarray]:
    """Number and balance of the loans that everybody has at this bank when a month begins."""
    loans, day = world.loans, world.calendar.first_of_month(month)
    elapsed = (day - loans.granted) / _MONTH_DAYS
    rows = (loans.is_company == is_company) & (elapsed >= 0) & (elapsed < loans.term)
    left = (loans.principal * (1 - elapsed / loans.term))[rows]
    count = len(world.companies if is_company else world.people)
    number = np.bincount(loans.borrower[rows], minlength=count)
    return number, np.bincount(loans.borrower[rows], weights=left, minlength=count)


def _own_limit(world: World, day: int, is_company: bool, asked: np.ndarray) -> np.ndarray:
    if is_company:
        return np.zeros(len(asked))
    card = world.cards.of_person[asked]
    issued = (card >= 0) & (world.cards.issued[card] <= day)
    return np.where(issued, world.cards.limit[card], 0)


def _worst(timeline: Timeline, day: int, asked: np.ndarray, late: np.ndarray, strained: np.ndarray) -> np.ndarray:
    """Worst days past due in two years: of arrears here, of old ones elsewhere (late > 0), of early ones (late < 0)."""
    miss, cure = timeline.miss[asked].astype(np.int64), timeline.cure[asked].astype(np.int64)
    here = np.where((miss < day) & (cure > day - _TWO_YEARS), np.minimum(cure, day) - miss, 0)
    elsewhere = np.where(late > 0, late, np.where(strained > _EARLY_FROM, -late, 0))
    return np.maximum(np.minimum(here, _TWO_YEARS), elsewhere).astype(np.int64)
