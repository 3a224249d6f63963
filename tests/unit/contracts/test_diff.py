"""Which changes of a contract break somebody, and what its version must say about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.diff import Change, Difference, compare
from pipelines.contracts.frequency import Frequency
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Column, Contract, RowRule

if TYPE_CHECKING:
    from conftest import Folder

SOURCE, MART, PRODUCT = "core.transaction", "mart.customer_360", "risk.scenario_feature"
RULE = RowRule("new_rule", "New.", "amount > 0", "validity")


def with_column(name: str, **changes: object) -> object:
    def change(contract: Contract) -> Contract:
        columns = (replace(c, **changes) if c.name == name else c for c in contract.columns)
        return replace(contract, columns=tuple(columns))

    return change


def with_contract(**changes: object) -> object:
    return lambda contract: replace(contract, **changes)


def with_new_column(**given: object) -> object:
    column = Column("new_column", "string", "New.", purposes=("marketing",), **given)
    return lambda contract: replace(contract, columns=(*contract.columns, column))


def without(name: str) -> object:
    return lambda contract: replace(contract, columns=tuple(c for c in contract.columns if c.name != name))


def reversed_columns(contract: Contract) -> Contract:
    return replace(contract, columns=contract.columns[::-1])


BREAKING, COMPATIBLE = True, False
TABLE = {
    "a column goes": (SOURCE, without("channel"), "column channel removed", BREAKING),
    "a column comes to a source": (SOURCE, with_new_column(), "column new_column added", COMPATIBLE),
    "a required one comes to a source": (SOURCE, with_new_column(required=True), "column new_column added", BREAKING),
    "a required one comes to a mart": (MART, with_new_column(required=True), "column new_column added", COMPATIBLE),
    "columns change places": (SOURCE, reversed_columns, "order of columns changed", BREAKING),
    "a type": (
        SOURCE, with_column("amount", type="double"), "amount: type changed from decimal(18,2) to double", BREAKING,
    ),
    "required": (
        SOURCE, with_column("purpose", required=True), "purpose: required changed from False to True", BREAKING,
    ),
    "no longer required": (
        MART, with_column("party_kind", required=False), "party_kind: required changed from True to False", BREAKING,
    ),
    "a bound": (SOURCE, with_column("amount", minimum=1), "amount: minimum changed from 0 to 1", BREAKING),
    "an upper bound": (SOURCE, with_column("amount", maximum=9), "amount: maximum changed from None to 9", BREAKING),
    "a class": (
        SOURCE, with_column("channel", security_level=3), "channel: security_level changed from 2 to 3", BREAKING,
    ),
    "a personal class": (
        SOURCE, with_column("channel", personal_class="C2"),
        "channel: personal_class changed from None to C2", BREAKING,
    ),
    "an identifier": (
        SOURCE, with_column("counterparty_bank", identifier="name"),
        "counterparty_bank: identifier changed from None to name", BREAKING,
    ),
    "a reference": (
        SOURCE, with_column("account_key", references=None),
        "account_key: references changed from ('core.account', 'account_key') to None", BREAKING,
    ),
    "inputs": (
        PRODUCT, with_column("pseudonym", inputs=("source_key",)),
        "pseudonym: inputs changed from ('party_id',) to ('source_key',)", BREAKING,
    ),
    "a code goes": (SOURCE, with_column("direction", enum=("credit",)), "direction: no longer debit", BREAKING),
    "a code comes to a source": (
        SOURCE, with_column("direction", enum=("credit", "debit", "both")), "direction: may now be both", COMPATIBLE,
    ),
    "a code comes to a mart": (
        MART, with_column("gender", enum=("female", "male", "other")), "gender: may now be other", BREAKING,
    ),
    "the key": (
        SOURCE, with_column("booking_date", key=True),
        "key changed from ('transaction_key',) to ('transaction_key', 'booking_date')", BREAKING,
    ),
    "how it is delivered": (SOURCE, with_contract(delivery="full"), "delivery changed from append to full", BREAKING),
    "what is summed": (SOURCE, with_contract(control_sums=()), "control_sums changed from ('amount',) to ()", BREAKING),
    "the filter": (PRODUCT, with_contract(filter="value > 0"), "filter changed from None to value > 0", BREAKING),
    "the consumer": (PRODUCT, with_contract(consumer="marketing"), "consumer changed from risk to marketing", BREAKING),
    "the mart": (
        PRODUCT, with_contract(mart=MART), "mart changed from mart.scenario_feature to mart.customer_360", BREAKING,
    ),
    "the release point": (PRODUCT, with_contract(release_point="x"), "release_point changed from None to x", BREAKING),
    "the legal basis": (
        SOURCE, with_contract(legal_basis="consent"),
        "legal_basis changed from contract_necessity to consent", BREAKING,
    ),
    "the class of data": (
        SOURCE, with_contract(data_class="partner"), "data_class changed from transaction to partner", BREAKING,
    ),
    "a purpose goes": (
        SOURCE, with_contract(purposes=("marketing", "risk_management")),
        "may no longer be used for regulatory_reporting", BREAKING,
    ),
    "a purpose comes": (
        PRODUCT, with_contract(purposes=("risk_management", "model_evaluation")),
        "may now be used for model_evaluation", COMPATIBLE,
    ),
    "a column is for less": (
        SOURCE, with_column("purpose", purposes=("marketing", "risk_management")),
        "purpose: may no longer be used for regulatory_reporting", BREAKING,
    ),
    "a rule comes to a source": (
        SOURCE, lambda c: replace(c, rules=(*c.rules, RULE)), "rule new_rule added", BREAKING,
    ),
    "a rule leaves a source": (
        SOURCE, with_contract(rules=()), "rule booked_by_the_business_date removed", COMPATIBLE,
    ),
    "a rule comes to a mart": (MART, with_contract(rules=(RULE,)), "rule new_rule added", COMPATIBLE),
    "a rule leaves a mart": (
        "mart.low_risk_list", with_contract(rules=()), "rule band_exactly_when_included removed", BREAKING,
    ),
    "a rule says something else": (
        SOURCE, lambda c: replace(c, rules=(replace(c.rules[0], predicate="1 = 1"),)),
        "rule booked_by_the_business_date changed", BREAKING,
    ),
    "the owner": (SOURCE, with_contract(owner="payments"), "owner changed from core-banking to payments", COMPATIBLE),
    "the hour": (SOURCE, with_contract(available_at="02:00"), "available_at changed from 01:15 to 02:00", COMPATIBLE),
    "how often": (
        SOURCE, with_contract(frequency=Frequency("month", 3)), "frequency changed from daily to quarterly", COMPATIBLE,
    ),
    "days it is carried": (
        SOURCE, with_contract(carry_forward_days=2), "carry_forward_days changed from 0 to 2", COMPATIBLE,
    ),
    "the reject limit": (SOURCE, with_contract(reject_limit=0.5), "reject_limit changed from 0.01 to 0.5", COMPATIBLE),
    "criticality": (
        SOURCE, with_contract(criticality="optional"), "criticality changed from required to optional", COMPATIBLE,
    ),
    "wording": (SOURCE, with_contract(sha256="another"), "wording changed", COMPATIBLE),
}  # fmt: skip


def changed(catalog: Catalog, contract_id: str, change: object) -> list[Difference]:
    """The differences after `change` to one contract, with the rest as it was."""
    after = Catalog.__new__(Catalog)
    groups = {name: dict(getattr(catalog, name)) for name in ("sources", "derived", "marts", "products")}
    for contracts in groups.values():
        if contract_id in contracts:
            contracts[contract_id] = change(contracts[contract_id])
    after.__dict__.update(groups)
    return compare(catalog, after)


def published(catalog: Catalog, contract_id: str) -> Catalog:
    """The catalog with version 1.0.0 of a contract, whatever version it has reached."""
    first = Catalog.__new__(Catalog)
    for name in ("sources", "derived", "marts", "products"):
        contracts = getattr(catalog, name)
        mine = {contract_id: replace(contracts[contract_id], version="1.0.0")} if contract_id in contracts else {}
        first.__dict__[name] = contracts | mine
    return first


@pytest.mark.parametrize("name", TABLE)
def test_what_a_change_does(catalog: Catalog, name: str) -> None:
    contract_id, change, description, breaking = TABLE[name]
    (difference,) = changed(catalog, contract_id, change)
    assert Change(contract_id, description, breaking) in difference.changes
    assert difference.breaking is breaking


@pytest.mark.parametrize("name", TABLE)
def test_the_version_announces_it(catalog: Catalog, name: str) -> None:
    contract_id, change, _, breaking = TABLE[name]
    catalog = published(catalog, contract_id)
    for version in ("1.0.0", "1.0.1", "1.1.0", "2.0.0", "0.9.0", "0.10.0", "10.0.0"):
        (difference,) = changed(catalog, contract_id, lambda c, v=version: replace(change(c), version=v))
        if version in (("2.0.0", "10.0.0") if breaking else ("1.0.1", "1.1.0", "2.0.0", "10.0.0")):
            assert difference.fault is None
        elif breaking:
            assert difference.fault == f"{contract_id}: breaking changes demand version 2.0.0; it says {version}"
        else:
            words = f"changed, but the version is still {version}; raise minor or patch"
            assert difference.fault == f"{contract_id}: {words}"


def test_nothing_changed(catalog: Catalog) -> None:
    assert compare(catalog, catalog) == []


def test_contracts_that_come_and_go(catalog: Catalog) -> None:
    fewer = Catalog.__new__(Catalog)
    fewer.__dict__.update(sources={k: v for k, v in catalog.sources.items() if k != SOURCE})
    fewer.__dict__.update(derived=catalog.derived, marts=catalog.marts, products=catalog.products)
    (gone,) = compare(catalog, fewer)
    (come,) = compare(fewer, catalog)
    assert (gone.after, gone.breaking, gone.fault) == (None, True, None)
    assert (come.before, come.breaking, come.fault) == (None, False, None)


def test_a_mart_carries_its_products_along(folder: Folder) -> None:
    before = folder.load()
    folder.edit("marts/risk/scenario_feature.odcs.yaml", "logicalType: number\n        physicalType: decimal(9,4)",
                "logicalType: number\n        physicalType: double")  # fmt: skip
    differences = {d.contract: d for d in compare(before, folder.load())}
    assert differences.keys() == {"mart.scenario_feature", "risk.scenario_feature"}
    assert all(d.breaking and d.fault for d in differences.values())


@settings(derandomize=True)
@given(st.tuples(*[st.integers(0, 12)] * 3), st.tuples(*[st.integers(0, 12)] * 3), st.booleans())
def test_versions_are_compared_as_numbers(
    before: tuple[int, int, int], after: tuple[int, int, int], breaking: bool
) -> None:
    said = [".".join(map(str, version)) for version in (before, after)]
    difference = Difference("x.y", *said, (Change("x.y", "something", breaking),))
    announced = after[0] > before[0] if breaking else after > before
    assert (difference.fault is None) is announced
