"""Finding pairs: whatever the order of rows, a night finds what a full run finds of the records that are new."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from project import project_catalog

from .people import credit_code, matched, named, records, ref, resident

SLOW = settings(max_examples=8, suppress_health_check=list(HealthCheck))
CRM = {"contract": "crm.customer", "source": "crm", "role": "customer"}
CORE = {"contract": "core.party", "source": "core", "role": "holder"}
APP = {"contract": "channel.app_event", "source": "app", "role": "user", "is_account": True}
ORDER = {"contract": "ecommerce.order", "source": "taobu", "role": "buyer"}
OF_COMPANY = "registry.company\x1fcompany\x1fr1"


@pytest.fixture(scope="module")
def catalog():
    return project_catalog()


def number(n: int) -> str:
    return f"138{n:08d}"


def home(n: int) -> str:
    return f"澜州市江湾区文昌路{n}号锦绣花园{n}栋1单元101室"


#: A small town: parties by name, each with its records.
TOWN = {
    "fang": {
        "fang core": CORE | {"name": "王芳", "national_id": resident(1), "phone": number(1), "address": home(1)},
        "fang crm": CRM | {"name": "汪方", "phone": number(1), "address": home(1)},
        "fang app": APP | {"phone": number(1)},
        "fang order": ORDER | {"phone": number(1), "alias": "王女士", "address": home(1)},
        "fang patient": {"contract": "medical.payment", "role": "patient", "national_id": resident(1)},
    },
    "qiang": {
        "qiang core": CORE | {"name": "李强", "national_id": resident(2), "phone": number(2), "address": home(2)},
        "qiang crm": CRM | {"name": "LI QIANG", "phone": number(2), "address": home(2), "email": "q@q.cn"},
        "qiang wrong": {
            "role": "insured", "name": "李强", "national_id": resident(2)[:-1] + "8", "national_id_valid": False,
        },
    },
    "namesake": {
        "namesake core": CORE | {"name": "李强", "national_id": resident(3), "phone": number(3), "address": home(3)},
    },
    "firm": {
        "firm core": CORE | {"entity_kind": "organisation", "name": "澜州市腾飞科技有限公司", "uscc": credit_code(1)},
        "firm registry": {
            "contract": "registry.company", "source": "registry", "role": "company", "key": "r1",
            "entity_kind": "organisation", "name": "澜州市腾飞科技有限公司", "uscc": credit_code(1), "head": "王芳",
        },
    },
    "user": {"lone app": APP | {"phone": number(9)}, "lone order": ORDER | {"phone": number(9)}},
}  # fmt: skip
RECORDS = {name: said for party in TOWN.values() for name, said in party.items()}
PARTY = {name: party for party, names in TOWN.items() for name in names}


def town(*names: str) -> pl.DataFrame:
    return records(*({"record_ref": name, **RECORDS[name]} for name in names or RECORDS))


def groups(edges: pl.DataFrame, known: dict[str, str] | None = None) -> set[frozenset[str]]:
    """Records that are together by edges, or because they are of one party in `known`."""
    of = {name: {name} for name in RECORDS}
    pairs = [(one, other) for one, other, _ in named(edges, *RECORDS)]
    by_party: dict[str, list[str]] = {}
    for name, party in (known or {}).items():
        by_party.setdefault(party, []).append(name)
    pairs += [(names[0], name) for names in by_party.values() for name in names]
    for left, right in pairs:
        joined = of[left] | of[right]
        of.update(dict.fromkeys(joined, joined))
    return {frozenset(group) for group in of.values()}


TRUTH = {frozenset(names) for names in TOWN.values()}


def test_the_town_is_who_it_is(catalog):
    found = matched(catalog, town())
    assert groups(found.edges) == TRUTH
    assert set(found.edges["rule"]) == {"national_id", "uscc", "model", "phone", "national_id_corrected"}


@pytest.mark.slow
@SLOW
@given(st.permutations(sorted(RECORDS)), st.sets(st.sampled_from(sorted(RECORDS))))
def test_the_order_of_rows_does_not_matter(catalog, order, new):
    old = {name: PARTY[name] for name in RECORDS if name not in new}
    one = matched(catalog, town(), new=new, party=old)
    other = matched(catalog, town(*order), new=new, party=old)
    assert_frame_equal(one.edges, other.edges, rel_tol=1e-12)
    assert_frame_equal(one.borderline, other.borderline, rel_tol=1e-12)


@pytest.mark.slow
@SLOW
@given(st.sets(st.sampled_from(sorted(RECORDS))))
def test_a_night_finds_what_a_full_run_finds_of_what_is_new(catalog, new):
    full = matched(catalog, town()).edges
    old = town(*(name for name in RECORDS if name not in new)) if len(new) < len(RECORDS) else None
    before = groups(matched(catalog, old).edges) if old is not None else set()
    party = {name: min(group) for group in before for name in group if name not in new}
    night = matched(catalog, town(), new=new, party=party).edges
    assert groups(night, party) == groups(full)
    touching = pl.col("left_ref").is_in([ref(n) for n in new]) | pl.col("right_ref").is_in([ref(n) for n in new])
    by_model = [frame.filter(touching & (pl.col("rule") == "model")) for frame in (night, full)]
    assert named(by_model[0], *RECORDS) == named(by_model[1], *RECORDS)


def test_a_night_without_anything_new_finds_nothing(catalog):
    found = matched(catalog, town(), new=(), party=PARTY)
    assert found.edges.height == found.borderline.height == 0


def test_no_records_at_all_are_no_pairs(catalog):
    found = matched(catalog, town().clear())
    assert found.edges.height == found.borderline.height == 0


CONTRADICTION = {
    "one": CORE | {"name": "王芳", "national_id": resident(1), "phone": number(1)},
    "two": CORE | {"source": "cards", "name": "王芳", "national_id": resident(2), "email": "f@f.cn"},
    "bridge": CRM | {"name": "王芳", "phone": number(1), "email": "f@f.cn"},
    # Others, so that the name is rare.
    **{f"other {n}": CRM | {"name": f"李{name}"} for n, name in enumerate("强伟敏静丽磊洋艳勇军")},
}  # fmt: skip


def test_no_party_has_two_right_numbers_and_the_weakest_edge_is_cut(catalog):
    names = set(CONTRADICTION)
    weight = {}
    for missing in ("one", "two"):
        there = names - {missing}
        made = records(*({"record_ref": name, **CONTRADICTION[name]} for name in there))
        (weight[missing],) = matched(catalog, made).edges["weight"]  # each alone is linked
    strong, weak = ("two", "one") if weight["one"] > weight["two"] else ("one", "two")
    found = matched(catalog, records(*({"record_ref": name, **said} for name, said in CONTRADICTION.items())))
    assert named(found.edges, *names) == {("bridge", strong, "model")}
    told = found.borderline.filter(pl.col("levels") == "two identity numbers")
    assert named(told, *names) == {("bridge", weak, "model")}


NUMBERED = st.tuples(st.integers(0, 3), st.sampled_from([1, 2, None]), st.integers(1, 2), st.integers(1, 2))


@pytest.mark.slow
@SLOW
@given(st.lists(NUMBERED, min_size=2, max_size=7))
def test_no_two_right_numbers_are_ever_together(catalog, said):
    rows = {
        str(n): CRM | {
            "source": f"s{source}", "name": "王芳", "phone": number(phone), "address": home(place),
            "national_id": resident(which) if which else None,
        }
        for n, (source, which, phone, place) in enumerate(said)
    }  # fmt: skip
    made = records(*({"record_ref": name, **one} for name, one in rows.items()))
    found = matched(catalog, made)
    of = {name: {name} for name in rows}
    for left, right, _ in named(found.edges, *rows):
        joined = of[left] | of[right]
        of.update(dict.fromkeys(joined, joined))
    for group in of.values():
        assert len({rows[name]["national_id"] for name in group} - {None}) <= 1


def test_a_pair_below_the_threshold_is_borderline_and_no_edge(catalog):
    found = matched(catalog, records(
        {"record_ref": "a", **CRM, "name": "王芳", "phone": number(1), "address": home(1)},
        {"record_ref": "b", **CRM, "source": "other", "name": "王芳", "phone": number(2), "address": home(2)},
        {"record_ref": "c", **CRM, "source": "third", "name": "李强", "phone": number(1), "address": home(1)},
    ))  # fmt: skip
    least = catalog.policy.thresholds["identity.review_weight"], catalog.policy.thresholds["identity.link_weight"]
    assert found.edges.height == 0
    assert all(least[0] <= weight < least[1] for weight in found.borderline["weight"])
    assert named(found.borderline, *"abc") == {("a", "c", "model")}
    assert "name -" in found.borderline["levels"][0] and "phone +" in found.borderline["levels"][0]


def test_the_head_of_a_firm_has_the_number_that_the_firm_gives(catalog):
    made = records(
        {"record_ref": "firm", **TOWN["firm"]["firm registry"], "phone": number(1)},
        {"record_ref": "head", "contract": "registry.role", "role": "person", "name": "王芳", "acts_for": OF_COMPANY},
        {"record_ref": "other", "contract": "registry.role", "role": "person", "name": "李强", "acts_for": OF_COMPANY},
        {"record_ref": "fang", **RECORDS["fang core"]}, {"record_ref": "qiang", **RECORDS["qiang core"]},
    )  # fmt: skip
    assert named(matched(catalog, made).edges, "firm", "head", "other", "fang", "qiang") == {("fang", "head", "model")}
