"""What the measure of steady ids counts as a change, and what it may shuffle: cases made by hand, no home."""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.identity_worlds.another_order import another_text, order
from benchmarks.identity_worlds.partitions import Change, change, differing, pairs, untold
from pipelines.contracts.form import Format
from pipelines.identity.events import EVENTS

# Old is older than late, and alone has one record.
BEFORE = {"a": "old", "b": "old", "c": "late", "d": "late", "e": "alone"}


def parties(of: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"record_ref": list(of), "party_id": list(of.values())}, schema={"record_ref": pl.String, "party_id": pl.String}
    )


def changed(**now: str) -> Change:
    return change(parties(BEFORE), parties({**BEFORE, **now}))


def event(kind: str, came: str, went: str, records: int, *, of_split: bool = False) -> dict[str, object]:
    """An event as it is told: a merge names first who goes on, a split first who was there."""
    first, second = (came, went) if of_split else (went, came)
    given = {
        "kind": kind,
        "party_id": first,
        "other_party_id": second,
        "into_party_id": went,
        "records": records,
    }
    return {**dict.fromkeys(EVENTS), **given}


def left(of: Change, *told: dict[str, object]) -> int:
    """Parties that changed otherwise than by a merge or split."""
    return untold(of, pl.DataFrame(list(told), schema=EVENTS), "merge", "split").changed


def test_the_same_parties_in_another_order_have_not_changed() -> None:
    after = parties(dict(reversed(BEFORE.items())))
    same = change(parties(BEFORE), after)
    assert (same.records, same.parties, same.changed, same.share, same.moved.height) == (5, 3, 0, 0.0, 0)
    assert differing(parties(BEFORE), after) == 0


def test_a_new_record_changes_nobody_wherever_it_goes() -> None:
    assert changed(new="old", other="a party of its own").changed == 0


def test_a_party_has_changed_once_however_many_of_its_records_went() -> None:
    both_went = changed(c="old", d="old")
    assert (both_went.changed, both_went.moved.height) == (1, 2)
    assert both_went.share == pytest.approx(1 / 3)
    assert both_went.ways.rows() == [("late", "old", 2)]
    # One that is parted among two others has changed once, by two ways.
    assert (changed(c="old", d="alone").changed, changed(c="old", d="alone").ways.height) == (1, 2)


def test_another_id_is_a_change_even_of_the_same_records() -> None:
    renamed = {"a": "other", "b": "other"}
    assert changed(**renamed).changed == 1
    assert differing(parties(BEFORE), parties({**BEFORE, **renamed})) == 0


def test_a_record_that_is_gone_is_no_change_but_an_error() -> None:
    with pytest.raises(ValueError, match="1 records have no party any more"):
        change(parties(BEFORE), parties({ref: party for ref, party in BEFORE.items() if ref != "e"}))


def test_an_event_tells_of_the_way_that_it_names_and_of_no_other() -> None:
    merged = changed(c="old", d="old")
    assert left(merged) == 1
    assert left(merged, event("merge", "late", "old", 2)) == 0
    assert left(merged, event("merge", "old", "late", 2)) == 1
    assert left(merged, event("merge", "alone", "old", 2)) == 1
    parted = changed(d="own")
    assert left(parted, event("split", "late", "own", 1, of_split=True)) == 0
    # One of two ways is told.
    assert left(changed(d="own", e="old"), event("split", "late", "own", 1, of_split=True)) == 1


def test_an_event_that_counts_other_records_than_went_tells_of_none() -> None:
    assert left(changed(c="old", d="old"), event("merge", "late", "old", 1)) == 1


def test_records_that_are_moved_are_told_but_neither_merged_nor_split() -> None:
    moved, told = changed(d="old"), event("moved", "late", "old", 1)
    assert left(moved, told) == 1
    assert untold(moved, pl.DataFrame([told], schema=EVENTS), "merge", "split", "moved").changed == 0


def test_parties_differ_that_the_other_has_not_record_for_record() -> None:
    other = parties({**BEFORE, "d": "old"})
    assert (differing(parties(BEFORE), other), differing(other, parties(BEFORE))) == (2, 2)
    merged = parties({**BEFORE, "c": "old", "d": "old"})
    assert (differing(parties(BEFORE), merged), differing(merged, parties(BEFORE))) == (2, 1)


def test_pairs_are_counted_in_both_and_in_each() -> None:
    # ab, cd; abc is ab, ac, bc: they share ab.
    assert pairs(parties(BEFORE), parties({**BEFORE, "c": "old"})) == (1, 2, 3)


@given(st.integers(0, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.sets(st.integers(1, max(n, 1)))))),
       st.integers())  # fmt: skip
def test_any_order_has_every_row_once_and_keeps_the_rows_of_one_record_in_theirs(drawn, seed) -> None:
    count, records = drawn
    chains = [sorted(chain) for chain in records if count]
    found = order(range(1, count + 1), chains, random.Random(seed))
    assert sorted(found) == list(range(count))
    at = {n + 1: place for place, n in enumerate(found)}
    for chain in chains:
        assert [at[line] for line in chain] == sorted(at[line] for line in chain)


def test_rows_of_no_record_in_common_come_in_another_order() -> None:
    assert order(range(1, 101), [], random.Random(1)) != list(range(100))


def test_an_order_of_lines_that_are_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        order(range(2, 9), [[2, 1]], random.Random(1))


@pytest.mark.parametrize("seed", range(5))
def test_a_header_a_trailer_and_a_quoted_text_stay_whole(seed: int) -> None:
    rows = [b"1,x\n", b'2,"two\nlines, ""quoted"""\n', b"3,y\n", b"4,z\n"]
    text = b"".join([b"\xef\xbb\xbfKEY,SAID\n", *rows, b"T,4"])
    form = Format.model_validate({"type": "csv", "trailer": {"prefix": "T", "rows": 2}})
    # Lines 2, 3 and 4 to 5, 6: the records begin on 2, 3, 5 and 6.
    made = another_text(text, form, [[3, 5]], random.Random(seed))
    assert made.startswith(b"\xef\xbb\xbfKEY,SAID\n") and made.endswith(b"T,4\n")
    body = made.removeprefix(b"\xef\xbb\xbfKEY,SAID\n").removesuffix(b"T,4\n")
    assert sum(map(len, rows)) == len(body) and all(row in body for row in rows)
    assert body.index(rows[1]) < body.index(rows[2])
