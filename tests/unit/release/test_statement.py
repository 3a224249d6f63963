"""What a release states and who signed it: bound to its files, chained to the release before, believed or not."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from pipelines.contracts.load import Catalog
from pipelines.release import statement
from pipelines.release.catalogue import Release, read_release, verify_release
from pipelines.release.verifier.signed import NAMED
from pipelines.settings import InputError
from pipelines.vault import signing

from .conftest import new_office
from .signed_office import DAY, EVE, FORGER, forged, public, sign_again
from .warehouse import Office

LATER = date(1994, 4, 1)


@pytest.fixture(scope="module")
def _kept(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, shelf: Path) -> Path:
    office = new_office(tmp_path_factory.mktemp("signed") / "home", catalog, shelf)
    for day in (EVE, DAY):
        office.publish(office.approved(day, parties=3))
    return office.home.path


@pytest.fixture
def signed(_kept: Path, tmp_path: Path, catalog: Catalog, shelf: Path) -> Office:
    """A home of its own with two signed releases."""
    home = Path(shutil.copytree(_kept, tmp_path / "home", symlinks=True))
    return new_office(home, catalog, shelf)


def releases(office: Office) -> list[Path]:
    return sorted(path for path in office.home.releases.iterdir() if not path.is_symlink())


def said(path: Path) -> dict:
    return json.loads((path / "statement.json").read_bytes())


def verified(path: Path) -> list[str]:
    return statement.problems(path)


def wholly_verified(office: Office, path: Path) -> list[str]:
    return verify_release(read_release(path), office.catalog)


def again(office: Office, day: date, parties: int = 3) -> Release:
    return office.publish(office.approved(day, parties=parties))


def test_a_statement_names_every_part_by_its_hash(signed: Office) -> None:
    for path in releases(signed):
        told, manifest = said(path), read_release(path).manifest
        assert told["release"] == path.name
        assert told["content_hash"] == manifest["content_hash"]
        for name, field in NAMED.items():
            assert told[field] == hashlib.sha256((path / name).read_bytes()).hexdigest()
        assert told["signed_at"] == read_release(path).run()["published_at"]
        assert wholly_verified(signed, path) == []


def test_statements_are_a_chain(signed: Office) -> None:
    eve, day = releases(signed)
    assert (said(eve)["sequence"], said(eve)["previous"]) == (1, None)
    assert said(day)["sequence"] == 2
    assert said(day)["previous"] == {
        "release": eve.name,
        "statement_sha256": hashlib.sha256((eve / "statement.json").read_bytes()).hexdigest(),
    }
    corrected = again(signed, EVE, parties=4)
    assert said(corrected.path)["previous"]["release"] == day.name, "in the order of publication, not of dates"


def test_id_and_content_are_the_same_whoever_signs(signed: Office, tmp_path: Path, shelf: Path) -> None:
    other = new_office(tmp_path / "other", signed.catalog, shelf)
    one, two = releases(signed)[0], again(other, EVE).path
    assert one.name == two.name
    assert said(one)["key"] != said(two)["key"]
    assert (one / "record.tar").read_bytes() == (two / "record.tar").read_bytes()


@pytest.mark.slow
def test_a_release_moved_away_and_published_again_breaks_no_chain(signed: Office, tmp_path: Path) -> None:
    eve, day = releases(signed)
    eve.rename(tmp_path / "aside")
    assert verified(day) == [], "what it follows on need not be there"
    new = again(signed, EVE)
    assert new.id == eve.name
    assert said(new.path)["sequence"] == 3
    assert verified(new.path) == verified(day) == []


@pytest.mark.slow
def test_another_statement_in_place_of_the_one_before_breaks_the_chain(signed: Office) -> None:
    eve, day = releases(signed)
    (eve / "statement.json").write_bytes((eve / "statement.json").read_bytes() + b"\n")
    assert verified(day) == [f"it follows on {eve.name}, whose statement.json is another one now"]


def test_nothing_follows_on_what_was_tampered_with(signed: Office) -> None:
    eve, day = releases(signed)
    sign_again(day, FORGER, sequence=10**6, signed_at="9999-01-01T00:00:00+00:00")
    assert said(again(signed, LATER).path)["previous"]["release"] == eve.name


def test_a_clock_set_back_makes_nothing_older(signed: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    before = said(releases(signed)[1])["signed_at"]
    kept = statement.attach

    def long_ago(*given: object) -> None:
        kept(*given[:-1], "1999-01-01T00:00:00+00:00")

    monkeypatch.setattr("pipelines.release.publish.attach", long_ago)
    new = again(signed, LATER)
    assert said(new.path)["signed_at"] == before
    assert verified(new.path) == []


@pytest.mark.slow
def test_what_an_earlier_key_signed_stays_believed(signed: Office) -> None:
    last = said(releases(signed)[1])["signed_at"]
    key = signing.rotate(signed.home.vault, last)
    new = again(signed, LATER)
    assert said(new.path)["key"] == key.fingerprint
    assert [verified(path) for path in releases(signed)] == [[], [], []]


def test_a_release_before_signing_is_unsigned_and_not_broken(signed: Office) -> None:
    eve, day = releases(signed)
    for path in (eve, day):
        for name in statement.ATTACHED:
            (path / name).unlink()
    shutil.rmtree(signed.home.vault / "signing")
    assert verified(eve) == []
    new = again(signed, LATER)
    assert said(new.path)["previous"] is None
    assert signing.believed(signed.home.vault).unsigned == (eve.name, day.name)
    assert [verified(path) for path in (eve, day, new.path)] == [[], [], []]
    assert statement.standing(eve) is None


def test_a_signature_that_was_taken_off_is_missed(signed: Office) -> None:
    day = releases(signed)[1]
    for name in statement.ATTACHED:
        (day / name).unlink()
    assert verified(day) == ["it is not signed, and was not published before this home signed"]


@pytest.mark.parametrize("name", statement.ATTACHED)
def test_part_of_a_signature_is_no_unsigned_release(signed: Office, name: str) -> None:
    day = releases(signed)[1]
    (day / name).unlink()
    assert verified(day) == [f"{name} is missing"]


def test_a_distrusted_key(signed: Office) -> None:
    eve, day = releases(signed)
    key = said(day)["key"]
    signing.distrust(signed.home.vault, key, "its laptop was stolen", "2026-01-01")
    told = f"it was signed with the key {key}, which is distrusted: its laptop was stolen (2026-01-01)"
    assert verified(eve) == verified(day) == [told]
    candidate = signed.approved(LATER, parties=3)
    with pytest.raises(InputError, match="is distrusted"):
        signed.publish(candidate)
    assert releases(signed) == [eve, day], "nothing is left behind"
    signing.rotate(signed.home.vault, said(day)["signed_at"])
    assert verified(signed.publish(candidate).path) == []


def test_a_forgery_with_all_hashes_right_by_a_key_of_nobody(signed: Office) -> None:
    target = forged(releases(signed)[1], FORGER)
    told = wholly_verified(signed, target)
    assert len(told) == 1
    assert "which this home does not trust" in told[0]
    signing.trust(signed.home.vault, public(FORGER))
    assert wholly_verified(signed, target) != told, "the key alone was what stood against it"


def test_the_right_key_named_and_another_one_that_signed(signed: Office) -> None:
    day = releases(signed)[1]
    key = said(day)["key"]
    sign_again(day, FORGER, key=key)
    assert "names the key" in verified(day)[0]


@pytest.mark.parametrize("names", [["signature.json"], ["statement.json", "signature.json"], statement.ATTACHED])
def test_the_signature_of_another_release(signed: Office, names: list[str]) -> None:
    eve, day = releases(signed)
    for name in names:
        shutil.copy2(eve / name, day / name)
    told = verified(day)
    assert len(told) == 1
    assert "signature does not fit" in told[0] or "hash is not the one in statement.json" in told[0]


def test_another_release_whole_under_this_name(signed: Office) -> None:
    eve, day = releases(signed)
    shutil.rmtree(day)
    shutil.copytree(eve, day)
    assert wholly_verified(signed, day) == [f"manifest.json was changed: it does not give the id {day.name}"]
