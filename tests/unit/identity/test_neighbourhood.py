"""What a night looks at: in the part of the golden set that it takes, matching finds what it finds in the whole."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from project import project_catalog

from pipelines.identity.match import Matches, match
from pipelines.identity.neighbourhood import Together, around, everything
from pipelines.identity.run import thresholds

from .people import credit_code, models, records, ref, resident

SLOW = settings(max_examples=15, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def catalog():
    return project_catalog()


def wrong(number: int, at: int) -> str:
    """A resident id with a mistyped digit."""
    right = resident(number)
    return right[:at] + str((int(right[at]) + 1) % 10) + right[at + 1 :]


def maybe(*values):
    return st.sampled_from((None, *values))


PHONES = [f"138{n:08d}" for n in range(4)]
HOMES = [f"澜州市江湾区文昌路{n}号锦绣花园{n}栋1单元101室" for n in range(3)]
NAMES = ["王芳", "汪方", "李强", "张伟"]
COMPANIES = [("registry.company", f"r{n}") for n in range(2)]
PERSON = st.fixed_dictionaries({
    "contract": st.sampled_from(["crm.customer", "core.party", "loan.guarantee"]),
    "name": maybe(*NAMES), "alias": maybe(*NAMES, "快乐的小鱼"),
    "phone": maybe(*PHONES), "phone_before": maybe(*PHONES),
    "national_id": maybe(resident(1), resident(2), wrong(1, 15), wrong(1, 16), wrong(2, 15)),
    "address": maybe(*HOMES), "email": maybe("a@b.cn"),
    "refers_to": maybe("core.party\x1fcustomer\x1f0", "core.party\x1fcustomer\x1f1"),
    "acts_for": maybe(*(f"{contract}\x1fcompany\x1f{key}" for contract, key in COMPANIES)),
})  # fmt: skip
ACCOUNT = st.fixed_dictionaries({
    "contract": st.just("channel.app_event"), "phone": st.sampled_from(PHONES), "is_account": st.just(True),
    "address": maybe(*HOMES), "alias": maybe("王女士", *NAMES),
})  # fmt: skip
FIRM = st.fixed_dictionaries({
    "entity_kind": st.just("organisation"), "contract": st.sampled_from(["registry.company", "core.party"]),
    "role": st.just("company"), "key": st.sampled_from([key for _, key in COMPANIES]),
    "name": st.sampled_from(["澜州市腾飞科技有限公司", "腾飞科技公司", "澜州市远大贸易有限公司"]),
    "uscc": maybe(credit_code(1), credit_code(2), credit_code(1)[:-1] + "0"), "head": maybe(*NAMES[:2]),
    "phone": maybe(*PHONES), "address": maybe(*HOMES[:1]),
})  # fmt: skip
WORLD = st.lists(st.one_of(PERSON, PERSON, ACCOUNT, FIRM), min_size=2, max_size=14)


def made(world: list[dict]) -> pl.DataFrame:
    rows = []
    for n, one in enumerate(world):
        right = {
            f"{kind}_valid": one[kind] in (resident(1), resident(2), credit_code(1), credit_code(2))
            for kind in ("national_id", "uscc") if one.get(kind)
        }  # fmt: skip
        rows.append({"key": str(n), **one, **right, "record_ref": str(n)})
    return records(*rows)


def of_both(catalog, world: list[dict], new: set[int], parties: list[int]) -> tuple[Matches, Matches, Together]:
    """What matching finds in the whole, and around what is new, and what that was."""
    refs = [ref(str(n)) for n in new if n < len(world)]
    party = {ref(str(n)): f"party {parties[n % len(parties)] if one.get('entity_kind') is None else 'of ' + one['key']}"
             for n, one in enumerate(world)}  # fmt: skip
    frame = made(world).with_columns(
        is_new=pl.col("record_ref").is_in(refs),
        party_id=pl.when(~pl.col("record_ref").is_in(refs)).then(pl.col("record_ref").replace_strict(party)),
    )
    known, fresh = (frame.filter(which).drop("is_new") for which in (~pl.col("is_new"), pl.col("is_new")))
    whole, part = everything(frame, models()), around(known, fresh, models())
    with duckdb.connect(config={"threads": 1}) as con:
        return *(match(con, one, models(), thresholds(catalog)) for one in (whole, part)), part


@pytest.mark.slow
@SLOW
@given(WORLD, st.sets(st.integers(0, 13), min_size=1), st.lists(st.integers(0, 9), min_size=1, max_size=14))
def test_a_part_gives_the_pairs_that_the_whole_gives(catalog, world, new, parties):
    whole, part, _ = of_both(catalog, world, new, parties)
    assert_frame_equal(part.edges, whole.edges, rel_tol=1e-12)
    assert_frame_equal(part.borderline, whole.borderline, rel_tol=1e-12)


def test_who_has_nothing_to_do_with_what_is_new_is_left_out(catalog):
    strangers = [
        {"name": f"李{name}", "phone": f"139{n:08d}", "national_id": resident(100 + n)}
        for n, name in enumerate("强伟敏静丽磊洋艳勇军")
    ]  # fmt: skip
    world = [
        *strangers,
        {"name": "王芳", "phone": PHONES[0]},
        {"name": "王芳", "phone": PHONES[0], "contract": "core.party"},
    ]
    frame = made(world)
    is_new = pl.col("record_ref") == ref(str(len(world) - 1))
    known = frame.filter(~is_new).with_columns(party_id=pl.col("record_ref"))
    part = around(known, frame.filter(is_new).with_columns(party_id=pl.lit(None, pl.String)), models())
    assert set(part.records["record_ref"]) == {ref(str(len(world) - n)) for n in (1, 2)}
    # How common a name is, only the whole tells.
    shares = dict(part.frequencies["person"]["name"].iter_rows())
    assert shares == pytest.approx({**{one["name"]: 1 / 12 for one in strangers}, "王芳": 2 / 12})
