"""Bookings: valid, balanced with the ledger and with loans, shaped by the week and the year, and solvent."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.simulation import keys
from pipelines.simulation.accounts import CURRENT
from pipelines.simulation.behaviour.daybook import daybook
from pipelines.simulation.behaviour.holders import holders
from pipelines.simulation.behaviour.journal import SALARY, Lines
from pipelines.simulation.behaviour.parameters import CATEGORIES, behaviour
from pipelines.simulation.behaviour.purchases import season

from .behaviour_frames import DAYS, SMALL, check, frame, frames, known, same, small

FOUR_MONTHS = 120


@pytest.mark.parametrize("day", DAYS)
def test_bookings_are_what_contract_and_feed_say(day: int) -> None:
    found = check("core.transaction", "core", day)
    assert set(found["account_key"]) <= known("account", day)
    assert (found["ACCT_DT"] == small().calendar.date(day)).all()
    opened = dict(zip(keys.account_key(np.arange(len(small().accounts))), small().accounts.opened, strict=True))
    late = found.filter(pl.col("booking_date") < pl.col("ACCT_DT"))
    first = [small().calendar.date(max(opened[key], 0)) for key in late["account_key"]]
    assert (late["booking_date"] >= pl.Series(first, dtype=pl.Date)).all()
    assert (late["channel"] == "card").all()


@pytest.mark.parametrize("contract", ["core.account", "core.standing_order"])
@pytest.mark.parametrize("day", DAYS)
def test_accounts_and_orders_are_what_contract_and_feed_say(contract: str, day: int) -> None:
    assert set(check(contract, "core", day)["account_key"]) <= known("account", day)


def test_products_name_what_accounts_and_loans_have() -> None:
    products = set(check("reference.product", "reference", 0)["product_key"])
    for contract, source in (("core.account", "core"), ("loan.contract", "lending"), ("wealth.holding", "wealth")):
        assert set(frame(small(), contract, source, 400)["product_key"]) <= products


def test_keys_of_bookings_never_come_again() -> None:
    assert not frames(small(), "core.transaction", "core", range(20))["transaction_key"].is_duplicated().any()


@pytest.mark.parametrize("day", [0, 14, 27])
def test_the_ledger_has_the_sums_of_the_bookings(day: int) -> None:
    ledger = check("core.ledger_control", "ledger", day)
    classes = frame(small(), "core.account", "core", day).select("account_key", "account_class")
    booked = frame(small(), "core.transaction", "core", day).join(classes, on="account_key")
    for name, count, credit, debit in ledger.drop("control_date").iter_rows():
        mine = booked.filter(pl.col("account_class") == name)
        assert len(mine) == count
        assert mine.filter(pl.col("direction") == "credit")["amount"].sum() == credit
        assert mine.filter(pl.col("direction") == "debit")["amount"].sum() == debit


def test_loan_payments_are_booked_exactly_when_loans_are_paid() -> None:
    contracts = frame(small(), "loan.contract", "lending", FOUR_MONTHS).select("loan_key", "account_key")
    for day in (0, 9, 40, 77, FOUR_MONTHS):
        paid = frame(small(), "loan.repayment", "lending", day).filter(pl.col("event") == "paid")
        booked = frame(small(), "core.transaction", "core", day).filter(pl.col("purpose") == "loan_payment")
        expected = paid.join(contracts, on="loan_key", how="left").select("account_key", "amount")
        assert sorted(expected.rows()) == sorted(booked.select("account_key", "amount").rows())


def test_salaries_lead_to_the_employers_account() -> None:
    of, found = small(), []
    for day in range(31):
        lines = daybook(of, day).others
        found.append(lines.of((lines.purpose == SALARY) & ~lines.debit))
    account, partner = (np.concatenate([getattr(each, name) for each in found]) for name in ("account", "partner"))
    employer = of.employer[of.accounts.holder[account]]
    banked = (employer >= 0) & (of.accounts.of_company[employer] >= 0)
    assert banked.sum() > 100
    assert (partner[banked] == of.accounts.of_company[employer[banked]]).all()
    assert (partner[~banked] >= len(of.accounts)).all()


def test_payroll_agreements_are_found_by_the_account_that_salaries_come_from() -> None:
    agreements = frame(small(), "payroll.agreement", "payroll", 0)
    booked = frames(small(), "core.transaction", "core", range(31)).filter(pl.col("purpose") == "salary")
    paid = booked.filter((pl.col("direction") == "credit") & (pl.col("counterparty_bank") == "BK01"))
    linked = agreements["employer_account"].is_in(paid["counterparty_account"].to_list())
    assert len(agreements) >= 5
    assert linked.mean() > 0.8  # employees of the others have their accounts elsewhere
    wages = booked.filter(pl.col("direction") == "debit").group_by("account_key").agg(pl.col("amount").sum())
    received = paid.group_by("counterparty_account").agg(pl.col("amount").sum().alias("received"))
    both = received.join(wages, left_on="counterparty_account", right_on="account_key", how="left")
    assert (both["amount"] >= both["received"]).all()


def test_purchases_have_the_shape_of_the_week_and_of_the_year() -> None:
    of = small()
    dining = np.zeros(7)
    for day in range(62, 62 + 28):
        bought = daybook(of, day).purchases
        dining[of.calendar.weekday(day)] += (bought.category == CATEGORIES.index("dining")).sum()
    assert dining[4:].mean() > 1.3 * dining[:3].mean()
    singles, usual = (season(of, day)[CATEGORIES.index("online")] for day in (314, 300))
    assert singles > 2 * usual
    festival = season(of, 29)
    assert festival[CATEGORIES.index("travel")] > 2 > 1 > festival[CATEGORIES.index("wholesale")]


@pytest.fixture(scope="module")
def balances() -> tuple[np.ndarray, np.ndarray, int]:
    """Balances after four months, which accounts were ever overdrawn at the end of a day, and the bookings."""
    of, count = small(), 0
    balance = np.zeros(len(of.accounts), np.int64)
    below = np.zeros(len(of.accounts), bool)
    for day in range(FOUR_MONTHS):
        for lines in (daybook(of, day).purchases, daybook(of, day).others):
            np.add.at(balance, lines.account, np.where(lines.debit, -lines.amount, lines.amount))
            count += len(lines)
        below |= balance < 0
    return balance, below, count


def test_people_stay_solvent(balances: tuple[np.ndarray, np.ndarray, int]) -> None:
    balance, below, _ = balances
    every = holders(small())
    account = every.account[every.starts < FOUR_MONTHS]
    assert below[account].mean() < 0.03
    months = (balance / np.maximum(small().people.income[small().accounts.holder % len(small().people)], 1))[account]
    assert 1.0 < np.median(months) < 5.0


def test_there_are_as_many_bookings_as_the_settings_say(balances: tuple[np.ndarray, np.ndarray, int]) -> None:
    carried = (small().accounts.opened <= 0).sum()
    mean = (balances[2] - carried) / SMALL / FOUR_MONTHS
    assert mean == pytest.approx(behaviour().bookings.per_customer_day, rel=0.08)


def test_the_dormant_do_nothing_and_the_new_begin_when_they_join() -> None:
    of, every = small(), holders(small())
    day = 200
    silent = np.isin(of.accounts.holder, np.flatnonzero(of.people.dormant <= day)) & (of.accounts.cls == CURRENT)
    early = of.accounts.opened > day
    book = daybook(of, day)
    assert not silent[book.purchases.account].any()
    assert not (early[book.purchases.account].any() or early[book.others.account].any())
    assert len(every.person) == len(set(every.account))


def test_companies_in_distress_turn_over_less() -> None:
    of = small()
    depth = np.array([of.companies.distress(day) for day in range(40, 240, 20)])
    company = np.zeros(len(of.companies), bool)
    company[of.accounts.holder[of.accounts.is_company]] = True
    sums: dict[bool, list[float]] = {True: [], False: []}
    for place, day in enumerate(range(40, 240, 20)):
        lines = daybook(of, day).others
        received = _received(lines, len(of.accounts))
        for bad in (True, False):
            rows = company & ((depth[place] > 0.5) if bad else (depth[place] == 0)) & (of.companies.join < 0)
            sums[bad].append((received[of.accounts.of_company[rows]] / of.companies.turnover[rows]).mean())
    assert np.nanmean(sums[True]) < np.nanmean(sums[False])


def _received(lines: Lines, accounts: int) -> np.ndarray:
    return np.bincount(lines.account, np.where(lines.debit, 0, lines.amount), accounts)


@pytest.mark.parametrize(
    ("contract", "source"),
    [("core.transaction", "core"), ("core.ledger_control", "ledger"), ("core.account", "core"),
     ("core.standing_order", "core")],
)  # fmt: skip
def test_a_day_alone_is_the_day_in_a_row_of_days(contract: str, source: str) -> None:
    same(contract, source, 33)
