"""The intervals of the results: against the tables that were published of them.

Newcombe, Statistics in Medicine 17 (1998): 857-872, table I, method 3; and 873-890, table II, method 10.
"""

from __future__ import annotations

import pytest

from benchmarks.simulated_bank.effects import difference, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "published"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_of_a_share(successes: int, trials: int, published: tuple[float, float]) -> None:
    assert wilson(successes, trials) == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize(
    ("counts", "published"),
    [((56, 70, 48, 80), (0.0524, 0.3339)), ((9, 10, 3, 10), (0.1705, 0.8090)), ((5, 56, 0, 29), (-0.0381, 0.1926)),
     ((0, 10, 0, 20), (-0.1611, 0.2775)), ((10, 10, 0, 10), (0.6075, 1.0))],
)  # fmt: skip
def test_of_a_difference(counts: tuple[int, int, int, int], published: tuple[float, float]) -> None:
    assert difference(*counts) == pytest.approx(published, abs=5e-5)
