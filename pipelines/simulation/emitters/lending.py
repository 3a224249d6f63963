"""What the lending system delivers: applications, contracts, instalments and payments, guarantees, collateral."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import keys
from pipelines.simulation.behaviour import instalments
from pipelines.simulation.behaviour.instalments import Events, schedule
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.emitters.bookings import account_keys
from pipelines.simulation.frames import dates, delivers, pick, snapshots
from pipelines.simulation.loans import BUSINESS, MORTGAGE, PRODUCTS, TYPES, VEHICLE, Loans

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_PURPOSES = ("consumption", "housing", "vehicle", "business")
_CHANNELS = ("branch", "app", "phone", "partner")
_PARTNER = 3
_STATED = 50_000  # people state incomes in steps of five hundred yuan
_MORE = 12  # tenths of the amount granted: some ask for a fifth more
_DECISIONS = ("approved", "declined", "withdrawn")
_PLEDGED = (0, 1, 3, 4)  # what companies pledge, of these
_OBJECTS = ("residential", "commercial", "vehicle", "equipment", "deposit")


@delivers("loan.application", "lending")
def applications(world: World, day: int, source: str) -> pl.DataFrame:
    """Applications decided on `day`: those that led to a loan, then those that did not."""
    granted, failed = world.loans, world.declined
    found = []
    for loans, declined in ((granted, False), (failed, True)):
        name = f"lending.decided.{declined}"
        rows = np.flatnonzero(world.cached(name, partial(decided, world, loans)) == day)
        found.append(_applications(world, loans, rows, declined, day))
    return pl.concat(found)


def decided(world: World, loans: Loans) -> np.ndarray:
    """Day on which each application was decided."""
    wait = np.arange(len(loans)) % (behaviour().lending.decided_days + 1)
    of_granted = np.maximum(loans.granted.astype(np.int64) - wait, loans.applied)
    return np.where(loans.granted < NEVER, of_granted, loans.applied + 1 + wait)


def _applications(world: World, loans: Loans, rows: np.ndarray, declined: bool, day: int) -> pl.DataFrame:
    people, companies, settings = world.people, world.companies, behaviour().lending
    borrower, is_company = loans.borrower[rows], loans.is_company[rows]
    person, company = np.where(is_company, 0, borrower), np.where(is_company, borrower, 0)
    rng = world.streams.of(f"lending.applications.{declined}", day)
    income = np.where(is_company, companies.turnover[company], people.income[person])
    # People round what they earn, mostly upwards.
    stated = (
        np.round(
            income * np.exp(settings.overstated + settings.stated_sigma * rng.standard_normal(len(rows))) / _STATED
        )
        * _STATED
    )
    preferred = np.minimum(people.channel[person], 2)
    channel = np.where(rng.random(len(rows)) < settings.through_partners, _PARTNER, np.where(is_company, 0, preferred))
    amount = loans.principal[rows]
    asked = np.where(rng.random(len(rows)) < settings.asks_more, amount * _MORE // 10, amount)
    return pl.DataFrame(
        {
            "application_key": keys.application_key(rows, declined),
            "party_key": _parties(is_company, borrower),
            "product_key": pick(PRODUCTS, loans.type[rows]),
            "applied_on": dates(world, loans.applied[rows]),
            "decided_on": dates(world, np.full(len(rows), day)),
            "amount": asked,
            "term_months": loans.term[rows].astype(np.int64),
            "purpose": pick(_PURPOSES, loans.type[rows]),
            "channel": pick(_CHANNELS, channel),
            "decision": pick(_DECISIONS, loans.decision[rows]),
            "declared_income": stated.astype(np.int64),
        }
    )


def _parties(is_company: np.ndarray, numbers: np.ndarray) -> pl.Series:
    people, companies = keys.party_key(False, numbers), keys.party_key(True, numbers)
    return pl.select(pl.when(pl.Series(is_company)).then(companies).otherwise(people)).to_series()


@snapshots("loan.contract", "lending")
def contracts(world: World, day: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Loans granted by `day`."""
    return world.cached("lending.contracts", lambda: _contracts(world)), np.flatnonzero(running(world, day))


def running(world: World, day: int) -> np.ndarray:
    """Loans granted by `day` that were not repaid before the world began.

    What was repaid since stays: a history file is one snapshot, and payments of its first days name these loans.
    """
    return (world.loans.granted <= day) & (schedule(world).ends + behaviour().lending.late_days[1] >= 0)


def _contracts(world: World) -> pl.DataFrame:
    loans = world.loans
    # Applications from before the world are not delivered, so the contract does not name them.
    application = keys.application_key(np.arange(len(loans))).set(pl.Series(decided(world, loans) < 0), None)
    return pl.DataFrame(
        {
            "loan_key": loan_keys(world),
            "account_key": account_keys(world).gather(pl.Series(loans.account.astype(np.uint32))),
            "granted_on": dates(world, loans.granted),
            "principal": loans.principal,
            "term_months": loans.term.astype(np.int64),
            "monthly_payment": loans.payment,
            "application_key": application,
            "product_key": pick(PRODUCTS, loans.type),
            "loan_type": pick(TYPES, loans.type),
            "annual_rate": loans.rate,
        }
    )


def loan_keys(world: World) -> pl.Series:
    """Loan number of each loan."""
    return world.cached("keys.loans", lambda: keys.loan_key(np.arange(len(world.loans))))


@delivers("loan.repayment", "lending")
def repayments(world: World, day: int, source: str) -> pl.DataFrame:
    """Instalments due and payments received on `day`; on the first day also what was open before."""
    events = [instalments.open_before(world, 0)] if day == 0 else []
    events += [instalments.fallen_due(world, day), *instalments.paid_on(world, day)]
    return pl.concat([_repayments(world, each) for each in events])


def _repayments(world: World, events: Events) -> pl.DataFrame:
    loan = loan_keys(world).gather(pl.Series(events.loan.astype(np.uint32)))
    suffix = pl.Series(events.number.astype(np.int64) + 1000).cast(pl.String).str.slice(1)
    kind = 0 if events.part == "D" else 1
    return pl.DataFrame(
        {
            "repayment_key": loan + suffix + pl.Series([events.part]).new_from_index(0, len(loan)),
            "loan_key": loan,
            "event": pick(("due", "paid"), np.full(len(loan), kind)),
            "event_date": dates(world, events.day),
            "instalment_no": events.number.astype(np.int64),
            "amount": events.amount.astype(np.int64),
            "principal_amount": events.principal.astype(np.int64),
        }
    )


@delivers("loan.collateral", "lending")
def collateral(world: World, day: int, source: str) -> pl.DataFrame:
    """What is pledged for loans on the books, with its last appraisal: at the grant, then every year."""
    loans, settings = world.loans, behaviour().lending
    rows = np.flatnonzero(running(world, day) & (loans.collateral_value > 0))
    kind = world.cached("lending.objects", lambda: _objects(world))[rows]
    granted = loans.granted[rows]
    times = (day - granted) // settings.appraisal_days
    buildings, vehicles, equipment = settings.appraisal_drift
    drift = np.array([buildings, buildings, vehicles, equipment, 0.0])[kind]
    value = np.round(loans.collateral_value[rows] * (1 + drift) ** times / 10_000) * 10_000
    return pl.DataFrame(
        {
            "collateral_key": keys.text_key("CO", keys.spread(rows, 42)),
            "loan_key": loan_keys(world).gather(pl.Series(rows.astype(np.uint32))),
            "collateral_type": pick(_OBJECTS, kind),
            "appraised_value": np.maximum(value, 10_000).astype(np.int64),
            "appraised_on": dates(world, granted + times * settings.appraisal_days),
        }
    )


def _objects(world: World) -> np.ndarray:
    """Kind of object pledged for each loan, by the kind of loan."""
    loans = world.loans
    business = world.streams.of("lending.objects").choice(_PLEDGED, len(loans), p=behaviour().lending.pledged)
    other = np.where(loans.type == VEHICLE, 2, 0)
    return np.where(loans.type == BUSINESS, business, np.where(loans.type == MORTGAGE, 0, other))
