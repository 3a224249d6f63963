"""Party ids stay: under order, repetition, unrelated records, deltas; and every change of a party is told once."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.identity.assign import Prior
from pipelines.identity.decisions import Decision
from pipelines.identity.evidence import Limits

from .nights import LIMITS, day, edges, own, parties, partition, records, ref, run, then

NAMES = "abcdefghij"
NAME = st.sampled_from(NAMES)
EDGE = st.tuples(NAME, NAME, st.sampled_from(["national_id", "phone", "model"]), st.integers(1, 9).map(float)).filter(
    lambda edge: edge[0] != edge[1]
)
EDGES_ = st.lists(EDGE, max_size=12)
PAIR = st.tuples(NAME, NAME).filter(lambda pair: pair[0] != pair[1])
# Nights of full runs: names there, edges between them, pairs decided to be apart or together.
NIGHTS = st.lists(
    st.tuples(st.sets(NAME), EDGES_, st.lists(PAIR, max_size=2), st.lists(PAIR, max_size=2), st.booleans()),
    min_size=1,
    max_size=5,
)
PROPERTY = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])


def decided(verdict, left, right, event=None):
    left, right = ([ref(name) for name in side] for side in (left, right))
    return Decision(verdict=verdict, left=left, right=right, decided_by="Ann", reason="seen", event=event)


def lives(nights, cap=100):
    """Run nights one after another; gives each with the one before."""
    prior, there, limits = Prior.nothing(), set(), Limits(cap, LIMITS.rules)
    for number, (names, given_edges, apart, together, full) in enumerate(nights):
        there |= names
        inside = [edge for edge in given_edges if edge[0] in there and edge[1] in there]
        said = [decided("apart", a, b) for a, b in apart] + [decided("together", a, b) for a, b in together]
        night = run(prior, records(sorted(there)), edges(*inside), number, full=full, said=said, limits=limits)
        yield prior, night, sorted(there), inside
        prior = then(prior, night)


def components(names, pairs):
    groups = [{name} for name in names]
    for a, b in pairs:
        one, other = (next(g for g in groups if n in g) for n in (a, b))
        if one is not other:
            groups = [g for g in groups if g is not one and g is not other] + [one | other]
    return {frozenset(g) for g in groups}


@PROPERTY
@given(found=EDGES_, seed=st.randoms(use_true_random=False), more=st.sets(st.sampled_from("uvwxyz")))
def test_order_repetition_and_unrelated_records_change_nothing(found, seed, more):
    night = run(Prior.nothing(), records(NAMES), edges(*found), 0, full=True)
    assert partition(night, NAMES) == components(NAMES, [edge[:2] for edge in found])
    names, shuffled = list(NAMES) + sorted(more), [(b, a, *rest) for a, b, *rest in found]
    seed.shuffle(names), seed.shuffle(shuffled)
    for prior, number in ((Prior.nothing(), 0), (then(Prior.nothing(), night), 1)):
        for full in (True, False):
            again = run(prior, records(names), edges(*shuffled), number, full=full)
            assert parties(again, NAMES) == parties(night, NAMES)
            assert again.events.height == 0
            assert again.assignment.filter(pl.col("record_ref").is_in([ref(n) for n in NAMES])).equals(night.assignment)
            assert again.changed.height == (len(names) if number == 0 else len(more))


@pytest.mark.slow
@PROPERTY
@given(nights=st.lists(st.tuples(st.sets(NAME), EDGES_), min_size=1, max_size=6))
def test_deltas_end_as_one_full_run(nights):
    prior, there, known = Prior.nothing(), set(), []
    for number, (names, found) in enumerate(nights):
        there |= names
        new = [edge for edge in found if {*edge[:2]} <= there]
        known += new
        night = run(prior, records(sorted(names)), edges(*new), number)
        prior = then(prior, night)
    whole = run(Prior.nothing(), records(sorted(there)), edges(*known), 0, full=True)
    assert partition(night, there) == partition(whole, there)
    after = run(prior, records(sorted(there)), edges(*known), len(nights), full=True)
    assert parties(after, there) == parties(night, there)


@PROPERTY
@given(nights=NIGHTS, cap=st.integers(2, 5))
def test_rules_hold_every_night_and_every_change_is_one_event(nights, cap):
    for prior, night, there, _ in lives(nights, cap):
        now = parties(night, there)
        assert max(len(group) for group in partition(night, there)) <= cap if there else True
        for party in set(now.values()):
            # The founder is in it: so the id cannot denote another party, nor ever pass to other records.
            members = [name for name in there if now[name] == party]
            assert [name for name in members if own(name) == party], members
        before = dict(prior.assignment.select("record_ref", "party_id").iter_rows())
        moved = {ref(n): (before[ref(n)], now[n]) for n in there if before.get(ref(n), now[n]) != now[n]}
        told = {}
        for event in night.events.iter_rows(named=True):
            into = event["into_party_id"]
            came = event["other_party_id"] if into == event["party_id"] else event["party_id"]
            assert (came, into) not in told.values()
            refs = json.loads(event["record_refs"])
            assert event["records"] == len(refs)
            for one in refs:
                assert one not in told
                told[one] = (came, into)
            assert (event["kind"] == "merge") == (
                came not in now.values() and into in before.values() and (own_of(came, there) in refs)
            ), event["kind"]
            json.loads(event["evidence"])
        assert told == moved


def own_of(party, names):
    return next((ref(name) for name in names if own(name) == party), None)


@PROPERTY
@given(nights=NIGHTS)
def test_what_is_decided_to_be_apart_is_apart(nights):
    for _, night, there, _ in lives([(names, found, apart, [], full) for names, found, apart, _, full in nights]):
        number = (night.business_date - day(0)).days
        now = parties(night, there)
        for a, b in nights[number][2]:
            assert a not in now or b not in now or now[a] != now[b]


@pytest.mark.slow
@PROPERTY
@given(found=EDGES_, later=EDGES_, pair=PAIR)
def test_a_withdrawn_decision_leaves_no_trace(found, later, pair):
    for verdict in ("together", "apart"):
        first = run(Prior.nothing(), records(NAMES), edges(*found), 0, full=True)
        second = run(then(Prior.nothing(), first), records(""), edges(), 1, said=[decided(verdict, *pair)])
        prior = then(then(Prior.nothing(), first), second)
        third = run(prior, records(""), edges(*later), 2)
        assert partition(third, NAMES) == components(NAMES, [e[:2] for e in (*found, *later)])


def test_a_merge_keeps_the_older_id_and_says_by_what():
    first = run(Prior.nothing(), records("ab", seen={"a": 3, "b": 1}), edges(), 3, full=True)
    second = run(then(Prior.nothing(), first), records("c", seen={"c": 0}), edges(), 4)
    link = edges(("c", "a", "model", 7.5), ("a", "b", "phone", None))
    third = run(then(then(Prior.nothing(), first), second), records(""), link, 5)
    assert set(parties(third, "abc").values()) == {own("b")}  # minted before c, and first seen before a
    kinds = third.events.select("kind", "party_id", "other_party_id", "cause").rows()
    assert sorted(kinds) == sorted(("merge", own("b"), own(n), "evidence") for n in "ac")
    (event,) = third.events.filter(pl.col("other_party_id") == own("c")).iter_rows(named=True)
    (edge,) = json.loads(event["evidence"])["edges"]
    assert (edge["rule"], edge["weight"]) == ("model", 7.5) and {edge["left"], edge["right"]} == {ref("a"), ref("c")}
    linked = {row[0]: row[1:] for row in third.assignment.select("party_id", "linked_by", "match_weight").rows()}
    assert set(linked) == {own("b")}
    by = dict(third.assignment.select("record_ref", "linked_by").iter_rows())
    assert by == {ref("b"): "founding", ref("a"): "phone", ref("c"): "model"}


def test_a_part_that_is_split_off_takes_back_its_former_id_and_says_why():
    strong, weak = ("a", "b", "national_id", None), ("c", "d", "phone", None)
    first = run(Prior.nothing(), records("abcd"), edges(strong, weak), 0, full=True)
    older, younger = sorted("ac", key=lambda n: parties(first, "ac")[n] != min(parties(first, "abcd").values()))
    prior = then(Prior.nothing(), first)
    merged = run(prior, records(""), edges(("b", "c", "model", 1.0)), 1)
    split = run(then(prior, merged), records("abcd"), edges(strong, weak), 2, full=True)
    assert merged.events["kind"].to_list() == ["merge"] and split.events["kind"].to_list() == ["split"]
    assert parties(split, "abcd") == parties(first, "abcd") and older != younger
    (event,) = split.events.iter_rows(named=True)
    (edge,) = json.loads(event["evidence"])["edges"]
    assert (event["cause"], edge["state"], edge["rule"]) == ("evidence_gone", "gone", "model")


def test_a_record_that_vanished_stays_where_it_is():
    first = run(
        Prior.nothing(), records("abc"), edges(("a", "b", "phone", None), ("b", "c", "phone", None)), 0, full=True
    )
    rest = run(then(Prior.nothing(), first), records("ac"), edges(), 1, full=True)
    assert parties(rest, "abc") == parties(first, "abc")


def test_persons_and_organisations_never_join_and_the_cap_cuts_the_weakest():
    found = edges(("a", "b", "model", 3.0), ("b", "c", "model", 9.0), ("a", "z", "national_id", None))
    night = run(Prior.nothing(), records("abcz", organisations="z"), found, 0, limits=Limits(2, LIMITS.rules))
    assert partition(night, "abcz") == {frozenset("a"), frozenset("bc"), frozenset("z")}
    assert sorted(night.review["reason"]) == ["cap", "kind"]
    roomy = run(then(Prior.nothing(), night), records(""), edges(), 1)
    assert partition(roomy, "abcz") == {frozenset("abc"), frozenset("z")}
    tight = run(then(then(Prior.nothing(), night), roomy), records(""), edges(), 2, limits=Limits(2, LIMITS.rules))
    assert partition(tight, "abc") == {frozenset("a"), frozenset("bc")}
    assert tight.events["cause"].to_list() == ["cap"]


def test_borderline_pairs_are_open_until_decided_or_one_party():
    near = edges(("a", "b", "model", 0.5), ("c", "d", "model", 0.4), ("e", "f", "model", 0.3))
    near = near.with_columns(levels=pl.lit("name: close"))
    prior, there = Prior.nothing(), records("abcdef")
    prior = then(prior, run(prior, there, edges(), 0, near=near))
    night = run(prior, records(""), edges(("c", "d", "phone", None)), 1, said=[decided("apart", "a", "b")])
    assert night.review.select("first_seen", "reason", "levels").rows() == [(day(0), "borderline", "name: close")]
    assert {night.review["left_party_id"][0], night.review["right_party_id"][0]} == {own("e"), own("f")}


@pytest.mark.parametrize("spoilt", ["reference", "founding", "edge", "rule"])
def test_what_cannot_be_right_is_refused(spoilt):
    there, found = records("ab"), edges(("a", "b", "phone", None))
    if spoilt == "reference":
        there = pl.concat([there, records("a").with_columns(founding=pl.lit("x"))])
    elif spoilt == "founding":
        there = there.with_columns(founding=pl.lit("x"))
    elif spoilt == "edge":
        found = edges(("a", "q", "phone", None))
    else:
        found = edges(("a", "b", "hunch", None))
    with pytest.raises(ValueError, match={"edge": "not given", "rule": "hunch"}.get(spoilt, spoilt)):
        run(Prior.nothing(), there, found, 0)


@PROPERTY
@given(found=EDGES_, later=EDGES_, other=NAME)
def test_a_record_that_is_passed_on_takes_nothing_along(found, later, other):
    """It is with whom tonight's evidence puts it, and the rest is together as if it had never been there."""
    prior = then(Prior.nothing(), run(Prior.nothing(), records(NAMES), edges(*found), 0, full=True))
    now = [edge for edge in later if other in edge[:2]]
    night = run(prior, records(other), edges(*now), 1, passed_on=other)
    stay = [edge[:2] for edge in found if other not in edge[:2]]
    assert partition(night, NAMES) == components(NAMES, [*stay, *(edge[:2] for edge in now)])
    assert set(night.events["kind"]) <= {"merge", "moved", "split"}
