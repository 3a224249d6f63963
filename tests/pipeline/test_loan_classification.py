"""Five categories, the ratio of non-performing loans, roll rates and vintages of the simulated bank, recomputed.

Belongs here: what the marts hold on a night, against `classification_oracle`. Does not belong here: each limit of the
ladders, and cases that this bank does not have (the unit tests of the models).
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from classification_oracle import CLASSES, Facility, classified, facilities
from customer_360_oracle.bank import Bank
from customer_360_oracle.credit import arrears, events_of_loans
from customer_360_oracle.window import ZERO, months_later, share, total
from simulated import NIGHT

from pipelines.settings import Home

pytestmark = pytest.mark.slow
Night = tuple[Path, date]


@pytest.fixture(scope="module")
def night(request: pytest.FixtureRequest) -> Night:
    """A home and the night it stands on; another one, with a longer history, can be named in the environment."""
    if named := os.environ.get("CLASSIFICATION_HOME"):
        home, _, day = named.rpartition("@")
        return Path(home), date.fromisoformat(day)
    return request.getfixturevalue("simbank").home, NIGHT


@pytest.fixture(scope="module")
def con(night: Night) -> Any:
    with closing(duckdb.connect(str(Home(night[0]).warehouse), read_only=True)) as con:
        yield con


@pytest.fixture(scope="module")
def oracle(night: Night) -> list[Facility]:
    return classified(*night)


def rows(con: Any, sql: str, night: Night) -> list[dict[str, Any]]:
    found = con.execute(sql, [night[1]])
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def segment(facility: Facility, kinds: dict[str, str]) -> str:
    if facility.kind == "card":
        return "card"
    return "non_retail" if any(kinds[party] == "organisation" for party in facility.debtors) else "retail"


def month_before(day: date) -> date:
    return months_later(day, -1)


def test_every_facility_has_the_class_of_the_articles(con, night: Night, oracle: list[Facility]) -> None:
    mart = {
        (row["facility_kind"], row["facility_key"]): row
        for row in rows(con, "from marts.loan_classification where business_date = ?", night)
    }
    assert mart.keys() == {facility.key for facility in oracle}
    assert len(mart) == len(oracle) > 100
    for facility in oracle:
        row = mart[facility.key]
        told = (
            row["days_past_due"],
            row["outstanding_amount"],
            row["overdue_class"],
            row["risk_class"],
            row["party_id"],
        )
        expected = (
            facility.days, facility.amount, CLASSES[facility.by_days], CLASSES[facility.level], min(facility.debtors),
        )  # fmt: skip
        assert told == expected
        fired = {rule.partition(":")[0] for rule in (row["rules"] or "").split(";") if rule}
        beyond = {rule for rule in fired if not rule.startswith(("overdue", "card_", "technical_overdue"))}
        assert beyond == facility.reasons
        assert (row["deciding_rule"] in fired) == bool(facility.level or fired)


def test_the_ratio_is_that_of_the_classes(con, night: Night, oracle: list[Facility]) -> None:
    kinds = Bank(*night).kinds
    mart = {row["segment"]: row for row in rows(con, "from marts.npl_ratio where business_date = ?", night)}
    assert mart.keys() == {"retail", "non_retail", "card", "all"}
    for name, row in mart.items():
        mine = [each for each in oracle if name in ("all", segment(each, kinds))]
        balance = {c: total(f.amount or ZERO for f in mine if CLASSES[f.level] == c) for c in CLASSES}
        counted = Counter(CLASSES[f.level] for f in mine)
        assert row["facilities"] == len(mine)
        assert row["facilities_amount_unknown"] == sum(f.amount is None for f in mine)
        assert {c: row[f"facilities_{c}"] for c in CLASSES} == {c: counted[c] for c in CLASSES}
        if mine:
            assert {c: row[f"balance_{c}"] for c in CLASSES} == balance
            bad = balance["substandard"] + balance["doubtful"] + balance["loss"]
            assert row["npl_ratio"] == (share(bad, sum(balance.values())) if sum(balance.values()) else None)


def test_a_party_has_the_worst_class_of_what_it_owes(con, night: Night, oracle: list[Facility]) -> None:
    worst: dict[str, int] = defaultdict(int)
    for facility in oracle:
        for party in facility.debtors:
            worst[party] = max(worst[party], facility.level)
    sql = (
        "select party_id, is_evaluable, worst_class from intermediate.int_party_classification where business_date = ?"
    )
    found = {row["party_id"]: row for row in rows(con, sql, night)}
    for party, row in found.items():
        assert (row["is_evaluable"], row["worst_class"]) == (
            (True, CLASSES[worst[party]]) if party in worst else (False, None)
        )
    assert worst.keys() <= found.keys()


def test_facilities_rolled_from_where_they_were_a_month_ago(con, night: Night, oracle: list[Facility]) -> None:
    home, day = night
    then = Bank(home, month_before(day))
    moves: Counter[tuple[str, str, str]] = Counter()
    amounts: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    now = {facility.key: bucket(facility.days) for facility in oracle}
    for facility in facilities(then) if then.delivered("loan.repayment", "card.statement") == 2 else []:
        for name in (segment(facility, then.kinds), "all"):
            move = (name, bucket(facility.days), now.get(facility.key, "closed"))
            moves[move] += 1
            amounts[move] += facility.amount or ZERO
    mart = rows(con, "from marts.roll_rate where business_date = ?", night)
    told = {(row["segment"], row["from_bucket"], row["to_bucket"]): row for row in mart}
    assert {move: row["facilities"] for move, row in told.items()} == moves
    assert {move: row["amount_before"] for move, row in told.items()} == amounts
    for (name, source, _), row in told.items():
        of_bucket = sum(count for move, count in moves.items() if move[:2] == (name, source))
        assert row["share_of_facilities"] == share(row["facilities"], of_bucket)


def bucket(days: int) -> str:
    """M0, or one for every 30 days begun; M7 has no end."""
    return f"M{min(-(-days // 30), 7)}"


def test_vintages_count_the_days_on_which_a_loan_was_in_arrears(con, night: Night) -> None:
    """Each loan is walked through its life day by day."""
    home, day = night
    bank = Bank(home, day)
    events, start = events_of_loans(bank), bank.first_row("loan.repayment")
    accounts = {row["account_key"] for row in bank.on_record("core.account")}
    first: dict[str, tuple[date, dict[int, date]]] = {}
    for loan in bank.on_record("loan.contract"):
        mine = events[loan["loan_key"]]
        numbers = [row["instalment_no"] for each in mine.values() for row in each]
        whole = min(numbers) == 1 if numbers else not months_later(loan["granted_on"], 1) < start
        if whole and loan["account_key"] in accounts:
            first[loan["loan_key"]] = (loan["granted_on"], crossings(mine, loan["granted_on"], day))
    mart = rows(con, "from marts.vintage where segment = 'all' and business_date = ?", night)
    told_of = {(row["granted_month"], row["months_on_book"]) for row in mart}
    cohorts = {granted.replace(day=1) for granted, _ in first.values()}
    assert told_of == {(c, n) for c in cohorts for n in range(1, 1000) if months_later(c, n + 1) <= day}
    for row in mart:
        month, months = row["granted_month"], row["months_on_book"]
        cohort = [each for each in first.values() if each[0].replace(day=1) == month]
        told = [row["loans"], row["loans_ever_early"], row["loans_ever_late"]]
        ever = [
            sum(limit in c and c[limit] <= months_later(granted, months) for granted, c in cohort) for limit in (30, 90)
        ]
        assert told == [len(cohort), *ever], row
        assert months_later(month, months + 1) <= day


def crossings(events: dict[str, list[dict[str, Any]]], granted: date, last: date) -> dict[int, date]:
    """The first day on which a loan was more than so many days past due, as it was known on that day."""
    found: dict[int, date] = {}
    if arrears(events, last)[1] == 0 and all(_at_once(row, events["paid"]) for row in events["due"]):
        return found
    for n in range((last - granted).days + 1):
        day = granted + timedelta(n)
        known = {kind: [row for row in each if row["known"] <= day] for kind, each in events.items()}
        days = arrears(known, day)[1]
        for limit in (30, 90):
            if days > limit:
                found.setdefault(limit, day)
    return found


def _at_once(due: dict[str, Any], paid: list[dict[str, Any]]) -> bool:
    """Whether an instalment was paid within a month, so that no day need be walked for it."""
    return any(
        row["instalment_no"] == due["instalment_no"] and row["amount"] >= due["amount"]
        and (row["known"] - due["event_date"]).days <= 30
        for row in paid
    )  # fmt: skip
