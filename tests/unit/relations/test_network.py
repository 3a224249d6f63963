"""Households, rings, circles and positions in supply chains from a few rows, by hand and by plain recomputation."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.contracts.load import Catalog
from pipelines.relations.network import group_name

from .lakes import DAY, EARLIER, Lake


def people(lake: Lake, names: str, **columns: dict[str, str]) -> None:
    lake.customers({name: name for name in names}, **columns)


def groups(rows: list[dict], name: str) -> set[str]:
    """Members of each group, as sorted letters."""
    found = defaultdict(list)
    for row in rows:
        if row[f"{name}_id"]:
            found[row[f"{name}_id"]].append(row["party_id"])
    assert all(row[f"{name}_size"] == len(found[row[f"{name}_id"]]) for row in rows if row[f"{name}_id"])
    return {"".join(sorted(members)) for members in found.values()}


def test_people_at_one_address_are_a_household_and_a_dormitory_is_none(some_lake: Lake) -> None:
    home, dormitory = {c: "home" for c in "ab"}, {c: "dormitory" for c in "cdefghijk"}
    people(some_lake, "abcdefghijkl", address_token=home | dormitory, phone_token={"c": "p", "d": "p", "l": "p"})
    found = some_lake.relations()
    assert groups(found["household"], "household") == {"ab", "cd"}
    assert {r["party_id"]: r["household_evidence"] for r in found["household"]} == {
        "a": "address", "b": "address", "c": "address;phone", "d": "address;phone",
    }  # fmt: skip
    strengths = {
        e["from_party_id"]: e["strength"] for e in found["party_relation"] if e["relation_type"] == "same_household"
    }
    assert strengths == {"a": Decimal("0.3333"), "c": Decimal("0.6667")}


def test_an_account_and_a_phone_make_a_household_but_one_of_them_does_not(some_lake: Lake) -> None:
    people(some_lake, "abcdC", phone_token={"a": "p", "b": "p"})
    holders = [("1", "a", "owner"), ("1", "b", "disponent"), ("2", "c", "owner"), ("2", "d", "disponent"),
               ("3", "C", "owner"), ("3", "d", "disponent")]  # fmt: skip
    some_lake.land(
        "core.account_holder",
        [{"holding_key": f"{n}", "account_key": account, "party_key": party, "role": role}
         for n, (account, party, role) in enumerate(holders)],
    )  # fmt: skip
    found = some_lake.relations()
    assert groups(found["household"], "household") == {"ab"}
    kinds = {(e["from_party_id"], e["to_party_id"]): e["relation_type"] for e in found["party_relation"]
             if e["relation_type"] != "same_household"}  # fmt: skip
    assert kinds == {("b", "a"): "joint_account", ("d", "c"): "joint_account", ("d", "C"): "signatory"}


def test_a_chain_of_addresses_is_cut_back_to_what_has_two_kinds_of_evidence(some_lake: Lake) -> None:
    """Each moved in with the next: ten people, of whom two also share a phone."""
    names = "abcdefghij"
    people(
        some_lake,
        names,
        address_token={c: f"home {n // 2}" for n, c in enumerate(names)},
        phone_token={"a": "p", "b": "p"},
    )
    crm = {c: f"home {(n + 1) // 2}" for n, c in enumerate(names)}
    some_lake.land("crm.customer", [{"customer_key": c, "address_token": home} for c, home in crm.items()])
    some_lake.know("crm.customer", "customer", {c: c for c in names})
    assert groups(some_lake.relations()["household"], "household") == {"ab"}


def test_a_household_keeps_its_name_when_somebody_moves_in(some_lake: Lake, catalog: Catalog, tmp_path) -> None:
    people(some_lake, "ab", address_token={c: "home" for c in "ab"})
    before = some_lake.relations()["household"][0]
    more = Lake(catalog, tmp_path / "more")
    people(more, "abc", address_token={c: "home" for c in "abc"})
    after = more.relations()["household"][0]
    assert before["household_id"] == after["household_id"]
    assert (before["household_size"], after["household_size"]) == (2, 3)


def test_a_ring_is_found_and_a_family_is_not(some_lake: Lake) -> None:
    """Families of four share an address and half of them a phone; of four strangers, all share one device."""
    families = [f"{c}{n}" for n in range(30) for c in "wxyz"]
    strangers = {name: "device" if name in "abcd" else name for name in [*families, *"abcd"]}
    some_lake.customers(
        {name: name for name in strangers},
        address_token={name: name[1:] for name in families},
        phone_token={name: name[1:] for name in families if int(name[1:]) < 15},
    )
    events = [{"event_key": name, "app_user_key": name, "device_id_token": d} for name, d in strangers.items()]
    some_lake.land("channel.app_event", events)
    some_lake.know("channel.app_event", "user", {name: name for name in strangers})
    found = some_lake.relations()
    assert groups(found["party_network"], "ring") == {"abcd"}
    assert {row["ring_identifiers"] for row in found["party_network"]} == {"device"}
    assert all(row["ring_lift"] > 10 for row in found["party_network"])


def guaranteed(lake: Lake, pairs: str) -> None:
    """`pairs` as "AB BC": A stands surety for B, B for C."""
    parties = sorted(set(pairs) - {" "})
    lake.customers({p: p for p in parties}, uscc_token={p: p for p in parties})
    lake.land(
        "core.account_holder", [{"holding_key": p, "party_key": p, "account_key": p, "role": "owner"} for p in parties]
    )
    loans = list(enumerate(pairs.split()))
    lake.land(
        "loan.contract", [{"loan_key": f"{n}", "account_key": pair[1], "principal": Decimal(1)} for n, pair in loans]
    )
    lake.land(
        "loan.guarantee",
        [{"guarantee_key": f"{n}", "loan_key": f"{n}", "guarantor_uscc_token": pair[0], "guaranteed_amount": Decimal(1),
          "signed_on": DAY} for n, pair in loans],
    )  # fmt: skip


def test_a_circle_of_guarantees_and_a_chain(some_lake: Lake) -> None:
    guaranteed(some_lake, "AB BC CA CD EF")
    found = some_lake.relations()["party_network"]
    assert groups(found, "guarantee_circle") == {"ABC"}
    assert groups(found, "component") == {"ABCD", "EF"}
    rank = {row["party_id"]: row["pagerank"] for row in found}
    assert rank["E"] > rank["F"]  # who answers for a loan stands above who has it
    assert abs(sum(rank.values()) - len(rank)) < Decimal("0.00001")


INVOICES = st.lists(
    st.tuples(st.sampled_from("ABCD"), st.sampled_from("ABCD"), st.integers(0, 400), st.integers(0, 10**7)), max_size=25
)


@given(INVOICES)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_concentration_is_that_of_plain_arithmetic(catalog: Catalog, tmp_path_factory, invoices) -> None:
    lake = Lake(catalog, tmp_path_factory.mktemp("lake"))
    lake.land(
        "supply_chain.invoice",
        [{"invoice_key": f"{n}", "seller_uscc_token": seller, "buyer_uscc_token": buyer,
          "issued_on": date.fromordinal(DAY.toordinal() - days), "amount": Decimal(cents) / 100}
         for n, (seller, buyer, days, cents) in enumerate(invoices)],
    )  # fmt: skip
    for role in ("seller", "buyer"):
        lake.know("supply_chain.invoice", role, {c: c for c in "ABCD"})
    lake.customers({c: c for c in "ABCD"})
    lake.say(*((c, "grant", EARLIER) for c in "ABCD"))
    counted = [(s, b, Decimal(c) / 100) for s, b, days, c in invoices if days < 365 and s != b]
    positions = {row["party_id"]: row for row in lake.relations()["supply_chain_position"]}
    assert positions.keys() == {party for s, b, _ in counted for party in (s, b)}
    for party, row in positions.items():
        for mine, words in ((0, ("sales", "customer")), (1, ("purchases", "supplier"))):
            amounts: dict[str, Decimal] = defaultdict(Decimal)
            for invoice in counted:
                if invoice[mine] == party:
                    amounts[invoice[1 - mine]] += invoice[2]
            total = sum(amounts.values(), Decimal())
            assert row[f"{words[0]}_365d"] == total
            assert row[f"{words[1]}s_365d"] == len(amounts)
            if not total:
                assert row[f"{words[1]}_hhi_365d"] is None
                continue
            index = sum((amount / total) ** 2 for amount in amounts.values())
            for column, exact in (("{}_hhi_365d", index), ("top_{}_share_365d", max(amounts.values()) / total)):
                rounded = exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)
                assert abs(row[column.format(words[1])] - rounded) <= Decimal("0.0001")
        sells, buys = (any(i[n] == party for i in counted) for n in (0, 1))
        assert row["direction"] == ("both" if sells and buys else "supplier" if sells else "buyer")


@pytest.mark.parametrize("kind", ["household", "ring"])
def test_the_name_of_a_group_does_not_hold_its_party(kind: str) -> None:
    party = "ab" * 32
    named = pl.DataFrame({"p": [party]}).select(group_name(kind, pl.col("p"))).item()
    assert len(named) == 16
    assert named not in party
