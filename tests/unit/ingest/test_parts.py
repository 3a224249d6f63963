"""A history in parts: what is landed is what would be without, and what a part leaves is what the run goes on from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.feed import Format, Trailer
from pipelines.ingest import parts, raw_rows

from .workshop import contract, day, examples, feed, history_feed

HEADER = "key,name,amount,known"
ROW = st.tuples(
    st.sampled_from("abcdefgh"), st.sampled_from(["Ann", "Bea", ""]), st.sampled_from(["1", "2.50", "x"]),
    st.one_of(st.integers(-1, 9), st.integers(1, 9), st.integers(1, 9), st.sampled_from(["soon", ""])),
)  # fmt: skip


@contextmanager
def cut(rows: int, in_memory: int = 0) -> Iterator[None]:
    """Parts of so many rows, and so many bytes of what is read in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "_ROWS", rows)
        patch.setattr(raw_rows, "_IN_MEMORY", in_memory)
        yield


def bank_of(small_bank, rows, kind, **form):
    of = contract(delivery=kind, control_sums=("amount",), reject_limit=1.0)
    bank = small_bank(contracts=(of,), feeds=(history_feed(of, **form),))
    bank.deliver("history", rows, HEADER)
    return bank


def landed(bank):
    ledger = {of: (each.delivered, each.accepted, each.quarantined) for of, each in bank.landings().items()}
    return bank.files("lake"), ledger, bank.quarantine()


@pytest.mark.slow
@examples(25)
@given(
    rows=st.lists(ROW, min_size=4, max_size=20), size=st.integers(1, 4), in_memory=st.sampled_from([0, 200, 1 << 20]),
    nights=st.lists(st.integers(3, 9), min_size=1, max_size=2, unique=True).map(sorted),
)  # fmt: skip
def test_parts_land_what_the_whole_does(small_bank, rows, size, in_memory, nights):
    # A key twice on a date or a row of two dates is told otherwise once a part is landed: not what is asked here.
    rows = [
        (key, name, amount, day(known) if isinstance(known, int) else known)
        for key, name, amount, known in {(row[0], row[3]): row for row in rows}.values()
    ]
    whole, apart = bank_of(small_bank, rows, "changes"), bank_of(small_bank, rows, "changes")
    for night in nights:
        whole.land(day(night))
        with cut(size, in_memory):
            apart.land(day(night))
    assert landed(apart) == landed(whole)


def test_a_fault_of_a_later_part_leaves_what_is_landed_and_the_next_run_goes_on(small_bank):
    good = [(f"k{n}", "Ann", n, day(n)) for n in range(1, 7)]
    bad = [*good[:4], ("k5", "Ann", "none", day(5)), good[5]]
    of = contract(delivery="append", reject_limit=0.0)
    bank = small_bank(contracts=(of,), feeds=(history_feed(of),))
    bank.deliver("history", bad, HEADER)
    with cut(2):
        fault = bank.fault(day(1), day(6))
        assert (fault.rule, set(bank.landings())) == ("reject_limit", {day(n) for n in range(1, 5)})
        bank.deliver("history", good, HEADER)
        bank.land(day(6))
    assert sorted(bank.lake()["key"]) == [key for key, *_ in good]


def test_a_row_that_changed_before_what_is_asked_for_is_found(small_bank):
    rows = [(f"k{n}", "Ann", n, day(n)) for n in range(1, 7)]
    bank = bank_of(small_bank, rows, "append")
    with cut(2):
        bank.land(day(1), day(4))
        bank.deliver("history", [("k1", "Bea", 1, day(1)), *rows[1:]], HEADER)
        assert bank.fault(day(5), day(6)).rule == "history_changed"


@pytest.mark.parametrize(("stated", "rule"), [("4,10", None), ("5,10", "trailer_count"), ("4,11", "trailer_sum")])
def test_the_trailer_speaks_of_all_parts(small_bank, stated, rule):
    rows = [*((f"k{n}", "Ann", n, day(n)) for n in range(1, 5)), ("T", *stated.split(","), "")]
    form = Format(type="csv", trailer=Trailer(prefix="T", rows=2, sums={"amount": 3}))
    bank = bank_of(small_bank, rows, "append", format=form)
    with cut(1):
        if rule is None:
            bank.land(day(1), day(4))
            assert len(bank.lake()) == 4
        else:
            assert bank.fault(day(1), day(4)).rule == rule
            assert bank.landings() == {}


def test_a_duplicate_in_another_part_is_found(small_bank):
    rows = [("a", "Ann", 1, day(1)), ("b", "Ann", 1, day(2)), ("a", "Ann", 1, day(3))]
    bank = bank_of(small_bank, rows, "append")
    with cut(1):
        bank.land(day(1), day(3))
    assert bank.quarantine() == [(day(3), 4, "duplicate_key", "key")]


def test_dates_without_rows_are_landed_too(small_bank):
    bank = bank_of(small_bank, [("a", "Ann", 1, day(2)), ("b", "Ann", 1, day(5))], "append")
    with cut(1):
        bank.land(day(1), day(7))
    assert [of - day(1) for of in bank.landings()] == [timedelta(n) for n in range(7)]


def test_nothing_that_was_read_is_left(small_bank):
    bank = bank_of(small_bank, [(f"k{n}", "Ann", n, day(n)) for n in range(1, 5)], "append")
    with cut(1, in_memory=0):
        bank.land(day(1), day(4))
    assert list((bank.home.vault / "tmp").rglob("*")) == []


def test_a_daily_file_is_never_in_parts(small_bank):
    of = contract(delivery="append")
    bank = small_bank(contracts=(of,), feeds=(feed(of),))
    bank.deliver(day(1), [("a", "Ann", 1), ("b", "Ann", 1)])
    with cut(1):
        bank.land(day(1))
    assert len(bank.lake()) == 2
