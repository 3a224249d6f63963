"""The warning that wages have stopped, under the project's own policy: day by day, as the silence goes on."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import date, timedelta

import duckdb
import pytest

from pipelines.contracts.load import Catalog

from .conftest import Compiled

LAST_PAY = date(2025, 6, 10)
PAID_ON = [date(2025, month, 10) for month in range(1, 7)]
NAMES = ("early_warning.income_months", "early_warning.min_income_months", "low_risk.min_period_income")


@pytest.fixture(scope="module")
def silence(compiled: Compiled, catalog: Catalog) -> dict[int, int]:
    """Days without income as the model tells them, by the days that have passed since the last pay."""
    sql = re.sub(r"read_parquet\('[^']*policy[^']*'\)", "policy", compiled.models["int_party_income_change"])
    sql = sql.replace('"warehouse"."intermediate".', "")
    with closing(duckdb.connect()) as con:
        con.execute("create table policy (name text, value double)")
        con.executemany("insert into policy values (?, ?)", [[n, float(catalog.policy.thresholds[n])] for n in NAMES])
        con.execute("create table int_as_of_date (business_date date)")
        con.executemany("insert into int_as_of_date values (?)", [[LAST_PAY + timedelta(n)] for n in range(250)])
        con.execute(
            "create table int_party_account_day (party_id text, business_date date, income_amount decimal(18, 2))"
        )
        con.executemany("insert into int_party_account_day values ('P', ?, 3000)", [[day] for day in PAID_ON])
        found = con.execute(f"select business_date, days_since_income from ({sql})").fetchall()
    return {(day - LAST_PAY).days: days for day, days in found}


def test_every_day_of_silence_is_counted_until_the_months_that_are_looked_at_are_over(
    silence, catalog: Catalog
) -> None:
    assert all(days == passed for passed, days in silence.items())
    longest = max(silence)
    assert sorted(silence) == list(range(longest + 1)), "a warning went away while nothing changed"
    months = float(catalog.policy.thresholds["early_warning.income_months"])
    assert 28 * months < longest < 31 * (months + 1)


def test_both_thresholds_are_reached_and_no_pay_day_is_a_warning(silence, catalog: Catalog) -> None:
    yellow, red = (
        float(catalog.policy.thresholds[f"early_warning.wages_stopped_{level}"]) for level in ("yellow", "red")
    )
    assert 31 < yellow < red < max(silence)
