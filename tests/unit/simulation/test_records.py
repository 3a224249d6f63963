"""What each system knows: as wrong as noise.yaml says and no more, alike for the same seed, and true to the truth."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.settings import InputError
from pipelines.simulation import identifiers
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.records import citizens, identity_truth, mistakes, records_of
from pipelines.simulation.records.noise import Noise, Variants, load_noise
from pipelines.simulation.settings import HERE, load_settings, read_section
from pipelines.simulation.world import World, build_world

SYSTEMS = (
    "core", "crm", "app", "taobu", "pinhao", "market_east", "market_west", "hospital", "registry", "registry_roles",
    "court", "tax", "supply_chain", "environment", "social_security", "bureau",
)  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(load_settings(), 12_000, 4)


def share(of: np.ndarray | pl.Series) -> float:
    return float(np.asarray(of).mean())


def people_of(world: World, system: str) -> tuple[pl.DataFrame, np.ndarray]:
    records = records_of(world, system).filter(pl.col("person") >= 0)
    return records, records["person"].to_numpy()


def near(rate: float, count: int) -> object:
    """Four standard errors and a little."""
    return pytest.approx(rate, abs=4 * (rate * (1 - rate) / count) ** 0.5 + 0.001)


@pytest.mark.parametrize("system", SYSTEMS)
def test_records_have_unique_keys_and_belong_to_somebody(world: World, system: str) -> None:
    records = records_of(world, system)
    assert records["key"].n_unique() == records.height > 0
    assert ((records["person"] >= 0) | (records["company"] >= 0)).all()
    assert records["person"].max() < len(world.people) and records["company"].max() < len(world.companies)
    assert records["since"].is_between(-40_000, world.settings.horizon_days).all()


def test_the_same_seed_gives_the_same_records_in_whatever_order_they_are_asked_for(world: World) -> None:
    again, other = build_world(load_settings(), 12_000, 4), build_world(load_settings(), 12_000, 5)
    for system in reversed(SYSTEMS):
        assert records_of(again, system).equals(records_of(world, system)), system
        assert not records_of(other, system).equals(records_of(world, system)), system


def test_core_has_every_customer_once_and_some_twice(world: World) -> None:
    records, _ = people_of(world, "core")
    first = records.filter(~pl.col("is_second"))["person"]
    np.testing.assert_array_equal(np.sort(first), np.flatnonzero(world.people.join < NEVER))
    second = records.filter("is_second")
    via = world.accounts.holder[world.accounts.via_duplicate]
    assert set(via) <= set(second["person"]) <= set(np.flatnonzero(world.people.is_duplicate))
    assert second["person"].is_unique().all() and second.height > 0.7 * world.people.is_duplicate.sum()
    assert (world.people.join[second["person"]] <= second["since"].to_numpy()).all()
    assert records_of(world, "core")["since"].is_sorted()


def test_core_is_wrong_as_often_as_its_rates_say(world: World) -> None:
    rates, records = load_noise().core, people_of(world, "core")[0].filter(~pl.col("is_second"))
    person, count = records["person"].to_numpy(), records.height
    right = citizens.national_ids(world).gather(person)
    assert share(records["national_id"].is_null()) == near(rates.national_id_missing, count)
    wrong = (records["national_id"] != right).fill_null(False)
    assert share(wrong) == near(rates.national_id_wrong, count)
    assert share(records["name"] != citizens.full_names(world).gather(person)) == near(rates.padded_name, count)
    assert share(records["phone_before"].is_null()) == near(rates.phone_missing, count)
    now = identifiers.phones(citizens.phones(world)[person])
    assert share((records["phone_before"] != now).fill_null(False)) == near(rates.old_phone, count)
    assert share(records["address"].is_null()) == near(rates.address_missing, count)
    assert records["phone"].equals(now)


def test_a_mistyped_id_differs_in_one_digit(world: World) -> None:
    right = citizens.national_ids(world)
    spoilt = mistakes.mistyped_ids(world, "test.ids", right, 0.05)
    pairs = [(a, b) for a, b in zip(right, spoilt, strict=True) if a != b]
    assert len(pairs) / len(right) == near(0.05, len(right))
    assert all(len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1 for a, b in pairs)
    assert share([identifiers.is_resident_id(spoilt) for _, spoilt in pairs]) == 0


def test_second_records_are_worse(world: World) -> None:
    rates, records = load_noise().core, records_of(world, "core").filter("is_second")
    count, person = records.height, records["person"].to_numpy()
    assert share(records["national_id"].is_null()) == near(rates.duplicate_national_id_missing, count)
    assert share(records["name"] != citizens.full_names(world).gather(person)) == near(rates.duplicate_name, count)


def test_the_crm_covers_most_customers_and_is_wrong_more_often(world: World) -> None:
    rates, (records, person) = load_noise().crm, people_of(world, "crm")
    first = records.filter(~pl.col("is_second")).height
    assert first / (world.people.join < NEVER).sum() == near(rates.coverage, first)
    assert 0 < records["is_second"].sum() / first < 2 * rates.duplicates
    count, names = records.height, citizens.full_names(world).gather(person)
    assert share(records["name"] != names) == near(rates.name_variant, count)
    assert share(records["national_id"].is_null()) == near(rates.national_id_missing, count)
    assert share(records["party_key"].is_null()) == near(rates.party_key_missing, count)
    assert share(records["email"].is_not_null()) == near(rates.email, count)
    core = dict(records_of(world, "core").filter(~pl.col("is_second")).select("person", "key").rows())
    owner = pl.Series([core[each] for each in person])
    stated = (records["party_key"] != owner).fill_null(False)
    assert share(stated) == near(rates.party_key_wrong * (1 - rates.party_key_missing), count)
    for name in ("occupation", "education", "marital_status", "household_size", "annual_income", "manager_key"):
        assert share(records[name].is_null()) == near(rates.field_missing, count), name


def test_names_go_wrong_in_the_ways_that_are_listed(world: World) -> None:
    person = np.arange(len(world.people))
    right, wrong = citizens.full_names(world), mistakes.variants(world, "test.names", person)
    assert (right != wrong).all()
    shares: Variants = load_noise().variants
    assert share(wrong.str.contains(r"^[A-Z]+ [A-Z]+$")) == near(shares.pinyin, len(person))
    padded = share(wrong.str.contains(mistakes.WIDE_BLANK))
    assert shares.padded < padded < 0.5  # and names that nothing else can happen to
    shorter = (wrong.str.len_chars() < right.str.len_chars()) & wrong.str.contains(r"^\p{Han}+$")
    assert 0.5 * shares.missing < share(shorter) < 1.05 * shares.missing
    assert share(wrong.str.contains("[張劉陳楊黃趙吳]")) > 0.005
    assert wrong.str.len_chars().min() >= 2


def test_family_phones_and_rings_show_in_the_app(world: World) -> None:
    records, person = people_of(world, "app")
    assert (records["phone"].n_unique() < records.height) and (records["device"].n_unique() < records.height)
    ring = world.people.ring[person]
    members = records.filter(pl.Series(ring >= 0)).with_columns(ring=pl.Series(ring[ring >= 0]))
    assert (members.group_by("ring").agg(pl.col("device").n_unique())["device"] == 1).all()
    taste = world.people.digital[person].mean()
    assert taste > world.people.digital[world.people.join < NEVER].mean()


def test_shops_see_part_of_the_city_customers_or_not(world: World) -> None:
    for shop, rates in (("taobu", load_noise().taobu), ("pinhao", load_noise().pinhao)):
        records, person = people_of(world, shop)
        assert records.height / len(world.people) == pytest.approx(rates.share, abs=0.03)
        assert 0.3 < (world.people.join[person] < NEVER).mean() < 0.9
        assert records["address"].is_not_null().all()


def test_taobu_hands_over_plain_hashes(world: World) -> None:
    rates, (records, person) = load_noise().taobu, people_of(world, "taobu")
    phones = identifiers.phones(citizens.phones(world)[person])
    hashes = pl.Series([hashlib.sha256(phone.encode()).hexdigest() for phone in phones])
    assert share(records["phone_hash"].is_null()) == near(rates.phone_missing, records.height)
    told = records["phone_hash"].is_not_null()
    assert share(records.filter(told)["phone_hash"] != hashes.filter(told)) == near(rates.old_phone, records.height)


def test_pinhao_buyers_call_themselves_as_they_like(world: World) -> None:
    rates, (records, person) = load_noise().pinhao, people_of(world, "pinhao")
    told, count = records["name"].is_not_null(), records.height
    assert share(~told) == near(rates.name_missing, count)
    courtesy = records.filter(told)["name"].str.contains("(先生|女士)$")
    assert share(courtesy) == near(rates.name_courtesy, count)
    others = rates.name_nickname + rates.name_courtesy + rates.name_variant
    assert share((records["name"] != citizens.full_names(world).gather(person)).filter(told)) == near(others, count)


def test_markets_know_leaseholders_by_code_or_by_phone(world: World) -> None:
    east, west = records_of(world, "market_east"), records_of(world, "market_west")
    assert east.height + west.height == len(world.stalls)
    assert "uscc" in east.columns and "phone" not in east.columns
    assert "phone" in west.columns and "uscc" not in west.columns
    for records in (east, west):
        np.testing.assert_array_equal(records["person"], world.companies.owner[records["company"]])


@pytest.mark.parametrize("system", ["tax", "supply_chain", "environment"])
def test_authorities_know_companies_by_code(world: World, system: str) -> None:
    records = records_of(world, system)
    assert records["uscc"].is_not_null().all() and (records["uscc"].str.len_chars() == 18).all()
    wrong = share(records["uscc"] != citizens.credit_codes(world).gather(records["company"]))
    assert wrong == near(getattr(load_noise(), system).uscc_wrong, records.height)


def test_courts_publish_names_always_and_identifiers_sometimes(world: World) -> None:
    records = records_of(world, "court")
    people, firms = records.filter(pl.col("person") >= 0), records.filter(pl.col("company") >= 0)
    assert records["name"].is_not_null().all()
    assert people["name"].n_unique() < people.height  # homonyms
    assert share(people["national_id"].is_not_null()) == near(load_noise().court.national_id, people.height)
    assert share(firms["uscc"].is_not_null()) == near(load_noise().court.uscc, firms.height)


def test_every_defined_column_of_a_system_that_must_be_there_is(world: World) -> None:
    assert records_of(world, "social_security")["national_id"].is_not_null().all()
    bureau = records_of(world, "bureau")
    assert (bureau["national_id"].is_not_null() == (bureau["person"] >= 0)).all()
    assert (bureau["uscc"].is_not_null() == (bureau["company"] >= 0)).all()


def test_a_role_of_the_register_is_of_a_company_and_a_person(world: World) -> None:
    roles = records_of(world, "registry_roles")
    shares = roles.filter(pl.col("share") >= 0).group_by("company").agg(pl.col("share").sum())
    assert (shares["share"] == 10_000).all() and shares.height == len(world.companies)
    heads = roles.filter((pl.col("role") == 0) & (pl.col("since") <= 0))
    np.testing.assert_array_equal(heads.sort("company")["person"], world.companies.legal_rep)
    assert (roles["until"] > roles["since"]).all()


def test_the_truth_covers_every_record_of_every_system(world: World) -> None:
    truth = identity_truth(world)
    assert truth.columns == ["source", "contract", "record_key", "entity_kind", "entity"]
    assert truth["record_key"].is_not_null().all()
    people = truth.filter(pl.col("entity_kind") == "person")["entity"]
    assert people.max() < len(world.people) and truth["entity"].min() >= 0
    for system, contract in (("core", "core.party"), ("crm", "crm.customer"), ("registry", "registry.company")):
        found = truth.filter((pl.col("source") == system) & (pl.col("contract") == contract))
        assert found["record_key"].n_unique() == records_of(world, system).height == found.height
    stalls = truth.filter(pl.col("contract") == "market.stall_lease")
    assert stalls.height == 2 * len(world.stalls)


def test_every_rate_says_where_it_comes_from() -> None:
    lines = Path(HERE / "noise.yaml").read_text(encoding="utf-8").splitlines()
    numbers = [line for line in lines if re.search(r":\s.*\d", line) and not line.lstrip().startswith("#")]
    assert len(numbers) > 60
    assert [line for line in numbers if "#" not in line] == []


def test_noise_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    text = (HERE / "noise.yaml").read_text(encoding="utf-8")
    for good, bad, said in (
        ("coverage: 0.96", "coverage: 1.96", "crm.coverage"),
        ("  swapped: 0.06", "  swapped: 0.5", "add up"),
        ("app:", "apps:", "app"),
    ):
        path = tmp_path / "noise.yaml"
        assert good in text
        path.write_text(text.replace(good, bad), encoding="utf-8")
        with pytest.raises(InputError, match=said):
            read_section(path, Noise)
