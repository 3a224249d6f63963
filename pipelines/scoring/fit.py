"""Weights of evidence and the logistic regression on them.

What belongs here: numbers in, numbers out. What does not: where the rows come from, and points.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize

from pipelines.scoring.binning import Class

_HALF = 0.5  # added to goods and bads of a class, so that one without bads has a finite weight


def weights(found: list[Class]) -> list[float]:
    """Weight of evidence of each class: log of its share of goods over its share of bads; zero for an empty one."""
    goods = sum(one.goods for one in found) + _HALF * len(found)
    bads = sum(one.bads for one in found) + _HALF * len(found)
    return [
        math.log((one.goods + _HALF) / goods) - math.log((one.bads + _HALF) / bads) if one.rows else 0.0
        for one in found
    ]


def information(found: list[Class]) -> float:
    """Information value: how far the shares of goods and bads are apart over all classes."""
    goods, bads = sum(one.goods for one in found), sum(one.bads for one in found)
    of = zip(found, weights(found), strict=True)
    return sum((one.goods / goods - one.bads / bads) * weight for one, weight in of if one.rows)


def logistic(x: np.ndarray, good: np.ndarray, penalty: float) -> np.ndarray:
    """Intercept and coefficients of the log odds of `good`; L2 with `penalty`, which spares the intercept."""
    design = np.column_stack([np.ones(len(x)), x])
    sign = np.where(good, 1.0, -1.0)

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (design @ b)
        value = float(np.logaddexp(0.0, -margin).sum() + penalty / 2 * (b[1:] @ b[1:]))
        gradient = -(design * (sign / (1.0 + np.exp(np.clip(margin, -500, 500))))[:, None]).sum(axis=0)
        gradient[1:] += penalty * b[1:]
        return value, gradient

    start = np.zeros(design.shape[1])
    start[0] = math.log(good.sum() / max((~good).sum(), 1))
    done = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-9})
    return np.asarray(done.x)
