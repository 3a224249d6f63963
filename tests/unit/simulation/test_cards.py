"""Cards: valid deliveries, statements that follow from each other and from the account, and what distress does."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.simulation.behaviour import revolving
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.calendar import NEVER

from .behaviour_frames import DAYS, check, frame, frames, known, same, small


@pytest.mark.parametrize("day", DAYS)
def test_deliveries_are_what_contract_and_feed_say(day: int) -> None:
    cards = check("card.account", "cards", day)
    assert set(cards["holding_key"]) <= known("holding", day)
    assert set(cards["holding_key"]) <= set(frame(small(), "core.account_holder", "core", day)["holding_key"])
    assert (cards["credit_limit"].is_null() == (cards["card_kind"] == "debit")).all()
    credit = cards.filter(pl.col("card_kind") == "credit")
    statements = check("card.statement", "cards", day)
    assert set(statements["card_key"]) <= set(credit["card_key"])
    assert (statements["minimum_due"] <= statements["statement_balance"]).all()


@pytest.fixture(scope="module")
def statements() -> pl.DataFrame:
    """Statements of half a year."""
    return frames(small(), "card.statement", "cards", range(184)).sort("card_key", "day")


def test_a_card_is_billed_once_a_month(statements: pl.DataFrame) -> None:
    assert not statements["statement_key"].is_duplicated().any()
    month = pl.col("statement_date").dt.month()
    assert not statements.select("card_key", month).is_duplicated().any()
    gaps = statements.select(pl.col("day").diff().over("card_key")).to_series().drop_nulls()
    assert gaps.min() >= 28
    assert gaps.max() <= 31


def test_what_is_owed_follows_from_what_was_owed_and_paid(statements: pl.DataFrame) -> None:
    before = pl.col("statement_balance").shift(1).over("card_key")
    followed = statements.with_columns(before.alias("before")).drop_nulls("before")
    assert (followed["paid_amount"] <= followed["before"]).all()
    spent = followed["statement_balance"] - followed["before"] + followed["paid_amount"]
    assert (spent >= 0).mean() > 0.99
    full = (followed["paid_amount"] == followed["before"]).mean()
    assert 0.4 < full < 0.85


def test_payments_of_cards_are_booked_on_the_due_date() -> None:
    of = small()
    for day in (4, 33, 61):
        cards, paid = revolving.due_on(of, day)
        closed = day - behaviour().cards.due_days
        assert (revolving.balances(of, of.calendar.month(closed)).day[cards] == closed).all()
        booked = frame(of, "core.transaction", "core", day).filter(
            (pl.col("channel") == "internal") & (pl.col("direction") == "debit") & pl.col("purpose").is_null()
        )
        assert set(paid[paid > 0].tolist()) <= set(booked["amount"])


def test_nothing_is_paid_in_arrears_and_the_balance_stands_at_the_limit() -> None:
    of = small()
    cards, people = of.cards, of.people
    holder, checked = cards.holder, 0
    for month in range(2, 24):
        now = revolving.balances(of, month)
        missing = (people.miss[holder] < now.day) & (now.day + 40 < people.cure[holder]) & (people.miss[holder] < NEVER)
        rows = np.flatnonzero(missing & now.billed)
        checked += len(rows)
        assert (revolving.payments(of, month)[rows] == 0).all()
        assert (now.balance[rows] > 0.9 * cards.limit[rows]).all()
        assert (revolving.balances(of, month + 1).balance[rows] >= now.balance[rows] * 0.999)[
            revolving.balances(of, month + 1).billed[rows]
        ].all()
    assert checked > 20


def test_cash_is_drawn_in_distress() -> None:
    of, drawn = small(), {True: [], False: []}
    for month in range(2, 30):
        now = revolving.balances(of, month)
        depth = of.people.distress(of.calendar.first_of_month(month) + 14)[of.cards.holder]
        drawn[True] += (now.advance > 0)[now.billed & (depth > 0.4)].tolist()
        drawn[False] += (now.advance > 0)[now.billed & (depth == 0)].tolist()
    assert np.mean(drawn[True]) > 2 * np.mean(drawn[False])


@pytest.mark.parametrize("contract", ["card.account", "card.statement"])
def test_a_day_alone_is_the_day_in_a_row_of_days(contract: str) -> None:
    same(contract, "cards", 64)
