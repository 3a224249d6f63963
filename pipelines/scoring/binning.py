"""Bins of one column: fine classes of equal size, then pooled until the bad share moves one way and each is big enough.

What belongs here: where the bounds lie. What does not: points, and which columns are used.

Ayer et al., An empirical distribution function for sampling with incomplete information (1955): pool adjacent
violators.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np

Risk = Literal["rises", "falls", "by_value"]


@dataclass(frozen=True)
class Limits:
    """How small a bin may be: its share of the rows, and the defaults in it; and in how many classes binning begins."""

    fine_classes: int
    min_share: float
    min_bads: int


@dataclass
class Class:
    """A bin with what was seen in it; `below` is empty for the last one, `values` for numbers."""

    goods: int
    bads: int
    below: Decimal | None = None
    values: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Parties in it."""
        return self.goods + self.bads

    @property
    def rate(self) -> float:
        """Share of bads."""
        return self.bads / self.rows if self.rows else 0.0


def classes(values: list[Any], bad: np.ndarray, risk: Risk, limits: Limits) -> tuple[Class, list[Class]]:
    """The class of what is missing, which may be empty, and the others in order; one where nothing tells apart."""
    known = np.array([value is not None for value in values])
    missing = Class(int((~known & ~bad).sum()), int((~known & bad).sum()))
    if not known.any():
        return missing, []
    given = [value for value in values if value is not None]
    found = _of_words(given, bad[known], limits) if risk == "by_value" else _of_numbers(given, bad[known], risk, limits)
    return missing, found


def _of_numbers(given: list[Any], bad: np.ndarray, risk: Risk, limits: Limits) -> list[Class]:
    numbers = np.array([float(value) for value in given])
    bounds = sorted({_written(cut) for cut in _cuts(numbers, limits.fine_classes) if cut > numbers.min()})
    edges = [float(bound) for bound in bounds]
    place = np.searchsorted(np.array(edges), numbers, side="right")
    found = [
        Class(int((~bad[place == n]).sum()), int(bad[place == n].sum()), bounds[n] if n < len(bounds) else None)
        for n in range(len(bounds) + 1)
    ]
    found = [one for one in found if one.rows or one.below is None]
    sign = 1 if risk == "rises" else -1
    while (at := _violation(found, sign)) is not None or (at := _too_small(found, limits, len(given))) is not None:
        found[at : at + 2] = [_joined(found[at], found[at + 1])]
    return found


def _cuts(numbers: np.ndarray, fine_classes: int) -> list[float]:
    """Bounds of equal parts; of those above the least value by themselves, where many have that, mostly none at all."""
    shares, more = np.linspace(0, 1, fine_classes + 1)[1:-1], numbers[numbers > numbers.min()]
    cuts = np.quantile(numbers, shares, method="higher").tolist()
    if more.size and cuts[len(cuts) // 2] == numbers.min():
        cuts += [float(more.min()), *np.quantile(more, shares, method="higher").tolist()]
    return cuts


def _of_words(given: list[Any], bad: np.ndarray, limits: Limits) -> list[Class]:
    words = np.array([str(value).lower() if isinstance(value, bool) else str(value) for value in given])
    found = [
        Class(int((~bad[words == word]).sum()), int(bad[words == word].sum()), values=(word,))
        for word in sorted(set(words.tolist()))
    ]
    found.sort(key=lambda one: (one.rate, one.values))
    while (at := _too_small(found, limits, len(given))) is not None:
        found[at : at + 2] = [_joined(found[at], found[at + 1])]
    return found


def _violation(found: list[Class], sign: int) -> int | None:
    """The first class after which the bad share does not move as it should."""
    return next((n for n in range(len(found) - 1) if sign * (found[n + 1].rate - found[n].rate) <= 0), None)


def _too_small(found: list[Class], limits: Limits, rows: int) -> int | None:
    """The left one of the two to join: the smallest class below the limits, and its neighbour of the nearer share."""
    if len(found) < 2:
        return None
    small = [n for n, one in enumerate(found) if one.rows < limits.min_share * rows or one.bads < limits.min_bads]
    if not small:
        return None
    at = min(small, key=lambda n: (found[n].rows, n))
    if at in (0, len(found) - 1):
        return 0 if at == 0 else at - 1
    left, right = (abs(found[n].rate - found[at].rate) for n in (at - 1, at + 1))
    return at - 1 if left <= right else at


def _joined(left: Class, right: Class) -> Class:
    return Class(left.goods + right.goods, left.bads + right.bads, right.below, left.values + right.values)


def _written(cut: float) -> Decimal:
    """A bound as a card writes it: four digits that count, at most four decimals."""
    return Decimal(f"{Decimal(f'{cut:.4g}'):f}").quantize(Decimal("0.0001")).normalize()
