"""Lending: valid deliveries, schedules that add up, and arrears that are as old as the world's defaults say."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.simulation import keys
from pipelines.simulation.behaviour.instalments import schedule, split
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.distress import DEFAULT_DAYS

from .behaviour_frames import DAYS, check, frame, frames, known, same, small

LENDING = ("loan.application", "loan.contract", "loan.repayment", "loan.guarantee", "loan.collateral")


@pytest.mark.parametrize("contract", LENDING)
@pytest.mark.parametrize("day", DAYS)
def test_deliveries_are_what_contract_and_feed_say(contract: str, day: int) -> None:
    found = check(contract, "lending", day)
    if contract == "loan.application":
        assert set(found["party_key"]) <= known("party", day)
    elif contract == "loan.contract":
        assert set(found["account_key"]) <= known("account", day)
        assert found["application_key"].null_count() < len(found) or day < 5
    else:
        assert set(found["loan_key"]) <= set(frame(small(), "loan.contract", "lending", day)["loan_key"])


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    """Instalments and payments of two years."""
    return frames(small(), "loan.repayment", "lending", range(730))


def test_keys_never_come_again(events: pl.DataFrame) -> None:
    assert not events["repayment_key"].is_duplicated().any()
    applied = frames(small(), "loan.application", "lending", range(400))
    assert not applied["application_key"].is_duplicated().any()
    assert set(applied["decision"]) == {"approved", "declined", "withdrawn"}


def test_every_contract_since_the_beginning_names_an_application_that_was_approved() -> None:
    applied = frames(small(), "loan.application", "lending", range(400)).filter(pl.col("decision") == "approved")
    named = frame(small(), "loan.contract", "lending", 399).drop_nulls("application_key")
    assert len(named) > 20
    joined = named.join(applied, on="application_key", how="left")
    assert joined["party_key"].null_count() == 0
    assert (joined["decided_on"] <= joined["granted_on"]).all()


def test_a_schedule_repays_the_principal() -> None:
    loans = small().loans
    row = np.repeat(np.arange(len(loans)), loans.term)
    number = np.arange(len(row)) - np.repeat(np.cumsum(loans.term) - loans.term, loans.term) + 1
    amount, principal = split(small(), row, number)
    assert (np.bincount(row, principal) == loans.principal).all()
    last = number == loans.term[row]
    assert (amount[~last] == loans.payment[row[~last]]).all()
    assert (np.abs(amount[last] - loans.payment[row[last]]) <= np.maximum(loans.payment[row[last]] * 0.05, 500)).all()
    assert ((principal >= 0) & (principal <= amount)).all()


def test_events_reproduce_the_schedule(events: pl.DataFrame) -> None:
    """A loan that began and ended in these days and never went wrong: twelve dues, all paid, the principal returned."""
    loans, plan = small().loans, schedule(small())
    good = np.flatnonzero((loans.granted >= 0) & (plan.ends < 715) & (loans.miss == NEVER))
    assert len(good) > 5
    for loan in good:
        mine = events.filter(pl.col("loan_key") == keys.loan_key(np.array([loan]))[0])
        due, paid = (mine.filter(pl.col("event") == event) for event in ("due", "paid"))
        assert due["instalment_no"].to_list() == list(range(1, int(loans.term[loan]) + 1))
        assert due["amount"].sum() == paid["amount"].sum()
        assert due["principal_amount"].sum() == paid["principal_amount"].sum() == loans.principal[loan]


def days_past_due(events: pl.DataFrame, loan: int, day: int) -> int:
    """Age of the oldest instalment that payments so far do not cover: what the platform will compute."""
    mine = events.filter((pl.col("loan_key") == keys.loan_key(np.array([loan]))[0]) & (pl.col("day") <= day))
    paid = mine.filter(pl.col("event") == "paid")["amount"].sum()
    due = mine.filter(pl.col("event") == "due").sort("event_date")
    unpaid = due.filter(pl.col("amount").cum_sum() > paid)
    return (small().calendar.date(day) - unpaid["event_date"][0]).days if len(unpaid) else 0


def test_arrears_are_ninety_days_old_on_the_day_of_default(events: pl.DataFrame) -> None:
    of, seen = small(), 0
    loans = of.loans
    hit = np.flatnonzero((loans.miss > 0) & (loans.miss < 730 - DEFAULT_DAYS))
    for loan in hit:
        timeline = of.companies.timeline if loans.is_company[loan] else of.people.timeline
        default, who = timeline.default[loans.borrower[loan]], loans.borrower[loan]
        assert days_past_due(events, loan, int(loans.miss[loan])) == 0
        if default < NEVER and loans.cure[loan] > default:
            seen += 1
            assert timeline.miss[who] + DEFAULT_DAYS == default
            assert days_past_due(events, loan, int(default)) == DEFAULT_DAYS
            assert days_past_due(events, loan, int(default) - 1) == DEFAULT_DAYS - 1
        elif loans.cure[loan] < 690:
            assert days_past_due(events, loan, int(loans.miss[loan]) + 3) == 3
            assert days_past_due(events, loan, int(loans.cure[loan]) + 40) < 31
    assert seen >= 3


def test_nothing_is_paid_between_the_first_missed_instalment_and_the_cure(events: pl.DataFrame) -> None:
    loans = small().loans
    for loan in np.flatnonzero((loans.miss > 20) & (loans.miss < 600)):
        mine = events.filter(
            (pl.col("loan_key") == keys.loan_key(np.array([loan]))[0])
            & (pl.col("event") == "paid")
            & (pl.col("day") >= int(loans.miss[loan]) + 10)
            & (pl.col("day") < int(min(loans.cure[loan], 730)))
        )
        assert len(mine) == 0


def test_what_was_open_before_is_known_on_the_first_day() -> None:
    first = frame(small(), "loan.repayment", "lending", 0)
    before = first.filter(pl.col("event_date") < small().calendar.date(0))
    loans = small().loans
    missing = np.flatnonzero((loans.miss < 0) & (loans.cure > 40) & (schedule(small()).ends > 0))
    assert set(keys.loan_key(missing)) <= set(before["loan_key"])
    assert (before["event"] == "due").all()


def test_guarantors_and_collateral_are_told_apart() -> None:
    guarantees = frame(small(), "loan.guarantee", "lending", 400)
    both = guarantees["guarantor_national_id"].is_not_null() & guarantees["guarantor_uscc"].is_not_null()
    assert not both.any()
    assert guarantees["guarantor_name"].str.len_chars().min() >= 2
    pledged = frame(small(), "loan.collateral", "lending", 800)
    assert {"residential", "vehicle"} <= set(pledged["collateral_type"])
    age = (small().calendar.date(800) - pledged["appraised_on"].to_numpy().max().astype(object)).days
    assert 0 <= age <= 365


@pytest.mark.parametrize("contract", LENDING)
def test_a_day_alone_is_the_day_in_a_row_of_days(contract: str) -> None:
    same(contract, "lending", 64)
