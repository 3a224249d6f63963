"""When deliveries are due: held against a calendar that is walked day by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from project import project_catalog

from pipelines.contracts.bank import Bank, Calendar
from pipelines.contracts.frequency import DAILY, Frequency, Schedule, frequency_of

REPEATABLE = settings(derandomize=True, max_examples=150, deadline=None)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST, DAY = date(2027, 11, 1), timedelta(days=1)  # a Monday, of the last year before one of 366 days
FREQUENCIES = [DAILY, Frequency("week"), *(Frequency("month", months) for months in (1, 2, 3, 4, 6, 12))]
WALK = [FIRST + n * DAY for n in range(-400, 1200)]


@st.composite
def banks(draw: st.DrawFn) -> Bank:
    closed = draw(st.sets(st.sampled_from(WEEKDAYS), max_size=6))
    start = draw(st.integers(0, 300))
    away = {FIRST + (start + n) * DAY for n in range(draw(st.integers(0, 40)))}  # as long as a whole month
    return Bank(
        bank="any", name="Any", time_zone="Asia/Shanghai", currency="EUR", jurisdiction="CZ", deliveries="x",
        calendar=Calendar(closed_weekdays=tuple(closed), holidays=tuple(away)), first_date=FIRST, legal_basis=(),
    )  # fmt: skip


def label(frequency: Frequency, day: date) -> tuple[int, ...]:
    """Which period a day lies in, told without any arithmetic of periods."""
    if frequency.unit == "month":
        return day.year, sum(month % frequency.count == 0 for month in range(1, day.month))
    return tuple(day.isocalendar()[:2]) if frequency.unit == "week" else (day.toordinal(),)


def due_dates(frequency: Frequency, bank: Bank) -> list[date]:
    """The last open day of each period that ends within the walk."""
    last: dict[tuple[int, ...], date] = {}
    for day in WALK:
        if WEEKDAYS[day.weekday()] not in bank.calendar.closed_weekdays and day not in bank.calendar.holidays:
            last[label(frequency, day)] = day
    return sorted(last.values())


FREQUENCY = st.sampled_from(FREQUENCIES)
OFFSETS = st.integers(0, 400)


@REPEATABLE
@given(banks(), FREQUENCY, OFFSETS, st.none() | st.integers(0, 200))
def test_what_is_owed_and_since_when_is_as_a_calendar_walked_day_by_day_has_it(
    bank: Bank, frequency: Frequency, offset: int, before: int | None
) -> None:
    days, schedule = bank.business_dates(FIRST, FIRST + 700 * DAY), Schedule(frequency, bank)
    at = offset % (len(days) // 2)
    as_of = days[at]
    newest = None if before is None else days[max(0, at - before)]
    due = due_dates(frequency, bank)
    served = None if newest is None else label(frequency, newest)
    owed = next(day for day in due if (day >= FIRST if served is None else label(frequency, day) > served))
    assert schedule.owed(newest) == owed
    assert schedule.is_owed(newest, as_of) == (owed <= as_of)
    behind, day = 0, as_of
    while day >= owed or (behind and not bank.is_open(day)):
        behind, day = behind + 1, day - DAY
    assert schedule.behind(newest, as_of) == behind
    assert schedule.due_date(as_of) == max(each for each in due if label(frequency, each) == label(frequency, as_of))


@REPEATABLE
@given(banks(), OFFSETS, st.integers(0, 60))
def test_what_comes_daily_is_behind_by_as_many_days_as_it_is_old(bank: Bank, offset: int, before: int) -> None:
    days = bank.business_dates(FIRST, FIRST + 700 * DAY)
    at = offset % len(days)
    newest, as_of = days[max(0, at - before)], days[at]
    assert Schedule(DAILY, bank).behind(newest, as_of) == (as_of - newest).days


@REPEATABLE
@given(banks(), FREQUENCY, OFFSETS, st.integers(1, 90))
def test_a_delivery_sets_right_what_was_owed_and_days_go_by_until_then(
    bank: Bank, frequency: Frequency, offset: int, later: int
) -> None:
    days, schedule = bank.business_dates(FIRST, FIRST + 700 * DAY), Schedule(frequency, bank)
    at = offset % (len(days) // 2)
    newest, as_of = days[at], days[min(at + later, len(days) - 1)]
    assert schedule.behind(as_of, as_of) == 0 == schedule.behind(newest, newest)
    aged = [schedule.behind(newest, day) for day in days if newest <= day <= as_of]
    assert aged == sorted(aged)
    assert schedule.behind(newest, as_of) <= (as_of - newest).days


@REPEATABLE
@given(FREQUENCY, st.sampled_from(WALK))
@example(Frequency("month", 12), date(2028, 12, 31))
@example(Frequency("month", 1), date(2028, 2, 29))
def test_periods_cover_each_day_once(frequency: Frequency, day: date) -> None:
    first, last = frequency.period(day)
    same = [each for each in WALK if label(frequency, each) == label(frequency, day)]
    if WALK[0] < first and last < WALK[-1]:
        assert (first, last) == (same[0], same[-1])
    assert frequency.period(last + DAY)[0] == last + DAY
    assert (last - first).days + 1 <= frequency.longest


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (1, "d", "daily"), (1, "day", "daily"), (1, "w", "weekly"), (1, "months", "monthly"), (3, "m", "quarterly"),
        (1, "q", "quarterly"), (2, "q", "every half-year"), (12, "M", "yearly"), (1, "yr", "yearly"),
        (2, "d", None), (2, "w", None), (5, "m", None), (24, "m", None), (2, "y", None), (0, "m", None),
        (-1, "d", None), ("1", "d", None), (1.0, "d", None), (True, "d", None), (1, None, None), (1, "h", None),
        ("daily", None, None),
    ],
)  # fmt: skip
def test_a_frequency_is_one_that_a_calendar_has(value: object, unit: object, said: str | None) -> None:
    found = frequency_of(value, unit)
    assert (None if found is None else str(found)) == said


def test_the_hour_is_of_the_bank_on_the_day_after_the_due_date() -> None:
    monthly = Schedule(Frequency("month", 1), project_catalog().bank("xiaocheng"), "01:15")
    for day in (date(2025, 9, 3), date(2025, 9, 30)):
        assert monthly.deadline(day).astimezone(UTC) == datetime(2025, 9, 30, 17, 15, tzinfo=UTC)
    said = "monthly, due for 2025-09-30, by 01:15 bank time on 2025-10-01; the last came for 2025-08-29"
    assert monthly.said(date(2025, 8, 29), date(2025, 10, 2)) == said
    assert monthly.said(date(2025, 9, 2), date(2025, 10, 2)).startswith("monthly, next due for 2025-10-31; the last")


def test_a_bank_that_ends_within_a_period_does_not_owe_that_one_earlier() -> None:
    bank = project_catalog().bank("xiaocheng").model_copy(update={"last_date": date(2025, 12, 15)})
    assert Schedule(Frequency("month", 1), bank).owed(date(2025, 11, 30)) == date(2025, 12, 31)


def test_every_source_contract_says_how_often_and_by_when_it_comes() -> None:
    for contract in project_catalog().sources.values():
        assert contract.due == "daily, by 01:15 bank time on the day after the business date"
    monthly = replace(contract, frequency=Frequency("month", 1))
    assert monthly.due == "monthly, by 01:15 bank time on the day after the last business date of the period"
