"""Weights, regression and measures against their definitions and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from pipelines.scoring import measure
from pipelines.scoring.binning import Class
from pipelines.scoring.fit import information, logistic, weights

RNG = np.random.default_rng(11)


def test_weights_are_logs_of_shares() -> None:
    found = [Class(900, 10), Class(100, 40), Class(0, 0)]
    first, second, empty = weights(found)
    assert first == pytest.approx(math.log((900.5 / 1001.5) / (10.5 / 51.5)))
    assert second == pytest.approx(math.log((100.5 / 1001.5) / (40.5 / 51.5)))
    assert empty == 0
    assert information(found) == pytest.approx((0.9 - 0.2) * first + (0.1 - 0.8) * second)


@pytest.mark.parametrize("penalty", [0.5, 5.0])
def test_the_regression_is_that_of_scikit_learn(penalty: float) -> None:
    x = RNG.normal(size=(3000, 4))
    good = RNG.random(3000) < 1 / (1 + np.exp(-(2 + x @ np.array([1.0, 0.5, 0.0, -0.3]))))
    theirs = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5000).fit(x, good)
    ours = logistic(x, good, penalty)
    assert ours[0] == pytest.approx(theirs.intercept_[0], abs=1e-4)
    assert ours[1:] == pytest.approx(theirs.coef_[0], abs=1e-4)


def test_measures_are_those_of_scikit_learn_and_scipy() -> None:
    score = RNG.integers(500, 560, 2000).astype(float)
    bad = RNG.random(2000) < (560 - score) / 300
    assert measure.auc(score, bad) == pytest.approx(roc_auc_score(~bad, score))
    assert measure.ks(score, bad) == pytest.approx(ks_2samp(score[bad], score[~bad]).statistic)
    low, high = measure.auc_interval(score, bad)
    assert low < measure.auc(score, bad) < high
    table = measure.deciles(score, np.full(2000, 0.1), bad)
    assert [n for n, *_ in table] == list(range(1, 11))
    assert sum(rows for _, rows, *_ in table) == 2000 and sum(bads for _, _, bads, *_ in table) == bad.sum()


def test_a_score_that_knows_nothing_has_an_area_of_a_half() -> None:
    bad = np.array([True, False] * 50)
    assert measure.auc(np.ones(100), bad) == 0.5
    assert measure.ks(np.ones(100), bad) == 0
