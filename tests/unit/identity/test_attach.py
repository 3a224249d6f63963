"""Who holds a number: attached where it is plain, to nobody where it is not, and whatever the order of rows."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.identity.attach import Weights, attach

from .people import DAY, records, ref

WEIGHTS = Weights(support=3.0, dwelling=15.0, elsewhere=2.0, surname=5.0, other_surname=5.5, margin=6.0, age=12)
PHONE, HOME, ELSEWHERE = "13800000001", "海淀区碧水湾1-1-101", "海淀区碧水湾9-1-101"
APP = {"contract": "channel.app_event", "source": "app", "role": "user", "is_account": True, "phone": PHONE}
ORDER = {"contract": "ecommerce.order", "source": "taobu", "role": "buyer", "is_account": False, "phone": PHONE}


def attached(given_: dict[str, dict], *, old: str = "", order=None) -> dict[frozenset[str], float]:
    """Attached pairs and their weight; records are named, and of the party that `label` names, else of their own."""
    made = records(
        *({"record_ref": name, **{k: v for k, v in one.items() if k != "label"}} for name, one in given_.items())
    )
    labels = sorted({one.get("label", name) for name, one in given_.items()})
    label = {ref(name): labels.index(one.get("label", name)) for name, one in given_.items()}
    new = {ref(name): name not in old.split() for name in given_}
    made = made.with_row_index("id").with_columns(
        pl.col("id").cast(pl.Int64), is_new=pl.col("record_ref").replace_strict(new, return_dtype=pl.Boolean),
        label=pl.col("record_ref").replace_strict(label, return_dtype=pl.Int64),
        is_referred=pl.col("refers_to").is_not_null(),
    ).with_columns(is_open="is_new")  # fmt: skip
    names = dict(zip(made["id"], given_, strict=True))
    edges = attach(made[order] if order else made, WEIGHTS)
    assert set(edges["rule"]) <= {"phone"}
    return {frozenset((names[a], names[b])): w for a, b, w in edges.select("left", "right", "weight").iter_rows()}


def holder(**said) -> dict:
    return {"name": "王芳", "phone": PHONE, **said}


def test_a_user_is_attached_to_the_only_holder_of_the_number():
    assert attached({"holder": holder(), "user": APP}) == {frozenset({"holder", "user"}): 3.0}


def test_a_family_that_shares_a_number_shares_no_account():
    assert attached({"wife": holder(), "man": holder(name="李强"), "user": APP}) == {}


@pytest.mark.parametrize(
    "said, whose",
    [
        ({"address": HOME}, "wife"), ({"alias": "李先生"}, "man"), ({"alias": "王女士"}, "wife"),
        ({"alias": "赵先生"}, None), ({"address": ELSEWHERE}, None),
    ],
)  # fmt: skip
def test_what_an_order_says_tells_between_holders(said, whose):
    people = {"wife": holder(address=HOME), "man": holder(name="李强", address="海淀区碧水湾2-1-101")}
    found = attached({**people, "order": ORDER | said})
    assert [*found] == ([frozenset({whose, "order"})] if whose else [])


def test_who_had_the_number_before_is_behind_who_has_it_now():
    before = {"name": "李强", "phone": "13800000009", "phone_before": PHONE}
    assert attached({"now": holder(), "then": before, "user": APP}) == {frozenset({"now", "user"}): 3.0}
    assert attached({"then": before, "user": APP}) == {frozenset({"then", "user"}): -3.0}


@given(st.integers(1, 5), st.integers(1, 5))
def test_the_lead_of_the_best_decides(one, other):
    here = {f"a{n}": holder(label="a") for n in range(one)} | {
        f"b{n}": holder(name="李强", label="b") for n in range(other)
    }
    found = attached({**here, "user": APP})
    lead = abs(one - other) * WEIGHTS.support
    assert len(found) == (lead >= WEIGHTS.margin)
    if found:
        ((pair, weight),) = found.items()
        assert next(iter(pair - {"user"}))[0] == ("a" if one > other else "b") and weight == 3 * max(one, other)


def test_records_with_another_number_count_against_a_holder():
    moved = {"old": holder(label="a"), "new": holder(label="a", phone="13900000002", phone_before=PHONE)}
    assert list(attached({**moved, "user": APP}).values()) == [0.0]
    heir = {f"heir{n}": holder(name="李强", label="b") for n in range(2)}
    ((pair, _),) = attached({**moved, **heir, "user": APP}).items()
    assert pair & {"heir0", "heir1"}


def test_two_accounts_of_one_system_with_one_number_are_nobodys():
    found = attached({"holder": holder(), "user": APP, "other": APP, "order": ORDER})
    assert [*found] == [frozenset({"holder", "order"})]
    assert len(attached({"holder": holder(), "user": APP, "other": APP | {"source": "web"}})) == 2


def test_a_child_has_no_account_of_its_own():
    said = [date(DAY.year - 12, 1, 1), date(DAY.year - 12, 2, 1)]
    known = [attached({"holder": holder(birth_month=born), "user": APP}) for born in said]
    assert [len(found) for found in known] == [1, 0]


def test_nameless_records_of_one_number_are_one_another_where_nobody_holds_it():
    found = attached({"a": ORDER, "b": ORDER, "c": ORDER | {"phone": "13900000002"}, "user": APP})
    together = set().union(*found)
    assert together == {"a", "b", "user"} and set(found.values()) == {0.0}
    assert attached({"a": ORDER, "user": APP, "other": APP}) == {}


def test_who_is_attached_already_stays_where_it_is():
    assert attached({"holder": holder(), "user": APP}, old="holder user") == {}


def test_a_record_that_states_the_key_of_another_carries_no_number():
    stated = "core.party\x1fholder\x1fp1"
    assert attached({"holder": holder(refers_to=stated), "user": APP}) == {}


def test_organisations_hold_no_account():
    assert attached({"firm": holder(entity_kind="organisation"), "user": APP}) == {}


PHONES = st.sampled_from([PHONE, "13900000002", "13700000003", None])
RECORD = st.one_of(
    st.builds(
        lambda name, phone, home, label: {"name": name, "phone": phone, "address": home, "label": label},
        st.sampled_from(["王芳", "李强"]), PHONES, st.sampled_from([HOME, ELSEWHERE, None]), st.sampled_from("xyz"),
    ),
    st.builds(lambda kind, phone: kind | {"phone": phone}, st.sampled_from([APP, ORDER]), PHONES),
)  # fmt: skip


@given(st.lists(RECORD, min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(said, random):
    made = {str(n): one for n, one in enumerate(said)}
    order = list(range(len(made)))
    random.shuffle(order)
    assert attached(made, order=order) == attached(made)
