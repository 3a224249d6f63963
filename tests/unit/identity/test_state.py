"""State of parties in files: what counts, re-running a date, being killed; undo, explain; and files of their owner."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from project import project_catalog

from pipelines.identity import decisions, state, tables
from pipelines.identity.explain import explain
from pipelines.identity.undo import undo
from pipelines.ingest import lake
from pipelines.settings import Home, InputError

from . import people
from .landed import RING
from .nights import day, edges, own, parties, partition, records, ref, run
from .test_assign import EDGE, NAME, NAMES

NIGHT = st.tuples(st.sets(NAME), st.lists(EDGE, max_size=5))
PROPERTY = settings(max_examples=15, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_the_disk():
    # What is on disk after a power cut is not tested here, and many small files wait for the disk otherwise.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def nightly(home, number, there, found, *, full=False):
    """A night as the platform runs it."""
    prior = state.before(home, day(number))
    said = decisions.read(decisions.path(home))
    night = run(prior, records(sorted(there)), edges(*found), number, full=full, said=said)
    state.forget(home, day(number))
    state.finish(home, prior, night, decisions_sha256=decisions.fingerprint(home))
    return night


def lived(home, nights):
    """Nights with what is there and known by then; gives what each night came to."""
    there, told = set(), []
    for names, found in nights:
        there |= names
        told.append((set(there), [edge for edge in found if {*edge[:2]} <= there]))
    return told, [nightly(home, n, *one) for n, one in enumerate(told)]


def content(home):
    return {path.relative_to(home.path): path.read_bytes() for path in home.path.rglob("*") if path.is_file()}


@PROPERTY
@given(nights=st.lists(NIGHT, min_size=2, max_size=5), data=st.data())
def test_a_date_run_again_gives_the_same_bytes_from_the_state_before_it(tmp_path_factory, nights, data):
    home = Home(tmp_path_factory.mktemp("home"))
    told, came = lived(home, nights)
    first = content(home)
    again = data.draw(st.integers(0, len(nights) - 1))
    if again:
        assert_frame_equal(state.before(home, day(again)).assignment, came[again - 1].assignment)
    prior = state.before(home, day(again))
    state.forget(home, day(again))
    assert state.last_begun(home) == day(again)
    assert state.dates(home) == [day(n) for n in range(again)]
    assert_frame_equal(state.before(home, day(again)).assignment, prior.assignment)
    for number in range(again, len(nights)):
        nightly(home, number, *told[number])
    assert content(home) == first
    assert_frame_equal(state.latest(home).assignment, came[-1].assignment)
    assert state.events(home).height == sum(night.events.height for night in came)


@PROPERTY
@given(nights=st.lists(NIGHT, min_size=2, max_size=3), at=st.integers(0, 5))
def test_a_night_that_was_killed_did_not_happen(tmp_path_factory, nights, at):
    home = Home(tmp_path_factory.mktemp("home"))
    told, came = lived(home, nights)
    before, last = content(home), len(nights) - 1
    left = [at]

    def killed(write):
        def instead(*args):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            return write(*args)

        return instead

    with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(lake, "write_parquet", killed(lake.write_parquet))
        patch.setattr(state, "write_private", killed(state.write_private))
        nightly(home, last, *told[last])
    assert state.dates(home) == [day(n) for n in range(last)]
    assert_frame_equal(state.latest(home).assignment, came[last - 1].assignment)
    nightly(home, last, *told[last])
    assert content(home) == before


@pytest.mark.slow
@PROPERTY
@given(first=st.lists(EDGE, max_size=6), second=st.lists(EDGE, min_size=1, max_size=4), later=NIGHT, data=st.data())
def test_a_merge_that_is_undone_is_as_before_and_stays_so(tmp_path_factory, first, second, later, data):
    home = Home(tmp_path_factory.mktemp("home"))
    before = parties(nightly(home, 0, NAMES, first, full=True), NAMES)
    night = nightly(home, 1, NAMES, second)
    merged = parties(night, NAMES)
    assert set(night.events["kind"]) <= {"merge"}
    if not night.events.height:
        return
    event = data.draw(st.sampled_from(night.events.to_dicts()))
    decisions.add(decisions.path(home), undo(home, event["event_id"][:16], "Ann", "not one person"))
    full = data.draw(st.booleans())
    undone = nightly(home, 2, NAMES, [*first, *second] if full else [], full=full)
    mine = {name for name in NAMES if before[name] == event["other_party_id"]}
    after = parties(undone, NAMES)
    assert {name for name in NAMES if after[name] == event["other_party_id"]} == mine
    together = {name: {before[one] for one in NAMES if merged[one] == merged[name]} for name in NAMES}
    assert all(after[name] in together[name] | {merged[name]} for name in NAMES)
    assert set(undone.events["undoes"]) == {event["event_id"]} and set(undone.events["kind"]) == {"undo"}
    if night.events.height == 1:
        assert after == before
    stays = nightly(home, 3, NAMES, [*first, *second, *later[1]], full=True)
    kept = parties(stays, NAMES)
    others = {name for name in NAMES if merged[name] == event["party_id"]} - mine
    assert {kept[name] for name in mine}.isdisjoint(kept[name] for name in others)
    # Taken back again, the parties are one as before.
    (one,) = undone.events.filter(pl.col("party_id") == event["party_id"]).filter(
        pl.col("other_party_id") == event["other_party_id"]
    )["event_id"]
    decisions.add(decisions.path(home), undo(home, one, "Bea", "they are"))
    assert parties(nightly(home, 3, NAMES, []), mine) == {name: event["party_id"] for name in mine}
    again = nightly(home, 4, NAMES, [*first, *second], full=True)
    assert partition(again, NAMES) == partition(night, NAMES)


def test_a_split_that_is_undone_is_one_party_again(tmp_path):
    home = Home(tmp_path)
    whole = parties(nightly(home, 0, "ab", [("a", "b", "model", 4.0)], full=True), "ab")
    split = nightly(home, 1, "ab", [], full=True)
    assert split.events["kind"].to_list() == ["split"]
    decisions.add(decisions.path(home), undo(home, split.events["event_id"][0], "Ann", "one person"))
    joined = nightly(home, 2, "ab", [], full=True)
    assert parties(joined, "ab") == whole and joined.events["kind"].to_list() == ["undo"]
    assert json.loads(joined.events["evidence"][0])["decision"] == {"decided_by": "Ann", "reason": "one person"}


def test_a_new_record_does_not_glue_what_was_undone(tmp_path):
    home = Home(tmp_path)
    nightly(home, 0, "ab", [], full=True)
    merged = nightly(home, 1, "ab", [("a", "b", "model", 4.0)])
    decisions.add(decisions.path(home), undo(home, merged.events["event_id"][0], "Ann", "no"))
    night = nightly(home, 2, "abc", [("a", "c", "model", 8.0), ("b", "c", "model", 6.0)])
    assert partition(night, "abc") == {frozenset("ac"), frozenset("b")}
    assert night.review.select("reason", "weight").rows() == [("apart", 6.0)]


def test_explain_names_records_evidence_weakest_link_and_events(tmp_path):
    home = Home(tmp_path)
    nightly(home, 0, "abcd", [("a", "b", "national_id", None)], full=True)
    nightly(home, 1, "", [("b", "c", "model", 4.0), ("a", "c", "model", 3.0), ("a", "b", "phone", None)])
    found = explain(home, own("c")[:20])
    assert set(found.records["record_ref"]) == {ref(name) for name in "abc"}
    assert found.evidence.select("rule", "weight", "holds").rows() == [
        ("national_id", None, True), ("model", 4.0, True), ("model", 3.0, False), ("phone", None, False),
    ]  # fmt: skip
    assert found.weakest == 1 and found.events["kind"].to_list() == ["merge"]
    assert own("c") in found.parties or found.party_id == own("c")
    assert explain(home, ref("d")).weakest is None
    for name in ("", "zz"):
        with pytest.raises(InputError, match="parties or records begin with"):
            explain(home, name)


def test_what_dbt_reads_meets_its_contract_and_is_its_owners_alone(tmp_path):
    home, catalog = Home(tmp_path), project_catalog()
    nightly(home, 0, "abcz", [], full=True)
    nightly(home, 1, "", [("a", "b", "phone", None)])
    golden = people.records(*({"record_ref": name} for name in "abcz"))
    tables.write(catalog, home, RING, [golden], state.latest(home).assignment)
    for name, height in (("identity_event", 1), ("identity_review", 0), ("party", 3), ("party_crosswalk", 4)):
        frame, contract = pl.read_parquet(home.identity / f"{name}.parquet"), catalog.derived[f"identity.{name}"]
        assert frame.columns == [column.name for column in contract.columns] and frame.height == height
        assert frame.select(contract.key).is_duplicated().sum() == 0
        for column in contract.columns:
            assert not (column.required and frame[column.name].null_count())
            assert not column.enum or set(frame[column.name]) <= set(column.enum)
    for path in home.identity.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_what_a_night_writes_follows_what_it_changes(tmp_path):
    home, names = Home(tmp_path), [chr(n) for n in range(0x4E00, 0x4E00 + 400)]
    nightly(home, 0, names, [], full=True)
    rows = {}
    for number in range(1, 9):
        nightly(home, number, "", [(names[2 * number], names[2 * number + 1], "phone", None)])
        rows[number] = pl.read_parquet(home.identity / "state" / day(number).isoformat() / "assignment.parquet").height
    assert set(rows.values()) == {1}
    for number in range(9, 12):
        pairs = [(names[n], names[n + 1], "phone", None) for n in range(100 * (number - 8), 100 * (number - 8) + 90, 2)]
        nightly(home, number, "", pairs)
    heights = [
        pl.read_parquet(home.identity / "state" / day(n).isoformat() / "assignment.parquet").height for n in (9, 10, 11)
    ]
    assert heights[0] == 45 and 400 in heights  # now and then the whole, so that reading never goes far back
    assert state.latest(home).assignment["party_id"].n_unique() == 400 - 8 - 3 * 45
