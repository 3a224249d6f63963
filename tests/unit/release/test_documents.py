"""What people read of a release: made after it, kept beside it, gone with it, and never in its way."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest
from typer.testing import CliRunner

from pipelines.assets.platform import Platform
from pipelines.assets.release import DOCUMENTS, release_assets
from pipelines.cli.main import app
from pipelines.release import documents
from pipelines.release.catalogue import current, verify_release
from pipelines.release.documents import documents_of, write_documents, write_missing
from pipelines.release.retention import LATEST, MONTHS, remove
from pipelines.reporting.outcome import gathered

from .warehouse import BANK, DAY, Office, approve, evidence

EVE = DAY - timedelta(days=1)


def published(office: Office):
    """A release, which has no documents yet."""
    return office.publish(office.approved())


def materialized(office: Office) -> dg.ExecuteInProcessResult:
    """The documents as their asset makes them."""
    platform = Platform(office.settings)
    platform.catalog = office.catalog
    (asset,) = (one for one in release_assets(platform, []) if DOCUMENTS in one.keys)
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [asset], instance=instance, partition_key=f"{DAY}", resources={"lock": None}, raise_on_error=False
        )


def test_a_release_has_its_page_and_data_docs_and_is_what_it_was(office: Office) -> None:
    release = published(office)
    assert documents_of(office.home, release.id) is None
    assert materialized(office).success
    found = documents_of(office.home, release.id)
    assert found is not None
    assert f"Release {release.id}" in found.page.read_text() and release.content_hash in found.data_docs.read_text()
    assert {path.name for path in found.data_docs.parent.iterdir()} == {
        "index.html", *(f"{name}.html" for name in office.catalog.products)
    }  # fmt: skip
    modes = {path.stat().st_mode & 0o777 for path in (found.path, *found.path.rglob("*"))}
    assert modes == {0o700, 0o600}
    assert verify_release(release, office.catalog) == []
    for command in (("releases", "show"), ("gates", "show")):
        shown = CliRunner().invoke(app, ["--home", str(office.home.path), *command, release.id])
        assert str(found.page) in shown.output and str(found.data_docs) in shown.output, shown.output
    before = found.page.stat().st_mtime_ns
    assert write_missing(office.catalog, office.home) == []
    assert found.page.stat().st_mtime_ns == before, "what is there is not made again"


def test_documents_that_fail_are_a_warning_and_the_next_night_makes_them(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = published(office)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(documents, "write_data_docs", full)
        ended = materialized(office)
    assert ended.success
    outcome = gathered(BANK, DAY, ended.all_events, success=ended.success)
    (line,) = outcome.warnings
    assert line.startswith(f"{release.id} is published, but what people read of it could not be made (OSError)")
    assert f"`zhongtai gates docs {release.id}`" in line
    assert (outcome.status, outcome.error, outcome.checks["warned"]) == ("published", None, 1)
    assert current(office.home).id == release.id and verify_release(release, office.catalog) == []
    assert list(office.home.documents.iterdir()) == []
    assert materialized(office).success and documents_of(office.home, release.id) is not None


@pytest.mark.slow
def test_documents_that_were_killed_are_not_there_and_are_made_by_the_next(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = published(office)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(documents, "write_data_docs", killed)
        patch.setattr(documents.shutil, "rmtree", lambda *_, **__: None)  # nobody tidies up after a kill
        with pytest.raises(KeyboardInterrupt):
            write_documents(release, office.catalog, office.home)
    (left,) = office.home.documents.iterdir()
    assert documents_of(office.home, release.id) is None
    assert write_missing(office.catalog, office.home) == []
    assert documents_of(office.home, release.id) is not None
    remove(office.home, {LATEST: 1.0, MONTHS: 0.0})
    assert not left.exists() and documents_of(office.home, release.id) is not None


@pytest.mark.slow
def test_documents_go_with_their_release(office: Office) -> None:
    first, second = office.publish(office.approved(EVE)), published(office)
    write_missing(office.catalog, office.home)
    assert documents_of(office.home, first.id) and documents_of(office.home, second.id)
    remove(office.home, {LATEST: 1.0, MONTHS: 0.0})
    assert documents_of(office.home, first.id) is None and documents_of(office.home, second.id)
    assert [path.name for path in office.home.documents.iterdir()] == [second.id]


def test_the_command_makes_them_and_a_candidate_needs_a_place(office: Office, tmp_path) -> None:
    candidate = office.approved()
    asked = ["--home", str(office.home.path), "gates", "docs"]
    done = CliRunner().invoke(app, [*asked, candidate.name[:12]])
    assert done.exit_code != 0 and "name a folder with --out" in str(done.exception)
    approve(candidate, evidence(candidate, office.catalog))
    release = office.publish(candidate)
    write_documents(release, office.catalog, office.home)
    done = CliRunner().invoke(app, [*asked, release.id], catch_exceptions=False)
    assert str(documents_of(office.home, release.id).data_docs) in done.output
