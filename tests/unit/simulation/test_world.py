"""The world: drawn alike from the same seed, shaped as its settings say, and coherent in itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipelines.simulation.accounts import CORPORATE
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.companies import CORE
from pipelines.simulation.distress import DEFAULT_DAYS
from pipelines.simulation.settings import load_settings
from pipelines.simulation.streams import Streams
from pipelines.simulation.world import World, build_world


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(load_settings(), 8000, 11)


def arrays(part: object) -> dict[str, np.ndarray]:
    found = {}
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        value = getattr(part, field.name)
        found |= arrays(value) if dataclasses.is_dataclass(value) else {field.name: value}
    return found


def test_the_same_seed_gives_the_same_world_and_another_another(world: World) -> None:
    again, other = build_world(load_settings(), 8000, 11), build_world(load_settings(), 8000, 12)
    for name in ("people", "companies", "stalls", "accounts", "loans", "declined", "cards", "positions", "staff"):
        same, different = arrays(getattr(again, name)), arrays(getattr(other, name))
        for column, values in arrays(getattr(world, name)).items():
            np.testing.assert_array_equal(values, same[column], f"{name}.{column}")
        assert any(not np.array_equal(v, different[c]) for c, v in arrays(getattr(world, name)).items())


def test_a_stream_depends_on_seed_name_and_period_alone() -> None:
    first = Streams(1).of("a", 3).random(4)
    np.testing.assert_array_equal(first, Streams(1).of("a", 3).random(4))
    for other in (Streams(2).of("a", 3), Streams(1).of("b", 3), Streams(1).of("a", 4), Streams(1).of("a")):
        assert not np.array_equal(first, other.random(4))


def test_the_bank_has_as_many_customers_as_asked_for_when_the_world_begins(world: World) -> None:
    assert (world.people.join <= 0).sum() == 8000
    joining = (world.people.join > 0) & (world.people.join < NEVER)
    growth = world.settings.population.yearly_growth * world.settings.horizon_days / 365
    assert joining.sum() == pytest.approx(8000 * growth, rel=0.02)


def test_households_are_those_of_the_census(world: World) -> None:
    sizes = np.bincount(world.people.household)
    assert sizes.mean() == pytest.approx(2.62, abs=0.06)  # Seventh National Population Census, 2020
    spouses = np.flatnonzero(world.people.spouse >= 0)
    other = world.people.spouse[spouses]
    np.testing.assert_array_equal(world.people.spouse[other], spouses)
    np.testing.assert_array_equal(world.people.household[other], world.people.household[spouses])
    assert (world.people.female[other] != world.people.female[spouses]).all()


def test_a_default_is_ninety_days_after_the_first_missed_instalment_and_that_after_the_shock(world: World) -> None:
    for timeline in (world.people.timeline, world.companies.timeline):
        missed, failed = timeline.miss < NEVER, timeline.default < NEVER
        assert (failed <= missed).all() and failed.any()
        assert (timeline.default[failed] - timeline.miss[failed] == DEFAULT_DAYS).all()
        assert (timeline.miss[missed] >= timeline.shock[missed] + 10).all()
        assert (timeline.cure[failed] > timeline.default[failed]).all()
        healed = missed & ~failed
        assert (timeline.cure[healed] - timeline.miss[healed] < DEFAULT_DAYS).all()


def test_distress_rises_from_the_shock_to_the_first_missed_instalment_and_fades_after_the_cure(world: World) -> None:
    timeline = world.people.timeline
    rows = np.flatnonzero((timeline.miss < 900) & (timeline.shock > 0) & (timeline.cure < 900))
    assert len(rows)
    for row in rows[:50]:
        series = [float(timeline.distress(int(day))[row]) for day in range(timeline.shock[row] - 2, timeline.cure[row])]
        assert series[:2] == [0.0, 0.0] and series == sorted(series)
        assert series[-1] == pytest.approx(timeline.depth[row])
        assert timeline.distress(int(timeline.cure[row] + 61))[row] == 0.0


def test_default_comes_from_latent_risk(world: World) -> None:
    risky = world.people.risk > 0
    failed = world.people.default < NEVER
    assert failed[risky].mean() > 2 * failed[~risky].mean()


def test_products_belong_to_customers_and_begin_after_they_join(world: World) -> None:
    accounts, people, companies = world.accounts, world.people, world.companies
    firms = accounts.cls == CORPORATE
    np.testing.assert_array_equal(firms, accounts.is_company)
    assert (accounts.opened[~firms] >= people.join[accounts.holder[~firms]]).all()
    assert (accounts.opened[firms] >= companies.join[accounts.holder[firms]]).all()
    shared = accounts.second >= 0
    assert (people.join[accounts.second[shared]] <= accounts.opened[shared]).all()
    assert (world.cards.account >= 0).all()
    np.testing.assert_array_equal(accounts.holder[world.cards.account], world.cards.holder)
    assert (world.loans.account >= 0).all()
    np.testing.assert_array_equal(accounts.holder[world.loans.account], world.loans.borrower)
    assert (world.loans.granted > world.loans.applied).all()
    assert (world.positions.redeemed > world.positions.acquired).all()


def test_an_investor_buys_only_what_the_risk_level_allows(world: World) -> None:
    grades = np.array([product.risk for product in world.wealth_products])
    level = world.people.investor_level[world.positions.person]
    assert (grades[world.positions.product] <= level).all()


def test_a_ring_shares_a_device_and_nobody_else_has_it(world: World) -> None:
    people = world.people
    rings = range(people.ring.max() + 1)
    assert len(rings) >= 2
    low, high = world.settings.planted.ring_size
    for ring in rings:
        members = np.flatnonzero(people.ring == ring)
        assert low <= len(members) <= high
        assert len(set(people.device[members])) == 1
        strangers = np.setdiff1d(np.flatnonzero(people.device == people.device[members[0]]), members)
        assert (people.household[strangers] == people.household[people.device[members[0]]]).all()


def test_in_a_guarantee_circle_each_company_stands_for_the_next(world: World) -> None:
    loans = world.loans
    circles = [circle for circle in np.unique(loans.circle) if circle >= 0]
    assert circles
    for circle in circles:
        rows = np.flatnonzero(loans.circle == circle)
        assert loans.is_company[rows].all() and len(rows) >= 3
        assert sorted(loans.guarantor[rows]) == sorted(loans.borrower[rows])
        assert (loans.guarantor[rows] != loans.borrower[rows]).all()


def test_suppliers_hang_on_core_enterprises(world: World) -> None:
    chained = world.companies.core >= 0
    assert chained.sum() > 10
    assert (world.companies.size[world.companies.core[chained]] == CORE).all()


def test_who_is_held_out_is_drawn_by_lot_and_effects_differ_by_person(world: World) -> None:
    for campaign in world.campaigns[:5]:
        members = world.members(campaign)
        share, count = members.held_out.mean(), len(members.person)
        expected = world.settings.campaigns.holdout_share
        assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / count)
        assert members.effect.std() > 0.005
        gap = members.base[members.held_out].mean() - members.base[~members.held_out].mean()
        assert abs(gap) < 4 * members.base.std() / np.sqrt(members.held_out.sum())
        assert ((members.base + members.effect) > 0).all()
