"""What an empty home is given before a release is made in it again, and that every byte is compared afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pipelines.release.catalogue import Release, current, find
from pipelines.release.rebuilt import compare_content, made_with_others, prepare
from pipelines.settings import Home, InputError
from pipelines.vault.keys import KeyRing

from .lawful_nights import NIGHTS
from .warehouse import Office


def test_the_same_content_is_identical_and_another_file_is_named(two_nights: Office, tmp_path: Path) -> None:
    release = find(two_nights.home, NIGHTS[1].isoformat())
    home = Home(Path(shutil.copytree(two_nights.home.path, tmp_path / "home", symlinks=True)))
    same = compare_content(release, home)
    assert same.identical
    assert (same.content_hash, same.differing, same.made_otherwise) == (release.content_hash, (), {})
    path = home.releases / release.id / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["files"]["risk/customer_360.parquet"]["sha256"] = "0" * 64
    del manifest["files"]["shared/coverage.parquet"]
    manifest["code"]["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))
    other = compare_content(release, home)
    assert not other.identical
    assert other.differing == ("risk/customer_360.parquet", "shared/coverage.parquet")
    assert other.made_otherwise == {"other": ["code"]}


def test_a_home_in_which_nothing_came_of_it(two_nights: Office, tmp_path: Path) -> None:
    release, empty = current(two_nights.home), Home(tmp_path / "empty")
    with pytest.raises(InputError, match=f"came to no candidate of {NIGHTS[1]}: see what it said"):
        compare_content(release, empty)


def test_a_home_that_is_not_empty_other_keys_and_a_restored_release_are_refused(
    two_nights: Office, tmp_path: Path
) -> None:
    release, into = current(two_nights.home), Home(tmp_path / "into")
    into.path.mkdir()
    (into.path / "something").write_text("")
    with pytest.raises(InputError, match="is not empty: name a directory that is, or one that is not there"):
        prepare(two_nights.home, release, two_nights.ring, into, key_file=False)
    (into.path / "something").unlink()
    with pytest.raises(InputError, match=r"was made with the key .*, and this is .*: give that one"):
        prepare(two_nights.home, release, KeyRing(b"\x01" * 32), into, key_file=False)
    path = Path(shutil.copytree(release.path, tmp_path / release.id))
    (path / "proof" / "supersedes.json").write_text('{"restores": "1994-03-30-a"}')
    with pytest.raises(InputError, match="restores 1994-03-30-a: rebuild that one, and roll back to it"):
        prepare(two_nights.home, Release(path, release.manifest), two_nights.ring, into, key_file=False)
    assert list(into.path.iterdir()) == []


def test_it_is_given_the_history_of_before_and_no_later_word(two_nights: Office, tmp_path: Path) -> None:
    changes = two_nights.home.history / "changes"
    of = {night: sorted(path.name for path in changes.glob(f"*_{night}-*")) for night in NIGHTS}
    for night, given in ((NIGHTS[0], []), (NIGHTS[1], of[NIGHTS[0]])):
        into = Home(tmp_path / night.isoformat())
        prepare(two_nights.home, find(two_nights.home, night.isoformat()), two_nights.ring, into, key_file=False)
        assert sorted(path.name for path in (into.history / "changes").glob("*")) == given
        assert into.bank() == two_nights.home.bank()
    assert of[NIGHTS[0]], "the first night said something"


def test_who_was_who_must_still_be_what_the_release_names(two_nights: Office, tmp_path: Path) -> None:
    release = current(two_nights.home)
    path = Path(shutil.copytree(release.path, tmp_path / release.id))
    recorded = json.loads((path / "run.json").read_bytes())
    recorded["identity"]["before"] = {"business_date": NIGHTS[0].isoformat(), "sha256": "0" * 64}
    (path / "run.json").write_text(json.dumps(recorded))
    with pytest.raises(
        InputError, match=f"identity/state/{NIGHTS[0]} is not what it was: that night was run again since"
    ):
        prepare(
            two_nights.home, Release(path, release.manifest), two_nights.ring, Home(tmp_path / "into"), key_file=False
        )


def test_what_is_another_today_is_told(two_nights: Office) -> None:
    release = current(two_nights.home)
    assert made_with_others(two_nights.catalog, release) == {}
    other = release.manifest | {"policy": {"version": "0", "sha256": "0"}, "engines": {}}
    assert made_with_others(two_nights.catalog, Release(release.path, other)) == {"other": ["policy", "libraries"]}
