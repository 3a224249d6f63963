"""What two consumers are told of the same parties: the same rows, but for what is withheld from one or both."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest

from pipelines.audit.consistency import consistent
from pipelines.audit.content import CANDIDATE, PROOF, SUPERSEDES
from pipelines.audit.subject import Subject
from pipelines.contracts.load import Catalog

from .test_churn import without
from .test_defects import put

ONE, OTHER = "marketing.customer_segment", "risk.customer_segment"
MATRIX, CELLS = "marketing.calibration_matrix", "risk.calibration_matrix"
PRODUCTS = (ONE, OTHER, MATRIX, CELLS, "marketing.lawful_use", "risk.lawful_use")
DECISIONS = "marketing.lawful_use and risk.lawful_use"


def both(*spoils):
    def spoil(tables) -> None:
        for each in spoils:
            each(tables)

    return spoil


def withhold(subject: Subject, **rows: int) -> Subject:
    path = subject.directory / CANDIDATE
    said = json.loads(path.read_bytes())
    said["withheld"] = {f"{consumer}.customer_segment": count for consumer, count in rows.items()}
    path.write_text(json.dumps(said))
    return subject


def test_all_pairs_are_compared_or_named(opened, catalog: Catalog) -> None:
    found = consistent(opened(catalog))
    assert (found.state, found.observed) == (
        "passed", f"2 pairs of products; {DECISIONS} have nothing in common, by the policy",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("marketing", "risk", "state"),
    [(0, 0, "failed"), (3, 0, "failed"), (0, 5, "failed"), (3, 4, "failed"), (2, 5, "failed"), (3, 5, "passed")],
)
def test_both_may_lack_as_many_as_are_withheld_from_each(opened, catalog, marketing, risk, state) -> None:
    """Of 40 parties marketing has all but the first three, risk all but the last five."""
    subject = opened(catalog, both(without(ONE, 3), without(OTHER, 0, 35)))
    assert consistent(withhold(subject, marketing=marketing, risk=risk)).state == state


def test_another_value_is_seen_although_both_lack_parties(opened, catalog: Catalog) -> None:
    spoils = (
        without(ONE, 3),
        without(OTHER, 0, 35),
        put(ONE, "rfm_group", "champion", 0),
        put(ONE, "rfm_group", "lost", 1),
    )
    found = consistent(withhold(opened(catalog, both(*spoils)), marketing=3, risk=5))
    assert found.state == "failed"
    assert found.observed.startswith(f"{ONE} and {OTHER} differ: ")


def test_the_rows_that_are_not_in_the_other_are_named(opened, catalog: Catalog) -> None:
    """Of rows that say the same, any: there are more of them here than there."""
    subject = opened(catalog, both(put(ONE, "rfm_group", "champion", 0), put(ONE, "rfm_group", "lost", 1)))
    tables = {one: subject.tables.by_product[one] for one in (ONE, OTHER)}
    shared = [n for n in tables[ONE].columns if n in tables[OTHER].columns and n != "pseudonym"]
    said = {
        product: dict(subject.tables.rows(f"select pseudonym, ({', '.join(shared)})::varchar from {table.view}"))
        for product, table in tables.items()
    }
    often = {product: Counter(rows.values()) for product, rows in said.items()}
    found = consistent(subject)
    assert found.state == "failed" and found.failing_keys
    for key in found.failing_keys:
        here, there = (ONE, OTHER) if key["product"] == ONE else (OTHER, ONE)
        row = said[here][key["pseudonym"]]
        assert often[here][row] > often[there][row]


def test_a_restored_release_is_compared_too(opened, catalog: Catalog) -> None:
    subject = opened(catalog, both(without(ONE, 3), without(OTHER, 0, 35)))
    (subject.directory / PROOF / SUPERSEDES).write_text(json.dumps({"restores": "a"}))
    assert consistent(withhold(subject, marketing=3, risk=5)).state == "passed"
    assert consistent(withhold(subject, marketing=2, risk=5)).state == "failed"


@pytest.mark.parametrize(("product", "state"), [(MATRIX, "failed"), (CELLS, "failed"), (None, "passed")])
def test_rows_that_one_chooses_by_what_the_other_cannot_see_are_among_its_rows(opened, catalog, product, state) -> None:
    spoil = put(product, "advice", "relax", 1) if product else without(CELLS, 0)
    assert consistent(opened(catalog, spoil)).state == state


def test_more_rows_of_the_other_are_no_difference_there(opened, catalog: Catalog) -> None:
    assert consistent(opened(catalog, without(MATRIX, 5))).state == "passed"


def test_rows_of_which_nothing_could_be_compared_are_not_audited(opened, catalog: Catalog) -> None:
    rules = catalog.policy.gates.model_copy(update={"incomparable": {}})
    catalog.__dict__["policy"] = replace(catalog.policy, gates=rules)
    found = consistent(opened(catalog))
    assert found.state == "not_audited"
    assert found.observed.startswith(f"{DECISIONS} have rows, of which nothing could be compared: ")
    assert consistent(opened(catalog, without("risk.lawful_use", 0, 0))).state == "passed"
