"""The figures of docs/simulated-bank.md keep their ranges: in a world other than the one that the page shows."""

from __future__ import annotations

import pytest

from benchmarks.simulated_bank.figures import Figure, figures
from benchmarks.simulated_bank.observe import observe
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import build_world

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> list[Figure]:
    return figures(observe(build_world(load_settings(), 30_000, 5), 365))


def test_every_figure_keeps_its_range(found: list[Figure]) -> None:
    assert [f"{each.name}: {each.value:.4f} not in {each.low} to {each.high}" for each in found if not each.holds] == []


def test_a_figure_that_imitates_one_says_whose_and_the_others_that_they_are_assumptions(found: list[Figure]) -> None:
    for each in found:
        assert (each.published is None) == (each.source == "assumption"), each.name
        assert each.published is None or each.low <= each.published <= each.high or each.name in LOWER, each.name


#: Where this bank is meant to differ from the country, by less than its range says.
LOWER: set[str] = set()
