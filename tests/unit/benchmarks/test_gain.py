"""Two scores compared: figures as scikit-learn has them, and differences that are none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from benchmarks.gain import gained

SCORES = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=60)


@given(SCORES, st.sampled_from([0.3, 0.5, 0.7, 1.0]))
def test_figures_as_another_implementation_has_them(rows, recall: float) -> None:
    bad, before, after = (np.array(column) for column in zip(*rows, strict=True))
    assume(0 < bad.sum() < len(bad))
    found = gained(bad, before.astype(float), after.astype(float), 20, recall)
    assert found.auc_before == pytest.approx(roc_auc_score(bad, before))
    assert found.auc_after == pytest.approx(roc_auc_score(bad, after))
    assert found.auc == pytest.approx(found.auc_after - found.auc_before)
    ks, false = [], []
    for score in (before, after):
        raised, hit, _ = roc_curve(bad, score, drop_intermediate=False)
        ks.append((hit - raised).max())
        false.append(raised[hit >= recall - 1e-9].min() * (~bad).sum())
    assert found.ks == pytest.approx(ks[1] - ks[0])
    assert found.false_positives == pytest.approx((false[1] - false[0]) / max(false[0], 1))


def test_the_same_score_gains_nothing() -> None:
    rng = np.random.default_rng(3)
    bad, score = rng.random(500) < 0.1, rng.random(500)
    found = gained(bad, score, score, 100)
    assert (found.auc, found.auc_low, found.auc_high, found.ks, found.false_positives) == (0, 0, 0, 0, 0)


def test_a_signal_that_is_added_is_seen_and_noise_is_not() -> None:
    rng = np.random.default_rng(3)
    known, hidden = rng.standard_normal(4000), rng.standard_normal(4000)
    bad = rng.random(4000) < 1 / (1 + np.exp(3 - known - hidden))
    signal = gained(bad, known, known + hidden, 300)
    assert 0 < signal.auc_low < signal.auc < signal.auc_high
    assert signal.false_positives_high < 0
    noise = gained(bad, known, known + rng.standard_normal(4000), 300)
    assert noise.auc_high < 0


def test_without_bad_or_good_nothing_is_compared() -> None:
    with pytest.raises(ValueError, match="nothing can be told apart"):
        gained(np.zeros(5, dtype=bool), np.arange(5.0), np.arange(5.0), 10)
