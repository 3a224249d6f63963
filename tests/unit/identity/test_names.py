"""Names by sound and by kernel: what is one name to a clerk is one to matching, and what is another stays another."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from pipelines.identity.names import kernel, surname_of_title, with_person_names

# Characters with one reading, so that another library's answer is the only one.
PLAIN = "王李张刘陈杨赵周吴徐孙马朱胡郭何高林罗郑梁宋唐许韩冯邓曹彭伟芳娜敏静丽强磊洋艳勇军杰娟涛超明刚平辉"
NAMES = st.text(PLAIN, min_size=2, max_size=4)


def heard(*names: str | None) -> list[dict]:
    return with_person_names(pl.DataFrame({"name": names}, schema={"name": pl.String})).to_dicts()


@given(NAMES)
def test_a_name_sounds_as_it_is_read(name):
    (found,) = heard(name)
    assert found["sound"] == "".join(lazy_pinyin(name))
    assert found["turned"] == "".join(lazy_pinyin(name[-1] + name[:-1]))


@given(st.lists(st.one_of(st.none(), NAMES), max_size=8))
def test_a_sound_is_that_of_the_name_alone_whoever_stands_beside_it(names):
    assert heard(*names) == [heard(name)[0] for name in names]


@pytest.mark.parametrize(
    "one, other",
    [
        ("张伟", "張偉"), ("刘丽华", "劉麗華"), ("陈国强", "CHEN GUOQIANG"), ("吕艳", "LV YAN"),
        ("王小明", "Wang Xiao-Ming"), ("王芳", "汪方"), ("任静", "任靜"),
    ],
)  # fmt: skip
def test_passport_traditional_and_mistyped_forms_sound_alike(one, other):
    first, second = heard(one, other)
    assert first["sound"] == second["sound"]


def test_a_surname_is_read_as_one():
    sounds = [row["sound"] for row in heard("单丹", "简单", "曾强", "解磊", "仇军")]
    assert sounds == ["shandan", "jiandan", "zengqiang", "xielei", "qiujun"]


def test_a_surname_of_two_characters_is_read_whole():
    first, second = heard("欧阳娜", "OUYANG NA")
    assert first["sound"] == second["sound"] == "ouyangna"


@given(NAMES)
def test_a_name_written_with_the_surname_last_turns_into_itself(name):
    swapped, itself = heard(name[1:] + name[0], name)
    assert swapped["turned"] == itself["sound"]


def test_what_is_not_chinese_has_no_turned_form_and_nothing_has_no_sound():
    passport, nothing = heard("JOHN O'NEIL-SMITH", None)
    assert passport["sound"] == "johnoneilsmith" and passport["turned"] is None
    assert nothing["sound"] is None and nothing["turned"] is None


@pytest.mark.parametrize(
    "name, left",
    [
        ("北京市海淀区腾飞科技有限公司", "腾飞科技"), ("海淀区腾飞科技有限责任公司", "腾飞科技"),
        ("腾飞科技", "腾飞科技"), ("浙江省杭州市大有集团股份有限公司", "大有"), ("有限公司", None), (None, None),
    ],
)  # fmt: skip
def test_a_kernel_has_neither_place_nor_form(name, left):
    frame = pl.DataFrame({"name": [name]}, schema={"name": pl.String})
    assert frame.select(kernel(pl.col("name"))).item() == left


@given(st.text(PLAIN, min_size=2, max_size=6))
def test_a_kernel_is_its_own_kernel(name):
    once = pl.DataFrame({"name": [f"北京市{name}有限公司"]}).select(name=kernel(pl.col("name")))
    assert once.item() == name and once.select(kernel(pl.col("name"))).item() == name


@pytest.mark.parametrize(
    "alias, surname",
    [("王女士", "王"), ("欧阳先生", "欧阳"), ("李老师", "李"), ("女士", None), ("小王", None), ("王芳女士们", None)],
)
def test_a_title_tells_the_surname(alias, surname):
    assert pl.DataFrame({"alias": [alias]}).select(surname_of_title(pl.col("alias"))).item() == surname
