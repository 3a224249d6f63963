"""Which earlier releases a candidate is held against."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.audit.earlier import read_past
from pipelines.audit.tables import NotAudited

from .earlier_releases import write_manifest

DAY = date(1994, 3, 31)


def put(shelf: Path, days_before: int, id_: str = "abcdef012345", **more: str) -> Path:
    day = DAY - timedelta(days_before)
    return write_manifest(shelf / f"{day}-{id_}", day, {"risk.a": days_before}, **more)


@settings(max_examples=40, deadline=None)
@given(days=st.sets(st.integers(-5, 60), max_size=12), longest=st.integers(1, 6), reach=st.integers(1, 40))
def test_the_latest_of_earlier_dates_within_reach(days: set[int], longest: int, reach: int) -> None:
    with TemporaryDirectory() as place:
        shelf = Path(place) / "releases"
        for n in days:
            put(shelf, n)
        past = read_past(shelf, Path(place) / "candidate", DAY, longest, reach)
    wanted = sorted(n for n in days if 0 < n <= reach)[:longest]
    assert [(DAY - one.business_date).days for one in past.standing] == wanted
    assert bool(past.why) == (not wanted)
    assert past.latest == (past.standing[0] if wanted else None)


def test_a_first_release_is_said_to_be_the_first(tmp_path: Path) -> None:
    assert read_past(tmp_path / "nowhere", tmp_path, DAY, 28, 31).why == "this is the first release"
    put(tmp_path / "releases", 40)
    why = read_past(tmp_path / "releases", tmp_path, DAY, 28, 31).why
    assert why == "the last release is of 1994-02-19, more than 31 days before"


def test_of_one_date_the_release_counts_that_took_the_place_of_the_others(tmp_path: Path) -> None:
    put(tmp_path, 1, "ffffffffffff")
    for order, name in ((2, "bbbbbbbbbbbb"), (10, "aaaaaaaaaaaa"), (9, "cccccccccccc")):
        put(tmp_path, 1, name, supersedes="another", place={"order": order})
    (found,) = read_past(tmp_path, tmp_path / "candidate", DAY, 28, 31).standing
    assert found.id.endswith("aaaaaaaaaaaa")


def test_what_restores_a_release_is_held_against_that_one(tmp_path: Path) -> None:
    shelf, candidate = tmp_path / "releases", tmp_path / "candidates" / "one"
    old, _ = put(shelf, 9), put(shelf, 1)
    write_manifest(candidate, DAY, {}, restores=old.name)
    assert [one.id for one in read_past(shelf, candidate, DAY, 28, 31).standing] == [old.name]


@pytest.mark.parametrize("restored", ["1994-03-01-abc", "../elsewhere", ""])
def test_a_release_to_restore_that_is_not_there_is_no_comparison(tmp_path: Path, restored: str) -> None:
    write_manifest(tmp_path / "one", DAY, {}, restores=restored)
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(NotAudited, match="is not there to compare with"):
        read_past(tmp_path / "releases", tmp_path / "one", DAY, 28, 31)


@pytest.mark.parametrize("manifest", ["", "{}", '{"rows": 1}', '{"business_date": "1994", "rows": {}}'])
def test_a_release_that_cannot_be_read_is_no_reason_not_to_compare(tmp_path: Path, manifest: str) -> None:
    (put(tmp_path, 1) / "manifest.json").write_text(manifest)
    with pytest.raises(NotAudited, match="cannot be read"):
        read_past(tmp_path, tmp_path / "candidate", DAY, 28, 31)


def test_what_is_being_built_or_removed_is_no_release(tmp_path: Path) -> None:
    put(tmp_path, 1).rename(tmp_path / ".removing-1994-03-30-abcdef012345")
    (tmp_path / "current").symlink_to("1994-03-30-abcdef012345")
    assert read_past(tmp_path, tmp_path / "candidate", DAY, 28, 31).standing == ()


def test_supersession_that_cannot_be_read_is_no_comparison(tmp_path: Path) -> None:
    write_manifest(tmp_path / "one", DAY, {}, restores="x")
    (tmp_path / "one" / "proof" / "supersedes.json").write_text(json.dumps({})[:1])
    with pytest.raises(NotAudited, match=r"supersedes\.json cannot be read"):
        read_past(tmp_path / "releases", tmp_path / "one", DAY, 28, 31)
