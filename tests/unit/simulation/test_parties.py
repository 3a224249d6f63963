"""What core, CRM, register and the bank itself deliver: valid rows that refer to each other, day by day the same."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from pipelines.simulation.emitters.customers import customers
from pipelines.simulation.emitters.parties import account_holders, parties
from pipelines.simulation.emitters.register import companies, roles
from pipelines.simulation.frames import EMITTERS
from pipelines.simulation.keys import account_key
from pipelines.simulation.raw import fields_of
from pipelines.simulation.records import records_of
from pipelines.simulation.records.customers import crm_changes
from pipelines.simulation.records.register import entries
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import World, build_world

from .scenario_frames import check, contract_of, feed_of, violations, world

DELIVERED = [
    ("core.party", "core"), ("core.account_holder", "core"), ("crm.customer", "crm"), ("reference.staff", "hr"),
    ("reference.district", "reference"), ("payroll.agreement", "payroll"), ("registry.company", "registry"),
    ("registry.role", "registry"),
]  # fmt: skip
DAYS = (0, 1, 31, 120, 400, 1000)


@pytest.fixture(scope="module")
def city() -> World:
    return world(2000)


@pytest.mark.parametrize("contract, source", DELIVERED)
def test_every_row_is_as_its_contract_wants_it(city: World, contract: str, source: str) -> None:
    for day in DAYS:
        found = EMITTERS[contract, source](city, day, source)
        assert len(found) or (day and contract_of(contract).delivery == "delta")
        if contract == "core.party":
            assert "birth_month" not in found.columns  # the feed reads it from the day of birth
            month = pl.col("BIRTH_DT").dt.truncate("1mo")
            today = pl.lit(city.calendar.date(day))
            violations(contract_of(contract), found.with_columns(birth_month=month, business_date=today))
            assert {field.column for field in fields_of(feed_of(contract, source), contract_of(contract))} == set(
                found.columns
            )
            assert found["party_key"].is_unique().all() and found["customer_since"].max() <= city.calendar.date(day)
        else:
            check(city, contract_of(contract), feed_of(contract, source), found, day)


@pytest.mark.parametrize("contract, source", DELIVERED)
def test_a_day_is_the_same_alone_and_after_others_and_for_the_same_seed(contract: str, source: str) -> None:
    one, other = build_world(load_settings(), 2000, 9), build_world(load_settings(), 2000, 9)
    emit = EMITTERS[contract, source]
    for day in (0, 5, 91):
        last = emit(one, day, source)
    assert last.equals(emit(other, 91, source))


def test_references_lead_somewhere_on_every_day(city: World) -> None:
    agreements = EMITTERS["payroll.agreement", "payroll"]
    known_accounts = account_key(np.arange(len(city.accounts)))
    for day in DAYS:
        keys = parties(city, day, "core")["party_key"]
        holders = account_holders(city, day, "core")
        assert holders["party_key"].is_in(keys.implode()).all()
        opened = known_accounts.filter(pl.Series(city.accounts.opened <= day))
        assert holders["account_key"].is_in(opened.implode()).all()
        owners = holders.filter(pl.col("role") == "owner")["account_key"]
        assert owners.n_unique() == len(owners) == len(opened)
        signed = agreements(city, day, "payroll")
        assert signed["employer_party_key"].is_in(keys.implode()).all()
        assert signed["employer_account"].is_in(opened.implode()).all()


def test_snapshots_of_core_only_grow_and_phones_are_put_right(city: World) -> None:
    first, last = parties(city, 0, "core"), parties(city, 1000, "core")
    assert first["party_key"].equals(last["party_key"].head(len(first)))
    assert last["customer_since"].is_sorted()
    changed = (first["phone"].fill_null("") != last["phone"].head(len(first)).fill_null("")).sum()
    records = records_of(city, "core").head(len(first))
    assert changed == (records["phone_corrected"].is_between(1, 1000)).sum() > 0
    others = [name for name in first.columns if name != "phone"]
    assert first.select(others).equals(last.head(len(first)).select(others))


def test_who_has_two_records_holds_accounts_through_both(city: World) -> None:
    holders = account_holders(city, 1000, "core")
    keys = holders["party_key"].str.slice(0, 1).unique().to_list()
    assert set(keys) == {"C", "D", "P"}


def test_the_crm_creates_before_it_changes_and_deletes_once(city: World) -> None:
    seen: dict[str, str] = {}
    created, deleted = 0, 0
    for day in range(200):
        frame = customers(city, day, "crm")
        for key, op, on in frame.select("customer_key", pl.col("OP").cast(pl.String), "created_on").rows():
            assert seen.get(key) != "D", "changed after it was deleted"
            assert (key in seen) == (on < city.calendar.date(day) and day > 0), key
            created, deleted = created + (key not in seen), deleted + (op == "D")
            seen[key] = op
        assert day == 0 or len(frame) < 0.05 * len(seen)
    assert created > 1700 and deleted == (crm_changes(city).deleted < 200).sum()


def test_changes_of_the_crm_last(city: World) -> None:
    """A record that moved or was assessed again is delivered with what changed, then and later."""
    changes = crm_changes(city)
    again = (changes.moved < changes.phone) & (changes.phone < 1000) & (changes.deleted > 1000)
    row = int(np.flatnonzero(again)[0])
    key, day = records_of(city, "crm")["key"][row], int(changes.moved[row])
    moved = customers(city, day, "crm").filter(pl.col("customer_key") == key)
    assert moved["address"][0] != records_of(city, "crm")["address"][row]
    later = int(changes.phone[row])
    after = customers(city, later, "crm").filter(pl.col("customer_key") == key)
    assert after["address"].equals(moved["address"]) and after["district_key"].equals(moved["district_key"])
    assessed = customers(city, 0, "crm").filter(pl.col("risk_assessed_on").is_not_null())
    assert assessed["investor_risk_level"].is_not_null().all() and len(assessed)


def test_the_register_reports_every_company_once_a_year_and_keeps_roles_apart(city: World) -> None:
    seen = set(companies(city, 0, "registry")["registration_key"])
    assert len(seen) == len(city.companies)
    reports: list[str] = []
    for day in range(1, 181):
        frame = companies(city, day, "registry")
        assert set(frame["registration_key"]) <= seen
        reports += frame.filter(pl.col("status") == "active")["registration_key"].to_list()
    assert len(set(reports)) > 0.7 * len(seen)
    known = set(roles(city, 0, "registry")["role_key"])
    for day in _changing(city):
        frame = roles(city, day, "registry")
        ends = frame.filter(pl.col("until").is_not_null())
        assert set(ends["role_key"]) <= known
        known |= set(frame["role_key"])


def _changing(city: World) -> list[int]:
    return [int(day) for day in np.unique(entries(city).changed) if day < city.settings.horizon_days]


def test_a_new_legal_representative_stands_in_both_tables(city: World) -> None:
    changed = 0
    for day in _changing(city):
        began = roles(city, day, "registry").filter(
            (pl.col("role").cast(pl.String) == "legal_representative") & pl.col("until").is_null()
        )
        if len(began):
            said = companies(city, day, "registry").select("registration_key", "legal_representative")
            both = began.join(said, on="registration_key", how="left")
            assert (both["person_name"] == both["legal_representative"]).all()
            changed += len(both)
    assert changed
