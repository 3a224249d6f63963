"""Working days counted day by day: what lies between two of them is what one would count on a calendar."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.bank import Bank, Calendar
from pipelines.warehouse.control import _working_days

FIRST = date(2025, 3, 10)
LAST = FIRST + timedelta(days=60)
DAYS = st.dates(date(2022, 1, 2), LAST)


def bank(holidays: tuple[date, ...]) -> Bank:
    return Bank(
        bank="any", name="Any", time_zone="Asia/Shanghai", currency="CNY", jurisdiction="CN", deliveries="x",
        first_date=FIRST, calendar=Calendar(), legal_basis=(),
        office_calendar=Calendar(closed_weekdays=("sat", "sun"), holidays=holidays),
    )  # fmt: skip


@settings(derandomize=True)
@given(st.lists(DAYS, max_size=5), DAYS, DAYS)
def test_the_difference_of_two_counts_is_the_working_days_between(holidays: list[date], one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    rows = _working_days(bank(tuple(holidays)), LAST)
    through = {row["calendar_day"]: row["working_days_through"] for row in rows}
    days = (earlier + timedelta(days=n) for n in range(1, (later - earlier).days + 1))
    counted = [day for day in days if day.isoweekday() < 6 and day not in holidays]
    assert through[later] - through[earlier] == len(counted)


def test_every_day_is_there_once_from_years_before() -> None:
    days = [row["calendar_day"] for row in _working_days(bank(()), FIRST)]
    assert days == [date(2022, 1, 1) + timedelta(days=n) for n in range(len(days))]
    assert days[-1] == FIRST
