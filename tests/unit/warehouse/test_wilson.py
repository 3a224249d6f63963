"""The Wilson interval of the calibration matrix, and what policy makes of its bounds.

Published: Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (score, without continuity correction).
"""

from __future__ import annotations

from decimal import Decimal

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pipelines.settings import PROJECT

MACROS = PROJECT / "dbt_project" / "macros"
POLICY = {
    "calibration.min_borrowers": 50, "calibration.max_bad_rate": 0.05, "calibration.safe_bad_rate": 0.03,
    "calibration.min_contacted": 50, "calibration.worth_conversion_rate": 0.05,
}  # fmt: skip
TRIALS = st.integers(1, 1_000_000)
Z = 1.959964


def rendered(name: str, call: str) -> str:
    environment = jinja2.Environment()
    environment.globals["policy"] = lambda threshold: str(POLICY[threshold])
    return environment.from_string((MACROS / name).read_text(encoding="utf-8") + call).render()


INTERVAL = "select " + ", ".join(
    rendered("wilson.sql", f"{{{{ wilson('k', 'n', {Z}, '{bound}') }}}}") for bound in ("low", "high")
)
REASON = "select " + rendered("marts/calibration_reason.sql", "{{ calibration_reason() }}")


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        yield con


def bounds(con, successes: int, trials: int) -> tuple[Decimal, Decimal]:
    return con.execute(f"{INTERVAL} from (select cast(? as bigint) as k, cast(? as bigint) as n)",
                       [successes, trials]).fetchone()  # fmt: skip


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, "0.2553", "0.3662"), (15, 148, "0.0624", "0.1605"), (0, 20, "0", "0.1611"), (1, 29, "0.0061", "0.1718")],
)
def test_published_intervals(con, successes: int, trials: int, low: str, high: str) -> None:
    assert bounds(con, successes, trials) == (Decimal(low), Decimal(high))


def test_without_a_trial_there_is_none(con) -> None:
    assert bounds(con, 0, 0) == (None, None)


@given(st.data())
def test_as_another_implementation_has_it(con, data) -> None:
    trials = data.draw(st.integers(1, 5000))
    successes = data.draw(st.integers(0, trials))
    other = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    found = bounds(con, successes, trials)
    assert [float(bound) for bound in found] == pytest.approx([other.low, other.high], abs=6e-5)


@given(st.data())
def test_it_holds_the_rate_and_rises_with_it(con, data) -> None:
    trials = data.draw(TRIALS)
    successes = data.draw(st.integers(0, trials))
    low, high = bounds(con, successes, trials)
    assert 0 <= low <= Decimal(successes) / trials + Decimal("0.00005")
    assert Decimal(successes) / trials - Decimal("0.00005") <= high <= 1
    if successes < trials:
        next_low, next_high = bounds(con, successes + 1, trials)
        assert (next_low, next_high) >= (low, high)
        assert next_high >= high
    assert (low == 0) or successes > 0
    assert (high == 1) or successes < trials


@given(st.integers(1, 2000), st.integers(2, 20), st.data())
def test_more_of_the_same_narrows_it(con, trials: int, times: int, data) -> None:
    successes = data.draw(st.integers(0, trials))
    (low, high), (more_low, more_high) = bounds(con, successes, trials), bounds(con, successes * times, trials * times)
    assert low <= more_low
    assert more_high <= high


def reason(con, band: str, people: tuple[int, int], bad: tuple[str, str], converted: str) -> str:
    borrowers, contacted = people
    row = [band, borrowers, contacted, Decimal(bad[0]), Decimal(bad[1]), Decimal(converted)]
    named = ("band", "borrowers", "contacted", "bad_low", "bad_high", "converted")
    columns = dict(zip(named, row, strict=True))
    sql = (
        f"{REASON} from (select $band as pd_band, $borrowers as borrowers, $contacted as contacted, "
        "$bad_low as bad_rate_low, $bad_high as bad_rate_high, $converted as conversion_rate_low)"
    )
    return con.execute(sql, columns).fetchone()[0]


@pytest.mark.parametrize(
    ("expected", "band", "people", "bad", "converted"),
    [
        ("pd_not_known", "not_evaluable", (99, 99), ("0.9", "1"), "0.9"),
        ("too_few_borrowers", "low", (49, 99), ("0.9", "1"), "0.9"),
        ("surely_bad", "low", (50, 0), ("0.0501", "1"), "0"),
        ("bad_rate_not_settled", "low", (50, 99), ("0.05", "0.06"), "0.9"),
        ("bad_rate_not_settled", "low", (50, 99), ("0", "0.03"), "0.9"),
        ("too_few_contacted", "low", (50, 49), ("0", "0.0299"), "0.9"),
        ("conversion_not_settled", "low", (50, 50), ("0", "0.0299"), "0.05"),
        ("surely_safe_and_worth_it", "low", (50, 50), ("0", "0.0299"), "0.0501"),
    ],
)
def test_reasons_at_their_limits(con, expected, band, people, bad, converted) -> None:
    assert reason(con, band, people, bad, converted) == expected


@given(st.integers(50, 3000), st.integers(50, 3000), st.data())
def test_more_defaults_never_relax(con, borrowers: int, contacted: int, data) -> None:
    order = ["surely_safe_and_worth_it", "conversion_not_settled", "bad_rate_not_settled", "surely_bad"]
    fewer, more = sorted(data.draw(st.lists(st.integers(0, borrowers), min_size=2, max_size=2)))
    converted = bounds(con, data.draw(st.integers(0, contacted)), contacted)[0]
    said = [
        reason(con, "medium", (borrowers, contacted), tuple(map(str, bounds(con, bads, borrowers))), str(converted))
        for bads in (fewer, more)
    ]
    assert order.index(said[0]) <= order.index(said[1])


@given(st.integers(50, 100_000), st.integers(1, 3))
def test_one_person_more_shows_in_one_of_fifty_cells(people: int, more: int) -> None:
    """What marketing is told of a cell, before and after some join it: the difference is none or a whole step."""
    steps = [count // 50 * 50 for count in (people, people + more)]
    assert steps[0] >= 50
    assert steps[1] - steps[0] in (0, 50)
