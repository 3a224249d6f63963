"""What an empty home is given before a release is made in it again, and that every byte is compared afterwards."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.release import provenance
from pipelines.release.catalogue import Release, current, find
from pipelines.release.rebuilt import compare_content, made_with_others, night_of, prepare, restore_again
from pipelines.release.refused import Refused
from pipelines.release.restored import restore
from pipelines.release.standing import deciding, standing
from pipelines.settings import Home, InputError, Settings
from pipelines.vault.keys import KeyRing

from .lawful_nights import NIGHTS, resolved
from .signed_office import say
from .warehouse import BANK, KEY, Office, approve, evidence


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


def test_a_home_that_is_not_empty_and_other_keys_are_refused(two_nights: Office, tmp_path: Path) -> None:
    release, into = current(two_nights.home), Home(tmp_path / "into")
    into.path.mkdir()
    (into.path / "something").write_text("")
    with pytest.raises(InputError, match="is not empty: name a directory that is, or one that is not there"):
        prepare(two_nights.home, release, two_nights.ring, into, key_file=False)
    (into.path / "something").unlink()
    with pytest.raises(InputError, match=r"was made with the key .*, and this is .*: give that one"):
        prepare(two_nights.home, release, KeyRing(b"\x01" * 32), into, key_file=False)
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


def stated(home: Home, day: date, rows: bytes) -> Path:
    """Let a home have an identity state of a date; returns where."""
    folder = home.identity / "state" / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "assignment.parquet").write_bytes(rows)
    said = {"complete": True, "rows": 1, "made_from": {"decisions": "c" * 64}}
    (folder / "finished.json").write_text(json.dumps(said))
    return folder


def test_who_was_who_must_be_what_the_manifest_names(two_nights: Office, tmp_path: Path) -> None:
    home = Home(Path(shutil.copytree(two_nights.home.path, tmp_path / "home", symlinks=True)))
    shutil.rmtree(home.identity / "state")
    days = [NIGHTS[0] - timedelta(days=n) for n in (2, 1)]
    first, second = (stated(home, day, b"rows") for day in days)
    stated(home, NIGHTS[0], b"of the night itself")
    described = provenance.describe(two_nights.catalog, home, two_nights.ring, NIGHTS[0])
    release = current(two_nights.home)
    release = Release(release.path, release.manifest | {"identity_before": described["identity_before"]})
    assert described["identity_before"]["business_date"] == days[-1].isoformat()

    prepare(home, release, two_nights.ring, Home(tmp_path / "into"), key_file=False)
    given = Home(tmp_path / "into").identity / "state"
    assert sorted(path.name for path in given.iterdir()) == [day.isoformat() for day in days]
    assert provenance.kept_states(Home(tmp_path / "into"))[days[-1]] == described["identity_before"]["sha256"]

    (first / "assignment.parquet").write_bytes(b"another past")
    with pytest.raises(InputError, match=rf"through {days[-1]} is not what it was but state .* was run again since"):
        prepare(home, release, two_nights.ring, Home(tmp_path / "other"), key_file=False)
    (second / "finished.json").unlink()
    with pytest.raises(InputError, match=f"there is no finished identity/state/{days[-1]}: restore"):
        prepare(home, release, two_nights.ring, Home(tmp_path / "other"), key_file=False)
    old = {name: told for name, told in release.manifest.items() if name != "identity_before"}
    with pytest.raises(InputError, match="does not name the state of who is who that it stands on"):
        prepare(home, Release(release.path, old), two_nights.ring, Home(tmp_path / "other"), key_file=False)
    assert not (tmp_path / "other").exists()


def test_what_is_taken_over_is_said_to_be(two_nights: Office, tmp_path: Path) -> None:
    home = Home(Path(shutil.copytree(two_nights.home.path, tmp_path / "home", symlinks=True)))
    release, name = current(two_nights.home), "proof/supersedes.json"
    assert compare_content(release, home).taken_over == ()
    files = release.manifest["files"] | {name: {"sha256": "0" * 64, "rows": 0}}
    superseding = Release(release.path, release.manifest | {"files": files})
    found = compare_content(superseding, home)
    assert (found.taken_over, found.differing) == ((name,), ())


def test_what_a_rollback_made_is_made_again_of_the_night_whose_word_it_followed(
    two_nights: Office, tmp_path: Path
) -> None:
    into = Home(Path(shutil.copytree(two_nights.home.path, tmp_path / "into", symlinks=True)))
    settings = Settings(
        home_dir=Path(shutil.copytree(two_nights.home.path, tmp_path / "home", symlinks=True)), bank=BANK, vault_key=KEY
    )
    office = Office(two_nights.catalog, settings, two_nights.ring, two_nights.shelf)
    first, second = (find(office.home, night.isoformat()) for night in NIGHTS)
    stands = standing(office.home, office.ring, deciding(office.catalog, office.home), first.business_date)
    candidate = restore(office.catalog, office.home, office.ring, first, second, stands, "the limits were wrong")
    approve(candidate, evidence(candidate, office.catalog))
    release = office.publish(candidate)
    assert night_of(office.home, release).id == second.id and night_of(office.home, first).id == first.id

    shutil.rmtree(into.releases / first.id)  # the home in which the night was run has that night alone
    again = restore_again(office.catalog, office.home, release, office.ring, into)
    found = compare_content(release, into, again)
    assert (found.identical, found.differing, found.taken_over) == (True, (), ("proof/supersedes.json",))
    assert found.content_hash == release.content_hash

    resolved(into, NIGHTS[1], ("moved", 0, 1))
    with pytest.raises(InputError, match=rf"leaves out 0 parties .* it would be 2: .*Rebuild {first.id}, whose rows"):
        restore_again(office.catalog, office.home, release, office.ring, into)

    spoilt = {"sha256": "0" * 64}
    say(first.path / "manifest.json", lambda manifest: manifest["files"]["risk/customer_360.parquet"].update(spoilt))
    with pytest.raises(Refused, match=rf"{first.id} is not what was published:\n  manifest\.json was changed"):
        restore_again(office.catalog, office.home, release, office.ring, into)


def test_what_is_another_today_is_told(two_nights: Office) -> None:
    release = current(two_nights.home)
    assert made_with_others(two_nights.catalog, release) == {}
    other = release.manifest | {"policy": {"version": "0", "sha256": "0"}, "engines": {}}
    assert made_with_others(two_nights.catalog, Release(release.path, other)) == {"other": ["policy", "libraries"]}
