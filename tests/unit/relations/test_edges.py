"""Edges of each kind from a few rows, by hand; and what all edges have in common."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pipelines.contracts.load import Catalog
from pipelines.relations.build import KINDS

from .lakes import DAY, EARLIER, LATER, Lake

SINCE = date(2020, 1, 1)
COMPANY = {"registration_key": "r", "founded_on": SINCE, "status": "active"}


def role(key: str, what: str, **more: object) -> dict[str, object]:
    return {"role_key": key, "registration_key": "r", "role": what, "since": SINCE, **more}


def test_people_in_companies(some_lake: Lake) -> None:
    some_lake.land("registry.company", [COMPANY])
    some_lake.know("registry.company", "company", {"r": "C"})
    some_lake.know("registry.company", "legal_representative", {"r": "a"})
    some_lake.land(
        "registry.role",
        [role("1", "shareholder", share=Decimal("0.3")), role("2", "shareholder"),
         role("3", "supervisor", until=EARLIER), role("4", "director", since=LATER)],
    )  # fmt: skip
    some_lake.know("registry.role", "person", {"1": "a", "2": "b", "3": "b", "4": "b"})
    shares = some_lake.edges("shareholder")
    assert {pair: edge["strength"] for pair, edge in shares.items()} == {("a", "C"): Decimal("0.3"), ("b", "C"): None}
    assert some_lake.edges("supervisor")["b", "C"]["until"] == EARLIER
    assert some_lake.edges("director") == {}
    named = some_lake.edges("legal_representative")["a", "C"]
    assert (named["evidence"], named["since"], named["legal_basis"]) == ("registry.company", SINCE, "public_source")


def test_a_guarantor_is_found_by_record_or_by_number(some_lake: Lake) -> None:
    some_lake.customers({"p": "a", "q": "b"}, national_id_token={"q": "number"})
    some_lake.land("core.account_holder", [{"holding_key": "h", "party_key": "p", "account_key": "k", "role": "owner"}])
    some_lake.land("loan.contract", [{"loan_key": "l", "account_key": "k", "principal": Decimal(200)}])
    some_lake.land(
        "loan.guarantee",
        [{"guarantee_key": key, "loan_key": "l", "guaranteed_amount": Decimal(amount), "signed_on": SINCE,
          "guarantor_national_id_token": token}
         for key, amount, token in (("1", 50, None), ("2", 150, "number"), ("3", 10, "nobody"), ("4", 500, "number"))],
    )  # fmt: skip
    some_lake.know("loan.guarantee", "guarantor", {"1": "c", "4": "a"})
    edges = some_lake.edges("guarantor")
    assert {pair: (edge["strength"], edge["share_of_to"]) for pair, edge in edges.items()} == {
        ("c", "a"): (Decimal("0.25"), Decimal("0.25")), ("b", "a"): (Decimal("0.75"), Decimal("0.75")),
    }  # fmt: skip


def test_employers_by_salary_and_by_contribution(some_lake: Lake) -> None:
    some_lake.customers({"E1": "E", "p": "a"})
    some_lake.land("core.account_holder", [{"holding_key": "h", "party_key": "p", "account_key": "k", "role": "owner"}])
    some_lake.land(
        "payroll.agreement", [{"agreement_key": "g", "employer_party_key": "E1", "employer_account_token": "t"}]
    )
    paid = [("1", date(2025, 4, 10), "salary", "t"), ("2", date(2025, 5, 10), "salary", "t"),
            ("3", date(2025, 5, 11), "salary", "other"), ("4", date(2025, 5, 12), None, "t"),
            ("5", date(2024, 5, 10), "salary", "t")]  # fmt: skip
    some_lake.land(
        "core.transaction",
        [{"transaction_key": key, "account_key": "k", "booking_date": day, "direction": "credit", "purpose": purpose,
          "amount": Decimal(100), "counterparty_account_token": token} for key, day, purpose, token in paid],
    )  # fmt: skip
    some_lake.land(
        "social_security.contribution",
        [{"contribution_key": str(n), "national_id_token": "i", "employer_uscc_token": "u", "period": date(2025, n, 1)}
         for n in (4, 5, 6)],
    )  # fmt: skip
    some_lake.say(("p", "grant", EARLIER))
    some_lake.know("social_security.contribution", "insured", {"i": "a"})
    some_lake.know("social_security.contribution", "employer", {"u": "E"})
    found = {edge["evidence"]: edge for edge in some_lake.relations()["party_relation"]}
    assert set(found) == {"payroll.agreement", "social_security.contribution"}
    salary, contribution = found["payroll.agreement"], found["social_security.contribution"]
    assert (salary["from_party_id"], salary["to_party_id"], salary["amount"]) == ("E", "a", Decimal(200))
    assert (salary["strength"], contribution["strength"]) == (Decimal("0.1667"), Decimal("0.25"))
    assert salary["purposes"] == "marketing;risk_management"
    assert contribution["purposes"] == "risk_management"


INVOICE = {
    "invoice_key": "1",
    "seller_uscc_token": "u",
    "buyer_uscc_token": "v",
    "issued_on": EARLIER,
    "amount": Decimal(1),
}
SUPPLIES = {("A", "B")}


@pytest.mark.parametrize(
    ("said", "edges"),
    [
        ([], set()),
        ([("a", "grant", EARLIER)], SUPPLIES),
        ([("b", "grant", EARLIER)], set()),
        ([("a", "grant", EARLIER), ("b", "withdraw", EARLIER)], set()),
        ([("a", "grant", EARLIER), ("a", "withdraw", DAY)], set()),
        ([("a", "grant", EARLIER), ("a", "withdraw", LATER)], SUPPLIES),
        ([("a", "withdraw", EARLIER), ("a", "grant", EARLIER)], set()),
        ([("a", "withdraw", EARLIER), ("a", "grant", DAY)], SUPPLIES),
    ],
)  # fmt: skip
@pytest.mark.parametrize("partner", ["s", None])
def test_who_supplies_whom_is_known_where_the_seller_shares_it(
    some_lake: Lake, said: list[tuple[str, str, date]], edges: set[tuple[str, str]], partner: str | None
) -> None:
    some_lake.customers({"a": "A", "b": "B"})
    some_lake.land("supply_chain.invoice", [INVOICE])
    some_lake.know("supply_chain.invoice", "seller", {"u": "A"})
    some_lake.know("supply_chain.invoice", "buyer", {"v": "B"})
    some_lake.say(*said, partner=partner)
    assert some_lake.edges("supplier").keys() == edges


@pytest.mark.parametrize("other", [{"partner": "t"}, {"purpose": "marketing"}])
def test_another_consent_shares_nothing(some_lake: Lake, other: dict[str, str]) -> None:
    some_lake.customers({"a": "A", "b": "B"})
    some_lake.land("supply_chain.invoice", [INVOICE])
    some_lake.know("supply_chain.invoice", "seller", {"u": "A"})
    some_lake.know("supply_chain.invoice", "buyer", {"v": "B"})
    some_lake.say(("a", "grant", EARLIER), **other)
    assert some_lake.edges("supplier") == {}


def test_nothing_is_known_before_it_was_delivered(some_lake: Lake) -> None:
    some_lake.land("registry.company", [COMPANY])
    some_lake.know("registry.company", "company", {"r": "C"})
    some_lake.know("registry.role", "person", {"1": "a"})
    some_lake.land("registry.role", [role("1", "shareholder")], day=LATER)
    assert some_lake.edges("shareholder", DAY) == {}
    assert some_lake.edges("shareholder", LATER).keys() == {("a", "C")}
    some_lake.land("registry.role", [role("1", "shareholder", _change="delete")], day=date(2025, 7, 2))
    assert some_lake.edges("shareholder", date(2025, 7, 2)) == {}


def test_two_sources_may_share_a_key(some_lake: Lake) -> None:
    for source, party in (("east", "C"), ("west", "D")):
        some_lake.land("registry.company", [COMPANY], source)
        some_lake.know("registry.company", "company", {"r": party}, source)
        some_lake.know("registry.company", "legal_representative", {"r": party.lower()}, source)
    assert some_lake.edges("legal_representative").keys() == {("c", "C"), ("d", "D")}


def test_two_records_of_one_party_are_no_relation(some_lake: Lake) -> None:
    some_lake.land("registry.company", [COMPANY])
    some_lake.know("registry.company", "company", {"r": "C"})
    some_lake.know("registry.company", "legal_representative", {"r": "C"})
    assert some_lake.relations()["party_relation"] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.relation}-{kind.contracts[0]}")
def test_an_edge_serves_no_more_than_its_inputs(catalog: Catalog, kind) -> None:
    columns = [catalog.sources[name].column(column) for name, _, column in (i.rpartition(".") for i in kind.inputs)]
    for purpose in kind.purposes(catalog):
        assert all(purpose in column.purposes for column in columns)
    assert set(kind.contracts) <= {name.rpartition(".")[0] for name in kind.inputs}
    assert set(kind.legal_basis(catalog)) == {column.legal_basis for column in columns}
    codes = catalog.derived["relation.party_relation"].column("relation_type").enum
    assert kind.relation in codes


def test_guarantees_and_rings_are_for_risk_alone(catalog: Catalog) -> None:
    for kind in KINDS:
        if kind.relation == "guarantor" or kind.relation.startswith("shared_"):
            assert "marketing" not in kind.purposes(catalog)


def test_a_table_serves_no_more_than_the_edges_it_follows_from(catalog: Catalog) -> None:
    follows = {
        "party_relation": lambda kind: True,
        "supply_chain_position": lambda kind: kind.relation == "supplier",
        "household": lambda kind: kind.relation == "same_household",
        "party_network": lambda kind: kind.relation in (
            "guarantor", "legal_representative", "shareholder", "shared_phone", "shared_device"),
    }  # fmt: skip
    for table, chosen in follows.items():
        allowed = set.intersection(*(set(kind.purposes(catalog)) for kind in KINDS if chosen(kind)))
        contract = catalog.derived[f"relation.{table}"]
        assert set(contract.purposes) <= allowed, table
        assert all(set(column.purposes) <= allowed for column in contract.columns), table
