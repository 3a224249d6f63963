"""A night of the identity layer: what dbt reads of it, what of earlier nights holds, when all is matched anew."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from project import project_catalog

from pipelines.contracts.model import ContractError
from pipelines.identity import run, state
from pipelines.vault.tokens import hmac_sha256

from .landed import RING, Landed
from .people import credit_code, resident

FIRST = date(2025, 1, 6)
PHONE, OTHER = "13800000001", "13800000002"
FANG = {"party_key": "P1", "party_kind": "person", "full_name": "王芳", "national_id": resident(1), "phone": PHONE}
QIANG = {"party_key": "P2", "party_kind": "person", "full_name": "李强", "national_id": resident(2), "phone": OTHER}
ROW = {"customer_key": "R1", "full_name": "王芳", "phone": PHONE, "national_id": resident(1)}
HASHED = {"order_key": "O1", "buyer_key": "B1", "buyer_phone_hash": hashlib.sha256(PHONE.encode()).hexdigest()}


@pytest.fixture(scope="module")
def catalog():
    return project_catalog()


@pytest.fixture
def home(catalog, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return Landed(catalog, tmp_path / "home")


def day(number: int) -> date:
    return FIRST + timedelta(number)


def table(home: Landed, name: str) -> pl.DataFrame:
    return pl.read_parquet(home.home.identity / f"{name}.parquet")


def party(home: Landed, contract: str, key: str) -> str:
    (found,) = table(home, "party_crosswalk").filter(contract=contract, record_key=key)["party_id"]
    return found


def town(home: Landed) -> None:
    """Three days: two holders, then what others know of them."""
    home.land("core.party", day(0), FANG, QIANG, source="core")
    home.land("crm.customer", day(1), ROW, source="crm")
    home.land(
        "medical.payment", day(2), {"payment_key": "1", "patient_national_id": resident(2), "patient_name": "李强"}
    )
    firm = {"company_name": "腾飞科技有限公司", "uscc": credit_code(1), "legal_representative": "赵敏"}
    home.land("registry.company", day(2), {"registration_key": "G1", **firm})


def test_the_crosswalk_has_every_record_as_the_lake_does(home, catalog):
    town(home)
    outcome = home.resolve(day(2))
    crosswalk, parties = table(home, "party_crosswalk"), table(home, "party")
    assert (outcome.records, outcome.parties, outcome.full) == (crosswalk.height, parties.height, True)
    assert crosswalk.select("contract", "source", "record_key", "role").is_unique().all()
    assert crosswalk["record_ref"].is_unique().all()
    token = pl.select(hmac_sha256(pl.lit(resident(2)), RING.token_key("national_id"))).item()
    assert party(home, "medical.payment", token) == party(home, "core.party", "P2")
    assert party(home, "crm.customer", "R1") == party(home, "core.party", "P1") != party(home, "core.party", "P2")
    kinds = dict(parties.select("party_id", "party_kind").iter_rows())
    company = crosswalk.filter(role="company")["party_id"].item()
    assert (
        kinds[company] == "organisation" and crosswalk.filter(role="legal_representative")["party_id"].item() != company
    )
    assert dict(parties.select("party_id", "records").iter_rows())[party(home, "core.party", "P1")] == 2
    assert crosswalk.filter(contract="crm.customer")["founded_on"].to_list() == [day(1)]
    for name in ("party_crosswalk", "party", "identity_event", "identity_review"):
        assert table(home, name).columns == [column.name for column in catalog.derived[f"identity.{name}"].columns]


def test_no_raw_identifier_leaves_the_vault(home):
    town(home)
    home.resolve(day(2))
    for path in home.home.identity.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [raw for raw in (resident(1), resident(2), PHONE, "王芳") if raw.encode() in content], path


def test_nights_come_to_what_one_run_comes_to(home, catalog, tmp_path):
    town(home)
    outcomes = [home.resolve(day(number)) for number in range(3)]
    assert [one.full for one in outcomes] == [True, False, False]
    other = Landed(catalog, tmp_path / "other")
    town(other)
    other.resolve(day(2))
    assert table(home, "party_crosswalk").equals(table(other, "party_crosswalk"))


def test_an_office_that_passes_to_another_is_theirs(home, catalog, tmp_path):
    firm = {"registration_key": "G1", "company_name": "腾飞科技有限公司", "uscc": credit_code(1)}
    roles = [
        {"role_key": key, "registration_key": "G1", "person_name": name, "person_national_id": number}
        for key, name, number in (("R1", "王芳", resident(1)), ("R2", "李强", resident(2)))
    ]
    for place in (home, other := Landed(catalog, tmp_path / "other")):
        place.land("core.party", day(0), FANG, QIANG, source="core")
        place.land("registry.role", day(0), *roles)
        place.land("registry.company", day(0), {**firm, "legal_representative": "王芳"})
        place.land("registry.company", day(1), {**firm, "legal_representative": "李强"})
    of = pl.col("role") == "legal_representative"
    for number, whose in ((0, "P1"), (1, "P2")):
        home.resolve(day(number))
        assert table(home, "party_crosswalk").filter(of)["party_id"].item() == party(home, "core.party", whose)
    other.resolve(day(1))
    assert table(home, "party_crosswalk")["party_id"].equals(table(other, "party_crosswalk")["party_id"])
    assert table(home, "identity_event")["kind"].to_list() == ["moved"]


def content(home: Landed) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(home.home.identity.glob("*.parquet"))}


def test_a_night_that_cannot_be_carried_out_leaves_the_one_before_as_it_was(home, monkeypatch):
    town(home)
    for number in range(3):
        home.resolve(day(number))
    before = {path: path.read_bytes() for path in home.home.identity.rglob("*") if path.is_file()}
    decided = home.home.identity / "decisions.yaml"
    decided.write_text("decisions:\n  - {verdict: maybe}\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"decisions\.1\.verdict"):
        home.resolve(day(2))
    decided.unlink()
    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(run, "match", _without_room)
        home.resolve(day(2))
    assert {path: path.read_bytes() for path in home.home.identity.rglob("*") if path.is_file()} == before
    assert state.dates(home.home) == [day(number) for number in range(3)]


def _without_room(*_: object) -> None:
    raise MemoryError


@pytest.mark.slow
def test_a_date_that_is_run_again_writes_the_same_bytes(home):
    town(home)
    for number in range(3):
        home.resolve(day(number))
    before = content(home)
    assert home.resolve(day(2)).full is False
    assert content(home) == before
    home.resolve(day(1))
    home.resolve(day(2))
    assert content(home) == before


def test_a_home_without_records_has_no_parties(home):
    outcome = home.resolve(day(0))
    assert (outcome.records, outcome.parties, outcome.events) == (0, 0, 0)
    town(home)
    assert home.resolve(day(2)).parties == 4


def test_a_night_on_which_nothing_is_landed_changes_nothing(home):
    town(home)
    home.resolve(day(2))
    before = content(home)
    outcome = home.resolve(day(3))
    assert (outcome.changed, outcome.full) == (0, False) and content(home) == before


def test_a_correction_of_the_past_matches_everything_anew_and_tells_it(home):
    town(home)
    home.resolve(day(1))
    assert party(home, "crm.customer", "R1") == party(home, "core.party", "P1")
    home.land(
        "crm.customer", day(1), ROW | {"full_name": "李强", "national_id": resident(2), "phone": OTHER}, source="crm"
    )
    assert home.resolve(day(2)).full
    assert party(home, "crm.customer", "R1") == party(home, "core.party", "P2")
    (event,) = table(home, "identity_event").to_dicts()
    assert (event["kind"], event["records"], event["into_party_id"]) == ("moved", 1, party(home, "core.party", "P2"))


def test_another_threshold_matches_everything_anew_and_keeps_ids(home, catalog):
    town(home)
    home.resolve(day(1))
    before = dict(table(home, "party_crosswalk").select("record_ref", "party_id").iter_rows())
    said: Mapping[str, float] = {**catalog.policy.thresholds, "identity.link_weight": 2.0}
    home.catalog = copy(catalog)
    home.catalog.policy = replace(catalog.policy, thresholds=said)
    assert home.resolve(day(2)).full
    after = dict(table(home, "party_crosswalk").select("record_ref", "party_id").iter_rows())
    assert {ref: after[ref] for ref in before} == before
    home.resolve(day(3))
    assert not home.resolve(day(4)).full


def test_a_hash_is_resolved_once_its_number_is_known(home):
    home.land("ecommerce.order", day(0), HASHED, source="taobu")
    home.resolve(day(0))
    alone = party(home, "ecommerce.order", "B1")
    home.land("core.party", day(1), FANG, source="core")
    assert not home.resolve(day(1)).full
    # The id was the buyer's: who joins it is new, and nothing changes of what was.
    assert party(home, "core.party", "P1") == party(home, "ecommerce.order", "B1") == alone
    assert table(home, "identity_event").height == 0 and home.resolve(day(2)).changed == 0


def test_a_merge_by_a_number_that_becomes_known_is_told(home):
    home.land("ecommerce.order", day(0), HASHED, source="taobu")
    home.land("core.party", day(0), FANG | {"phone": OTHER}, source="core")
    home.resolve(day(0))
    were = {party(home, "core.party", "P1"), party(home, "ecommerce.order", "B1")}
    home.land("core.party", day(1), FANG, source="core")
    assert home.resolve(day(1)).events == 1 and len(were) == 2
    (event,) = table(home, "identity_event").to_dicts()
    assert event["kind"] == "merge" and {event["party_id"], event["other_party_id"]} == were
    assert party(home, "core.party", "P1") == party(home, "ecommerce.order", "B1") == event["into_party_id"]


def test_a_full_run_that_is_asked_for_matches_everything(home):
    town(home)
    home.resolve(day(1))
    before = content(home)
    assert home.resolve(day(2), full=True).full
    assert party(home, "crm.customer", "R1") == party(home, "core.party", "P1")
    assert before.keys() == content(home).keys() and state.dates(home.home) == [day(1), day(2)]
