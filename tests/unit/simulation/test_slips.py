"""Slips: few, where they are declared, the same every time, and bad enough to be set apart."""

from __future__ import annotations

import pytest
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.simulation.run import all_emitters
from pipelines.simulation.settings import load_settings
from pipelines.simulation.slips import SLIPS, slip
from pipelines.simulation.world import World, build_world


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(load_settings(), 20_000, 3)


@pytest.mark.parametrize("place", SLIPS, ids=".".join)
def test_some_rows_of_some_days_break_their_contract_and_never_too_many(
    world: World, catalog: Catalog, place: tuple[str, str]
) -> None:
    contract, source = catalog.sources[place[0]], place[1]
    emit, found = all_emitters()[place], 0
    for day in range(5, 45, 2):
        right = emit(world, day, source)
        frame = slip(world, contract, source, day, right)
        assert frame.equals(slip(world, contract, source, day, right)) and frame.schema == right.schema
        wrong = (frame[SLIPS[place].column].ne_missing(right[SLIPS[place].column])).sum()
        assert wrong <= len(frame) * contract.reject_limit
        found += wrong
    assert found


def test_what_is_not_declared_is_left_alone(world: World, catalog: Catalog) -> None:
    frame = all_emitters()["core.account", "core"](world, 3, "core")
    assert slip(world, catalog.sources["core.account"], "core", 3, frame) is frame
