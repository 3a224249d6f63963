"""What a list tells of the probability of default: against figures that can be reckoned, and leaks that are planted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.mutual_information import beyond_band, binned, information, mutual_information, told_by_list


def test_bits_are_those_of_the_formula() -> None:
    assert mutual_information("aabb", "xxyy") == 1
    assert mutual_information("aabb", "xyxy") == 0
    # H(1/3) = log2 3 - 2/3
    assert mutual_information("aab", "xxy") == pytest.approx(math.log2(3) - 2 / 3)


def test_bins_are_of_about_equal_size_and_equal_values_stay_together() -> None:
    assert np.bincount(binned(range(100))).tolist() == [20] * 5
    assert len(set(binned([0.5] * 10))) == 1


def test_the_interval_holds_what_is_told() -> None:
    rng = np.random.default_rng(3)
    left = rng.integers(0, 2, 2000)
    right = np.where(rng.random(2000) < 0.9, left, 1 - left)
    truth = 1 + 0.9 * math.log2(0.9) + 0.1 * math.log2(0.1)
    found = information(left.tolist(), right.tolist())
    assert found.low < truth < found.high and found.rows == 2000
    nothing = information(left.tolist(), rng.permutation(right).tolist())
    assert nothing.bits < 0.005


def listed(rows: int = 3000, seed: int = 5) -> tuple[list[str], np.ndarray, np.random.Generator]:
    """Bands, and probabilities of default that the band tells much of."""
    rng = np.random.default_rng(seed)
    band = rng.choice(list("ABC"), rows, p=[0.7, 0.2, 0.1])
    centre = np.select([band == "A", band == "B"], [0.005, 0.01], 0.02)
    return band.tolist(), centre * np.exp(rng.normal(0, 0.4, rows)), rng


def test_what_follows_from_the_band_or_is_the_same_of_all_tells_nothing_beyond_it() -> None:
    band, pd, rng = listed()
    columns = {
        "families": [{"A": "all", "B": "some", "C": "few"}[one] for one in band],
        "business_date": ["2026-01-01"] * len(band),
        "coin": rng.integers(0, 4, len(band)).tolist(),
    }
    assert not [leak for leak in beyond_band(columns, band, pd, draws=300) if leak.leaks]


@pytest.mark.parametrize("strength", [1.0, 0.2])
def test_a_planted_column_is_caught_as_such_and_in_the_row(strength: float) -> None:
    band, pd, rng = listed()
    told = np.where(rng.random(len(pd)) < strength, np.asarray(pd) > np.median(pd), rng.random(len(pd)) < 0.5)
    columns = {"band": band, "planted": told.tolist(), "(row)": list(zip(band, told.tolist(), strict=True))}
    assert {leak.column for leak in beyond_band(columns, band, pd, draws=300) if leak.leaks} == {"planted", "(row)"}


@pytest.mark.slow
def test_no_more_lists_cry_wolf_than_the_level_allows() -> None:
    false_alarms = 0
    for seed in range(40):
        band, pd, rng = listed(400, seed)
        columns = {name: rng.integers(0, 3, len(band)).tolist() for name in "abc"}
        false_alarms += any(leak.leaks for leak in beyond_band(columns, band, pd, seed, draws=300))
    assert false_alarms <= 3  # of 40 at 1 %


def test_membership_and_band_are_told_in_bits() -> None:
    band, pd, rng = listed()
    bad = 0.2 + rng.random(1000)
    told = told_by_list([True] * len(pd) + [False] * 1000, [*band, *[None] * 1000], [*pd, *bad])
    assert told["membership"].low > 0.4 and told["band"].low > 0.1
