"""What the project's own contracts state beyond what any contract must: feeds, readers, meaning."""

from __future__ import annotations

import re

import pytest

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import CONSUMERS, PURPOSES
from pipelines.ingest.map import describe
from pipelines.settings import PROJECT

from .conftest import DBT

SIMULATED, WITHOUT_PARTNERS = ["simbank", "simbank_postgres"], ["pkdd99", "xiaocheng"]
BANKS = [*SIMULATED, *WITHOUT_PARTNERS]
# How loans ended, nobody knows of a simulated bank before it happens.
NOT_SIMULATED = {"evaluation.loan_outcome"}
# What a bank of accounts, cards and loans delivers; a bank without partners has no more.
OWN = {
    "card.account", "core.account", "core.account_holder", "core.party", "core.standing_order", "core.transaction",
    "evaluation.loan_outcome", "loan.contract", "reference.district",
}  # fmt: skip


def test_the_banks_are_those_that_are_tested(catalog: Catalog) -> None:
    assert set(catalog.banks) == set(BANKS)


@pytest.mark.parametrize("bank", SIMULATED)
def test_a_simulated_bank_delivers_every_contract(catalog: Catalog, bank: str) -> None:
    assert {feed.contract for feed in catalog.feeds(bank)} == catalog.sources.keys() - NOT_SIMULATED


@pytest.mark.parametrize("bank", WITHOUT_PARTNERS)
def test_a_bank_without_partners_delivers_its_own_contracts(catalog: Catalog, bank: str) -> None:
    delivered = [feed.contract for feed in catalog.feeds(bank)]
    asked = {"consent.event"} if bank == "xiaocheng" else set()  # whose marketing rests on consent
    assert len(delivered) == len(OWN | asked)
    assert set(delivered) == OWN | asked


@pytest.mark.parametrize("bank", BANKS)
def test_parents_land_before_their_children(catalog: Catalog, bank: str) -> None:
    order = [feed.contract for feed in catalog.feeds(bank)]
    last = {contract: n for n, contract in enumerate(order)}
    for n, child in enumerate(order):
        for column in catalog.sources[child].columns:
            if column.references and column.references[0] != child:
                assert last[column.references[0]] < n, f"{child} before {column.references[0]}"


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
        assert not [f for f in catalog.feeds(bank) if f.contract == "evaluation.loan_outcome" and f.readable]
    for bank in SIMULATED:
        assert [feed.contract for feed in catalog.feeds(bank) if not feed.readable] == []


def test_every_source_contract_is_read_by_a_model_below_the_marts(catalog: Catalog) -> None:
    """But for outcomes, which speak of what came after the business date."""
    below = [DBT / "models" / layer for layer in ("staging", "intermediate")]
    sql = "\n".join(path.read_text("utf-8") for folder in below for path in folder.rglob("*.sql"))
    read = {f"{domain}.{table}" for domain, table in re.findall(r"source\('(\w+)', '(\w+)'\)", sql)}
    assert catalog.sources.keys() - read == {"evaluation.loan_outcome"}


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
            if not column.name.endswith("pseudonym"):
                source = mart.column(column.name)
                assert (column.security_level, column.personal_class) == (source.security_level, source.personal_class)
                assert (column.type, column.enum) == (source.type, source.enum)
                assert source.required or not column.required  # what may be withheld is not required


def test_marketing_gets_nothing_that_measures_risk(catalog: Catalog) -> None:
    seen = {c.name for p in catalog.products.values() if p.consumer == "marketing" for c in p.columns}
    risk = {"penalty_interest_count_365d", "loan_monthly_payment", "loans_active", "debt_service_ratio",
            "exclusion_reasons", "income_variation", "balance_min_365d", "fee_amount_365d", "days_past_due",
            "loan_arrears_amount", "card_utilisation", "card_cash_advance_90d", "applications_declined_365d",
            "pay_later_share_90d", "overdue_invoice_share_365d", "turnover_trend_90d"}  # fmt: skip
    columns = {column.name: column for column in catalog.marts["mart.customer_360"].columns}
    assert risk & columns.keys()
    assert not seen & risk
    assert not [name for name in seen & columns.keys() if "marketing" not in columns[name].purposes]
    assert not [name for name in seen if name.startswith("rule_")]


@pytest.mark.parametrize("bank", BANKS)
def test_every_column_of_a_feed_can_be_described(catalog: Catalog, bank: str) -> None:
    for feed in catalog.feeds(bank):
        for column in catalog.sources[feed.contract].columns:
            assert describe(catalog.sources[feed.contract], feed, column.name)
