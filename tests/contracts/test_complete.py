"""What the project's own contracts state beyond what any contract must: feeds, readers, meaning."""

from __future__ import annotations

import pytest

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import CONSUMERS, PURPOSES
from pipelines.ingest.map import describe
from pipelines.settings import PROJECT

from .conftest import DBT


def test_every_bank_says_how_each_contract_is_delivered(catalog: Catalog) -> None:
    for bank in catalog.banks:
        assert [feed.contract for feed in catalog.feeds(bank)] != []
        assert {feed.contract for feed in catalog.feeds(bank)} == catalog.sources.keys(), bank


def test_parents_land_before_their_children(catalog: Catalog) -> None:
    for bank in catalog.banks:
        order = [feed.contract for feed in catalog.feeds(bank)]
        for contract in catalog.sources.values():
            for column in contract.columns:
                if column.references and column.references[0] != contract.id:
                    assert order.index(column.references[0]) < order.index(contract.id)


def test_no_feed_needs_a_program_of_its_own() -> None:
    kinds = {path.suffix for path in (PROJECT / "data_contracts").rglob("*") if path.is_file()}
    assert kinds == {".yaml"}


def test_a_bank_states_a_basis_for_every_purpose(catalog: Catalog) -> None:
    for name in catalog.banks:
        assert {basis.purpose for basis in catalog.bank(name).legal_basis} == set(PURPOSES)


def test_the_public_bank_rests_on_research_and_not_on_consent(catalog: Catalog) -> None:
    assert {basis.basis for basis in catalog.bank("pkdd99").legal_basis} == {"public_anonymised_research"}


def test_nothing_undated_or_later_is_readable(catalog: Catalog) -> None:
    unreadable = {feed.contract for feed in catalog.feeds("pkdd99") if not feed.readable}
    assert unreadable == {"core.standing_order", "reference.district", "evaluation.loan_outcome"}
    for bank in catalog.banks:
        assert not next(f for f in catalog.feeds(bank) if f.contract == "evaluation.loan_outcome").readable


def test_every_mart_is_read_by_a_product_and_tested(catalog: Catalog) -> None:
    assert {product.mart for product in catalog.products.values()} == catalog.marts.keys()
    for mart in catalog.marts.values():
        tests = DBT / "models" / "marts" / mart.path.parent.name / f"{mart.table}__unit_tests.yml"
        assert tests.is_file(), f"{mart.id} has no unit tests"


def test_every_consumer_gets_something(catalog: Catalog) -> None:
    assert {product.consumer for product in catalog.products.values()} == set(CONSUMERS)


def test_words_are_sentences(catalog: Catalog) -> None:
    """What people read begins with a capital or a name of the field, and ends with a full stop."""
    for contract in catalog.all().values():
        assert contract.purpose.endswith("."), contract.id
        assert contract.grain.endswith("."), contract.id
        for column in contract.columns:
            assert column.description.endswith("."), f"{contract.id}.{column.name}"
        for rule in contract.rules:
            assert rule.description.endswith("."), f"{contract.id}.{rule.name}"


def test_identifiers_are_personal_and_stay_behind(catalog: Catalog) -> None:
    for contract in catalog.sources.values():
        for column in contract.columns:
            if column.identifier:
                assert column.personal_class in ("C2", "C3")
                assert column.security_level >= 3
    for contract in (*catalog.derived.values(), *catalog.marts.values(), *catalog.products.values()):
        assert not [column.name for column in contract.columns if column.identifier]


def test_a_product_is_not_less_sensitive_than_its_mart(catalog: Catalog) -> None:
    for product in catalog.products.values():
        mart = catalog.marts[str(product.mart)]
        for column in product.columns:
            if column.name != "pseudonym":
                source = mart.column(column.name)
                assert (column.security_level, column.personal_class) == (source.security_level, source.personal_class)
                assert (column.type, column.enum, column.required) == (source.type, source.enum, source.required)


def test_marketing_gets_nothing_that_measures_risk(catalog: Catalog) -> None:
    seen = {c.name for p in catalog.products.values() if p.consumer == "marketing" for c in p.columns}
    risk = {"penalty_interest_count_365d", "loan_monthly_payment", "loans_active", "debt_service_ratio",
            "exclusion_reasons", "income_variation", "balance_min_365d", "fee_amount_365d"}  # fmt: skip
    assert not seen & risk
    assert not [name for name in seen if name.startswith("rule_")]


@pytest.mark.parametrize("bank", ["pkdd99", "xiaocheng"])
def test_every_column_of_a_feed_can_be_described(catalog: Catalog, bank: str) -> None:
    for feed in catalog.feeds(bank):
        for column in catalog.sources[feed.contract].columns:
            assert describe(catalog.sources[feed.contract], feed, column.name)
