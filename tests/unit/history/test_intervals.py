"""The bitemporal algorithm, against a belief that is kept day by day."""

from __future__ import annotations

from contextlib import closing
from datetime import date, timedelta

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.history.intervals import (
    CHANGE,
    ENDED,
    FOREVER,
    OPENED,
    OPENED_BY,
    VALID_FROM,
    VALID_TO,
    changes,
    spans,
)

START, DAYS = date(2025, 3, 1), 6
HELD = {"party": pl.String, VALID_FROM: pl.Date, VALID_TO: pl.Date, OPENED_BY: pl.Int64, "a": pl.Int64, "b": pl.String}
STATED = {"party": pl.String, "business_date": pl.Date, "a": pl.Int64, "b": pl.String}

Row = tuple[int | None, str | None]
State = dict[str, Row]
Interval = tuple[str, date, date, int, Row]

rows = st.tuples(st.none() | st.integers(0, 1), st.none() | st.just("x"))
states = st.dictionaries(st.sampled_from("pqr"), rows)
# Of each statement the dates, as days after START, with the state as of each.
histories = st.lists(st.dictionaries(st.integers(0, DAYS - 1), states, min_size=1), min_size=1, max_size=5)


def day(number: int) -> date:
    return START + timedelta(days=number)


class Book:
    """The belief, kept by the changes alone."""

    def __init__(self) -> None:
        self.held: list[Interval] = []
        self.known: set[date] = set()
        self.made = 0

    def state(self, stated: dict[date, State]) -> pl.DataFrame:
        self.made += 1
        spoken = spans(list(stated), list(self.known))
        held = [i for i in self.held if i[2] >= spoken[0][0]]
        said = [(key, on, *row) for on, state in stated.items() for key, row in state.items()]
        with closing(duckdb.connect()) as con:
            con.register("held", pl.DataFrame([(k, f, t, n, *r) for k, f, t, n, r in held], HELD, orient="row"))
            con.register("stated", pl.DataFrame(said, STATED, orient="row"))
            found = changes(con, "held", "stated", spoken, ["party"], ["a", "b"]).pl()
        self.apply(found)
        self.known |= stated.keys()
        return found

    def apply(self, found: pl.DataFrame) -> None:
        by_name = {
            (key, begins, opened): (key, begins, ends, opened, row) for key, begins, ends, opened, row in self.held
        }
        for change in found.iter_rows(named=True):
            name = (change["party"], change[VALID_FROM], change[OPENED_BY] or self.made)
            if change[CHANGE] == OPENED:
                assert name not in by_name
                by_name[name] = (name[0], name[1], change[VALID_TO], name[2], (change["a"], change["b"]))
            else:
                assert change[CHANGE] == ENDED
                key, begins, _, opened, row = by_name.pop(name)
                if change[VALID_TO] > begins:
                    by_name[name] = (key, begins, change[VALID_TO], opened, row)
        self.held = sorted(by_name.values(), key=lambda i: (i[0], i[1]))

    def on(self, asked: date) -> State:
        found = [(key, row) for key, begins, ends, _, row in self.held if begins <= asked < ends]
        assert len(found) == len(dict(found)), "two intervals of a key overlap"
        return dict(found)


def dated(history: dict[int, State]) -> dict[date, State]:
    return {day(number): state for number, state in sorted(history.items())}


@pytest.mark.slow
@settings(max_examples=25)
@given(histories)
def test_after_every_statement_each_date_is_what_was_last_said_of_it(history):
    book, oracle = Book(), {}
    for stated in map(dated, history):
        book.state(stated)
        oracle |= stated
        for asked in map(day, range(-1, DAYS + 1)):
            last = max((known for known in oracle if known <= asked), default=None)
            assert book.on(asked) == (oracle[last] if last else {}), (asked, oracle)


@pytest.mark.slow
@settings(max_examples=25)
@given(histories)
def test_neighbours_never_say_the_same(history):
    book = Book()
    for stated in map(dated, history):
        book.state(stated)
        for one, other in zip(book.held, book.held[1:], strict=False):
            assert one[0] != other[0] or one[2] < other[1] or one[4] != other[4], book.held


@pytest.mark.slow
@settings(max_examples=15)
@given(histories)
def test_the_same_said_again_changes_nothing(history):
    book = Book()
    for stated in map(dated, history):
        book.state(stated)
        assert book.state(stated).is_empty()


def test_only_what_changed_is_written():
    book = Book()
    book.state({day(0): {"p": (1, "x"), "q": (0, None)}})
    found = book.state({day(1): {"p": (1, "x"), "q": (1, None)}})
    assert found.select(CHANGE, "party", VALID_FROM, VALID_TO, OPENED_BY, "a").rows() == [
        (ENDED, "q", day(0), day(1), 1, None),
        (OPENED, "q", day(1), FOREVER, None, 1),
    ]


def test_a_party_that_is_gone_gets_its_interval_closed():
    book = Book()
    book.state({day(0): {"p": (1, "x"), "q": (0, None)}})
    found = book.state({day(3): {"p": (1, "x")}})
    assert found.select(CHANGE, "party", VALID_TO).rows() == [(ENDED, "q", day(3))]


def test_an_earlier_date_speaks_up_to_the_next_that_was_stated():
    book = Book()
    for number in range(3):
        book.state({day(number): {"p": (number, None)}})
    book.state({day(1): {"p": (7, None)}})
    assert [book.on(day(number))["p"][0] for number in range(4)] == [0, 7, 2, 2]


def test_a_correction_that_takes_a_change_back_joins_the_interval_again():
    book = Book()
    book.state({day(0): {"p": (1, None)}})
    book.state({day(1): {"p": (0, None)}})
    book.state({day(1): {"p": (1, None)}})
    assert [(i[1], i[2], i[3]) for i in book.held] == [(day(0), FOREVER, 1)]
