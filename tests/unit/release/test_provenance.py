"""What a release says it was made from: deliveries, contracts, policy, code, engines, which keys, and who is who."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pytest

from pipelines.contracts.load import Catalog
from pipelines.ingest.ledger import Landing
from pipelines.release import provenance
from pipelines.release.catalogue import list_releases
from pipelines.settings import Home

from .warehouse import DAY, KEY, Office, approve, evidence

EVE = date(1994, 3, 30)


def landing(day: date, delivery: str | None, rows: int, measure: str = "rows", sha256: str = "a" * 64) -> Landing:
    status = "landed" if delivery else "carried"
    values = dict.fromkeys(("accepted", "unchanged", "quarantined", "tombstones"), Decimal(0))
    return Landing(
        "core.transaction", "core", day, measure, status, delivery, delivery and sha256, "b" * 64, None, None,
        Decimal(rows), **values,
    )  # fmt: skip


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the ledger of the home say this."""
    return lambda *landings: monkeypatch.setattr(provenance.ledger, "read_all", lambda _: list(landings))


def described(office: Office, day: date = DAY) -> dict:
    return provenance.describe(office.catalog, office.home, office.ring, day)


def test_each_delivered_file_is_named_once_with_its_dates_and_rows(office: Office, record: Callable) -> None:
    record(
        landing(date(1994, 3, 29), "all.asc", 10), landing(date(1994, 3, 30), "all.asc", 5),
        landing(date(1994, 3, 30), "all.asc", 999, measure="amount"), landing(DAY, "new.asc", 7, sha256="c" * 64),
    )  # fmt: skip
    named = {"contract": "core.transaction", "source": "core"}
    assert described(office)["deliveries"] == [
        named | {"delivery": "all.asc", "sha256": "a" * 64, "first": "1994-03-29", "last": "1994-03-30", "rows": 15},
        named | {"delivery": "new.asc", "sha256": "c" * 64, "first": "1994-03-31", "last": "1994-03-31", "rows": 7},
    ]


def test_what_came_later_or_not_at_all_is_no_input(office: Office, record: Callable) -> None:
    record(landing(date(1994, 3, 30), None, 0), landing(date(1994, 4, 1), "all.asc", 3))
    assert described(office)["deliveries"] == []
    assert [entry["rows"] for entry in described(office, date(1994, 4, 1))["deliveries"]] == [3]


def test_versions_and_hashes_are_those_of_today(office: Office, catalog: Catalog) -> None:
    said = described(office)
    party = catalog.sources["core.party"]
    assert said["contracts"]["core.party"] == {"version": party.version, "sha256": party.sha256}
    assert said["policy"] == {"version": catalog.policy.version, "sha256": catalog.policy.sha256}
    assert said["code"]["version"] == version("zhongtai")
    assert all(said["engines"][name] == version(name) for name in said["engines"])
    assert said["key_fingerprint"] == office.ring.fingerprint()
    assert KEY not in str(said)


def test_the_same_inputs_are_described_the_same(office: Office) -> None:
    assert described(office) == described(office)


def test_every_change_of_code_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pipelines/a.py", "dbt_project/models/a.sql", "dbt_project/models/a.yml", "dbt_project/target/a.sql"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("before")
    monkeypatch.setattr(provenance, "PROJECT", tmp_path)
    seen = [provenance.code_digest()]
    for name in ("pipelines/a.py", "dbt_project/models/a.sql", "dbt_project/models/a.yml"):
        (tmp_path / name).write_text("after")
        seen.append(provenance.code_digest())
    (tmp_path / "pipelines/a.py").rename(tmp_path / "pipelines/b.py")
    seen.append(provenance.code_digest())
    assert len(set(seen)) == len(seen)
    (tmp_path / "dbt_project/target/a.sql").write_text("after")
    (tmp_path / "pipelines/note.txt").write_text("no code")
    assert provenance.code_digest() == seen[-1], "what dbt leaves behind is no code"


def test_a_home_that_is_not_there_has_no_releases(tmp_path: Path) -> None:
    assert list_releases(Home(tmp_path / "nowhere")) == []


@pytest.fixture
def night(office: Office) -> Callable[..., None]:
    """Let the home have an identity state of a date."""

    def finished(day: date, decisions: str, rows: bytes = b"rows") -> None:
        folder = office.home.identity / "state" / day.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "assignment.parquet").write_bytes(rows)
        made = {"landed": "a" * 64, "rules": "b" * 64, "decisions": decisions}
        (folder / "finished.json").write_text(json.dumps({"complete": True, "rows": 1, "made_from": made}))

    return finished


def test_a_release_names_the_decisions_that_its_parties_follow(office: Office, night: Callable) -> None:
    assert described(office)["decisions_sha256"] is None
    night(EVE, "c" * 64)
    assert described(office)["decisions_sha256"] == "c" * 64
    night(DAY, "d" * 64)
    assert described(office)["decisions_sha256"] == "d" * 64, "as the last night read them"


def test_what_was_known_before_is_named_and_what_came_of_the_night_is_not(office: Office, night: Callable) -> None:
    night(DAY, "c" * 64, rows=b"all, in one night")
    one = described(office)
    assert one["identity_before"] is None
    night(EVE, "e" * 64)
    night(DAY, "c" * 64, rows=b"what changed since")
    named = provenance.stood_on(office.home)["before"]
    assert described(office) == one | {"identity_before": {n: named[n] for n in ("business_date", "sha256")}}
    assert named["business_date"] == f"{EVE}"


def test_a_run_tells_the_state_before_and_after(office: Office, night: Callable) -> None:
    assert provenance.stood_on(office.home) == {"before": None, "after": None}
    night(EVE, "c" * 64)
    first = provenance.stood_on(office.home)
    assert first["before"] is None
    assert (first["after"]["business_date"], first["after"]["made_from"]["decisions"]) == (f"{EVE}", "c" * 64)
    night(DAY, "d" * 64)
    second = provenance.stood_on(office.home)
    assert second["before"] == first["after"] and second == provenance.stood_on(office.home)
    seen = [second["after"]]
    night(DAY, "d" * 64, rows=b"others")
    seen.append(provenance.stood_on(office.home)["after"])
    night(DAY, "e" * 64, rows=b"others")
    seen.append(provenance.stood_on(office.home)["after"])
    assert len({one["sha256"] for one in seen}) == len(seen), "what is kept, and what it was made from"
    assert provenance.stood_on(office.home)["before"] == first["after"]


def test_a_release_says_of_its_run_what_it_stood_on(office: Office, night: Callable) -> None:
    night(DAY, "d" * 64)
    directory = office.build().directory
    approve(directory, evidence(directory, office.catalog))
    release = office.publish(directory)
    assert release.manifest["decisions_sha256"] == "d" * 64
    assert release.run()["identity"] == provenance.stood_on(office.home)
    assert release.manifest["identity_before"] is None
