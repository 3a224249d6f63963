"""What publishing leaves behind, open to whom, and which release is current afterwards."""

from __future__ import annotations

import json
import os
import shutil
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.audit.gates import expected_checks
from pipelines.contracts.load import Catalog
from pipelines.release.catalogue import current, find, list_releases
from pipelines.release.publish import publish
from pipelines.release.refused import Refused
from pipelines.settings import InputError
from pipelines.vault.keys import KeyRing

from .warehouse import DAY, KEY, Office, approve, evidence

EVE = date(1994, 3, 30)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_each_consumer_can_pass_to_its_own_directory_and_to_nothing_else(
    office: Office, candidate: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        release = office.publish(candidate)
    finally:
        os.umask(before)
    assert mode(office.home.releases) == mode(release.path) == 0o711
    for path in release.path.rglob("*"):
        open_to_group = {path.name, path.parent.name} & {"marketing", "risk"}
        expected = (0o750 if open_to_group else 0o700) if path.is_dir() else (0o640 if open_to_group else 0o600)
        assert (path.relative_to(release.path), mode(path)) == (path.relative_to(release.path), expected)


def test_a_consumer_directory_belongs_to_its_group(
    office: Office, candidate: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, str, int]] = []
    monkeypatch.setattr(shutil, "chown", lambda path, group: given.append((path.name, group, mode(path))))
    settings = office.settings.model_copy(update={"group_marketing": "sales", "group_risk": "underwriting"})
    publish(candidate, catalog, settings, office.ring, {})
    assert {(name, group) for name, group, _ in given} >= {
        ("marketing", "sales"), ("marketing.duckdb", "sales"), ("low_risk_list.parquet", "sales"),
        ("risk", "underwriting"), ("risk.duckdb", "underwriting"), ("low_risk_decision.parquet", "underwriting"),
    }  # fmt: skip
    assert all(before & 0o070 == 0 or name.endswith(".duckdb") for name, _, before in given), (
        "given before it is opened"
    )


def test_a_group_that_is_not_there(office: Office, candidate: Path, catalog: Catalog) -> None:
    settings = office.settings.model_copy(update={"group_risk": "no-such-group"})
    with pytest.raises(InputError, match="there is no group 'no-such-group' on this machine"):
        publish(candidate, catalog, settings, office.ring, {})
    assert list(office.home.releases.iterdir()) == []


@pytest.mark.slow
def test_the_id_follows_from_the_content_and_what_it_was_made_from(office: Office, candidate: Path) -> None:
    kept = Path(shutil.copytree(candidate, candidate.with_name("kept")))
    first = office.publish(candidate, {"run_id": "one"})
    assert first.id.startswith("1994-03-31-")
    assert not candidate.exists(), "what is published needs no candidate any more"
    shutil.rmtree(first.path)
    again = office.publish(Path(shutil.copytree(kept, candidate)), {"run_id": "two"})
    assert (again.id, again.manifest) == (first.id, first.manifest)
    assert again.run()["run_id"] == "two"
    with pytest.raises(Refused, match="since it was built, changed: keys"):
        publish(kept, office.catalog, office.settings, KeyRing(b"\x01" * 32), {})


def test_publishing_twice_changes_nothing(office: Office, candidate: Path) -> None:
    kept = Path(shutil.copytree(candidate, candidate.with_name("kept")))
    release = office.publish(candidate, {"run_id": "one"})
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in release.path.rglob("*")}
    again = office.publish(kept, {"run_id": "two"})
    assert again.path == release.path
    assert again.run()["run_id"] == "one"
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in release.path.rglob("*")} == before
    assert [one.id for one in list_releases(office.home)] == [release.id]


def test_a_release_that_was_tampered_with_is_not_made_current_again(office: Office, candidate: Path) -> None:
    kept = Path(shutil.copytree(candidate, candidate.with_name("kept")))
    release = office.publish(candidate)
    path = release.path / "risk" / "customer_360.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    (office.home.releases / "current").unlink()
    with pytest.raises(Refused, match=r"is not what was published: .* Move it away, then publish again"):
        office.publish(kept)
    assert current(office.home) is None


def test_where_the_current_release_is_gone_it_is_said_which_and_what_to_do(office: Office, candidate: Path) -> None:
    with pytest.raises(InputError, match=r"nothing is published in .* yet: run `zhongtai nightly`"):
        find(office.home, None)
    kept = Path(shutil.copytree(candidate, candidate.with_name("kept")))
    release = office.publish(candidate)
    (office.home.releases / "current").unlink()
    with pytest.raises(InputError, match=rf"current is gone. Run `zhongtai nightly --date {DAY}`, which points again"):
        find(office.home, None)
    (office.home.releases / "current").symlink_to(release.id)
    release.path.rename(office.home.path / "damaged")
    said = rf"releases/{release.id}, which was, is gone. Restore it from a backup, .* `zhongtai nightly --date {DAY}`"
    with pytest.raises(InputError, match=said):
        find(office.home, None)
    assert office.publish(kept).id == release.id == find(office.home, None).id


@pytest.mark.slow
def test_the_pointer_never_goes_back_to_an_earlier_business_date(office: Office) -> None:
    eve, day = office.publish(office.approved(EVE)), office.publish(office.approved(DAY))
    assert current(office.home).id == day.id
    corrected = office.publish(office.approved(EVE, parties=5))
    assert current(office.home).id == day.id, "an earlier date is published, and not pointed to"
    assert {one.id for one in list_releases(office.home)} == {eve.id, day.id, corrected.id}
    later = office.publish(office.approved(DAY, parties=5))
    assert current(office.home).id == later.id, "a correction of the same date is"


def test_the_manifest_says_what_it_was_made_from(office: Office, candidate: Path, catalog: Catalog) -> None:
    release = office.publish(candidate)
    assert json.loads((release.path / "manifest.json").read_bytes()) == release.manifest
    assert release.manifest["contracts"].keys() == (catalog.sources | catalog.marts | catalog.products).keys()
    assert release.manifest["policy"] == {"version": catalog.policy.version, "sha256": catalog.policy.sha256}
    assert release.manifest["rows"].keys() == catalog.products.keys()
    assert set(release.manifest["engines"]) >= {"duckdb", "dbt-core", "polars", "pyarrow", "great-expectations"}
    assert KEY not in (release.path / "manifest.json").read_text()


def test_a_warning_is_published_and_counted(office: Office, candidate: Path, catalog: Catalog) -> None:
    found = evidence(candidate, catalog)
    broken = (replace(c, state="failed") if c.id == "coverage.carried" else c for c in found.checks)
    approve(candidate, replace(found, checks=tuple(broken)))
    release = office.publish(candidate)
    assert release.manifest["checks"] == {"passed": len(expected_checks(catalog)) - 1, "failed": 1, "not_audited": 0}


def test_rows_are_counted_in_the_content(office: Office, candidate: Path) -> None:
    release = office.publish(candidate)
    with duckdb.connect(str(release.path / "risk" / "risk.duckdb"), read_only=True) as con:
        counted = con.execute("select count(*) from customer_360").fetchall()[0][0]
    assert release.manifest["rows"]["risk.customer_360"] == counted
