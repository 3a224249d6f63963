"""Figures that stand for too few people."""

from __future__ import annotations

import pytest

from pipelines.audit.group_size import large_enough
from pipelines.contracts.load import Catalog

from .test_defects import failed, put

RATE, HOTSPOT = "shared.authorisation_rate", "marketing.complaint_hotspot"
PRODUCTS = (RATE, HOTSPOT, "shared.coverage", "shared.reconciliation")


def enough(tables) -> None:
    for product, columns in ((RATE, ("parties_asked",)), (HOTSPOT, ("complaints_30d", "complaints_before_90d"))):
        for column in columns:
            for row in range(tables[product].num_rows):
                put(product, column, 50, row)(tables)


@pytest.mark.parametrize(("people", "state"), [(10, "passed"), (9, "failed"), (0, "failed"), (None, "failed")])
def test_a_rate_of_too_few_is_refused(opened, catalog: Catalog, people: int | None, state: str) -> None:
    def spoil(tables) -> None:
        enough(tables)
        put(RATE, "parties_asked", people)(tables)
        put(RATE, "parties_given", 0)(tables)

    assert large_enough(opened(catalog, spoil), RATE).state == state


def test_a_rate_that_is_not_told_may_be_of_anybody(opened, catalog: Catalog) -> None:
    def spoil(tables) -> None:
        enough(tables)
        put(RATE, "parties_asked", 1)(tables)
        put(RATE, "parties_given", None)(tables)

    assert large_enough(opened(catalog, spoil), RATE).state == "passed"


@pytest.mark.parametrize(("last", "before", "state"), [(5, 0, "passed"), (2, 3, "passed"), (2, 2, "failed")])
def test_complaints_of_both_windows_count(opened, catalog: Catalog, last: int, before: int, state: str) -> None:
    def spoil(tables) -> None:
        enough(tables)
        put(HOTSPOT, "complaints_30d", last)(tables)
        put(HOTSPOT, "complaints_before_90d", before)(tables)

    assert large_enough(opened(catalog, spoil), HOTSPOT).state == state


def test_it_is_a_check_of_the_audit(audited) -> None:
    def spoil(tables) -> None:
        enough(tables)
        put(HOTSPOT, "complaints_30d", 1)(tables)
        put(HOTSPOT, "complaints_before_90d", 1)(tables)

    assert f"privacy.group_size/{HOTSPOT}" in failed(audited(spoil))


def test_who_has_no_parties_is_asked_for_a_size(whole_catalog: Catalog) -> None:
    """What is exempt for being of no people counts none; all that marketing sees of groups has a size."""
    rules, products = whole_catalog.policy.gates, whole_catalog.products
    people = {"people", "parties", "loans", "facilities", "members"}
    for name, one in rules.ungrouped.items():
        assert products[name].consumer != "marketing"
        assert one.rows_in or not people & {column.name for column in products[name].columns}
