"""How much better one score tells bad from good than another, on the same parties, and how sure that is.

Belongs here: AUC, KS and false positives of two scores, their differences, and intervals by resampling parties (the
same resample for both scores). Does not belong here: whose scores these are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RECALL = 0.7  # share of the bad that must be found where false positives are compared
_SEED, _AT_ONCE = 1, 50


@dataclass(frozen=True)
class Gain:
    """Differences are after less before, with 95 % intervals; false positives are relative to before, at the same
    recall."""

    auc_before: float
    auc_after: float
    auc: float
    auc_low: float
    auc_high: float
    ks: float
    ks_low: float
    ks_high: float
    recall: float
    false_positives: float
    false_positives_low: float
    false_positives_high: float


def gained(bad: np.ndarray, before: np.ndarray, after: np.ndarray, resamples: int, recall: float = RECALL) -> Gain:
    """Compare two scores, of which more means riskier. Raises ValueError unless some are bad and some are good."""
    bad = np.asarray(bad, dtype=bool)
    if not 0 < bad.sum() < len(bad):
        raise ValueError(f"{bad.sum()} of {len(bad)} are bad: nothing can be told apart")
    one = np.ones((1, len(bad)), dtype=np.float64)
    first, second = (_figures(bad, score, one, recall)[0] for score in (before, after))
    rng, drawn = np.random.default_rng(_SEED), []
    for start in range(0, resamples, _AT_ONCE):
        weights = rng.multinomial(len(bad), np.full(len(bad), 1 / len(bad)), min(_AT_ONCE, resamples - start)).astype(
            float
        )
        weights = weights[(weights[:, bad].sum(1) > 0) & (weights[:, ~bad].sum(1) > 0)]
        if len(weights):
            drawn.append(_change(_figures(bad, before, weights, recall), _figures(bad, after, weights, recall)))
    low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5], axis=0)
    change = _change(first[None], second[None])[0]
    auc, ks, false_positives = ((float(change[n]), float(low[n]), float(high[n])) for n in range(3))
    return Gain(float(first[0]), float(second[0]), *auc, *ks, recall, *false_positives)


def _change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    change = after - before
    change[:, 2] /= np.maximum(before[:, 2], 1)
    return change


def _figures(bad: np.ndarray, score: np.ndarray, weights: np.ndarray, recall: float) -> np.ndarray:
    """AUC, KS and false positives at `recall` for each row of weights."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])  # equal scores are one step
    found = np.cumsum(np.add.reduceat((weights * bad)[:, order], starts, axis=1), axis=1)
    raised = np.cumsum(np.add.reduceat((weights * ~bad)[:, order], starts, axis=1), axis=1)
    bads, goods = found[:, -1:], raised[:, -1:]
    hit, false = found / bads, raised / goods
    width = np.diff(false, axis=1, prepend=0)
    auc = (width * (hit - np.diff(hit, axis=1, prepend=0) / 2)).sum(1)
    enough = (hit >= recall - 1e-12).argmax(1)
    ks = np.maximum((hit - false).max(1), 0)
    return np.column_stack([auc, ks, raised[np.arange(len(raised)), enough]])
