"""How many rows are usual, and how fresh data is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from project import project_catalog

from pipelines.audit.run import audit_candidate
from pipelines.audit.volume import _judged, delivered, published

from .candidates import DAY, write_candidate
from .earlier_releases import write_manifest, write_release
from .test_defects import put_where

LIST, DECISION = "marketing.low_risk_list", "risk.low_risk_decision"
COVERAGE, RECONCILIATION = "shared.coverage", "shared.reconciliation"
PRODUCTS = (LIST, DECISION, COVERAGE, RECONCILIATION)


class Limits:
    """The thresholds of the project, and nothing to look at."""

    catalog = project_catalog()

    def threshold(self, name: str) -> float:
        return self.catalog.policy.thresholds[name]


LIMITS = Limits()
SHARE, LEAST = LIMITS.threshold("gates.volume_max_change"), LIMITS.threshold("gates.volume_min_rows")
many = st.integers(int(LEAST), 10**7)


@given(many, st.integers(1, 40))
def test_as_many_as_ever_is_usual(rows: int, releases: int) -> None:
    assert _judged(LIMITS, rows, [rows] * releases).state == "passed"


@given(many, st.integers(1, 40), st.floats(0, 6))
def test_where_rows_were_always_as_many_the_share_alone_decides(usual: int, releases: int, factor: float) -> None:
    rows = int(usual * factor)
    few, many = sorted((rows, usual))
    step = (1 - SHARE) ** (1 if releases >= LIMITS.threshold("gates.min_releases") else 2)
    assume(abs(few / many - step) > 1e-9)
    assert (_judged(LIMITS, rows, [usual] * releases).state == "failed") == (few / many < step)


@given(st.integers(0, int(LEAST) - 1), st.lists(st.integers(0, int(LEAST) - 1), min_size=1, max_size=9))
def test_few_rows_are_not_judged(rows: int, counts: list[int]) -> None:
    assert _judged(LIMITS, rows, counts).state == "passed"


@pytest.mark.parametrize(("rows", "counts"), [(57, [0]), (228, [0, 57]), (290, [0, 57, 228]), (300, [0] * 9)])
def test_a_list_that_begins_grows_from_night_to_night(rows: int, counts: list[int]) -> None:
    assert _judged(LIMITS, rows, counts).state == "passed"


def test_a_list_that_was_small_and_is_everybody_is_refused() -> None:
    found = _judged(LIMITS, 20_000, [0, 57])
    assert found.state == "failed" and "99% too many" in found.observed


def test_nothing_as_ever_is_as_usual_however_narrow_policy_is() -> None:
    limits = SimpleNamespace(threshold=lambda name: 0.0)
    assert _judged(limits, 0, [0, 0]).state == "passed"
    assert _judged(limits, 1, [0, 0]).state == "failed"


def test_where_rows_always_vary_they_may() -> None:
    swinging = [1000, 9000] * 6
    assert _judged(LIMITS, 9000, swinging).state == "passed"
    assert _judged(LIMITS, 9000, [1000, 1100] * 6).state == "failed"


def test_a_product_that_lost_half_of_its_rows_is_refused(tmp_path, catalog, crosswalk) -> None:
    home = tmp_path / "home"
    counts = {LIST: 1000, DECISION: 2000, COVERAGE: 39, RECONCILIATION: 78}
    for n in (1, 2, 3):
        write_manifest(write_release(home / "releases", catalog, DAY - timedelta(n)), DAY - timedelta(n), counts)
    candidate = write_candidate(home / "candidates", catalog)
    evidence = audit_candidate(candidate, catalog, crosswalk, home / "releases")
    assert {check.id for check in evidence.refusals()} == {f"volume.published/{name}" for name in (LIST, DECISION)}
    (told,) = (check.observed for check in evidence.refusals() if check.id.endswith(LIST))
    assert told == "20 rows; 1000 in the median of 3 earlier: 98% missing, 75% allowed"


def test_a_first_release_has_nothing_to_be_compared_with(opened, catalog) -> None:
    words = "40 rows; this is the first release: nothing to compare with"
    assert published(opened(catalog), DECISION).observed == words


def test_a_product_that_is_new_has_nothing_to_be_compared_with(opened, catalog, tmp_path) -> None:
    write_manifest(tmp_path / "releases" / f"{DAY - timedelta(1)}-abc", DAY - timedelta(1), {LIST: 7})
    assert "no earlier release has it" in published(opened(catalog), DECISION).observed


@pytest.mark.parametrize(
    ("rows", "state"), [(1000, "passed"), (400, "failed"), (0, "failed"), (1600, "passed"), (2100, "failed")]
)
def test_a_delivery_is_held_against_those_before_it(opened, catalog, tmp_path, rows: int, state: str) -> None:
    def rows_of(count: int):
        def spoil(tables) -> None:
            put_where(RECONCILIATION, "core.account", "step", "lake")(tables)
            put_where(RECONCILIATION, "core.party", "expected", Decimal(count))(tables)

        return spoil

    for n in range(1, 6):
        write_release(tmp_path / "releases", catalog, DAY - timedelta(n), spoil=rows_of(1000))
    subject = opened(catalog, rows_of(rows))
    found = delivered(subject, "core.party")
    usual = "1000 in the median of 5 earlier" if rows else "none of 5 deliveries before was empty"
    assert found.state == state and found.observed.startswith(f"{rows} rows; {usual}")
    assert ("ask core-banking why" in found.observed) == (state == "failed")
    assert delivered(subject, "core.account").observed.startswith("not counted")


def test_a_few_days_do_not_say_what_is_delivered_daily(opened, catalog, tmp_path) -> None:
    write_release(tmp_path / "releases", catalog, DAY - timedelta(1))
    subject = opened(catalog)
    assert delivered(subject, "core.party").state == "passed"


def test_a_release_that_cannot_be_read_refuses(tmp_path, catalog, crosswalk) -> None:
    (tmp_path / "releases" / f"{DAY - timedelta(1)}-abc").mkdir(parents=True)
    evidence = audit_candidate(
        write_candidate(tmp_path / "candidates", catalog), catalog, crosswalk, tmp_path / "releases"
    )
    unread = {check.id for check in evidence.checks if check.state == "not_audited"}
    assert {f"volume.published/{name}" for name in PRODUCTS} <= unread
    assert f"list.churn/{LIST}" in {check.id for check in evidence.refusals()}


def test_a_change_of_policy_changes_what_is_usual(opened, catalog, tmp_path) -> None:
    write_manifest(tmp_path / "releases" / f"{DAY - timedelta(1)}-abc", DAY - timedelta(1), {DECISION: 190})
    assert published(opened(catalog), DECISION).state == "passed"
    thresholds = {**catalog.policy.thresholds, "gates.volume_min_rows": 40.0}
    catalog.__dict__["policy"] = replace(catalog.policy, thresholds=thresholds)
    assert published(opened(catalog), DECISION).state == "failed"
