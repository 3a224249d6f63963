"""By which rule the pointer moves: over random publications it names the last place, and never goes back."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audit.content import ContentError, supersession
from pipelines.release.pointer import Place, next_order, place_of, point, published

DAYS = ("1994-03-29", "1994-03-30", "1994-03-31")
# A release by the number of its name: its business date, and the place that it takes from another, or its own.
RELEASES = st.lists(
    st.tuples(st.sampled_from(DAYS), st.none() | st.tuples(st.sampled_from(DAYS), st.integers(1, 5))), min_size=1,
    max_size=8,
)  # fmt: skip


def made(releases: Path, name: str, place: tuple[str, int] | None = None) -> Path:
    """A directory that stands for a release."""
    (releases / name / "proof").mkdir(parents=True)
    (releases / name / "manifest.json").write_text("{}")
    if place is not None:
        told = {"place": {"business_date": place[0], "order": place[1]}}
        (releases / name / "proof" / "supersedes.json").write_text(json.dumps(told))
    return releases / name


@given(RELEASES)
def test_it_names_the_last_place_whatever_was_published_in_which_order(said: list) -> None:
    with tempfile.TemporaryDirectory() as folder:
        releases, places = Path(folder), []
        for n, (day, place) in enumerate(said):
            name = f"{day}-{n:012}"
            made(releases, name, place)
            point(releases, name)
            places.append((place or (day, 0), name))
            # Of two in the same place the one that was published later.
            last = max(range(len(places)), key=lambda at: (places[at][0], at))
            assert (releases / "current").readlink().name == places[last][1]
        assert [path.name for path in published(releases)] == [name for _, name in sorted(places)]


@given(RELEASES)
def test_a_lost_pointer_names_the_last_place_again(said: list) -> None:
    with tempfile.TemporaryDirectory() as folder:
        releases = Path(folder)
        for n, (day, place) in enumerate(said):
            made(releases, f"{day}-{n:012}", place)
        point(releases, f"{said[0][0]}-{0:012}")
        named = (releases / "current").readlink().name
        assert place_of(releases / named) == max(map(place_of, published(releases)))


def test_where_the_release_that_it_names_is_gone_no_earlier_one_takes_its_place(tmp_path: Path) -> None:
    for name in ("1994-03-30-a", "1994-03-31-b"):
        made(tmp_path, name)
        point(tmp_path, name)
    (tmp_path / "1994-03-31-b").rename(tmp_path.with_name("damaged"))
    point(tmp_path, "1994-03-30-a")
    assert not (tmp_path / "current").exists(), "it may hold who withdrew by then"
    made(tmp_path, "1994-03-31-c")
    point(tmp_path, "1994-03-31-c")
    assert (tmp_path / "current").readlink().name == "1994-03-31-c"


def test_nor_does_it_where_that_one_had_brought_back_an_earlier_one(tmp_path: Path) -> None:
    """Its name says the earlier date, and its place was that of the later."""
    for name, place in (("1994-03-30-a", None), ("1994-03-31-b", None), ("1994-03-30-c", ("1994-03-31", 1))):
        made(tmp_path, name, place)
        point(tmp_path, name)
    (tmp_path / "1994-03-30-c").rename(tmp_path.with_name("damaged too"))
    point(tmp_path, "1994-03-30-a")
    assert not (tmp_path / "current").exists()
    point(tmp_path, "1994-03-31-b")
    assert (tmp_path / "current").readlink().name == "1994-03-31-b"


def test_a_restored_release_leads_until_a_later_date_or_one_that_supersedes_it(tmp_path: Path) -> None:
    for name, place in (
        ("1994-03-30-a", None), ("1994-03-31-b", None), ("1994-03-30-c", ("1994-03-31", 1)),
    ):  # fmt: skip
        made(tmp_path, name, place)
        point(tmp_path, name)
        assert (tmp_path / "current").readlink().name == name
    point(tmp_path, "1994-03-31-b")
    assert (tmp_path / "current").readlink().name == "1994-03-30-c", "the same night again does not undo it"
    assert next_order(tmp_path, "1994-03-31") == 2
    made(tmp_path, "1994-03-31-d", ("1994-03-31", 2))
    point(tmp_path, "1994-03-31-d")
    assert (tmp_path / "current").readlink().name == "1994-03-31-d"
    made(tmp_path, "1994-04-01-e")
    point(tmp_path, "1994-04-01-e")
    assert (tmp_path / "current").readlink().name == "1994-04-01-e"


def test_what_cannot_be_read_of_a_place_says_which_release_and_what_to_do(tmp_path: Path) -> None:
    path = made(tmp_path, "1994-03-30-a", ("1994-03-31", 7))
    (path / "proof" / "supersedes.json").write_text("{")
    with pytest.raises(ContentError, match=r"^1994-03-30-a: proof/supersedes\.json cannot be read: .*Restore"):
        supersession(path)


@pytest.mark.parametrize("spoiled", ["", "{", "\xff", "[]", "{}", '{"place": 1}'])
def test_one_that_cannot_be_read_has_the_place_of_its_name(tmp_path: Path, spoiled: str) -> None:
    path = made(tmp_path, "1994-03-30-a", ("1994-03-31", 7))
    assert place_of(path) == Place("1994-03-31", 7)
    (path / "proof" / "supersedes.json").write_text(spoiled)
    assert place_of(path) == Place("1994-03-30", 0)
    assert supersession(made(tmp_path, "1994-03-30-b")) is None
