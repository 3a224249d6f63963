"""Bins: the bad share moves one way, no bin is too small, nobody is lost between them."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from pipelines.scoring.binning import Limits, classes

LIMITS = Limits(fine_classes=10, min_share=0.05, min_bads=3)
values = st.one_of(st.none(), st.integers(-5, 40).map(Decimal), st.decimals(-3, 3, places=2))


@pytest.mark.slow
@given(st.lists(st.tuples(values, st.booleans()), min_size=30, max_size=200), st.sampled_from(["rises", "falls"]))
@settings(max_examples=150, deadline=None)
def test_the_bad_share_moves_one_way_and_everybody_is_in_one_bin(rows, risk) -> None:
    given_values, bad = [value for value, _ in rows], np.array([b for _, b in rows])
    missing, found = classes(given_values, bad, risk, LIMITS)
    assert missing.rows == sum(value is None for value in given_values)
    assert missing.rows + sum(one.rows for one in found) == len(rows)
    assert missing.bads + sum(one.bads for one in found) == bad.sum()
    rates = [one.rate for one in found]
    assert all(a < b if risk == "rises" else a > b for a, b in pairwise(rates))
    known = len(rows) - missing.rows
    if len(found) > 1:
        assert all(one.rows >= LIMITS.min_share * known and one.bads >= LIMITS.min_bads for one in found)
    bounds = [one.below for one in found]
    assert not found or (bounds[-1] is None and bounds[:-1] == sorted(set(bounds[:-1])))


@given(st.lists(st.tuples(values, st.booleans()), min_size=30, max_size=200))
@settings(max_examples=50, deadline=None)
def test_a_bin_counts_those_below_its_bound_and_not_below_the_one_before(rows) -> None:
    _, found = classes([value for value, _ in rows], np.array([b for _, b in rows]), "rises", LIMITS)
    least = Decimal("-Infinity")
    for one in found:
        most = Decimal("Infinity") if one.below is None else one.below
        inside = [bad for value, bad in rows if value is not None and least <= value < most]
        assert (len(inside), sum(inside)) == (one.rows, one.bads)
        least = most


def test_pooling_alone_is_isotonic_regression() -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 12, 4000)
    bad = rng.random(4000) < np.array([0.02, 0.05, 0.03, 0.03, 0.08, 0.06, 0.1, 0.2, 0.15, 0.15, 0.3, 0.28])[x]
    _, found = classes(list(x), bad, "rises", Limits(fine_classes=400, min_share=0.0, min_bads=0))
    fitted = IsotonicRegression().fit(x, bad).predict(x)
    edges = [float(one.below) for one in found[:-1]]
    ours = np.array([found[n].rate for n in np.searchsorted(edges, x, side="right")])
    assert np.abs(ours - fitted).max() < 1e-12


def test_words_are_joined_with_those_of_the_nearest_share() -> None:
    words = ["A"] * 50 + ["B"] * 50 + ["C"] * 4 + [True] * 50
    bad = np.array([i % 50 < n for n, k in ((5, 50), (20, 50), (4, 4), (6, 50)) for i in range(k)])
    _, found = classes(words, bad, "by_value", LIMITS)
    assert [set(one.values) for one in found] == [{"A"}, {"true"}, {"B", "C"}]
