"""Identity records from landed rows: what was stated last counts, a number of before is kept, keys name for good."""

from __future__ import annotations

import os
from datetime import date, timedelta

import polars as pl
import pytest
from project import project_catalog

from pipelines.identity.records import COLUMNS, Window, read_records

from .landed import RING, Landed
from .people import credit_code, resident

FIRST = date(2025, 1, 6)
PHONES = [f"1380000000{n}" for n in range(4)]


@pytest.fixture(scope="module")
def catalog():
    return project_catalog()


@pytest.fixture
def home(catalog, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return Landed(catalog, tmp_path)


def day(number: int) -> date:
    return FIRST + timedelta(number)


def read(home: Landed, through: int = 30, after: int | None = None) -> dict[tuple[str, str, str], dict]:
    """Records by contract, role and key."""
    window = Window(None if after is None else day(after), day(through))
    found = read_records(home.catalog, home.home, home.ring, window)
    assert found.columns[: len(COLUMNS)] == [*COLUMNS] and found["record_ref"].is_unique().all()
    return {(row["contract"], row["role"], row["key"]): row for row in found.to_dicts()}


def customer(**said) -> dict:
    return {"customer_key": "R1", **said}


CRM = ("crm.customer", "customer", "R1")


def test_the_latest_that_was_stated_counts_and_silence_takes_nothing_back(home):
    home.land("crm.customer", day(0), customer(full_name="王 芳", email="A@b.cn"), customer(full_name="王芳芳"))
    home.land("crm.customer", day(1), customer(email=None, phone=PHONES[0]))
    row = read(home)[CRM]
    assert (row["name"], row["email"], row["phone"]) == ("王芳芳", "a@b.cn", PHONES[0])
    assert (row["first_seen"], row["entity_kind"], row["is_account"], row["source"]) == (day(0), "person", False, "s")


def test_the_number_before_is_kept(home):
    for number, phone in enumerate([PHONES[0], PHONES[1], PHONES[1], None]):
        home.land("crm.customer", day(number), customer(phone=phone))
    row = read(home)[CRM]
    assert (row["phone"], row["phone_before"]) == (PHONES[1], PHONES[0])
    assert read(home, through=0)[CRM]["phone_before"] is None
    assert read(home, after=0)[CRM]["phone_before"] is None


def test_a_window_has_the_records_of_its_dates_only(home):
    home.land("crm.customer", day(0), customer())
    home.land("crm.customer", day(1), customer(customer_key="R2"))
    home.land("crm.customer", day(2), customer(customer_key="R3"))
    assert {key for _, _, key in read(home, after=0, through=1)} == {"R2"}
    assert Window(day(0), day(2)).days() == [day(1), day(2)] and Window(None, day(2)).days() is None


def test_a_key_that_is_gone_is_no_news_of_it(home):
    home.land("crm.customer", day(0), customer(full_name="王芳"))
    home.land("crm.customer", day(1), customer(_change="tombstone"))
    assert read(home, after=0) == {} and read(home)[CRM]["name"] == "王芳"


def test_a_row_may_name_two_subjects_and_say_how_they_stand(home):
    said = {"company_name": "腾飞科技有限公司", "uscc": credit_code(1), "legal_representative": "王芳"}
    home.land("registry.company", day(0), {"registration_key": "G1", **said})
    found = read(home)
    company, head = (found["registry.company", role, "G1"] for role in ("company", "legal_representative"))
    assert (company["entity_kind"], company["uscc_valid"], company["head"]) == ("organisation", True, "王芳")
    assert (head["entity_kind"], head["name"]) == ("person", "王芳")
    assert head["acts_for"] == "\x1f".join(("registry.company", "company", "G1"))
    assert company["record_ref"] != head["record_ref"]


def test_a_stated_customer_number_refers_to_the_holder(home):
    home.land("crm.customer", day(0), customer(party_key="P1"), customer(customer_key="R2"))
    found = read(home)
    assert found[CRM]["refers_to"] == "\x1f".join(("core.party", "holder", "P1"))
    assert found["crm.customer", "customer", "R2"]["refers_to"] is None


def test_who_is_known_by_an_identifier_only_has_it_for_a_key(home):
    right, none = resident(1), None
    home.land("medical.payment", day(0), {"payment_key": "1", "patient_national_id": right, "patient_name": "王芳"},
              {"payment_key": "2", "patient_national_id": none, "patient_name": "李强"})  # fmt: skip
    (row,) = read(home).values()
    assert (row["key"], row["key_kind"], row["national_id"], row["national_id_valid"]) == (
        right,
        "national_id",
        right,
        True,
    )
    rotated = Landed(home.catalog, home.home.path, RING.at(2))
    rotated.land("medical.payment", day(0), {"payment_key": "1", "patient_national_id": right, "patient_name": "王芳"})
    (again,) = read(rotated).values()
    assert again["record_ref"] == row["record_ref"]


def test_an_account_is_its_holders_and_an_event_is_not(home):
    home.land("channel.app_event", day(0), {"event_key": "1", "app_user_key": "U1", "phone": PHONES[0]})
    assert read(home)["channel.app_event", "user", "U1"]["is_account"]


@pytest.mark.parametrize(
    "said, kind",
    [
        ({"defendant_uscc": credit_code(1)}, "organisation"), ({"defendant_national_id": resident(1)}, "person"),
        ({"defendant_name": "澜州市腾飞科技有限公司"}, "organisation"), ({"defendant_name": "欧阳小芳"}, "person"),
        ({}, "person"), ({"defendant_name": "澜州市腾飞科技", "defendant_national_id": resident(1)}, "person"),
    ],
)  # fmt: skip
def test_of_rows_of_either_kind_each_is_what_its_identifiers_say(home, said, kind):
    home.land("judicial.case", day(0), {"case_key": "C1", **said})
    assert read(home)["judicial.case", "defendant", "C1"]["entity_kind"] == kind


def test_two_sources_of_one_key_are_two_records(home):
    for source in ("east", "west"):
        home.land("market.stall_lease", day(0), {"lease_key": "L1", "owner_name": "王芳"}, source=source)
    window = Window(None, day(0))
    found = read_records(home.catalog, home.home, home.ring, window)
    assert found.group_by("source", "role").len()["len"].to_list() == [1] * 4 and found["record_ref"].n_unique() == 4


def test_nothing_landed_is_no_records_of_the_same_shape(home):
    empty = read_records(home.catalog, home.home, home.ring, Window(None, day(0)))
    home.land("crm.customer", day(0), customer())
    assert (
        empty.height == 0
        and empty.schema == read_records(home.catalog, home.home, home.ring, Window(None, day(0))).schema
    )


def test_the_order_of_lines_within_a_date_is_told_by_their_number(home):
    home.land("crm.customer", day(0), customer(full_name="王芳", _line=2), customer(full_name="李强", _line=1))
    assert read(home)[CRM]["name"] == "王芳"


def test_a_record_is_read_the_same_whatever_else_is_landed(home):
    home.land("crm.customer", day(0), customer(full_name="王芳", phone=PHONES[0]))
    alone = read(home)[CRM]
    home.land(
        "core.party", day(0), {"party_key": "P1", "party_kind": "person", "full_name": "王芳", "phone": PHONES[0]}
    )
    found = read(home)
    assert found[CRM] == alone and found["core.party", "holder", "P1"]["name"] == "王芳"
    assert isinstance(found[CRM], dict) and pl.Series([row["record_ref"] for row in found.values()]).is_unique().all()
