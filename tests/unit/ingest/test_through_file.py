"""A history whose last date is delivered beside it: up to there the history counts, daily files from there on."""

from __future__ import annotations

import pytest

from pipelines.contracts.feed import Daily, History

from .workshop import contract, day, history_feed

OF = contract()


@pytest.fixture
def bank(small_bank):
    where = {
        "history": History(path="thing_history.csv", through_file="THROUGH"),
        "daily": Daily(path="thing_{date:%Y%m%d}.csv"),
    }
    return small_bank(contracts=(OF,), feeds=(history_feed(OF).model_copy(update=where),))


def state_through(bank, text):
    (bank.root / "deliveries" / "THROUGH").write_text(text)


def deliver(bank, *numbers):
    for number in numbers:
        bank.deliver(day(number), [("a", "Ann", number, day(number))], "key,name,amount,known")


def deliver_history(bank, *numbers):
    rows = [(f"h{number}", "Ann", number, day(number)) for number in numbers]
    bank.deliver("history", rows, "key,name,amount,known")


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "  \n"])
def test_daily_files_follow_the_date_that_is_stated(bank, end):
    deliver_history(bank, 1, 2)
    state_through(bank, f"{day(2)}{end}")
    deliver(bank, 3)
    bank.land(day(1), day(3))
    names = [landing.delivery for landing in bank.landings().values()]
    assert names == ["thing_history.csv", "thing_history.csv", f"thing_{day(3):%Y%m%d}.csv"]
    (outcome,) = bank.land(day(1), day(3))
    assert outcome.reused == 3


def test_without_the_file_daily_files_begin_with_the_bank(bank):
    deliver(bank, 1, 2)
    bank.land(day(1), day(2))
    assert {landing.delivery[:8] for landing in bank.landings().values()} == {"thing_20"}


def test_a_history_that_comes_later_takes_the_place_of_daily_files(bank):
    deliver(bank, 1, 2, 3)
    bank.land(day(1), day(3))
    deliver_history(bank, 1, 2)
    state_through(bank, f"{day(2)}\n")
    bank.land(day(1), day(3))
    names = [landing.delivery for landing in bank.landings().values()]
    assert names == ["thing_history.csv", "thing_history.csv", f"thing_{day(3):%Y%m%d}.csv"]


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2030-13-01", "20300108", "2030-1-8", "2030-W02-2", "2030-01-08 2030-01-09", "8\xa0", "x" * 500],
)
def test_another_text_than_a_date_is_refused(bank, text):
    deliver_history(bank, 1)
    state_through(bank, text)
    fault = bank.fault(day(1))
    assert fault.rule == "bad_history_through" and fault.file.endswith("/THROUGH")
    assert "not the last date of the history as 2025-12-28" in fault.message and len(fault.message) < 100
    assert bank.landings() == {}


def test_a_closed_day_is_refused_where_it_is_stated(small_bank, bank):
    closed = small_bank(contracts=(OF,), feeds=bank.feeds, closed=("sun",))
    deliver_history(closed, 1)
    state_through(closed, str(day(7)))
    fault = closed.fault(day(8))
    assert fault.rule == "bad_mapping" and fault.action == "name the business date before it in THROUGH"
