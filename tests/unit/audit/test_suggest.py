"""Thresholds from what was published, robust against a release with a fault in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audit.suggest import Seen, as_policy, observe, smallest_groups, suggestions
from pipelines.contracts.load import Catalog

from .candidates import DAY, product_tables
from .earlier_releases import write_release
from .test_churn import without
from .test_defects import put

COVERAGE = "shared.coverage"
LIST, DECISION = "marketing.low_risk_list", "risk.low_risk_decision"
PRODUCTS = (LIST, DECISION, "shared.coverage", "shared.reconciliation")
EXITS = "gates.churn_max_exits"
shares = st.lists(st.floats(0, 1), min_size=5, max_size=60)


def suggested(catalog: Catalog, values: list[float]) -> float | None:
    (found,) = (one for one in suggestions(catalog, {EXITS: nightly(values)}) if one.name == EXITS and one.of is None)
    assert found.seen == found.nights == len(values)
    return found.suggested


def nightly(values: list[float], of: str = LIST) -> list[Seen]:
    return [Seen(of, f"release {n}", value) for n, value in enumerate(values)]


@given(values=shares)
def test_what_is_suggested_lets_pass_nearly_all_that_was_seen(whole_catalog: Catalog, values: list[float]) -> None:
    limit = suggested(whole_catalog, values)
    assert limit is not None
    assert sum(value > limit + 0.01 for value in values) <= max(1, 0.05 * len(values))
    assert limit >= 0.05


@given(values=shares)
def test_it_grows_with_what_was_seen(whole_catalog: Catalog, values: list[float]) -> None:
    assert suggested(whole_catalog, [2 * value for value in values]) >= suggested(whole_catalog, values)


def test_one_release_with_a_fault_does_not_make_faults_usual(whole_catalog: Catalog) -> None:
    assert suggested(whole_catalog, [0.02] * 40 + [1.0]) == 0.05
    assert suggested(whole_catalog, [0.1] * 40 + [1.0]) == 0.15


def test_a_few_releases_suggest_nothing(whole_catalog: Catalog) -> None:
    assert suggested(whole_catalog, [0.1] * 4) is None
    told = as_policy(suggestions(whole_catalog, {EXITS: nightly([0.1] * 4)}))
    assert (
        "churn_max_exits: 0.5  # too few releases to say, 5 are needed: 4 comparisons of 4 releases: median 0.1, "
        in told
    )
    assert "churn_max_entries: 0.5  # no two releases could be compared" in told


def test_many_comparisons_of_a_few_releases_are_a_few(whole_catalog: Catalog) -> None:
    seen = [Seen(f"list {n}", f"release {n % 4}", 0.1) for n in range(400)]
    found = suggestions(whole_catalog, {EXITS: seen})
    assert [one.suggested for one in found if one.name == EXITS] == [None] * 401


def test_each_list_is_told_by_itself(whole_catalog: Catalog) -> None:
    seen = {EXITS: [*nightly([0.1] * 9), *nightly([0.3] * 3, DECISION)]}
    told = as_policy(suggestions(whole_catalog, seen))
    assert f"    #   {LIST}: 0.15 by itself, 9 comparisons of 9 releases: median 0.1, 0.1 at 95%, largest 0.1" in told
    assert f"    #   {DECISION}: too few releases to say, 5 are needed: 3 comparisons of 3 releases" in told


def test_every_threshold_of_the_gates_is_learned_or_said_to_be_chosen(whole_catalog: Catalog) -> None:
    found = suggestions(whole_catalog, {})
    names = [name for name in whole_catalog.policy.thresholds if name.startswith("gates.")]
    assert [one.name for one in found] == names
    learned = {one.name.removeprefix("gates.") for one in found if not one.why.startswith("chosen, not learned: ")}
    assert learned == {
        "volume_max_change", "volume_max_robust_z", "fresh_max_carried_days", "churn_max_entries", "churn_max_exits",
        "queue_max_entries", "queue_max_exits", "drift_max_psi",
    }  # fmt: skip


def test_it_is_policy_that_can_be_read(whole_catalog: Catalog) -> None:
    found = suggestions(whole_catalog, {EXITS: nightly([0.1] * 9)})
    said = yaml.safe_load(as_policy(found, smallest_groups(whole_catalog, {})))["thresholds"]["gates"]
    now = {name: value for name, value in whole_catalog.policy.thresholds.items() if name.startswith("gates.")}
    assert {f"gates.{name}": value for name, value in said.items()} == now | {EXITS: 0.15}


def test_of_groups_is_told_what_was_published_and_nothing_suggested(whole_catalog: Catalog) -> None:
    rate = "shared.authorisation_rate"
    told = smallest_groups(whole_catalog, {rate: nightly([10.0, 20.0, 30.0], rate)})
    assert (
        told[-1]
        == f"{rate}: consent.min_group 10, chosen to protect people: 3 rows of 3 releases, the smallest of 10, 11 at 5%"
    )
    assert all(line.endswith("no row was published") for line in told[:-1])


def test_releases_are_held_against_those_before_them(tmp_path, catalog) -> None:
    thresholds = catalog.policy.thresholds | {"gates.churn_min_members": 5.0, "gates.volume_min_rows": 10.0}
    catalog.__dict__["policy"] = replace(catalog.policy, thresholds=thresholds)
    shelf, room = tmp_path / "shelf", tmp_path / "room"
    room.mkdir()
    days = [DAY - timedelta(n) for n in (3, 2, 1)]
    made = [write_release(shelf, catalog, day, spoil=without(LIST, 0, 20 - 5 * n)) for n, day in enumerate(days)]
    seen = observe(catalog, shelf, [(path, "pkdd99", day) for path, day in zip(made, days, strict=True)], room)
    assert sorted((one.of, one.value) for one in seen[EXITS] if one.value) == [(LIST, 5 / 20), (LIST, 5 / 15)]
    assert {one.release for one in seen[EXITS]} == {path.name for path in made[1:]}
    assert max(one.value for one in seen["gates.volume_max_change"]) == pytest.approx(7.5 / 17.5)
    assert "gates.volume_max_robust_z" not in seen  # of two releases nobody knows the spread
    assert list(room.iterdir()) == []
    assert {path.name for path in shelf.iterdir()} == {path.name for path in made}


@pytest.mark.slow
def test_what_is_learned_is_the_smallest_limit_that_would_have_passed(tmp_path, catalog) -> None:
    """Of ages the days beyond any before, of numbers of rows how many deviations off they are, by the spread before."""
    thresholds = catalog.policy.thresholds | {"gates.min_releases": 3.0, "gates.volume_min_rows": 10.0}
    catalog.__dict__["policy"] = replace(catalog.policy, thresholds=thresholds)
    shelf, room = tmp_path / "shelf", tmp_path / "room"
    room.mkdir()
    ages, made = (0, 2, 1, 5), []
    for n, days in enumerate(ages):
        day = DAY - timedelta(4 - n)

        def spoil(tables, n=n, came=day - timedelta(days)) -> None:
            put(COVERAGE, "delivered_through", came, 0)(tables)
            without(LIST, 0, 20 - n)(tables)

        made.append((write_release(shelf, catalog, day, spoil=spoil), "pkdd99", day))
    seen = observe(catalog, shelf, made, room)
    late = product_tables(catalog, 1)[COVERAGE]["contract"][0].as_py()
    assert [one.value for one in seen["gates.fresh_max_carried_days"] if one.of == late] == [2.0, 0.0, 5.0]
    assert not any(one.value for one in seen["gates.fresh_max_carried_days"] if one.of != late)
    off = [one.value for one in seen["gates.volume_max_robust_z"] if one.of == LIST]
    assert off == [pytest.approx(2 / 19**0.5)]
