"""Loans and applications for them: amounts, schedules, guarantors, collateral, and who stops paying."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.accounts import Accounts
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.companies import CORE, Companies
from pipelines.simulation.people import People
from pipelines.simulation.settings import Settings
from pipelines.simulation.streams import Streams

#: As the contract loan.contract lists them.
TYPES = ("consumer", "mortgage", "vehicle", "business")
CONSUMER, MORTGAGE, VEHICLE, BUSINESS = 0, 1, 2, 3
PRODUCTS = ("LON01", "LON02", "LON03", "LON04")
# Assumptions by type: share of income that the payment takes, term in months, yearly rate.
_BURDEN = ((0.04, 0.22), (0.18, 0.42), (0.08, 0.20), (0.0, 0.0))
_TERMS = ((6, 12, 24, 36), (120, 180, 240, 300, 360), (24, 36, 48, 60), (6, 12, 24, 36))
_RATES = ((0.045, 0.11), (0.031, 0.041), (0.032, 0.058), (0.036, 0.068))


@dataclass(frozen=True)
class Loans:
    """One row per loan granted, or per application that was not; money in cents, rates in ten-thousandths.

    `miss` and `cure` are those of the borrower where they fall into the life of the loan. `decision` is 0 approved,
    1 declined, 2 withdrawn; only an approved one has a granted day.
    """

    is_company: np.ndarray
    borrower: np.ndarray
    account: np.ndarray
    type: np.ndarray
    applied: np.ndarray
    granted: np.ndarray
    principal: np.ndarray
    rate: np.ndarray
    term: np.ndarray
    payment: np.ndarray
    miss: np.ndarray
    cure: np.ndarray
    guarantor: np.ndarray
    circle: np.ndarray  # guarantee circle, -1 for none
    collateral_value: np.ndarray
    decision: np.ndarray

    def __len__(self) -> int:
        return len(self.borrower)

    def of(self, rows: np.ndarray) -> Loans:
        """Some of the rows."""
        return Loans(**{name: values[rows] for name, values in vars(self).items()})


def build_loans(
    settings: Settings, people: People, companies: Companies, accounts: Accounts, streams: Streams
) -> tuple[Loans, Loans]:
    """Draw applications over the horizon and before it; returns the loans granted, and the applications that failed."""
    rng, credit, horizon = streams.of("loans"), settings.credit, settings.horizon_days
    age = people.age(0)
    adult = np.flatnonzero((people.join < NEVER) & (age >= 20) & (age < 68) & (people.income > 150_000))
    firms = np.flatnonzero((companies.join < NEVER) & (companies.size < CORE))
    shares = (credit.consumer_share, credit.mortgage_share, credit.vehicle_share)
    wants = [adult[rng.random(len(adult)) < share] for share in shares]
    wants.append(firms[rng.random(len(firms)) < credit.business_share])
    borrower = np.concatenate(wants)
    kind = np.repeat(np.arange(4), [len(rows) for rows in wants])
    count, is_company = len(borrower), kind == BUSINESS
    person, firm = np.where(is_company, 0, borrower), np.where(is_company, borrower, 0)
    term, rate, burden = np.empty(count, np.int64), np.empty(count), np.empty(count)
    for number in range(4):
        rows = kind == number
        term[rows] = rng.choice(_TERMS[number], int(rows.sum()))
        rate[rows] = np.round(rng.uniform(*_RATES[number], int(rows.sum())), 4)
        burden[rows] = rng.uniform(*_BURDEN[number], int(rows.sum()))
    monthly = rate / 12
    factor = (1 - (1 + monthly) ** -term) / monthly
    principal = people.income[person] * burden * factor
    principal = np.where(is_company, companies.turnover[firm] * rng.uniform(0.5, 3.0, count), principal)
    principal = np.maximum(np.round(principal / 100_000) * 100_000, 100_000)
    join = np.where(is_company, companies.join[firm], people.join[person])
    applied = np.maximum(rng.integers(-np.minimum(term * 27, 1800), horizon), join + rng.integers(0, 60, count))
    risk = np.where(is_company, companies.risk[firm], people.risk[person])
    # Whoever is already in distress is declined more often: the bank looks, but does not see everything.
    shock = np.where(is_company, companies.shock[firm], people.shock[person])
    cure = np.where(is_company, companies.cure[firm], people.cure[person])
    troubled = (shock <= applied) & (applied < cure)
    chance = 1 / (1 + np.exp(-(np.log(credit.decline_share / (1 - credit.decline_share)) + 0.8 * risk + troubled)))
    draw = rng.random(count)
    decision = np.where(draw < credit.withdraw_share, 2, np.where(draw < credit.withdraw_share + chance, 1, 0))
    granted = np.where(decision == 0, applied + rng.integers(1, 8, count), NEVER)
    miss = np.where(is_company, companies.miss[firm], people.miss[person])
    hit = (miss > granted + 30) & (miss < granted + term * 30)  # never where nothing was granted
    guarantor, circle = _guarantors(settings, streams, people, companies, kind, borrower, granted)
    secured = np.where(kind == MORTGAGE, 1.45, np.where(kind == VEHICLE, 1.25, 0.0))
    secured = np.where((kind == BUSINESS) & (guarantor < 0) & (rng.random(count) < 0.5), 1.6, secured)
    applications = Loans(
        is_company=is_company, borrower=borrower.astype(np.int32),
        account=np.where(is_company, accounts.of_company[firm], accounts.of_person[person]),
        type=kind.astype(np.int8), applied=applied.astype(np.int32),
        granted=granted.astype(np.int32), principal=principal.astype(np.int64),
        rate=np.round(rate * 10_000).astype(np.int64), term=term.astype(np.int32),
        payment=np.round(principal / factor).astype(np.int64),
        miss=np.where(hit, miss, NEVER).astype(np.int32), cure=np.where(hit, cure, NEVER).astype(np.int32),
        guarantor=guarantor, circle=circle,
        collateral_value=(principal * secured * rng.uniform(0.9, 1.4, count)).astype(np.int64),
        decision=decision.astype(np.int8),
    )  # fmt: skip
    in_time = applied < horizon
    order = np.argsort(applications.applied, kind="stable")
    order = order[in_time[order]]
    return applications.of(order[decision[order] == 0]), applications.of(order[decision[order] != 0])


def _guarantors(
    settings: Settings, streams: Streams, people: People, companies: Companies, kind: np.ndarray,
    borrower: np.ndarray, granted: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Guarantor of each loan (-1 for none), and its circle: in a planted circle each company stands for the next."""
    rng, credit, count = streams.of("loans.guarantors"), settings.credit, len(kind)
    guarantor, circle = np.full(count, -1, np.int32), np.full(count, -1, np.int32)
    consumer = (kind == CONSUMER) & (rng.random(count) < credit.guaranteed_consumer)
    relative = people.spouse[np.where(consumer, borrower, 0)]
    adults = np.flatnonzero(people.birth < -25 * 365)
    guarantor[consumer] = np.where(relative >= 0, relative, rng.choice(adults, count))[consumer]
    business = (kind == BUSINESS) & (rng.random(count) < credit.guaranteed_business)
    others = rng.integers(0, len(companies), count)
    guarantor[business] = np.where(others == borrower, (others + 1) % len(companies), others)[business]
    # Circles are made of companies that were granted loans before the world began or soon after.
    rows = rng.permutation(np.flatnonzero((kind == BUSINESS) & (granted < 120)))
    low, high = settings.planted.circle_size
    sizes = rng.integers(low, high + 1, max(2, round(len(companies) / settings.planted.companies_per_circle)))
    start = 0
    for number, size in enumerate(sizes):
        members = rows[start : start + size]
        if len(members) < 3:
            break
        guarantor[members] = borrower[np.roll(members, -1)]
        circle[members] = number
        start += size
    return guarantor, circle
