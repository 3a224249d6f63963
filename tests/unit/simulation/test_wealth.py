"""Wealth: deltas that add up to what is held, values that move on Mondays, and the money of purchases."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.simulation import keys
from pipelines.simulation.behaviour.daybook import daybook
from pipelines.simulation.behaviour.valuation import bought, held, market_values

from .behaviour_frames import DAYS, check, frame, frames, known, same, small


@pytest.mark.parametrize("day", DAYS)
def test_deliveries_are_what_contract_and_feed_say(day: int) -> None:
    found = check("wealth.holding", "wealth", day)
    assert set(found["party_key"]) <= known("person", day)
    assert (found["updated_on"] == small().calendar.date(day)).all()


@pytest.fixture(scope="module")
def changes() -> pl.DataFrame:
    """Deltas of seven months."""
    return frames(small(), "wealth.holding", "wealth", range(210))


def test_deltas_add_up_to_what_is_held(changes: pl.DataFrame) -> None:
    last = changes.sort("day").group_by("position_key").last().filter(pl.col("op") == "U")
    rows = np.flatnonzero(held(small(), 209))
    values = dict(zip(keys.position_key(rows), market_values(small(), rows, 209).tolist(), strict=True))
    assert dict(last.select("position_key", "market_value").iter_rows()) == values


def test_a_position_is_deleted_once_and_only_changes_are_delivered(changes: pl.DataFrame) -> None:
    deleted = changes.filter(pl.col("op") == "D")
    assert not deleted["position_key"].is_duplicated().any()
    assert len(deleted) > 20
    ordered = changes.filter(pl.col("op") == "U").sort("position_key", "day")
    before = ordered.select(pl.col("market_value").shift(1).over("position_key")).to_series()
    assert not (ordered["market_value"] == before).fill_null(False).any()


def test_values_move_on_mondays(changes: pl.DataFrame) -> None:
    weekday = changes.filter((pl.col("op") == "U") & (pl.col("day") > 0))["updated_on"].dt.weekday()
    assert (weekday == 1).mean() > 0.9
    moved = changes["market_value"] / changes["invested_amount"]
    assert 0.6 < moved.min() < 1 < moved.max() < 1.8


def test_purchases_and_redemptions_are_booked() -> None:
    of = small()
    positions, exists = of.positions, bought(of)
    for day in (12, 47, 90):
        lines = daybook(of, day).others
        for rows, debit in ((positions.acquired == day, True), (positions.redeemed == day, False)):
            chosen = np.flatnonzero(rows & exists)
            amount = positions.invested[chosen] if debit else market_values(of, chosen, day)
            booked = set(zip(lines.account[lines.debit == debit], lines.amount[lines.debit == debit], strict=True))
            assert set(zip(of.accounts.of_person[positions.person[chosen]], amount, strict=True)) <= booked


def test_a_day_alone_is_the_day_in_a_row_of_days() -> None:
    same("wealth.holding", "wealth", 68)
    assert len(frame(small(), "wealth.holding", "wealth", 68)) > 0
