"""Who defaulted when, against a walk through the days: on each, what is due is held against what was paid by then."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.scoring.outcome import outcomes
from pipelines.settings import Home, InputError

START, DAY, DAYS, PAST = date(2025, 1, 1), date(2025, 6, 1), 120, 90
END = DAY + timedelta(days=DAYS)
HOLDING = "insert into intermediate.int_holding values (?, ?, ?, 'owner', ?, ?)"
CARD = "insert into staging.stg_card__account values (?, ?, 'credit', ?, ?)"
# Of each instalment of 100 on the first of a month: after how many days it was paid, or never.
months = st.lists(st.one_of(st.none(), st.integers(-3, 200)), min_size=1, max_size=10)
bills = st.lists(st.booleans(), min_size=2, max_size=10)  # whether the minimum was paid


def dues(payments: list[int | None]) -> list[tuple[date, date | None]]:
    days = [START + timedelta(days=30 * n) for n in range(len(payments))]
    return [
        (due, None if late is None else due + timedelta(days=late)) for due, late in zip(days, payments, strict=True)
    ]


def build(home: Home, loans: dict[str, list[int | None]], cards: dict[str, list[bool]], last: date = END) -> None:
    home.warehouse.parent.mkdir(parents=True, exist_ok=True)
    home.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute(
            f"""begin; create schema staging; create schema intermediate;
            create table intermediate.int_processed_date as select 'd' as digest, date '{last}' as business_date;
            create table staging.stg_loan__repayment (repayment_key text, loan_key text, event text, event_date date,
                instalment_no bigint, amount decimal(18,2), business_date date);
            create table staging.stg_card__statement (statement_key text, card_key text, statement_date date,
                due_date date, minimum_due decimal(18,2), paid_amount decimal(18,2), business_date date);
            create table staging.stg_loan__contract (loan_key text, account_key text, valid_from date, valid_to date);
            create table staging.stg_card__account (card_key text, holding_key text, card_kind text, valid_from date,
                valid_to date);
            create table intermediate.int_holding (holding_key text, account_key text, party_id text, role text,
                valid_from date, valid_to date)"""
        )
        always = ["2025-01-01", "9999-12-31"]
        for key, payments in loans.items():
            con.execute("insert into staging.stg_loan__contract values (?, ?, ?, ?)", [key, f"a{key}", *always])
            con.execute(
                "insert into intermediate.int_holding values (?, ?, ?, 'owner', ?, ?)",
                [f"h{key}", f"a{key}", key, *always],
            )
            for no, (due, paid) in enumerate(dues(payments), start=1):
                rows = [["due", due]] + ([["paid", paid]] if paid else [])
                for event, day in rows:
                    con.execute(
                        "insert into staging.stg_loan__repayment values (?, ?, ?, ?, ?, 100, ?)",
                        [f"{key}{event}{no}", key, event, day, no, max(day, START)],
                    )
        for key, paid in cards.items():
            con.execute(
                "insert into staging.stg_card__account values (?, ?, 'credit', ?, ?)", [key, f"h{key}", *always]
            )
            con.execute(
                "insert into intermediate.int_holding values (?, ?, ?, 'owner', ?, ?)",
                [f"h{key}", f"a{key}", key, *always],
            )
            for no, before in enumerate([True, *paid]):
                closed = START + timedelta(days=30 * no)
                con.execute(
                    "insert into staging.stg_card__statement values (?, ?, ?, ?, 50, ?, ?)",
                    [f"{key}{no}", key, closed, closed + timedelta(days=20), 50 if before else 10, closed],
                )
        con.execute("commit")


def loan_goes_bad(payments: list[int | None]) -> bool:
    events = dues(payments)
    for n in range(1, DAYS + 1):
        day = DAY + timedelta(days=n)
        settled = sum(1 for _, paid in events if paid is not None and max(paid, START) <= day)
        unpaid = [due for place, (due, _) in enumerate(events) if due <= day and place >= settled]
        if unpaid and (day - unpaid[0]).days == PAST:
            return True
    return False


def card_goes_bad(paid: list[bool]) -> bool:
    """`paid[n]` says of statement n, by statement n + 1, whether its minimum was paid."""
    for n in range(1, DAYS + 1):
        day = DAY + timedelta(days=n)
        # Whether it was paid may become known after that day; by then only what is known counts.
        known = [one for place, one in enumerate(paid) if START + timedelta(days=30 * (place + 1)) <= day]
        last = max((place for place, one in enumerate(known) if one), default=-1)
        unpaid = [
            START + timedelta(days=30 * place + 20) for place, one in enumerate(known) if place > last and not one
        ]
        if unpaid and (day - unpaid[0]).days == PAST:
            return True
    return False


@pytest.mark.slow
@given(st.lists(months, min_size=1, max_size=6), st.lists(bills, min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_defaults_are_those_of_a_walk_through_the_days(tmp_path_factory, loans, cards) -> None:
    home = Home(tmp_path_factory.getbasetemp() / "outcome")
    build(home, {f"l{n}": one for n, one in enumerate(loans)}, {f"c{n}": one for n, one in enumerate(cards)})
    found = dict(outcomes(home, DAY, DAYS, PAST).iter_rows())
    expected = {f"l{n}": loan_goes_bad(one) for n, one in enumerate(loans)}
    expected |= {f"c{n}": card_goes_bad(one) for n, one in enumerate(cards)}
    assert found == expected


def test_what_is_not_known_yet_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    build(home, {"l1": [None]}, {}, last=END - timedelta(days=1))
    with pytest.raises(InputError, match=f"what came of {DAY} is known on {END}"):
        outcomes(home, DAY, DAYS, PAST)
