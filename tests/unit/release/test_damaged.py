"""A release whose word on itself was changed: told of wherever it is met, in the way of nothing else."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from pipelines.audit.content import PROOF, SUPERSEDES
from pipelines.cli.main import app
from pipelines.release.catalogue import MANIFEST, RUN, Release, current, list_releases, verify_release
from pipelines.release.documents import write_missing
from pipelines.release.refused import Refused
from pipelines.release.retention import LATEST, MONTHS, remove

from .warehouse import DAY, Office

NEXT = DAY + timedelta(days=1)
WORDS = "was changed. Restore releases/{} from a backup, or move it out of releases/"


SPOILT = {"empty": b"", "half": b"{", "no object": b"[]", "nothing told": b"{}"}


@pytest.fixture(params=[MANIFEST, RUN])
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=SPOILT.values(), ids=SPOILT)
def damaged(office: Office, name: str, request: pytest.FixtureRequest) -> Release:
    """One in which a file is spoiled after it was published."""
    release = office.publish(office.approved())
    (release.path / name).write_bytes(request.param)
    return Release(release.path)


def test_the_night_after_it_is_published(office: Office, damaged: Release) -> None:
    following = office.publish(office.approved(NEXT))
    assert current(office.home).id == following.id and verify_release(following, office.catalog) == []
    assert [one.id for one in list_releases(office.home)] == [damaged.id, following.id]


def test_its_own_date_is_not_published_over_it(office: Office, damaged: Release) -> None:
    with pytest.raises(Refused, match=damaged.id):
        office.publish(office.approved(parties=3))


def test_it_is_told_of_with_what_to_do(office: Office, name: str, damaged: Release) -> None:
    following, words = office.publish(office.approved(NEXT)), WORDS.format(damaged.id)
    asked = ["--home", str(office.home.path), "releases", "list"]
    listed = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert f"{damaged.id}: {name}" in listed.output and words in listed.output and following.id in listed.output
    rows = json.loads(CliRunner().invoke(app, [*asked, "--json"], catch_exceptions=False).output)["releases"]
    assert [(row["release"], bool(row["damaged"]), row["current"]) for row in rows] == [
        (damaged.id, True, False), (following.id, False, True),
    ]  # fmt: skip
    (told,) = write_missing(office.catalog, office.home)
    assert words in told


def test_it_is_not_removed(office: Office, damaged: Release) -> None:
    office.publish(office.approved(NEXT))
    fates = {fate.release.id: fate for fate in remove(office.home, {LATEST: 1, MONTHS: 0})}
    assert fates[damaged.id].kept and "it was changed" in fates[damaged.id].reasons[0]
    assert damaged.path.is_dir()


def test_it_is_not_proved(office: Office, name: str, damaged: Release) -> None:
    refused = CliRunner().invoke(app, ["--home", str(office.home.path), "proof", "verify", damaged.id])
    assert isinstance(refused.exception, Refused) and damaged.id in str(refused.exception)
    assert name in str(refused.exception) and "was changed" in str(refused.exception)


def test_it_is_not_proved_where_all_else_is_as_it_was(office: Office) -> None:
    path = office.publish(office.approved()).path / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "policy": "of another"}))
    refused = CliRunner().invoke(app, ["--home", str(office.home.path), "proof", "verify"])
    assert isinstance(refused.exception, Refused) and f"{MANIFEST} was changed" in str(refused.exception)


@pytest.mark.parametrize("spoilt", [b"", b"[]"])
def test_one_that_does_not_say_whose_place_it_takes_is_told_of(office: Office, spoilt: bytes) -> None:
    path = office.publish(office.approved()).path / PROOF / SUPERSEDES
    assert Release(path.parent.parent).damaged() is None
    path.write_bytes(spoilt)
    assert f"{PROOF}/{SUPERSEDES} cannot be read" in str(Release(path.parent.parent).damaged())
