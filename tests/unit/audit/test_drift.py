"""How far distributions lie apart, whether chance explains it, and what of a product is compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from pipelines.audit import drift
from pipelines.audit.drift import counts, stable

from .candidates import DAY, with_values
from .earlier_releases import write_release

DECISION = "risk.low_risk_decision"
PRODUCTS = (DECISION, "shared.coverage", "shared.reconciliation")
EVE, MANY = DAY - timedelta(1), 400
rows = st.lists(st.integers(0, 500), min_size=2, max_size=12)
values = st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=1, max_size=80).map(np.array)


@given(rows)
def test_what_did_not_change_has_not_drifted(row: list[int]) -> None:
    found = drift.drift("a", np.array(row), np.array(row))
    assert found.psi == pytest.approx(0)
    assert found.p == pytest.approx(1)


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12))
def test_the_index_is_the_same_both_ways_and_never_negative(pairs: list[tuple[int, int]]) -> None:
    before, now = np.array(pairs).T
    there, back = drift.drift("a", before, now), drift.drift("a", now, before)
    assert there.psi == pytest.approx(back.psi)
    assert there.psi >= 0


@given(st.lists(st.tuples(st.integers(20, 500), st.integers(20, 500)), min_size=2, max_size=12))
def test_the_test_is_chi_square_of_homogeneity(pairs: list[tuple[int, int]]) -> None:
    table = np.array(pairs).T
    oracle = chi2_contingency(table, correction=False)
    found = drift.drift("a", *table)
    assert (found.chi_square, found.freedom) == (pytest.approx(oracle.statistic), oracle.dof)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-6)


def test_rare_bins_are_put_together() -> None:
    found = drift.drift("a", np.array([100, 100, 1, 0, 2]), np.array([100, 100, 0, 2, 1]))
    assert found.freedom == 2
    assert drift.drift("a", np.array([3]), np.array([4])).freedom == 0


@given(values, values, st.integers(2, 10))
def test_every_value_falls_into_one_bin(before: np.ndarray, now: np.ndarray, bins: int) -> None:
    old, new = counts(before, now, bins)
    assert (old.sum(), new.sum()) == (len(before), len(now))
    assert (old[-1], new[-1]) == (np.isnan(before).sum(), np.isnan(now).sum())
    assert len(old) == len(new) <= bins + 2


def test_few_rows_do_not_alarm_and_many_do() -> None:
    """With 30 rows the index alone says drift in most cases where there is none; with the test it never does."""
    draw = np.random.default_rng(6)
    alone = together = 0
    for _ in range(300):
        found = drift.drift("a", *counts(draw.normal(size=30), draw.normal(size=30), 10))
        alone += found.psi > 0.25
        together += found.psi > 0.25 and found.p < 0.001
    assert alone > 200
    assert together <= 1
    moved = drift.drift("a", *counts(draw.normal(size=2000), draw.normal(loc=0.7, size=2000), 10))
    assert moved.psi > 0.25 and moved.p < 0.001


def spread(column: str, chosen: list):
    """Let a column have these values, over and over."""

    def spoil(tables: dict[str, pa.Table]) -> None:
        times = -(-tables[DECISION].num_rows // len(chosen))
        tables[DECISION] = with_values(tables[DECISION], column, (chosen * times)[: tables[DECISION].num_rows])

    return spoil


@pytest.mark.parametrize(
    ("column", "before", "now"),
    [
        ("income_periods", [1, 2, 3, 4, 5, 6], [0, 1]),
        ("warning_severity", ["none", "yellow"], ["red"]),
        ("was_included", [True, False], [True]),
        ("income_periods", [1, 2, 3], [None]),
    ],
)
def test_a_column_that_drifted_is_named(opened, catalog, tmp_path, column: str, before: list, now: list) -> None:
    mart = catalog.products[DECISION]
    named = {**{c.name: c for c in mart.columns}}
    columns = tuple(replace(named[c.name], history=None) for c in mart.columns)
    catalog.products[DECISION] = replace(mart, columns=columns)
    if enum := catalog.products[DECISION].column(column).enum:
        before, now = list(enum[:2]), [enum[-1]]
    write_release(tmp_path / "releases", catalog, EVE, MANY, spread(column, before))
    found = stable(opened(catalog, spread(column, now), MANY), DECISION)
    assert found.state == "failed"
    assert f"{column}: PSI " in found.observed
    assert "degrees, p " in found.observed
    again = stable(opened(catalog, spread(column, before), MANY), DECISION)
    assert (again.state, "the largest is" in again.observed) == ("passed", True)


def test_what_moves_for_everybody_at_once_is_no_drift_of_parties(opened, catalog, tmp_path) -> None:
    product = catalog.products[DECISION]
    moved = tuple(replace(c, history="shared" if c.name == "income_periods" else None) for c in product.columns)
    catalog.products[DECISION] = replace(product, columns=moved)
    write_release(tmp_path / "releases", catalog, EVE, MANY, spread("income_periods", [1]))
    assert stable(opened(catalog, spread("income_periods", [2]), MANY), DECISION).state == "passed"


def test_days_that_are_counted_grow_by_a_day_and_none_stay_none(opened, catalog, tmp_path) -> None:
    product = catalog.products[DECISION]
    counted = tuple(replace(c, history="counted" if c.name == "income_periods" else None) for c in product.columns)
    catalog.products[DECISION] = replace(product, columns=counted)
    write_release(tmp_path / "releases", catalog, EVE, MANY, spread("income_periods", [0, 1, 4]))
    assert stable(opened(catalog, spread("income_periods", [0, 2, 5]), MANY), DECISION).state == "passed"
    assert stable(opened(catalog, spread("income_periods", [0, 1, 4]), MANY), DECISION).state == "failed"


def test_the_same_parties_are_compared_however_many_there_are(opened, catalog, tmp_path) -> None:
    write_release(tmp_path / "releases", catalog, EVE, MANY)
    subject = opened(catalog, None, MANY)
    thresholds = {**catalog.policy.thresholds, "gates.drift_sample_rows": 100.0, "gates.drift_min_rows": 10.0}
    catalog.__dict__["policy"] = replace(catalog.policy, thresholds=thresholds)
    table = subject.tables.need(DECISION)
    found = drift.compare(subject, table, subject.past.latest.file(table.contract), 1)
    assert found.rows[0] == found.rows[1]
    assert 60 < found.rows[0] < 140


def test_without_enough_rows_or_an_earlier_release_nothing_is_judged(opened, catalog, tmp_path) -> None:
    assert stable(opened(catalog), DECISION).observed == "this is the first release: nothing to compare with"
    write_release(tmp_path / "releases", catalog, EVE)
    assert "too few to judge" in stable(opened(catalog), DECISION).observed
