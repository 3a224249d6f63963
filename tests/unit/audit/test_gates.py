"""The registry, and what contracts expect."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from pipelines.audit.gates import REGISTRY, SINGLE, expected_checks, gate_of, suites
from pipelines.audit.run import CHECKS, CHECKS_OF_EACH
from pipelines.audit.tables import without_values
from pipelines.contracts.expectations import expectations
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Column, RowRule


def test_every_single_gate_has_its_check() -> None:
    assert CHECKS.keys() == SINGLE


def test_every_gate_of_many_checks_carries_them_out() -> None:
    many = {name for name, gate in REGISTRY.items() if gate.each not in ("release", "expectation")}
    assert CHECKS_OF_EACH.keys() == many - {"contract.types"}, "types are read off the files as they are opened"


def test_every_check_belongs_to_a_gate_and_every_gate_has_checks(whole_catalog: Catalog) -> None:
    assert {gate_of(check_id).id for check_id in expected_checks(whole_catalog)} == REGISTRY.keys()


def test_every_gate_is_answered_for() -> None:
    for gate in REGISTRY.values():
        assert gate.owner and gate.protects and 1 <= gate.principle <= 14


def test_ids_of_expectations_are_unique(whole_catalog: Catalog) -> None:
    ids = [expectation.id for suite in suites(whole_catalog).values() for expectation in suite]
    assert len(ids) == len(set(ids))


def test_a_contract_says_what_is_expected(whole_catalog: Catalog) -> None:
    product = whole_catalog.products["marketing.low_risk_list"]
    mart = whole_catalog.marts["mart.low_risk_list"]
    found = {e.id.removeprefix("contract."): e for e in expectations(product, mart)}
    assert found["columns/marketing.low_risk_list"].columns == tuple(c.name for c in product.columns)
    assert found["key/marketing.low_risk_list"].columns == ("pseudonym", "business_date", "variant")
    assert found["values/marketing.low_risk_list/band"].arguments["values"] == ("A", "B", "C")
    assert "required/marketing.low_risk_list/valid_to" in found
    assert "required/marketing.low_risk_list/band" not in found, "the mart says band may be empty"
    assert not any("band_exactly_when_included" in name for name in found), "it needs columns marketing does not see"


def test_bounds_of_dates_are_dates(whole_catalog: Catalog) -> None:
    product = whole_catalog.products["marketing.low_risk_list"]
    column = Column("born", "date", "Birth.", minimum="1880-01-01")
    (bounded,) = (e for e in expectations(replace(product, columns=(column,))) if e.kind == "range")
    assert bounded.arguments == {"minimum": date(1880, 1, 1), "maximum": None}
    assert bounded.description == "born is at least 1880-01-01."


def test_a_products_own_rule_replaces_the_marts(whole_catalog: Catalog) -> None:
    product = whole_catalog.products["risk.low_risk_decision"]
    rule = RowRule("band_exactly_when_included", "Own.", "band is not null or 'valid_to' = ''", "consistency")
    found = expectations(replace(product, rules=(rule,)), whole_catalog.marts["mart.low_risk_list"])
    (kept,) = (e for e in found if e.kind == "rule")
    assert (kept.description, kept.columns) == ("Own.", ("band",))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Conversion Error: Could not convert string '13800138000' to INT32", "Conversion Error"),
        ('(_duckdb.BinderException) Binder Error: no column "x"\nLINE 1: x', 'Binder Error: no column "x"'),
        ("Invalid Input Error: 13800138000", "Invalid Input Error"),
        ("13800138000", "the query failed"),
    ],
)  # fmt: skip
def test_an_engines_error_is_told_without_values(message: str, said: str) -> None:
    assert without_values(message) == said
    assert not re.search("[0-9]{11}", said)
