"""Names and addresses: as frequent as in life, in families, and readable by whoever knows Chinese names."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

from pipelines.simulation import addresses
from pipelines.simulation.names import Names, draw_names, given_texts, inherits, surname_texts, tables
from pipelines.simulation.records import citizens
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import World, build_world


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(load_settings(), 20_000, 3)


def test_every_character_of_a_given_name_has_its_pinyin_and_no_surname_is_listed_twice() -> None:
    lists = [fashion for each in tables().generations for fashion in (each.men, each.women)]
    assert set("".join(each.alone + each.first + each.last for each in lists)) <= tables().character_pinyin.keys()
    surnames = f"{tables().surnames.frequent} {tables().surnames.rare}".split()
    assert len(surnames) == len(tables().surname_pinyin) == surname_texts().n_unique()
    assert all(re.fullmatch(r"[\u4e00-\u9fff]{1,2}[a-z]+", surname) for surname in surnames)


def test_pairs_of_characters_are_pairs() -> None:
    for pairs in (tables().traditional, tables().similar):
        assert all(len(pair) == 2 and pair[0] != pair[1] for pair in pairs.split())


def test_surnames_are_as_frequent_as_in_the_country(world: World) -> None:
    assert tables().surname_shares.sum() == pytest.approx(1)
    found = citizens.names(world).surname
    for number, surname in enumerate("王李张"):
        assert surname_texts()[number] == surname
        assert (found == number).mean() == pytest.approx(tables().surnames.shares[number], abs=0.006)
    assert np.isin(found, np.arange(100)).mean() == pytest.approx(0.86, abs=0.06)  # the hundred most frequent


def test_names_fit_generation_and_sex(world: World) -> None:
    people, names = world.people, citizens.names(world)
    last = given_texts().gather(names.last + 1)
    old, young = people.age(0) > 65, people.age(0) < 12
    assert (last.filter(pl.Series(old)) == "英").mean() > 5 * max((last.filter(pl.Series(young)) == "英").mean(), 1e-4)
    assert (last.filter(pl.Series(young)) == "涵").mean() > 0.03
    women = (last.filter(pl.Series(people.female)) == "军").mean()
    assert (last.filter(pl.Series(~people.female)) == "军").mean() > 20 * max(women, 1e-5)


def test_homonyms_are_as_frequent_as_in_the_country(world: World) -> None:
    counts = citizens.full_names(world).value_counts(sort=True)
    most = counts["count"][0] / len(world.people)
    # The most frequent name of the country has some 290,000 bearers (ministry of public security): 0.02 per cent.
    assert 0.0001 < most < 0.0008
    assert 0.15 < counts.filter(pl.col("count") > 1)["count"].sum() / len(world.people) < 0.7


def test_children_bear_the_name_of_the_father_and_wives_their_own(world: World) -> None:
    people, names = world.people, citizens.names(world)
    head = np.flatnonzero(np.diff(people.household, prepend=-1))[people.household]
    child = people.birth > people.birth[head] + 15 * 365
    father = np.where(people.female[head] & (people.spouse[head] >= 0), people.spouse[head], head)
    assert child.any()
    np.testing.assert_array_equal(names.surname[child], names.surname[father[child]])
    wives = (people.spouse == head) & (head != np.arange(len(people)))
    assert not inherits(people)[wives].any()
    assert (names.surname[wives] == names.surname[head[wives]]).mean() < 0.06


def test_a_name_is_written_and_spelt() -> None:
    character = list(tables().character_pinyin)
    names = Names(np.array([0, 2]), np.array([-1, character.index("小")]), np.array([character.index("伟")] * 2))
    assert names.text().to_list() == ["王伟", "张小伟"]
    assert names.pinyin().to_list() == ["wangwei", "zhangxiaowei"]
    assert names.take(np.array([1])).given_text().to_list() == ["小伟"]
    assert Names(*(np.empty(0, dtype=int),) * 3).text().to_list() == []


def test_the_same_people_are_called_the_same(world: World) -> None:
    years = 2025 + world.people.birth // 366
    again = draw_names(world.people, years, world.streams).text()
    assert again.equals(draw_names(world.people, years, world.streams).text())


def test_companies_are_called_by_their_form(world: World) -> None:
    names, individual = citizens.company_names(world).to_list(), citizens.individuals(world)
    assert individual[world.stalls.company].all()
    for name, is_shop in zip(names, individual, strict=True):
        assert name.endswith("公司") != is_shop, name
        assert is_shop or name.startswith(tables().city), name
        assert 4 <= len(name) <= 30
    assert len(set(names)) > 0.9 * len(names)


def test_dwellings_have_an_address_each_in_their_district(world: World) -> None:
    homes = citizens.homes(world)
    assert homes.n_unique() == len(homes) == world.people.household[-1] + 1
    pattern = r"^澜州市\S+[区县]\S+(路|街|大道)\d+号\D+\d+栋\d单元\d{3,4}室$"
    assert homes.str.contains(pattern).all()
    district = pl.Series([each.name for each in world.districts]).gather(world.people.district.astype(int))
    alone = pl.Series(world.people.ring < 0)
    home = homes.gather(world.people.address).str.slice(3, 3)
    assert (home == district).filter(alone).all()


def test_many_dwellings_have_no_address_twice() -> None:
    districts = load_settings().districts
    numbers = np.arange(300_000)
    assert addresses.dwellings(numbers, np.zeros(len(numbers), dtype=int), districts).n_unique() == len(numbers)
    assert addresses.shortened(numbers[:2], np.array([0, 6]), districts).str.contains(r"^\S+\d+-\d-\d{3,4}$").all()
