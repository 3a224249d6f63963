"""Business dates: in order, in range, never closed, none left out."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.bank import Bank, Calendar
from pipelines.contracts.load import Catalog
from pipelines.simulation.settings import load_settings

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# The same examples on every run, however slow the machine.
REPEATABLE = settings(derandomize=True)
DAYS = st.dates(date(1990, 1, 1), date(2040, 12, 31))
SPANS = st.tuples(DAYS, st.integers(-5, 800)).map(lambda span: (span[0], span[0] + timedelta(days=span[1])))


@st.composite
def banks(draw: st.DrawFn) -> Bank:
    first = draw(DAYS)
    return Bank(
        bank="any", name="Any", time_zone="Europe/Prague", currency="EUR", jurisdiction="CZ", deliveries="x",
        first_date=first, last_date=draw(st.none() | st.integers(0, 800).map(lambda n: first + timedelta(days=n))),
        calendar=Calendar(
            closed_weekdays=tuple(draw(st.sets(st.sampled_from(WEEKDAYS), max_size=6))),
            holidays=tuple(draw(st.sets(DAYS, max_size=5)) | {first + timedelta(days=draw(st.integers(0, 30)))}),
        ),
        legal_basis=(),
    )  # fmt: skip


@REPEATABLE
@given(banks(), SPANS)
def test_never_closed_and_in_order(bank: Bank, span: tuple[date, date]) -> None:
    dates = bank.business_dates(*span)
    assert dates == sorted(set(dates))
    for day in dates:
        assert span[0] <= day <= span[1]
        assert bank.first_date <= day
        assert bank.last_date is None or day <= bank.last_date
        assert WEEKDAYS[day.weekday()] not in bank.calendar.closed_weekdays
        assert day not in bank.calendar.holidays


@REPEATABLE
@given(banks(), SPANS)
def test_none_is_left_out(bank: Bank, span: tuple[date, date]) -> None:
    every_day = [span[0] + timedelta(days=n) for n in range((span[1] - span[0]).days + 1)]
    assert bank.business_dates(*span) == [day for day in every_day if bank.is_business_date(day)]


@REPEATABLE
@given(banks(), SPANS, DAYS)
def test_two_spans_in_a_row_are_one(bank: Bank, span: tuple[date, date], cut: date) -> None:
    first, last = span
    if first <= cut < last:
        parts = bank.business_dates(first, cut) + bank.business_dates(cut + timedelta(days=1), last)
        assert parts == bank.business_dates(first, last)


def test_a_weekend_and_a_holiday() -> None:
    calendar = Calendar(closed_weekdays=("sat", "sun"), holidays=(date(2025, 10, 1),))
    bank = Bank(
        bank="any", name="Any", time_zone="Asia/Shanghai", currency="CNY", jurisdiction="CN", deliveries="x",
        first_date=date(2025, 9, 26), last_date=date(2025, 10, 3), calendar=calendar, legal_basis=(),
    )  # fmt: skip
    days = [day.day for day in bank.business_dates(date(2025, 9, 1), date(2025, 10, 31))]
    assert days == [26, 29, 30, 2, 3]


def test_the_real_bank_books_every_day(catalog: Catalog) -> None:
    assert len(catalog.bank("pkdd99").business_dates(date(1993, 1, 1), date(1994, 3, 31))) == 455


@REPEATABLE
@given(banks(), SPANS)
def test_without_an_office_calendar_people_work_when_the_bank_books(bank: Bank, span: tuple[date, date]) -> None:
    working = [day for day in bank.business_dates(*span) if not bank.is_working_day(day)]
    assert working == []


def test_the_simulated_bank_works_on_the_working_days_of_its_world(catalog: Catalog) -> None:
    world, bank = load_settings().calendar, catalog.bank("simbank")
    days = [world.start + timedelta(days=n) for n in range(1000)]
    assert [day for day in days if bank.is_working_day(day) != world.is_working_day(world.day(day))] == []
    assert not all(map(bank.is_working_day, days))
    assert all(map(bank.is_business_date, days))
