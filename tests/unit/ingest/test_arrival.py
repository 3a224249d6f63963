"""When deliveries came and whether that was in time; and that nothing that is landed depends on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.contracts.feed import Daily
from pipelines.contracts.frequency import Frequency
from pipelines.ingest import night
from pipelines.ingest.arrival import Arrival, Sighting, arrivals, awaited, instant, judged
from pipelines.ingest.postgres import Extract

from .workshop import SmallBank, contract, day, feed

DAILY = contract(criticality="optional", carry_forward_days=9, available_at="01:15")
DEADLINE = datetime(2030, 1, 8, 1, 15, tzinfo=UTC)  # of day 1
MINUTE = timedelta(minutes=1)
minutes = st.none() | st.integers(-5, 5).map(lambda n: DEADLINE + n * MINUTE)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Have nights look at a given time."""

    def look(when: datetime) -> None:
        monkeypatch.setattr(night, "clock", lambda: when)

    return look


def put(bank: SmallBank, number: int, written: datetime, amount: int = 1) -> Path:
    path = bank.deliver(day(number), [("a", "Ann", amount)])
    os.utime(path, (written.timestamp(), written.timestamp()))
    return path


def said(bank: SmallBank, when: date) -> Arrival | None:
    (of,), (one,) = bank.contracts, bank.feeds
    return judged(of, one, bank.desk.bank, when, arrivals(bank.home, one).seen)


@given(minutes, minutes, minutes)
def test_what_runs_saw_counts_more_than_what_a_place_states(missing, found, stated) -> None:
    """Of every moment at which it may have come, by what is known, tell those after the deadline from the others."""
    assume(found is None or missing is None or missing < found)
    state = Sighting(missing, found, stated).state(DEADLINE)
    possible = [
        came for n in range(-9, 10)
        if (came := DEADLINE + n * MINUTE + MINUTE / 2) and (missing is None or came > missing)
        and (found is None or came <= found + MINUTE / 2)
    ]  # fmt: skip
    if found is None:
        assert state == ("missing" if missing is not None and missing >= DEADLINE else None)
    elif found <= DEADLINE:
        assert state == "in_time"
    elif possible and all(came > DEADLINE for came in possible):
        assert state == "late"
    elif stated is None or (missing is not None and stated < missing):
        assert state == "unknown"
    else:
        assert state == ("late" if stated > DEADLINE else "in_time")


def test_a_file_that_came_in_time_is_in_time_however_late_the_night_is(small_bank, at) -> None:
    bank = small_bank(contracts=(DAILY,))
    put(bank, 1, DEADLINE - MINUTE)
    at(DEADLINE + timedelta(days=40))
    bank.land(day(1))
    found = said(bank, day(1))
    assert (found.state, found.came) == ("in_time", DEADLINE - MINUTE)


def test_a_late_file_is_landed_and_told(small_bank, at) -> None:
    bank = small_bank(contracts=(DAILY,))
    put(bank, 1, DEADLINE + timedelta(hours=8, minutes=15))
    at(DEADLINE + timedelta(hours=9))
    bank.land(day(1))
    assert said(bank, day(1)).line == (
        "test.thing from source, 2030-01-07: came on 2030-01-08 09:30, due by 2030-01-08 01:15 bank time (daily): "
        "8 hours late; ask owner what kept it"
    )


def test_a_run_that_looked_after_the_hour_is_not_contradicted_by_the_time_of_the_file(small_bank, at) -> None:
    bank = small_bank(contracts=(DAILY,))
    put(bank, 1, DEADLINE - MINUTE)
    at(DEADLINE - MINUTE)
    bank.land(day(1))
    at(DEADLINE + timedelta(days=1, minutes=45))
    bank.land(day(2))
    assert said(bank, day(2)).line == (
        "test.thing from source, 2030-01-08: was not there on 2030-01-09 02:00, due by 2030-01-09 01:15 bank time "
        "(daily); the last before it that a run found is for 2030-01-07; ask owner for it, run the night again"
    )
    put(bank, 2, DEADLINE)  # as the sender wrote it
    at(DEADLINE + timedelta(days=2))
    bank.land(day(2))
    found = said(bank, day(2))
    assert (found.state, found.came) == ("late", DEADLINE + timedelta(days=2))
    assert "1 day late" in found.line


def test_a_date_that_was_carried_is_told_of_without_any_clock(small_bank) -> None:
    bank = small_bank(contracts=(DAILY,))
    of, one = bank.contracts[0], bank.feeds[0]
    found = awaited(of, one, bank.desk.bank, day(4), day(2))
    assert found.state == "missing" and found.line == (
        "test.thing from source, 2030-01-10: nothing came: daily, due for 2030-01-09, by 01:15 bank time on "
        "2030-01-10; the last came for 2030-01-08: 2 days behind, and may be carried for 9; "
        "ask owner for it, it is landed by the next run"
    )
    monthly = contract(available_at="01:15", frequency=Frequency("month"))
    assert awaited(monthly, one, bank.desk.bank, day(24), day(2)) is None
    assert awaited(monthly, one, bank.desk.bank, day(25), date(2029, 12, 31)) is not None


def test_a_run_before_the_hour_says_nothing_of_what_is_not_there_yet(small_bank, at) -> None:
    bank = small_bank()
    at(DEADLINE - MINUTE)
    assert bank.fault(day(1)).rule == "missing_delivery"
    assert said(bank, day(1)) is None and arrivals(bank.home, bank.feeds[0]).seen


def test_a_refused_night_has_seen_what_it_has_seen(small_bank, at) -> None:
    of = contract(available_at="01:15")
    flagged = feed(of).model_copy(update={"daily": Daily(path="thing_{date:%Y%m%d}.csv", flag="{date:%Y%m%d}.ok")})
    bank = small_bank(contracts=(of,), feeds=(flagged,))
    put(bank, 1, DEADLINE - MINUTE)
    at(DEADLINE + MINUTE)
    assert bank.fault(day(1)).rule == "missing_flag" and said(bank, day(1)).state == "missing"
    flag = bank.root / "deliveries" / f"{day(1):%Y%m%d}.ok"
    flag.touch()
    os.utime(flag, ((DEADLINE + 2 * MINUTE).timestamp(),) * 2)
    at(DEADLINE + 9 * MINUTE)
    bank.land(day(1))
    found = said(bank, day(1))
    assert (found.state, found.came) == ("late", DEADLINE + 2 * MINUTE) and "2 minutes late" in found.line


def test_a_file_that_is_refused_has_come_and_its_correction_does_not_make_it_late(small_bank, at) -> None:
    bank = small_bank(contracts=(DAILY,))
    path = bank.deliver(day(1), [], header="key,name")
    os.utime(path, ((DEADLINE - MINUTE).timestamp(),) * 2)
    at(DEADLINE)
    assert bank.fault(day(1)).rule == "wrong_header"
    put(bank, 1, DEADLINE + timedelta(hours=5))
    at(DEADLINE + timedelta(hours=6))
    bank.land(day(1))
    assert said(bank, day(1)).state == "in_time"


def test_where_no_place_states_a_time_that_is_said(small_bank, at) -> None:
    unstated = feed(DAILY).model_copy(update={"arrival_times": "unknown"})
    bank = small_bank(contracts=(DAILY,), feeds=(unstated,))
    put(bank, 1, DEADLINE - MINUTE)
    at(DEADLINE + MINUTE)
    bank.land(day(1))
    found = said(bank, day(1))
    assert (found.state, found.came) == ("unknown", None)
    assert found.line == (
        "test.thing from source, 2030-01-07: when it came is not known, since the time of its file is not that of its "
        "arrival (arrival_times); a run first saw it on 2030-01-08 01:16, due by 2030-01-08 01:15 bank time (daily)"
    )
    at(DEADLINE + timedelta(days=1))
    put(bank, 2, DEADLINE)
    bank.land(day(2))
    assert said(bank, day(2)).state == "in_time"  # a run saw it by the hour, whatever states no time
    assert Extract("postgresql://", Daily(table="t", where="day = {date}"), day(1)).arrived() is None


def test_in_a_simulated_world_the_clock_of_runs_tells_nothing(small_bank, at) -> None:
    bank = small_bank(contracts=(DAILY,), feeds=(feed(DAILY).model_copy(update={"arrival_times": "simulated"}),))
    put(bank, 1, DEADLINE)
    at(DEADLINE + timedelta(days=400))
    bank.land(day(1), day(2))
    assert said(bank, day(1)).state == "in_time" and said(bank, day(2)) is None
    put(bank, 2, DEADLINE + timedelta(days=2))
    bank.land(day(2))
    assert "came on 2030-01-10 01:15, due by 2030-01-09 01:15 bank time (daily): 1 day late" in said(bank, day(2)).line


def test_what_comes_weekly_is_looked_for_at_the_end_of_the_week_alone(small_bank, at) -> None:
    weekly = contract(available_at="01:15", frequency=Frequency("week"))
    bank = small_bank(contracts=(weekly,), closed=("sat", "sun"))
    put(bank, 1, DEADLINE - MINUTE)
    for number in range(1, 6):  # required, and carried all the week, the delivery of Monday having served
        at(DEADLINE + timedelta(days=number))
        bank.land(day(number))
    assert [one.status for one in bank.landings().values()] == ["landed"] + ["carried"] * 4
    at(DEADLINE + timedelta(days=20))
    bank.land(day(8), day(11))
    fault = bank.fault(day(12))
    assert (
        fault.rule == "missing_delivery"
        and fault.date == "2030-01-18"
        and fault.message
        == (
            "no such file of a required contract: weekly, due for 2030-01-18, by 01:15 bank time on 2030-01-19; "
            "the last came for 2030-01-07"
        )
    )
    assert said(bank, day(12)).state == "missing" and said(bank, day(11)) is None
    put(bank, 11, DEADLINE + timedelta(days=10))  # another business date of the week serves
    at(DEADLINE + timedelta(days=21))
    bank.land(day(11), day(12))
    assert said(bank, day(11)).state == "in_time"


def test_nothing_that_is_landed_depends_on_when_it_came(small_bank, at) -> None:
    early, late = (small_bank(contracts=(DAILY,)) for _ in range(2))
    for bank, hours in ((early, -1), (late, 1000)):
        for number in (1, 2, 4):
            put(bank, number, DEADLINE + timedelta(days=number - 1, hours=hours), number)
        at(DEADLINE + timedelta(days=4, hours=hours))
        bank.land(day(1), day(4))
    assert early.files() == late.files()
    assert [said(bank, day(1)).state for bank in (early, late)] == ["in_time", "late"]


def test_where_nothing_can_be_noted_the_delivery_is_landed_and_a_fault_stays_one(small_bank) -> None:
    bank = small_bank()
    bank.home.arrivals.rmdir()
    put(bank, 1, DEADLINE)
    bank.land(day(1))
    assert bank.fault(day(2)).rule == "missing_delivery"
    assert said(bank, day(1)) is None


@pytest.mark.parametrize("kept", [b"", b"[]", b'{"2030-01-07": 3}', b'{"2030": {}}', b'{"2030-01-07": {"x": "y"}}'])
def test_what_cannot_be_read_of_earlier_runs_stops_no_night(small_bank, kept: bytes) -> None:
    bank = small_bank(contracts=(DAILY,))
    (bank.home.arrivals / "test.thing.source.json").write_bytes(kept)
    put(bank, 1, DEADLINE)
    bank.land(day(1))
    assert said(bank, day(1)).state == "in_time"


@pytest.mark.parametrize(
    "stated",
    [
        "2030-01-08T01:15:00Z",
        "2030-01-08T09:15:00+08:00",
        "Tue, 08 Jan 2030 01:15:00 GMT",
        DEADLINE.timestamp(),
        DEADLINE,
    ],
)
def test_stores_state_a_time_in_many_forms(stated: object) -> None:
    assert instant(stated) == DEADLINE


@pytest.mark.parametrize("stated", [None, "", "yesterday", "2030-01-08T01:15:00", DEADLINE.replace(tzinfo=None), True])
def test_a_time_of_no_zone_is_none(stated: object) -> None:
    assert instant(stated) is None
