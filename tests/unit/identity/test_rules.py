"""Rules: a key joins, a mistyped one does not, and a wrong number is put right only where one number can be meant."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.identity import rules
from pipelines.vault.normal import valid

from .people import credit_code, records, resident

ALPHABET = {"national_id": "0123456789X", "uscc": "0123456789ABCDEFGHJKLMNPQRTUWXY"}
MADE = {"national_id": resident, "uscc": credit_code}


def frame(*given_: dict, new: tuple[bool, ...] | None = None) -> pl.DataFrame:
    """Records numbered in the order given; all are new unless said otherwise."""
    made = records(*({"record_ref": str(n), **one} for n, one in enumerate(given_)))
    return made.with_row_index("id").with_columns(
        pl.col("id").cast(pl.Int64), is_new=pl.Series(new or (True,) * len(given_), dtype=pl.Boolean)
    )


def pairs(edges: pl.DataFrame) -> set[tuple[int, int]]:
    return {(min(pair), max(pair)) for pair in edges.select("left", "right").iter_rows()}


def groups(edges: pl.DataFrame, size: int, together: list[int]) -> set[frozenset[int]]:
    of = {n: {n} for n in range(size)}
    for left, right in pairs(edges) | set(pairwise(together)):
        joined = of[left] | of[right]
        of.update(dict.fromkeys(joined, joined))
    return {frozenset(group) for group in of.values()}


VALUES = st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.booleans()), max_size=8)


@given(VALUES)
def test_records_of_one_key_are_together_and_no_others(said):
    values, new = [value for value, _ in said], tuple(new for _, new in said)
    made = frame(*({"email": value} for value in values), new=new)
    edges = rules.same_key(made, "email", "national_id")
    for left, right in pairs(edges):
        assert values[left] == values[right] is not None and (new[left] or new[right])
    for value in set(values) - {None}:
        here = [n for n, one in enumerate(values) if one == value]
        old = [n for n in here if not new[n]]
        # What is old and of one value was put together before.
        joined = [group for group in groups(edges, len(values), old) if group & {*here}]
        assert len(joined) == 1 or not any(new[n] for n in here)


@given(st.permutations(range(5)))
def test_the_order_of_rows_does_not_matter(order):
    made = frame(*({"email": value} for value in "aabba"))
    assert pairs(rules.same_key(made[list(order)], "email", "uscc")) == pairs(rules.same_key(made, "email", "uscc"))


def test_people_of_one_name_who_act_for_one_organisation_are_one():
    made = frame({"name": "王芳"}, {"name": "王芳"}, {"name": "李强"}, {"name": "王芳"}, {"name": None}, {"name": None})
    of = pl.DataFrame({"id": range(6), "organisation": [7, 7, 7, 8, 7, 7]}, schema_overrides={"id": pl.Int64})
    edges = rules.same_person_of(made, of)
    assert pairs(edges) == {(0, 1)} and set(edges["rule"]) == {"role"}


OWNER = {"name": "王芳", "national_id": resident(1), "phone": "13800000001", "address": "海淀区碧水湾1-1-101"}


@pytest.mark.parametrize(
    "stated",
    [
        {"name": "王芳"}, {"name": "汪方"}, {"name": "芳王"}, {"name": "WANG FANG"}, {"phone": "13800000001"},
        {"phone": "13900000009", "phone_before": "13800000001"}, {"name": "李强", "national_id": resident(1)},
        {"name": "李强", "address": "海淀区碧水湾1栋1单元101室"}, {"email": "a@b.cn"}, {},
    ],
)  # fmt: skip
def test_a_stated_key_counts_where_anything_agrees_or_nothing_is_said(stated):
    made = frame(OWNER, stated)
    edges = rules.referred(made, pl.DataFrame({"id": [1], "target": [0]}))
    assert pairs(edges) == {(0, 1)} and edges["rule"].to_list() == ["party_key"]


@pytest.mark.parametrize(
    "stated",
    [{"name": "李强"}, {"phone": "13900000009"}, {"national_id": resident(2)},
     {"name": "李强", "phone": "13900000009", "address": "海淀区碧水湾1-1-102"}],
)  # fmt: skip
def test_a_mistyped_key_is_that_of_somebody_else(stated):
    made = frame(OWNER, stated)
    assert rules.referred(made, pl.DataFrame({"id": [1], "target": [0]})).height == 0


def test_what_is_old_was_matched_before():
    made = frame(OWNER, OWNER, new=(False, False))
    assert rules.referred(made, pl.DataFrame({"id": [1], "target": [0]})).height == 0


def neighbours(kind: str, text: str) -> set[str]:
    """Every right identifier that differs from `text` in one character."""
    near = {text[:at] + one + text[at + 1 :] for at in range(18) for one in ALPHABET[kind]} - {text}
    found = pl.Series(sorted(near))
    return set(found.filter(valid(kind, found)))


@given(st.sampled_from(["national_id", "uscc"]), st.integers(0, 900), st.integers(0, 17), st.data())
def test_a_wrong_number_is_corrected_to_the_only_known_one_beside_it(kind, number, at, data):
    right = MADE[kind](number)
    character = data.draw(st.sampled_from(ALPHABET[kind].replace(right[at], "")))
    wrong = right[:at] + character + right[at + 1 :]
    if valid(kind, pl.Series([wrong])).item():
        return
    entity = "person" if kind == "national_id" else "organisation"
    rows = [{kind: right, "entity_kind": entity}, {kind: wrong, f"{kind}_valid": False, "entity_kind": entity}]
    assert pairs(rules.corrected(frame(*rows), kind)) == {(0, 1)}
    others = sorted(neighbours(kind, wrong) - {right})
    if others:  # a second number can be meant: then it is nobody's
        second = {kind: data.draw(st.sampled_from(others)), "entity_kind": entity}
        assert rules.corrected(frame(*rows, second), kind).height == 0
    far = MADE[kind]((number + 57) % 999)
    if far not in neighbours(kind, wrong):
        assert pairs(rules.corrected(frame(*rows, {kind: far, "entity_kind": entity}), kind)) == {(0, 1)}


def test_two_records_of_the_meant_number_are_one_number():
    wrong = resident(1)[:-1] + ("0" if resident(1)[-1] != "0" else "1")
    made = frame(
        {"national_id": resident(1)}, {"national_id": resident(1)}, {"national_id": wrong, "national_id_valid": False}
    )
    assert rules.corrected(made, "national_id").height == 1


@pytest.mark.parametrize("name, one", [("王芳", True), ("汪方", True), ("李强", False), (None, True)])
def test_a_correction_needs_a_name_that_fits(name, one):
    wrong = resident(1)[:-1] + ("0" if resident(1)[-1] != "0" else "1")
    made = frame(
        {"national_id": resident(1), "name": "王芳"}, {"national_id": wrong, "national_id_valid": False, "name": name}
    )
    assert (rules.corrected(made, "national_id").height == 1) == one
