"""Scenarios against their contracts: rows that ingest accepts, keys that never come again, parents that are known."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pytest

from pipelines.simulation.keys import party_key, staff_key
from pipelines.simulation.known import known
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import World, build_world

from .scenario_frames import SCENARIOS, check, contract_of, feed_of, frame, frames, world

SMALL = 2000
#: The first days, a month's end with its filings, the days of double eleven, and the last day.
DAYS = (0, 1, 2, 3, 13, 14, 30, 45, 46, 104, 313, 314, 315, 727, 1095)


@pytest.fixture(scope="module")
def small() -> World:
    return world(SMALL)


@pytest.mark.slow
@pytest.mark.parametrize(("contract", "source"), SCENARIOS)
def test_every_frame_is_what_its_contract_and_feed_say(small: World, contract: str, source: str) -> None:
    for day in DAYS:
        check(small, contract_of(contract), feed_of(contract, source), frame(small, contract, source, day), day)


@pytest.mark.parametrize(
    ("contract", "source"), [each for each in SCENARIOS if contract_of(each[0]).delivery == "append"]
)
def test_a_key_of_an_event_never_comes_again(small: World, contract: str, source: str) -> None:
    found = frames(small, contract, source, range(40))
    assert found.select(contract_of(contract).key).is_duplicated().sum() == 0


@pytest.mark.parametrize(("contract", "source"), SCENARIOS)
def test_a_day_alone_is_the_day_within_a_range(contract: str, source: str) -> None:
    in_a_row = build_world(load_settings(), SMALL, 5)
    for day in range(112, 125):
        last = frame(in_a_row, contract, source, day)
    alone = frame(build_world(load_settings(), SMALL, 5), contract, source, 124)
    back = frame(in_a_row, contract, source, 31)
    assert digest(last) == digest(alone)
    assert digest(back) == digest(frame(build_world(load_settings(), SMALL, 5), contract, source, 31))


def test_another_seed_gives_other_rows(small: World) -> None:
    other = world(SMALL, 6)
    assert all(
        digest(frame(small, contract, source, 10)) != digest(frame(other, contract, source, 10))
        for contract, source in (("channel.app_event", "app"), ("ecommerce.order", "taobu"), ("ops.audit_log", "ops"))
    )


def digest(found: pl.DataFrame) -> str:
    return hashlib.sha256(found.write_csv().encode()).hexdigest()


@pytest.mark.parametrize("day", [0, 5, 260, 400])
def test_what_is_referred_to_is_known_by_then(small: World, day: int) -> None:
    people, companies = np.flatnonzero(small.people.join <= day), np.flatnonzero(small.companies.join <= day)
    parties = {*party_key(False, people).to_list(), *party_key(True, companies).to_list()}
    staff = set(staff_key(np.flatnonzero(small.staff.hired <= day)).to_list())
    assert references(frame(small, "consent.event", "consent", day), "party_key") <= parties
    assert references(frame(small, "service.complaint", "service", day), "party_key") <= parties
    log = frame(small, "ops.audit_log", "ops", day)
    assert references(log, "party_key") <= parties
    assert references(log, "staff_key") <= staff
    begun = references(frame(small, "crm.campaign", "campaigns", day), "campaign_key")
    assert references(frame(small, "crm.contact", "campaigns", day), "campaign_key") <= begun
    customers = set(known(small, "crm").filter(pl.col("since") <= day)["key"])
    assert references(frame(small, "crm.contact", "campaigns", day), "customer_key") <= customers
    assert references(frame(small, "survey.nps", "survey", day), "customer_key") <= customers
    for market in ("market_east", "market_west"):
        leases = references(frame(small, "market.stall_lease", market, day), "lease_key")
        sold = references(frame(small, "market.daily_turnover", market, day), "lease_key")
        assert sold
        assert sold <= leases


def references(found: pl.DataFrame, column: str) -> set[str]:
    return set(found[column].cast(pl.String).drop_nulls().to_list())


def test_goods_are_shipped_on_invoices_that_are_known(small: World) -> None:
    known: set[str] = set()
    for day in range(60):
        invoices = frame(small, "supply_chain.invoice", "supply_chain", day)
        known |= references(invoices.filter(pl.col("op").cast(pl.String) == "U"), "invoice_key")
        known -= references(invoices.filter(pl.col("op").cast(pl.String) == "D"), "invoice_key")
        assert references(frame(small, "supply_chain.shipment", "supply_chain", day), "invoice_key") <= known


@pytest.mark.parametrize(
    ("contract", "source"),
    [("service.complaint", "service"), ("supply_chain.invoice", "supply_chain"), ("judicial.case", "court")],
)
def test_changes_follow_a_record_and_nothing_follows_its_deletion(contract: str, source: str) -> None:
    of, (key,) = world(20_000), contract_of(contract).key
    known, gone, before = set(), set(), {}
    for day in range(150):
        found = frame(of, contract, source, day)
        for row in found.with_columns(pl.col("op").cast(pl.String)).iter_rows(named=True):
            assert row[key] not in gone
            if row["op"] == "D":
                assert row[key] in known
                gone.add(row[key])
            else:
                # What was said once stays: only what was open is filled in.
                earlier = before.get(row[key], {})
                changed = {name for name, value in earlier.items() if value is not None and row[name] != value}
                assert changed <= {"updatedOn", "updated_on"}
            before[row[key]] = row
            known.add(row[key])
    assert gone
    assert len(known) > len(gone)
