"""Bits that one thing tells of another: with an interval, and against what chance would.

Belongs here: mutual information, the permutation null of what a column tells beyond the band of a list, and nothing of
homes. Does not belong here: which lists and nights are looked at (`benchmarks.list_information`), and that a list is
refused which tells more (`tests/pipeline`).

Mutual information: Shannon (1948); its bias at small counts by Miller (1955), (rows - 1) * (columns - 1) / (2 n ln 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PD_BINS = 5
_LEVEL = 0.01  # of all columns together, after Bonferroni


@dataclass(frozen=True)
class Information:
    """Bits that one thing tells of another, less their bias, with the 95 % interval of a bootstrap."""

    bits: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class Leak:
    """What a column tells of the probability of default beyond the band, and what it may by chance."""

    column: str
    bits: float
    allowed: float

    @property
    def leaks(self) -> bool:
        """Whether it tells more than chance would."""
        return self.bits > self.allowed


def binned(values: Sequence[float], bins: int = PD_BINS) -> np.ndarray:
    """Bins of about equal size; equal values are in one bin."""
    numbers = np.asarray(values, dtype=float)
    edges = np.quantile(numbers, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(np.unique(edges), numbers, side="right")


def mutual_information(one: Sequence[object], other: Sequence[object]) -> float:
    """Bits that the two tell of each other in these rows, as counted."""
    return _bits(_table(_codes(one), _codes(other)))


def information(one: Sequence[object], other: Sequence[object], seed: int = 0, draws: int = 200) -> Information:
    """Bits less their bias, never below zero, with the interval of `draws` bootstrap samples."""
    left, right = _codes(one), _codes(other)
    rng, rows = np.random.default_rng(seed), len(left)
    found = []
    for _ in range(draws):
        drawn = rng.integers(0, rows, rows)
        found.append(_unbiased(_table(left[drawn], right[drawn])))
    low, high = np.quantile(found, [0.025, 0.975])
    return Information(_unbiased(_table(left, right)), float(low), float(high), rows)


def told_by_list(
    included: Sequence[bool], band: Sequence[str | None], pd: Sequence[float], seed: int = 0
) -> dict[str, Information]:
    """What membership tells of the probability of default among all, and the band among those who are listed."""
    member = np.asarray(included, dtype=bool)
    numbers, bands = np.asarray(pd, dtype=float), np.asarray(band, dtype=object)
    return {
        "membership": information(member.tolist(), binned(numbers).tolist(), seed),
        "band": information(bands[member].tolist(), binned(numbers[member]).tolist(), seed),
    }


def beyond_band(
    columns: dict[str, Sequence[object]], band: Sequence[object], pd: Sequence[float], seed: int = 0, draws: int = 2000
) -> list[Leak]:
    """What each column of the list tells of the probability of default given the band, and what chance allows.

    `band` is whatever else is given: of nights that are joined, the bands of all of them.
    The null: probabilities are dealt anew within each band. Allowed is what all of the columns together would exceed by
    chance in 1 % of cases (Bonferroni), estimated from `draws` deals.
    """
    bands, classes = _codes(band), np.zeros(len(band), dtype=int)
    numbers = np.asarray(pd, dtype=float)
    groups = [np.flatnonzero(bands == code) for code in range(bands.max() + 1)] if len(bands) else []
    for group in groups:
        classes[group] = binned(numbers[group])
    codes = {name: _codes(values) for name, values in columns.items()}
    rng, null = np.random.default_rng(seed), {name: np.empty(draws) for name in codes}
    for draw in range(draws):
        dealt = classes.copy()
        for group in groups:
            dealt[group] = rng.permutation(dealt[group])
        for name, code in codes.items():
            null[name][draw] = _given(code, dealt, groups)
    level = 1 - _LEVEL / max(len(codes), 1)
    return [
        Leak(name, _given(code, classes, groups), float(np.quantile(null[name], level, method="higher")))
        for name, code in codes.items()
    ]


def _given(one: np.ndarray, other: np.ndarray, groups: Sequence[np.ndarray]) -> float:
    rows = sum(map(len, groups))
    bits = sum(len(group) / rows * _bits(_table(one[group], other[group])) for group in groups)
    # Sums of the same terms in another order differ in their last digits, and in nothing else.
    return round(float(bits), 12)


def _codes(values: Sequence[object]) -> np.ndarray:
    place = {value: n for n, value in enumerate(sorted(set(values), key=repr))}
    return np.array([place[value] for value in values], dtype=int)


def _table(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    if not len(one):
        return np.zeros((1, 1))
    width = int(other.max()) + 1
    counts = np.bincount(one * width + other, minlength=(int(one.max()) + 1) * width)
    return counts.reshape(-1, width).astype(float)


def _bits(table: np.ndarray) -> float:
    rows = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    seen = table > 0
    return float((table[seen] / rows * np.log2(table[seen] * rows / expected[seen])).sum()) if rows else 0.0


def _unbiased(table: np.ndarray) -> float:
    rows = table.sum()
    used = (table.sum(axis=1) > 0).sum() - 1, (table.sum(axis=0) > 0).sum() - 1
    return float(max(0.0, _bits(table) - used[0] * used[1] / (2 * rows * math.log(2)))) if rows else 0.0
