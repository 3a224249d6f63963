"""Columns that matching compares: dwellings however they are written, aliases that are names, right numbers."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.identity.standardise import STANDARD, admit_aliases, standardise

from .people import credit_code, records, ref, resident

DISTRICTS, ESTATES = (
    st.sampled_from(["海淀区", "长安县", "朝阳区"]),
    st.sampled_from(["幸福家园", "阳光花园", "碧水湾"]),
)
NUMBER = st.integers(1, 40)
DWELLING = st.tuples(DISTRICTS, ESTATES, NUMBER, st.integers(1, 6), st.integers(101, 1802))


def dwellings(*addresses: str | None) -> list[str | None]:
    made = records(*({"record_ref": str(n), "address": text} for n, text in enumerate(addresses)))
    return made["dwelling"].to_list()


def forms(district: str, estate: str, building: int, unit: int, room: int) -> list[str]:
    """One dwelling as forms, parcels and clerks write it."""
    return [
        f"北京市{district}中山路18号{estate}{building}栋{unit}单元{room}室",
        f"北京市{district}中山路18号{estate}{building}号楼{unit}单元{room}",
        f"{district}{estate}{building}-{unit}-{room}",
        f"{district}{estate} {building}-{unit}-{room}室",
        f"北京市{district}{estate}{building}幢{unit}单元{room}号",
    ]


@given(DWELLING)
def test_a_dwelling_has_one_key_in_every_form(dwelling):
    (key,) = set(dwellings(*forms(*dwelling)))
    assert key == "".join(dwelling[:2]) + "-".join(map(str, dwelling[2:]))


@given(DWELLING, DWELLING, st.integers(0, 4), st.integers(0, 4))
def test_two_dwellings_never_share_a_key(one, other, here, there):
    first, second = dwellings(forms(*one)[here], forms(*other)[there])
    assert (first == second) == (one == other)


@given(DISTRICTS, ESTATES, NUMBER, NUMBER)
def test_an_office_has_floor_and_room(district, tower, floor, room):
    long, short = dwellings(
        f"北京市{district}建设大街5号{tower}{floor}层{room}室", f"{district}{tower}{floor}-{room}"
    )  # fmt: skip
    assert long == short == f"{district}{tower}{floor}-{room}"


@pytest.mark.parametrize("address", [None, "北京市海淀区", "幸福家园", "no. 5"])
def test_what_names_no_dwelling_has_no_key(address):
    assert dwellings(address) == [None]


def test_the_road_is_kept_where_it_is_written():
    made = records(
        *({"record_ref": str(n), "address": text} for n, text in enumerate(forms("海淀区", "碧水湾", 1, 2, 301)))
    )
    assert made["road"].to_list() == ["中山路18号", "中山路18号", None, None, None]


@given(st.dates(date(1930, 1, 1), date(2020, 12, 31)), st.integers(0, 999))
def test_a_right_number_says_when_and_what_one_was_born(born, sequence):
    number = resident(sequence, born.strftime("%Y%m%d"))
    other = date(1950, 5, 1)
    (row,) = records({"record_ref": "a", "national_id": number, "birth_month": other, "gender": "male"}).to_dicts()
    assert row["valid_id"] == number and row["birth"] == born.strftime("%Y%m")
    assert row["gender"] == ("male" if sequence % 2 else "female")


def test_a_wrong_number_says_nothing_of_its_bearer():
    wrong = {"national_id": resident(1), "national_id_valid": False, "birth_month": date(1950, 5, 1), "gender": "male"}
    (row,) = records({"record_ref": "a", **wrong}).to_dicts()
    assert (row["valid_id"], row["birth"], row["gender"]) == (None, "195005", "male")
    assert row["national_id"] == resident(1)


@pytest.mark.parametrize("text", ["123456789012345", "E12345678"])
def test_another_document_is_no_national_id(text):
    (row,) = records({"record_ref": "a", "national_id": text, "national_id_valid": False}).to_dicts()
    assert row["national_id"] is None


def test_only_organisations_have_a_kernel():
    name = {"name": "北京市腾飞科技有限公司", "uscc": credit_code(1)}
    made = records({"record_ref": "a", **name}, {"record_ref": "b", "entity_kind": "organisation", **name})
    assert made["kernel"].to_list() == [None, "腾飞科技"]


def test_nothing_becomes_nothing_of_the_same_shape():
    made = standardise(records({"record_ref": "a"}).clear().pipe(_raw))
    assert made.height == 0 and made.schema == pl.Schema(STANDARD)


def _raw(frame: pl.DataFrame) -> pl.DataFrame:
    from .people import RAW

    return frame.select("entity_kind").with_columns(pl.lit(None, kind).alias(name) for name, kind in RAW.items())


def test_an_alias_is_a_name_only_where_somebody_is_registered_under_its_sound():
    known = records(
        {"record_ref": "mother", "name": "王芳"}, {"record_ref": "same", "alias": "汪方"},
        {"record_ref": "nick", "alias": "快乐的小鱼"}, {"record_ref": "title", "alias": "王女士"},
        {"record_ref": "own", "name": "李强", "alias": "王芳"},
    )  # fmt: skip
    registered = known.filter(pl.col("alias").is_null())["sound"]
    admitted = {row["record_ref"]: row for row in admit_aliases(known, registered).to_dicts()}
    assert len(admitted) == 5
    assert (admitted[ref("same")]["name"], admitted[ref("same")]["sound"]) == ("汪方", "wangfang")
    assert [admitted[ref(name)]["name"] for name in ("nick", "title", "own")] == [None, None, "李强"]
    assert admitted[ref("title")]["surname"] == "王"
