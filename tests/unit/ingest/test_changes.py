"""Deliveries day by day: what the landed changes say is what was delivered, however the days came in."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .workshop import FIRST, contract, day, examples, feed, history_feed

DAYS = 4
BAD = "much"
# A day's extract: key to amount; an amount that cannot be read is a bad row.
EXTRACT = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["1", "2.50", BAD]), max_size=5)
EXTRACTS = st.lists(EXTRACT, min_size=DAYS, max_size=DAYS)
# A day's changes: key to amount, or to a deletion.
DELTA = st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["1", "2.50", BAD, None]), max_size=5)
DELTAS = st.lists(DELTA, min_size=DAYS, max_size=DAYS)


def deliver(bank, number, extract):
    """The extract of a day, with names that follow from the keys."""
    bank.deliver(day(number), [(key, f"Name {key}", amount) for key, amount in sorted(extract.items())])


def deliver_all(bank, extracts):
    for number, extract in enumerate(extracts, 1):
        deliver(bank, number, extract)


def delta_bank(small_bank):
    of = contract(delivery="delta")
    of_feed = feed(of, deleted="op = 'D'")
    return small_bank(contracts=(of,), feeds=(of_feed,))


def deliver_delta(bank, number, delta):
    # A serial number in an empty row's place would be odd; the day is in the name, so that no two files are equal.
    rows = [(key, f"On {number}", value or "", "U" if value else "D") for key, value in sorted(delta.items())]
    bank.deliver(day(number), rows, "key,name,amount,op")


def after(state, extract):
    """The state after an extract: what it says, and what was there before where it says it badly."""
    return {
        key: float(value) if value != BAD else state[key]
        for key, value in extract.items()
        if value != BAD or key in state
    }


def after_delta(state, delta):
    good = {key: value for key, value in delta.items() if value != BAD}
    kept = {key: value for key, value in state.items() if key not in good}
    return kept | {key: float(value) for key, value in good.items() if value is not None}


def states(bank):
    return [{key: float(value) for key, value in bank.state(day(n)).items()} for n in range(1, DAYS + 1)]


def told(extracts, step=after):
    found, state = [], {}
    for extract in extracts:
        state = step(state, extract)
        found.append(state)
    return found


@examples(3)
@given(extracts=EXTRACTS)
def test_the_state_is_the_last_extract_and_what_is_in_quarantine_stays(small_bank, extracts):
    bank = small_bank()
    deliver_all(bank, extracts)
    for number in range(1, DAYS + 1):
        bank.land(day(number))
    assert states(bank) == told(extracts)
    for landing in bank.landings().values():
        assert landing.delivered == landing.accepted + landing.unchanged + landing.quarantined
    bad = [(day(n), key) for n, extract in enumerate(extracts, 1) for key, value in extract.items() if value == BAD]
    assert len(bank.quarantine()) == len(bad)
    landed = bank.files()
    for number in (DAYS, 1):
        (outcome,) = bank.land(day(number))
        assert outcome.reused == 1
    assert bank.files() == landed


@examples(3)
@given(deltas=DELTAS)
def test_the_state_is_what_the_changes_add_up_to(small_bank, deltas):
    bank = delta_bank(small_bank)
    for number, delta in enumerate(deltas, 1):
        deliver_delta(bank, number, delta)
        bank.land(day(number))
    assert states(bank) == told(deltas, after_delta)
    deleted = bank.lake()
    if not deleted.is_empty():
        deleted = deleted.filter(deleted["_change"] == "delete")
        assert deleted["name_token"].null_count() == deleted["amount"].null_count() == deleted.height


@examples(3)
@given(extracts=EXTRACTS)
def test_nights_that_were_missed_are_landed_by_the_next(small_bank, extracts):
    nightly, late = small_bank(), small_bank()
    for bank in (nightly, late):
        deliver_all(bank, extracts)
    for number in range(1, DAYS + 1):
        nightly.land(day(number))
    late.land(day(1))
    late.land(day(DAYS))
    assert late.files() == nightly.files()


@examples(3)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["1", "2", BAD]), st.integers(1, DAYS)),
        max_size=8, unique_by=lambda row: (row[0], row[2]),
    )
)  # fmt: skip
@pytest.mark.parametrize("kind", ["full", "append"])
def test_a_history_at_once_is_the_history_night_by_night(small_bank, kind, rows):
    if kind == "append":  # a key never comes again
        rows = [(f"{key}{known}", value, known) for key, value, known in rows]
    rows = sorted(rows, key=lambda row: row[2])
    banks = []
    for nights in ([DAYS], range(1, DAYS + 1)):
        of = contract(delivery=kind, control_sums=("amount",))
        bank = small_bank(contracts=(of,), feeds=(history_feed(of),))
        bank.deliver("history", [(key, "n", value, day(known)) for key, value, known in rows], "key,name,amount,known")
        for number in nights:
            bank.land(day(number))
            landed = bank.lake()
            # Nothing later than the night was landed.
            assert landed.is_empty() or landed["business_date"].max() <= day(number)
        banks.append(bank)
    assert banks[0].files() == banks[1].files()
    assert sum(landing.delivered for landing in banks[0].landings().values()) == len(rows)


@examples(4)
@given(extracts=EXTRACTS, number=st.integers(1, DAYS), instead=EXTRACT, more=st.booleans())
def test_a_correction_leaves_what_would_have_been_landed_at_once(small_bank, extracts, number, instead, more):
    corrected, at_once = small_bank(), small_bank()
    deliver_all(corrected, extracts)
    deliver_all(at_once, [*extracts[: number - 1], instead, *extracts[number:]])
    corrected.land(day(1), day(DAYS))
    deliver(corrected, number, instead)
    # The night itself is run again, or a later one that looks back as far.
    corrected.land(day(number), day(DAYS) if more else day(number))
    at_once.land(day(1), day(DAYS))
    assert corrected.files() == at_once.files()
    (outcome,) = corrected.land(day(1), day(DAYS))
    assert outcome.reused == DAYS


@examples(3)
@given(deltas=DELTAS, number=st.integers(1, DAYS), instead=DELTA)
def test_a_corrected_delta_leaves_what_would_have_been_landed_at_once(small_bank, deltas, number, instead):
    corrected, at_once = delta_bank(small_bank), delta_bank(small_bank)
    for bank, with_it in ((corrected, False), (at_once, True)):
        for n, delta in enumerate(deltas, 1):
            deliver_delta(bank, n, instead if with_it and n == number else delta)
        bank.land(day(1), day(DAYS))
    deliver_delta(corrected, number, instead)
    corrected.land(day(number))
    assert corrected.files() == at_once.files()


def test_a_correction_is_seen_two_dates_later(small_bank):
    extracts = [{"a": "1"}, {"a": "2.50"}, {"a": BAD}, {"a": "2.50"}]
    corrected, at_once = small_bank(), small_bank()
    deliver_all(corrected, extracts)
    deliver_all(at_once, [extracts[0], {"a": "1"}, *extracts[2:]])
    for bank in (corrected, at_once):
        bank.land(day(1), day(4))
    assert [landing.accepted for landing in corrected.landings().values()] == [1, 1, 0, 0]
    deliver(corrected, 2, {"a": "1"})
    corrected.land(day(2))
    # The third day says nothing that can be read of the key, so that the fourth is the one that changes.
    assert [landing.accepted for landing in corrected.landings().values()] == [1, 0, 0, 1]
    assert corrected.files() == at_once.files()


def test_a_correction_stops_where_nothing_is_different_any_more(small_bank):
    bank = small_bank()
    deliver_all(bank, [{"a": "1"}] * DAYS)
    bank.land(day(1), day(DAYS))
    deliver(bank, 2, {"a": "2.50"})
    (outcome,) = bank.land(day(2))
    assert [landing.business_date for landing in outcome.landings] == [day(2), day(3)]
    for number in (1, 4):  # not looked at: their deliveries may be gone
        (bank.root / "deliveries" / f"thing_{day(number):%Y%m%d}.csv").unlink()
    deliver(bank, 2, {"a": "1"})
    bank.land(day(2))
    assert [landing.accepted for landing in bank.landings().values()] == [1, 0, 0, 0]


def test_a_correction_that_needs_a_delivery_that_is_gone_says_so_until_it_is_back(small_bank):
    corrected, at_once = small_bank(), small_bank()
    for bank in (corrected, at_once):
        deliver_all(bank, [{"a": "1"}] * DAYS)
    deliver(at_once, 2, {"a": "2.50"})
    at_once.land(day(1), day(DAYS))
    corrected.land(day(1), day(DAYS))
    (corrected.root / "deliveries" / f"thing_{day(3):%Y%m%d}.csv").unlink()
    deliver(corrected, 2, {"a": "2.50"})
    for first in (day(2), day(DAYS)):  # not only the night that corrected it: the next ones too
        fault = corrected.fault(first)
        assert (fault.date, fault.rule) == (day(3).isoformat(), "missing_delivery")
        assert "but what it stands on was corrected" in fault.message and "put back" in fault.action
    deliver(corrected, 3, {"a": "1"})
    corrected.land(day(DAYS))
    assert corrected.files() == at_once.files()


def test_a_history_that_is_corrected_is_followed_by_its_daily_files(small_bank):
    banks = []
    for amounts in (("1", "2.50"), ("2.50",)):
        of = contract()
        bank = small_bank(contracts=(of,), feeds=(history_feed(of, through=day(2)),))
        for amount in amounts:
            bank.deliver("history", [("a", "n", amount, day(1)), ("b", "n", "1", day(2))], "key,name,amount,known")
            for number in (3, 4):
                bank.deliver(day(number), [("a", "n", "1", None), ("b", "n", "1", None)], "key,name,amount,known")
            bank.land(day(1), day(4))
        banks.append(bank)
    assert banks[0].files() == banks[1].files()
    assert [landing.accepted for landing in banks[0].landings().values()] == [1, 1, 1, 0]


def test_a_bad_row_is_no_deletion_and_without_a_key_none_is(small_bank):
    bank = small_bank()
    bank.deliver(day(1), [(key, "n", 1) for key in "abcd"])
    bank.deliver(day(2), [("a", "n", BAD), ("b", "n", 1)])  # c and d are gone, a is not
    bank.deliver(day(3), [("b", "n", 1), (None, "n", 1)])  # a may be the row without a key
    bank.deliver(day(4), [("b", "n", 1), ("a",)])  # or the one that does not split
    bank.deliver(day(5), [("b", "n", 1)])
    bank.land(day(1), day(5))
    assert [sorted(bank.state(day(n))) for n in range(1, 6)] == [
        ["a", "b", "c", "d"],
        ["a", "b"],
        ["a", "b"],
        ["a", "b"],
        ["b"],
    ]
    assert [landing.tombstones for landing in bank.landings().values()] == [0, 2, 0, 0, 1]


def test_rows_that_could_be_taken_for_one_another_are_not(small_bank):
    columns = contract(columns=(*contract().columns[:1], *[c for c in contract("t.u").columns[1:]]))
    bank = small_bank(contracts=(columns,))
    bank.deliver(day(1), [("a", "x|1:y", 1), ("b", "~", 1), ("c", None, 1)])
    bank.deliver(day(2), [("a", "x", 1), ("b", None, 1), ("c", "-", 1)])
    bank.land(day(1), day(2))
    assert bank.landings()[day(2)].accepted == 3


def test_a_landed_file_that_somebody_changed_is_landed_again(small_bank):
    bank = small_bank()
    deliver_all(bank, [{"a": "1"}, {"a": "2.50"}])
    bank.land(day(1), day(2))
    landed = bank.files()
    path = next((bank.home.lake / "test.thing").glob(f"*/business_date={day(1)}/part.parquet"))
    path.unlink()
    bank.land(day(1), day(2))
    assert bank.files() == landed


@pytest.mark.parametrize("closed", [(), ("sat", "sun")])
def test_the_days_of_the_bank_are_those_of_its_calendar(small_bank, closed):
    bank = small_bank(closed=closed)
    for number in range(1, 9):
        if not closed or number not in (6, 7):
            deliver(bank, number, {"a": str(number)})
    bank.land(day(8))
    assert sorted(bank.landings()) == [day(n) for n in range(1, 9) if not closed or n not in (6, 7)]
    assert bank.state(date.max) == {"a": 8} and FIRST.weekday() == 0
