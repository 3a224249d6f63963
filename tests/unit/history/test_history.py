"""The history of a home through its files, against what every release said when it was made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.history import as_of
from pipelines.history.reading import find_key, intervals
from pipelines.history.recording import keep_stated, put_down
from pipelines.history.shape import Shape
from pipelines.history.store import count, settle, statements
from pipelines.settings import Home, InputError

START = date(2025, 3, 1)
COLUMNS = {"days": "bigint", "name": "string", "share": "bigint"}
SHAPE = Shape("thing", "1.0.0", {"party_id": "string"}, COLUMNS, ("days",), ("share",))
SCHEMA = {"party_id": pl.String, "business_date": pl.Date, "days": pl.Int64, "name": pl.String, "share": pl.Int64}
# Of each party since when it is counted, in days after START, and its name.
State = dict[str, tuple[int | None, str]]


def day(number: int) -> date:
    return START + timedelta(days=number)


def rows(on: date, state: State) -> pl.DataFrame:
    """The mart as of `on`: what counts is counted up to that day, and so is what parties with the same name share."""
    counted = [
        (
            key,
            on,
            None if n is None else (on - day(n)).days,
            name,
            None if name == "c" else on.day * (1 + (name == "b")),
        )
        for key, (n, name) in sorted(state.items())
    ]
    return pl.DataFrame(counted, SCHEMA, orient="row")


@dataclass
class Office:
    """A home that publishes, and what it said."""

    home: Home
    said: list[tuple[date, dict[date, pl.DataFrame]]] = field(default_factory=list)

    def candidate(self, states: dict[date, State], shape: Shape = SHAPE) -> Path:
        folder = self.home.path / "stated"
        shutil.rmtree(folder, ignore_errors=True)
        with closing(duckdb.connect()) as con:
            con.execute("create schema marts")
            con.register("built", pl.concat(rows(on, state) for on, state in states.items()))
            con.execute("create table marts.thing as from built")
            keep_stated(con, [shape], {on: "x" for on in states}, folder)
        return folder

    def publish(self, states: dict[date, State], release: str) -> bool:
        """Whether anything was put down."""
        last = max(states)
        pending = put_down(self.home, self.candidate(states), release, last)
        if pending is not None:
            count(pending)
        self.said.append((last, {on: rows(on, state) for on, state in states.items()}))
        return pending is not None


@pytest.fixture
def office(tmp_path) -> Office:
    return new_office(tmp_path / "home")


def new_office(path: Path) -> Office:
    home = Home(path)
    home.prepare("xiaocheng")
    return Office(home)


states = st.dictionaries(st.sampled_from("pqr"), st.tuples(st.none() | st.integers(0, 2), st.sampled_from("abc")))
releases = st.lists(st.dictionaries(st.integers(2, 6), states, min_size=1, max_size=3), min_size=1, max_size=5)


@pytest.mark.slow
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(releases)
def test_published_is_what_was_said_and_known_is_what_was_said_last(tmp_path_factory, history):
    office = new_office(tmp_path_factory.mktemp("home"))
    for n, stated in enumerate(history):
        office.publish({day(number): state for number, state in sorted(stated.items())}, f"release{n}")
    known: dict[date, pl.DataFrame] = {}
    for _, said in office.said:
        known |= said
    for asked in map(day, range(2, 8)):
        before = [(last, said) for last, said in office.said if last <= asked]
        if before:
            newest = max(last for last, _ in before)
            wanted = next(said[last] for last, said in reversed(before) if last == newest)
            assert as_of(office.home, "thing", asked, "published").equals(wanted), asked
        else:
            with pytest.raises(InputError):
                as_of(office.home, "thing", asked, "published")
        if earlier := [on for on in known if on <= asked]:
            assert as_of(office.home, "thing", asked, "known").equals(known[max(earlier)]), asked


def test_days_that_pass_change_nothing(office):
    office.publish({day(2): {"p": (1, "a"), "q": (None, "a")}}, "one")
    office.publish({day(5): {"p": (1, "a"), "q": (None, "a")}}, "two")
    assert opened(office) == [1, 1]
    assert as_of(office.home, "thing", day(5), "known")["days"].to_list() == [4, None]
    assert as_of(office.home, "thing", day(3), "known")["days"].to_list() == [1, None]


def test_who_leaves_a_group_changes_and_nobody_else(office):
    people = {name: (1, "a") for name in "pqr"}
    office.publish({day(2): people}, "one")
    office.publish({day(3): people | {"q": (1, "b")}}, "two")
    office.publish({day(4): people | {"q": (1, "b")}}, "three")
    assert opened(office) == [1, 1, 1, 2]
    assert [as_of(office.home, "thing", day(n), "known")["share"].to_list() for n in (2, 3, 4)] == [
        [3, 3, 3], [4, 8, 4], [5, 10, 5],
    ]  # fmt: skip


def opened(office: Office) -> list[int]:
    files = office.home.history.glob("changes/*/thing.parquet")
    return sorted(pl.concat(map(pl.read_parquet, files)).filter(pl.col("_change") == "opened")["_sequence"].to_list())


def test_the_same_release_twice_writes_nothing(office):
    stated = {day(2): {"p": (1, "a")}}
    assert office.publish(stated, "one")
    assert not office.publish(stated, "one")
    assert len(statements(office.home)) == 1


def test_a_release_that_comes_back_is_the_last_word(office):
    for release, name in (("one", "a"), ("two", "b"), ("one", "a")):
        assert office.publish({day(2): {"p": (1, name)}}, release)
    assert as_of(office.home, "thing", day(2), "published")["name"].to_list() == ["a"]


def test_the_same_releases_give_the_same_bytes(tmp_path):
    files = []
    for name in ("one", "other"):
        office = new_office(tmp_path / name)
        office.publish({day(2): {"p": (1, "a"), "q": (0, "b")}}, "first")
        office.publish({day(2): {"p": (1, "b")}, day(3): {"q": (0, "b"), "r": (2, "a")}}, "second")
        places = sorted(path for path in office.home.history.rglob("*") if path.is_file())
        files.append({path.relative_to(office.home.path): path.read_bytes() for path in places})
    assert files[0] == files[1]
    assert len(files[0]) == 6


def test_everything_below_is_private(office):
    office.publish({day(2): {"p": (1, "a")}}, "one")
    for path in (office.home.history, *office.home.history.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


@pytest.fixture
def two_nights(office) -> Iterator[Office]:
    office.publish({day(2): {"p": (1, "a")}}, "one")
    yield office


@pytest.mark.parametrize("published", [True, False])
def test_a_run_that_died_after_it_was_put_down(two_nights, published):
    home = two_nights.home
    folder = two_nights.candidate({day(3): {"p": (1, "b")}})
    put_down(home, folder, "two", day(3))
    assert as_of(home, "thing", day(3), "known")["name"].to_list() == ["a"], "counted before its release was there"
    settle(home, lambda release: published and release == "two")
    assert as_of(home, "thing", day(3), "known")["name"].to_list() == ["b" if published else "a"]
    assert not list(home.history.glob("changes/.*"))


@pytest.mark.parametrize("fault", ["write_private", "_write", "make_durable"])
def test_a_run_that_died_while_it_was_written(two_nights, monkeypatch, fault):
    home = two_nights.home
    folder = two_nights.candidate({day(3): {"p": (1, "b")}})

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(f"pipelines.history.store.{fault}", dies)
        with pytest.raises(KeyboardInterrupt):
            put_down(home, folder, "two", day(3))
    assert len(statements(home)) == 1
    settle(home, lambda _: True)
    assert len(statements(home)) == 1
    assert not list(home.history.glob("changes/.*"))
    pending = put_down(home, folder, "two", day(3))
    assert pending is not None
    count(pending)
    assert as_of(home, "thing", day(3), "known")["name"].to_list() == ["b"]


def test_intervals_tell_what_was_believed_and_until_when(office):
    office.publish({day(2): {"p": (1, "a")}}, "one")
    office.publish({day(4): {"p": (1, "b")}}, "two")
    office.publish({day(2): {"p": (1, "b")}, day(4): {"p": (1, "b")}}, "three")
    told = intervals(office.home, "thing", "p").select("holds_from", "holds_to", "recorded_from", "recorded_to", "name")
    assert sorted(told.rows(), key=str) == sorted(
        [
            (day(2), None, "one", "two", "a"),
            (day(2), day(4), "two", "three", "a"),
            (day(4), None, "two", "three", "b"),
            (day(2), None, "three", None, "b"),
        ],
        key=str,
    )


def test_a_column_that_is_new_is_empty_before(office):
    narrow = Shape("thing", "1.0.0", {"party_id": "string"}, {"name": "string"}, ())
    pending = put_down(office.home, office.candidate({day(2): {"p": (1, "a")}}, narrow), "one", day(2))
    assert pending is not None
    count(pending)
    office.publish({day(3): {"p": (1, "a")}}, "two")
    assert as_of(office.home, "thing", day(2), "known").rows() == [("p", day(2), None, "a", None)]
    assert as_of(office.home, "thing", day(3), "known").rows() == [("p", day(3), 2, "a", 4)]


def test_a_key_is_found_by_how_it_begins(office):
    office.publish({day(2): {"party": (1, "a"), "other": (1, "a"), "pair": (1, "a")}}, "one")
    assert find_key(office.home, "thing", "o") == "other"
    for ambiguous in ("pa", "x"):
        with pytest.raises(InputError):
            find_key(office.home, "thing", ambiguous)


def test_a_mart_without_a_history_says_so(office):
    with pytest.raises(InputError, match="no history"):
        as_of(office.home, "thing", day(2), "known")
