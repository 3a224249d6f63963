"""What is refused is refused by something that exists, and no model does it under another name."""

from __future__ import annotations

import ast
import re

import pytest

from pipelines.audit.gates import REGISTRY
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.lineage.graph import Lineage
from pipelines.lineage.purpose import published, reach, released_columns
from pipelines.lineage.trace import ROWS, Origin, named
from pipelines.settings import PROJECT

from .conftest import Compiled

REFUSED = {
    "bureau_marketing", "medical_credit_input", "medical_marketing", "minors", "phone_book", "precise_location",
    "protected_traits_credit", "staff_marketing",
}  # fmt: skip
STAFF = frozenset(map(named, ("ops.audit_log", "reference.staff")))
# Of which traits no decision of risk may be made; nationality and religion no contract has.
TRAITS = frozenset(Origin(named("core.party"), name) for name in ("gender",))


@pytest.fixture(scope="module")
def lineage(compiled: Compiled, catalog: Catalog) -> Lineage:
    return Lineage(compiled.models, catalog, compiled.keys)


def descends(catalog: Catalog, lineage: Lineage, product: Contract, tables: frozenset[str]) -> list[str]:
    """Columns of a product, and its rows, that descend from a table."""
    released = released_columns(catalog)
    return [
        name
        for name, origins in published(catalog, product).items()
        if tables & {origin.table for origin in reach(lineage, origins, released)}
    ]


def of_traits(catalog: Catalog, lineage: Lineage, mart: Contract) -> list[str]:
    """Columns of a mart, and its rows, that descend from a trait."""
    released = released_columns(catalog)
    names = [*(column.name for column in mart.columns), ROWS]
    return [name for name in names if TRAITS & reach(lineage, [Origin(mart.table, name)], released)]


def test_what_is_refused_is_known(catalog: Catalog) -> None:
    assert {refusal.id for refusal in catalog.refusals} == REFUSED


def test_every_refusal_is_enforced_by_something_that_exists(catalog: Catalog) -> None:
    for refusal in catalog.refusals:
        for name in refusal.enforced_by:
            kind, _, what = name.partition(":")
            if kind == "gate":
                assert what in REGISTRY, name
            elif kind == "test":
                path, _, test = what.partition("::")
                tree = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
                assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name
            else:
                assert name == "check:refusals"


def test_every_refusal_has_words_for_both_languages_and_an_article(catalog: Catalog) -> None:
    for refusal in catalog.refusals:
        assert re.search(r"[\u4e00-\u9fff]", refusal.reason.zh)
        assert refusal.reason.zh.endswith("。")
        assert refusal.reason.en.endswith(".")
        assert re.search(r"PIPL [0-9]|条例|办法", refusal.article)


def test_the_data_concerned_is_found_where_it_is_delivered(catalog: Catalog) -> None:
    found = {refusal.id: refusal.concerns(catalog.sources) for refusal in catalog.refusals}
    assert found["medical_credit_input"] == ["medical.payment"]
    assert found["staff_marketing"] == ["ops.audit_log", "reference.staff"]
    assert found["bureau_marketing"] == ["bureau.credit_report"]
    assert found["phone_book"] == found["precise_location"] == ["-"]


def test_nothing_of_staff_reaches_marketing_or_shared(catalog: Catalog, lineage: Lineage) -> None:
    for product in catalog.products.values():
        found = descends(catalog, lineage, product, STAFF)
        if product.consumer == "risk":
            continue
        assert found == [], product.id
        assert not [c.name for c in product.columns if "staff" in c.name], product.id


def test_staff_that_reaches_risk_would_be_seen(catalog: Catalog, lineage: Lineage) -> None:
    assert "staff_key" in descends(catalog, lineage, catalog.products["risk.staff_alert"], STAFF)


def test_no_risk_decision_descends_from_a_protected_trait(catalog: Catalog, lineage: Lineage) -> None:
    for mart in catalog.marts.values():
        if mart.path.parent.name == "risk":
            assert of_traits(catalog, lineage, mart) == [], mart.id


def test_a_trait_would_be_seen(catalog: Catalog, lineage: Lineage) -> None:
    assert "gender" in of_traits(catalog, lineage, catalog.marts["mart.customer_360"])
