"""How fresh deliveries are, and how long, by how often their contract has them delivered."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pipelines.audit.governance import carried, required
from pipelines.audit.volume import delivered, fresh
from pipelines.contracts.frequency import Frequency, days
from pipelines.contracts.load import Catalog

from .candidates import DAY, Spoil
from .earlier_releases import as_of, write_release
from .test_defects import put_where

COVERAGE, RECONCILIATION = "shared.coverage", "shared.reconciliation"
PRODUCTS = (COVERAGE, RECONCILIATION)
CARDS, PARTIES = "card.account", "core.party"  # optional, and carried for three days; required
MONTHLY = Frequency("month", 1)
DUE, BEFORE = date(1994, 2, 28), date(1994, 1, 31)


def with_contract(catalog: Catalog, name: str = CARDS, **fields: Any) -> Catalog:
    catalog.sources = catalog.sources | {name: replace(catalog.sources[name], **fields)}
    return catalog


def state(newest: date | None, rows: int = 0, of: str = CARDS, day: date = DAY) -> Spoil:
    """As of a day on which all else is delivered: for which date a contract last came, and with how many rows."""

    def spoil(tables: Any) -> None:
        for name in PRODUCTS:
            tables[name] = as_of(tables[name], day)
        put_where(COVERAGE, of, "delivered_through", newest)(tables)
        put_where(RECONCILIATION, of, "expected", Decimal(rows))(tables)

    return spoil


@pytest.mark.parametrize(
    ("day", "newest", "behind"),
    [
        (date(1994, 2, 27), BEFORE, 0),  # nothing is owed before the end of the month
        (DUE, BEFORE, 1),
        (date(1994, 3, 2), BEFORE, 3),
        (date(1994, 3, 3), BEFORE, 4),
        (date(1994, 3, 30), DUE, 0),
        (date(1994, 3, 30), date(1994, 2, 11), 0),  # any date of the month serves
    ],
)
def test_what_comes_monthly_is_behind_from_the_end_of_the_month_on(
    opened, catalog, day: date, newest: date, behind: int
) -> None:
    subject = opened(with_contract(catalog, frequency=MONTHLY), state(newest, day=day), day=day)
    late = carried(subject)
    assert (late.state, late.observed) == (
        ("passed", f"{int(behind > 0)} contracts carried") if behind <= 3 else
        ("failed", "card.account: 4 days behind, 3 allowed: monthly, due for 1994-02-28, by 01:15 bank time on "
         "1994-03-01; the last came for 1994-01-31; ask cards for it and run the night again")
    )  # fmt: skip
    assert fresh(subject, CARDS).observed.startswith(f"{days(behind)} behind" if behind else "monthly, next due for ")
    if newest != day:
        assert "no rows to judge" in delivered(subject, CARDS).observed


@pytest.mark.parametrize(("day", "passes"), [(date(1994, 3, 30), True), (date(1994, 3, 31), False)])
def test_a_required_contract_that_comes_monthly_is_asked_for_once_a_month(opened, catalog, day: date, passes) -> None:
    subject = opened(with_contract(catalog, PARTIES, frequency=MONTHLY), state(DUE, of=PARTIES, day=day), day=day)
    found = required(subject)
    assert (found.state == "passed") == passes
    assert passes or found.observed.startswith("core.party: monthly, due for 1994-03-31, by 01:15 bank time on 1994-04")


def test_data_may_be_as_far_behind_as_it_was_before_and_no_further(opened, catalog, tmp_path) -> None:
    for n, aged in ((1, 0), (2, 3)):
        earlier = DAY - timedelta(n)
        write_release(tmp_path / "releases", catalog, earlier, spoil=state(earlier - timedelta(aged), day=earlier))
    found = [fresh(opened(catalog, state(DAY - timedelta(n))), CARDS) for n in (3, 4)]
    assert [each.state for each in found] == ["passed", "failed"]
    assert found[1].observed == (
        "4 days behind: daily, due for 1994-03-28, by 01:15 bank time on 1994-03-29; the last came for 1994-03-27; "
        "in 2 releases before at most 3 days; ask cards for it and run the night again"
    )


def test_how_far_data_was_behind_before_is_counted_from_when_it_was_due(opened, catalog, tmp_path) -> None:
    with_contract(catalog, frequency=MONTHLY)
    for day in (date(1994, 2, 26), date(1994, 2, 27)):
        write_release(tmp_path / "releases", catalog, day, spoil=state(BEFORE, day=day))
    found = fresh(opened(catalog, state(BEFORE, day=DUE), day=DUE), CARDS)
    assert found.state == "failed" and "1 day behind" in found.observed and "at most 0 days" in found.observed


def test_what_a_bank_delivers_and_never_came_is_told_and_what_it_does_not_deliver_is_not(opened, catalog) -> None:
    unknown = put_where(COVERAGE, "crm.customer", "delivered_through", None)
    subject = opened(catalog, lambda tables: (state(None)(tables), unknown(tables)))
    assert carried(subject).observed.endswith(
        "due for 1993-01-01, by 01:15 bank time on 1993-01-02; nothing ever came; "
        "ask cards for it and run the night again"
    )
    assert fresh(subject, "crm.customer").observed == "no feed of the bank delivers it, or no mart rests on it"
    assert delivered(subject, "crm.customer").observed == fresh(subject, "crm.customer").observed


def month_ends(catalog: Catalog, shelf, rows: list[int]) -> None:
    """A release of each month's end, with what came for it, and one of the day after, with nothing."""
    for months, count in enumerate(rows, 1):
        end = date(1994 - (months > 2), (2 - months) % 12 + 1, 1) - timedelta(1)
        write_release(shelf, catalog, end, spoil=state(end, count, day=end))
        after = end + timedelta(1)
        write_release(shelf, catalog, after, spoil=state(end, day=after))


@pytest.mark.parametrize(("rows", "passes"), [(1000, True), (300, False), (0, False)])
def test_what_comes_monthly_is_held_against_its_own_last_deliveries(opened, catalog, tmp_path, rows, passes) -> None:
    with_contract(catalog, frequency=MONTHLY)
    month_ends(catalog, tmp_path / "releases", [1000] * 5)
    found = delivered(opened(catalog, state(DUE, rows, day=DUE), day=DUE), CARDS)
    usual = "1000 in the median of 5 earlier" if rows else "none of 5 deliveries before was empty"
    assert (found.state == "passed") == passes and found.observed.startswith(f"{rows} rows; {usual}")
    assert passes or found.observed.endswith("; for 1994-02-28, monthly: ask cards why")


def test_a_day_on_which_it_was_carried_is_no_delivery_of_nothing(opened, catalog, tmp_path) -> None:
    for n in range(1, 11):
        earlier = DAY - timedelta(n)
        came = n % 2 == 0
        spoil = state(earlier if came else earlier - timedelta(1), 1000 if came else 0, day=earlier)
        write_release(tmp_path / "releases", catalog, earlier, spoil=spoil)
    found = delivered(opened(catalog, state(DAY, 1000)), CARDS)
    assert found.observed.startswith("1000 rows; 1000 in the median of 5 earlier")


@pytest.mark.parametrize(
    ("before", "delivery", "daily", "why"),
    [
        ([5, 5, 5, 5], "append", True, ""),
        ([5, 5, 5, 5, 5], "append", True, "none of 5 deliveries before was empty"),
        ([5, 0, 5, 5, 5], "append", True, ""),
        ([], "full", True, ""),
        ([5, 0], "full", True, "5 in the delivery before"),
        ([5], "full", False, ""),  # the rows of a date in a history are no extract of all
        ([0], "full", True, ""),
    ],
)
def test_a_delivery_without_a_row_does_not_pass_as_few(
    opened, catalog, tmp_path, before: list[int], delivery: str, daily: bool, why: str
) -> None:
    with_contract(catalog, delivery=delivery)
    for n, rows in enumerate(before, 1):
        earlier = DAY - timedelta(n)
        write_release(tmp_path / "releases", catalog, earlier, spoil=state(earlier, rows, day=earlier))
    subject = opened(catalog, state(DAY, 0))
    subject.__dict__["daily"] = frozenset({CARDS} if daily else ())
    found = delivered(subject, CARDS)
    assert found.state == ("failed" if why else "passed") and found.observed.startswith("0 rows")
    assert not why or found.observed == f"0 rows; {why}; for 1994-03-31, daily: ask cards why"


@pytest.mark.parametrize(("rows", "passes"), [(9, False), (10, True), (20, True), (21, False), (0, False)])
def test_what_the_contract_says_of_rows_holds_from_the_first_delivery_on(opened, catalog, rows: int, passes) -> None:
    found = delivered(opened(with_contract(catalog, row_count=(10, 20)), state(DAY, rows)), CARDS)
    assert (found.state == "passed") == passes
    assert passes or found.observed == f"{rows} rows; the contract says 10 to 20; for 1994-03-31, daily: ask cards why"
