"""Keys that lead nowhere."""

from __future__ import annotations

from datetime import date, timedelta

from pipelines.audit.references import complete

from .candidates import DAY
from .test_defects import changed, failed, put

TAGS, DEFINED, CUSTOMERS = "risk.customer_tag", "shared.tag_definition", "risk.customer_360"
PRODUCTS = (TAGS, DEFINED, CUSTOMERS, "shared.tag_refresh", "shared.coverage", "shared.reconciliation")


def test_every_key_is_found_again(opened, catalog) -> None:
    subject = opened(catalog)
    assert complete(subject, TAGS).observed == "40 rows, 2 columns"
    assert {complete(subject, name).state for name in (TAGS, DEFINED)} == {"passed"}


def test_a_tag_that_nobody_defined_is_named_with_its_rows(opened, catalog) -> None:
    found = complete(opened(catalog, put(TAGS, "tag", "unheard_of")), TAGS)
    assert found.observed == f"1 of 40 rows name a tag that {DEFINED} does not have"
    (key,) = found.failing_keys
    assert (key["tag"], len(key["pseudonym"])) == ("unheard_of", 64)


def test_a_party_that_is_no_customer_is_refused(audited) -> None:
    evidence = audited(changed(CUSTOMERS, lambda table: table.slice(3)))
    assert f"contract.references/{TAGS}" in failed(evidence)
    (found,) = (check for check in evidence.checks if check.id == f"contract.references/{TAGS}")
    assert found.observed == f"3 of 40 rows name a pseudonym that {CUSTOMERS} does not have"
    assert len(found.failing_keys) == 3


def test_what_may_be_empty_refers_to_nothing(opened, catalog) -> None:
    rings = put(TAGS, "tag", None)
    assert complete(opened(catalog, rings), TAGS).state == "passed", "that it is never empty is another check"


def test_a_row_that_has_ended_may_name_who_has_left(opened, catalog) -> None:
    def left(ends: date | None):
        def spoil(tables) -> None:
            changed(CUSTOMERS, lambda table: table.slice(1))(tables)
            put(TAGS, "valid_to", ends, row=0)(tables)

        return spoil

    assert complete(opened(catalog, left(DAY)), TAGS).state == "passed"
    assert complete(opened(catalog, left(DAY + timedelta(1))), TAGS).state == "failed"
    assert complete(opened(catalog, left(None)), TAGS).state == "failed"
