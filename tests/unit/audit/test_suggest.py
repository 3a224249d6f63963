"""Thresholds from what was published, robust against a release with a fault in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audit.suggest import as_policy, observe, suggestions
from pipelines.contracts.load import Catalog

from .candidates import DAY
from .earlier_releases import write_release
from .test_churn import without

LIST, DECISION = "marketing.low_risk_list", "risk.low_risk_decision"
PRODUCTS = (LIST, DECISION, "shared.coverage", "shared.reconciliation")
EXITS = "gates.churn_max_exits"
shares = st.lists(st.floats(0, 1), min_size=5, max_size=60)


def suggested(catalog: Catalog, values: list[float]) -> float | None:
    (found,) = (one for one in suggestions(catalog, {EXITS: values}) if one.name == EXITS)
    return found.suggested


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
    told = as_policy(suggestions(whole_catalog, {EXITS: [0.1] * 4}))
    assert "too few to say: 4 comparisons, the largest 0.100; now 0.5" in told


def test_it_is_policy_that_can_be_read(whole_catalog: Catalog) -> None:
    found = suggestions(whole_catalog, {EXITS: [0.1] * 9})
    assert yaml.safe_load(as_policy(found))["thresholds"]["gates"]["churn_max_exits"] == 0.15
    assert all(one.name in whole_catalog.policy.thresholds for one in found)


def test_releases_are_held_against_those_before_them(tmp_path, catalog) -> None:
    thresholds = catalog.policy.thresholds | {"gates.churn_min_members": 5.0, "gates.volume_min_rows": 10.0}
    catalog.__dict__["policy"] = replace(catalog.policy, thresholds=thresholds)
    shelf, room = tmp_path / "shelf", tmp_path / "room"
    room.mkdir()
    days = [DAY - timedelta(n) for n in (3, 2, 1)]
    made = [write_release(shelf, catalog, day, spoil=without(LIST, 0, 20 - 5 * n)) for n, day in enumerate(days)]
    seen = observe(catalog, shelf, [(path, "pkdd99", day) for path, day in zip(made, days, strict=True)], room)
    assert sorted(value for value in seen[EXITS] if value) == [5 / 20, 5 / 15]
    assert max(seen["gates.volume_max_change"]) == pytest.approx(7.5 / 17.5)
    assert list(room.iterdir()) == []
    assert {path.name for path in shelf.iterdir()} == {path.name for path in made}
