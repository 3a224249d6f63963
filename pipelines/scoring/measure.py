"""How well a score tells good from bad, and how right its probabilities are.

What belongs here: figures of a score against outcomes. What does not: how the score came about.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import rankdata

_TWO_SIDED = 1.959963984540054  # standard deviations around 95 in 100


def auc(score: np.ndarray, bad: np.ndarray) -> float:
    """The chance that a good party has the higher score of two, ties half (Mann-Whitney)."""
    goods, bads = int((~bad).sum()), int(bad.sum())
    ranks = rankdata(score)
    return float((ranks[~bad].sum() - goods * (goods + 1) / 2) / (goods * bads))


def auc_interval(score: np.ndarray, bad: np.ndarray) -> tuple[float, float]:
    """95 in 100 around `auc`, after Hanley and McNeil (1982)."""
    a, goods, bads = auc(score, bad), int((~bad).sum()), int(bad.sum())
    q1, q2 = a / (2 - a), 2 * a * a / (1 + a)
    deviation = math.sqrt((a * (1 - a) + (bads - 1) * (q1 - a * a) + (goods - 1) * (q2 - a * a)) / (goods * bads))
    return max(a - _TWO_SIDED * deviation, 0.0), min(a + _TWO_SIDED * deviation, 1.0)


def ks(score: np.ndarray, bad: np.ndarray) -> float:
    """The largest distance between the shares of bads and of goods below a score (Kolmogorov-Smirnov)."""
    at = np.unique(score)
    below = [np.searchsorted(np.sort(score[which]), at, side="right") / which.sum() for which in (bad, ~bad)]
    return float(np.abs(below[0] - below[1]).max())


def deciles(score: np.ndarray, pd: np.ndarray, bad: np.ndarray) -> list[tuple[int, int, int, float, float]]:
    """Decile from the lowest score, rows, defaults, mean probability and share of defaults."""
    order = np.argsort(score, kind="stable")
    return [
        (n, len(part), int(bad[part].sum()), float(pd[part].mean()), float(bad[part].mean()))
        for n, part in enumerate(np.array_split(order, 10), start=1)
        if len(part)
    ]
