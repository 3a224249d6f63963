"""The golden set: what was stated is remembered, a later statement counts, and parts and wholes replay to the same."""

from __future__ import annotations

import os
from datetime import date, timedelta

import polars as pl
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.identity import golden
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing

from .people import DAY, credit_code, records, ref, resident

RING = KeyRing(bytes.fromhex("5a" * 32))
SLOW = settings(max_examples=15, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_the_disk():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def one(record: str = "a", **said) -> pl.DataFrame:
    return records({"record_ref": record, **said}).select(golden.GOLDEN.keys())


def merged(before: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    return golden.merge(before, seen, golden.passed_on(before, seen))


def after(*stated: dict) -> dict:
    """What is known of a record after each statement in turn."""
    known = one().clear()
    for said in stated:
        changed = merged(known, one(**said))
        known = pl.concat([known.join(changed, on="record_ref", how="anti"), changed])
    (row,) = known.to_dicts()
    return row


def test_what_was_stated_is_remembered_until_something_else_is():
    said = after({"name": "王芳", "email": "a@b.cn"}, {"phone": "13800000001"}, {"email": "c@d.cn"})
    assert (said["name"], said["phone"], said["email"]) == ("王芳", "13800000001", "c@d.cn")


def test_a_name_and_its_sound_change_together():
    said = after({"name": "王芳"}, {"name": "JOHN"})
    assert (said["name"], said["sound"], said["turned"]) == ("JOHN", "john", None)
    said = after({"name": "王芳"}, {"phone": "13800000001"})
    assert (said["sound"], said["turned"]) == ("wangfang", "fangwang")


def test_a_number_that_one_had_is_remembered_for_good():
    one_, two, three = "13800000001", "13800000002", "13800000003"
    assert after({"phone": one_}, {"phone": two})["phone_before"] == one_
    assert after({"phone": one_}, {"phone": two}, {"email": "a@b.cn"})["phone_before"] == one_
    assert after({"phone": one_}, {"phone": two}, {"phone": three})["phone_before"] == two
    assert after({"phone": one_}, {"phone": two, "phone_before": three})["phone_before"] == one_
    assert after({"phone": two, "phone_before": one_}, {"phone": two})["phone_before"] == one_


FANG = {"name": "王芳", "phone": "13800000001", "national_id": resident(1), "first_seen": DAY}


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        ({"name": "李强"}, True), ({"name": "李强", "national_id": resident(2)}, True),
        ({"name": "王芳", "national_id": resident(2)}, True),
        # A name that was mistyped, or is written otherwise, is still hers; so is one under her resident id.
        ({"name": "汪方"}, False), ({"name": "FANG WANG"}, False),
        ({"name": "李强", "national_id": resident(1)}, False),
        ({"phone": "13800000002"}, False), ({"national_id": resident(2)[:-1] + "8", "national_id_valid": False}, False),
    ],
)  # fmt: skip
def test_of_a_record_that_is_of_somebody_else_nothing_is_remembered(said, passed):
    later = one(first_seen=DAY + timedelta(9), **said)
    assert golden.passed_on(one(**FANG), later).to_list() == ([ref("a")] if passed else [])
    (now,) = merged(one(**FANG), later).to_dicts()
    assert now["first_seen"] == DAY and now["name"] == said.get("name", "王芳")
    assert now["phone"] == (said.get("phone") if passed else said.get("phone", FANG["phone"]))
    assert now["phone_before"] == (FANG["phone"] if "phone" in said else None)


def test_an_organisation_is_another_by_its_credit_code_and_not_by_its_name():
    firm = {"entity_kind": "organisation", "name": "腾飞科技有限公司", "uscc": credit_code(1)}
    for said, passed in (({"name": "远大贸易有限公司"}, 0), ({"uscc": credit_code(2)}, 1), ({"uscc": None}, 0)):
        assert len(golden.passed_on(one(**firm), one(**{**firm, **said}))) == passed


def test_a_record_is_known_since_it_was_first_seen():
    assert after({"first_seen": DAY}, {"first_seen": DAY + timedelta(9), "name": "王芳"})["first_seen"] == DAY


STATED = st.fixed_dictionaries({}, optional={
    "name": st.sampled_from(["王芳", "李强", "ANNA"]), "phone": st.sampled_from(["13800000001", "13800000002"]),
    "email": st.sampled_from(["a@b.cn", "c@d.cn"]),
    "address": st.sampled_from(["海淀区碧水湾1-1-101", "海淀区碧水湾2-1-101"]),
    "phone_hash": st.sampled_from(["0a", "0b"]),
})  # fmt: skip


@SLOW
@given(st.lists(STATED, min_size=1, max_size=4))
def test_only_what_changed_is_new(stated):
    known = one().clear()
    for said in stated:
        seen = one(**said)
        changed = merged(known, seen)
        known = pl.concat([known.join(changed, on="record_ref", how="anti"), changed])
        # What is known is stable: the same statement again is no news.
        assert merged(known, seen).height == 0
        for name in ("name", "phone", "email", "dwelling"):
            if (value := seen[name].item()) is not None:
                assert known[name].item() == value


NIGHTS = st.lists(st.dictionaries(st.sampled_from("abcdef"), STATED, max_size=6), min_size=1, max_size=8)


@SLOW
@given(NIGHTS)
def test_parts_and_wholes_replay_to_what_was_known(tmp_path_factory, nights):
    home = Home(tmp_path_factory.mktemp("golden"))
    known, days = one().clear(), []
    so_far = []
    for number, said in enumerate(nights):
        seen = records(*({"record_ref": name, **what} for name, what in said.items())).select(golden.GOLDEN.keys())
        day = DAY + timedelta(number)
        changed = merged(known, seen)
        golden.write(home, RING, day, known, changed)
        known = pl.concat([known.join(changed, on="record_ref", how="anti"), changed])
        days.append(day)
        so_far.append(known)
    for number, was in enumerate(so_far, start=1):
        assert_frame_equal(golden.read(home, RING, days[:number]), was, check_row_order=False)


def test_a_whole_is_written_first_and_where_parts_have_grown(tmp_path):
    home, known = Home(tmp_path), one().clear()
    for number in range(12):
        seen = records(*({"record_ref": f"{number} {n}", "name": f"王{n}"} for n in range(5)))
        golden.write(home, RING, DAY + timedelta(number), known, seen)
        known = pl.concat([known, seen.select(golden.GOLDEN.keys())])
    kinds = [path.stem for path in sorted((tmp_path / "vault" / "golden").glob("*/*"))]
    assert kinds[0] == "whole" and 1 < kinds.count("whole") < 12


def test_a_date_that_is_run_again_forgets_it_and_the_later_ones(tmp_path):
    home, nothing = Home(tmp_path), one().clear()
    days = [DAY + timedelta(n) for n in range(3)]
    for name, day in zip("abc", days, strict=True):
        golden.write(home, RING, day, nothing, one(name))
    golden.write(home, RING, days[1], one("a"), one("d"))
    assert set(golden.read(home, RING, days)["record_ref"]) == {ref("a"), ref("d")}


def test_sealed_is_private_and_bound_to_its_date(tmp_path):
    home = Home(tmp_path)
    golden.write(home, RING, DAY, one().clear(), one(national_id="110101198001010010", email="anna@b.cn"))
    (path,) = (tmp_path / "vault" / "golden").glob("*/*")
    assert path.stat().st_mode & 0o777 == 0o600 and b"anna" not in path.read_bytes()
    other = tmp_path / "vault" / "golden" / "2030-01-02" / path.name
    other.parent.mkdir()
    path.rename(other)
    with pytest.raises(InvalidTag):
        golden.read(home, RING, [date(2030, 1, 2)])


def test_the_same_records_give_the_same_rows(tmp_path):
    home, made = Home(tmp_path), records({"record_ref": "a"}, {"record_ref": "b"}, {"record_ref": "c"})
    golden.write(home, RING, DAY, made.clear(), made)
    first = golden.read(home, RING, [DAY])
    golden.write(home, RING, DAY, made.clear(), made.reverse())
    assert_frame_equal(golden.read(home, RING, [DAY]), first)
