"""The comparison of PKDD'99 loans on the list and off it, on a bank small enough to count by hand."""

from datetime import date
from pathlib import Path

import pytest

from benchmarks.pkdd99_outcomes import Group, Outcome, committed_before, compared, later_loans, lines, told

AFTER = date(1994, 3, 31)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Three owners and somebody who may dispose of an account; loans before, on and after the date."""
    (tmp_path / "disp.asc").write_text(
        '"disp_id";"client_id";"account_id";"type"\n'
        '1;"10";"1";"OWNER"\n2;"11";"1";"DISPONENT"\n3;"20";"2";"OWNER"\n4;"30";"3";"OWNER"\n'
    )
    (tmp_path / "loan.asc").write_text(
        '"loan_id";"account_id";"date";"amount";"duration";"payments";"status"\n'
        '1;"1";"930705";1;1;1;"B"\n2;"1";"940331";1;1;1;"B"\n3;"1";"940401";1;1;1;"A"\n'
        '4;"2";"951231";1;1;1;"D"\n5;"3";"980101";1;1;1;"C"\n6;"2";"960101";1;1;1;"B"\n'
    )
    return tmp_path


def test_loans_are_those_granted_after_the_date_and_belong_to_the_owner(raw: Path):
    loans = later_loans(raw, AFTER).sort("client_id", "bad")
    assert loans.rows() == [("10", False), ("20", True), ("20", True), ("30", False)]


def test_loans_are_counted_on_the_list_off_it_and_where_nobody_was_judged(raw: Path):
    listed = {"10": True, "20": False}
    groups, odds, p = compared(later_loans(raw, AFTER), listed)
    assert [(group.name, group.loans, group.bad) for group in groups] == [
        ("listed", 1, 0), ("not listed", 2, 2), ("account opened later", 1, 0),
    ]  # fmt: skip
    assert odds == 0
    # One table of three with these margins: of three loans with two bad ones, the listed one is good by chance once.
    assert p == pytest.approx(1 / 3)


def test_the_lady_tasting_tea():
    """Fisher's own table: 3 of 4 right, p of both sides .486 (The Design of Experiments, 1935)."""
    import polars as pl

    clients = [f"{n}" for n in range(8)]
    loans = pl.DataFrame({"client_id": clients, "bad": [True, True, True, False, True, False, False, False]})
    *_, p = compared(loans, {client: n < 4 for n, client in enumerate(clients)})
    assert p == pytest.approx(0.4857, abs=1e-4)


def test_a_group_of_nobody_has_no_share():
    told = lines(Outcome(AFTER, "r", "1.0.0", 0, (Group("listed", 0, 0, None, None, None),), 1.0, 1.0))
    assert told[-1] == "| listed | 0 | 0 | | |"


def test_the_page_says_whether_the_policy_is_that_of_before_the_outcomes():
    said = told(Outcome(AFTER, "r", "1.0.0", 0, (Group("listed", 1, 0, 0.0, 0.0, 0.8),), 1.0, 1.0))
    assert ("before outcomes were first read" in said[0]) == (committed_before() is True)
