"""What of random histories of releases is kept, and that removing is whole or not at all."""

from __future__ import annotations

import json
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.release import retention
from pipelines.release.catalogue import MANIFEST, RUN, current, list_releases, release_id
from pipelines.release.pointer import point
from pipelines.release.readers import reading
from pipelines.release.retention import LATEST, MONTHS, plan, remove
from pipelines.settings import Home

FIRST = date(2025, 1, 1)


def publish(home: Home, day: date, n: int, told: dict | None = None) -> str:
    """A directory that stands for a release, the `n`th; the pointer follows."""
    manifest = {"business_date": day.isoformat(), "release": n}
    name = release_id(manifest)
    (home.releases / name / "proof").mkdir(parents=True)
    (home.releases / name / MANIFEST).write_text(json.dumps(manifest))
    (home.releases / name / RUN).write_text(json.dumps({"published_at": f"{day}"}))
    if told is not None:
        (home.releases / name / "proof" / "supersedes.json").write_text(json.dumps(told))
    point(home.releases, name)
    return name


def superseding(of: str, restored: str, order: int, decided: str) -> dict:
    place = {"business_date": f"{FIRST + timedelta(days=5)}", "order": order}
    return {"supersedes": of, "restores": restored, "place": place, "decided": {"release": decided}}


def policy(latest: int, months: int) -> dict[str, float]:
    return {LATEST: float(latest), MONTHS: float(months)}


@given(
    days=st.lists(st.integers(0, 200), min_size=1, max_size=20, unique=True),
    latest=st.integers(1, 6),
    months=st.integers(0, 5),
)
def test_the_latest_and_the_ends_of_months_are_kept_and_nothing_else(days: list[int], latest: int, months: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.releases.mkdir()
        dates = [FIRST + timedelta(days=n) for n in days]
        for n, day in enumerate(dates):
            publish(home, day, n)
        ordered = sorted(dates)
        ends = {
            day for day in ordered if not any(d > day and (d.year, d.month) == (day.year, day.month) for d in dates)
        }
        wanted = {*ordered[-latest:], *(sorted(ends)[-months:] if months else ())}
        fates = plan(home, policy(latest, months))
        assert {fate.release.business_date for fate in fates if fate.kept} == wanted
        assert [fate.release.business_date for fate in fates] == ordered
        assert len(list_releases(home)) == len(days), "a plan removes nothing"
        remove(home, policy(latest, months))
        assert {release.business_date for release in list_releases(home)} == wanted
        assert current(home).business_date == max(dates)
        assert not list(home.releases.glob(".*"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with nothing but a directory for releases."""
    found = Home(tmp_path)
    found.releases.mkdir()
    return found


def test_what_a_kept_release_was_made_from_is_kept_with_it_and_with_what_that_was_made_from(home: Home) -> None:
    names = [publish(home, FIRST + timedelta(days=n), n) for n in range(6)]
    first = publish(home, FIRST, 10, superseding(names[5], names[0], 1, names[3]))
    second = publish(home, FIRST, 11, superseding(first, first, 2, names[4]))
    assert current(home).id == second
    fates = {fate.release.id: fate for fate in plan(home, policy(1, 0))}
    assert {name for name, fate in fates.items() if fate.kept} == {
        second,
        first,
        names[0],
        names[3],
        names[4],
        names[5],
    }
    assert fates[names[0]].reasons == (f"{first} restores it",)
    assert fates[names[4]].reasons == (f"{second} was decided by it",)
    assert fates[names[1]].reasons == ()


def test_the_current_one_is_kept_even_where_it_is_not_the_latest(home: Home) -> None:
    old, new = publish(home, FIRST, 1), publish(home, FIRST + timedelta(days=1), 2)
    (home.releases / "current").unlink()
    (home.releases / "current").symlink_to(old)
    kept = [fate.release.id for fate in plan(home, policy(1, 0)) if fate.kept]
    assert kept == [old, new]


def test_one_that_is_read_stays_until_it_is_not(home: Home) -> None:
    names = [publish(home, FIRST + timedelta(days=n), n) for n in range(3)]
    with reading(home.releases / names[0]):
        fates = remove(home, policy(1, 0))
        assert [fate.kept for fate in fates] == [True, False, True]
        assert "its directory is locked" in fates[0].reasons
    assert [release.id for release in list_releases(home)] == [names[0], names[2]]
    remove(home, policy(1, 0))
    assert [release.id for release in list_releases(home)] == [names[2]]


def test_one_that_begins_to_be_read_after_the_plan_stays(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [publish(home, FIRST + timedelta(days=n), n) for n in range(2)]
    with reading(home.releases / names[0]):
        monkeypatch.setattr(retention, "live_readers", lambda _: {})
        assert [fate.kept for fate in remove(home, policy(1, 0))] == [True, True]
    assert [release.id for release in list_releases(home)] == names


def test_a_removal_that_was_killed_is_ended_by_the_next_and_is_no_release_in_between(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [publish(home, FIRST + timedelta(days=n), n) for n in range(2)]

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(retention.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            remove(home, policy(1, 0))
    assert [release.id for release in list_releases(home)] == names[1:]
    assert list(home.releases.glob(".*"))
    remove(home, policy(1, 0))
    assert not list(home.releases.glob(".*"))
