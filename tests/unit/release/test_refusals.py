"""What publishing refuses: it trusts the evidence beside a candidate, and only for exactly that content."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.audit.evidence import CheckResult, Evidence, Version
from pipelines.audit.gates import expected_checks, gate_of
from pipelines.contracts.load import Catalog
from pipelines.release.publish import publish
from pipelines.release.refused import Refused
from pipelines.settings import Settings

from .warehouse import BANK, KEY, Office, evidence

BLOCKING, WARNING = "privacy.no_party_id", "coverage.carried"


def rewritten(path: Path) -> None:
    pq.write_table(pq.read_table(path).slice(1), path)


def state(check_id: str, new: str) -> Callable[[CheckResult], CheckResult]:
    return lambda check: replace(check, state=new, observed="3 rows") if check.id == check_id else check


def checks(change: Callable[[list[CheckResult]], list[CheckResult]]) -> Callable[[Evidence], Evidence]:
    return lambda found: replace(found, checks=tuple(change(list(found.checks))))


def each(change: Callable[[CheckResult], CheckResult]) -> Callable[[Evidence], Evidence]:
    return checks(lambda found: [change(check) for check in found])


# What is wrong with the evidence, and what is said of it.
EVIDENCE = {
    "failing": (each(state(BLOCKING, "failed")), f"{BLOCKING} failed: 3 rows"),
    "not audited": (each(state(BLOCKING, "not_audited")), f"{BLOCKING} not audited: 3 rows"),
    "a warning not audited": (each(state(WARNING, "not_audited")), f"{WARNING} not audited: 3 rows"),
    "skipped": (each(state(BLOCKING, "skipped")), f"{BLOCKING} in an unknown state: 3 rows"),
    "failing and said to be a warning": (
        each(lambda check: replace(state(BLOCKING, "failed")(check), severity="warn")), f"{BLOCKING} failed: 3 rows",
    ),
    "one check short": (checks(lambda all_: [c for c in all_ if c.id != BLOCKING]), f"never checked: {BLOCKING}"),
    "nothing checked": (checks(lambda _: []), "never checked: candidate.business_date, candidate.content"),
    "one check twice": (checks(lambda all_: [*all_, all_[0]]), "checked twice: candidate.business_date"),
    "a check of nobody": (
        checks(lambda all_: [*all_, replace(all_[0], id="contract.key/marketing.secret_list")]),
        "checked, but by no contract or gate of today: contract.key/marketing.secret_list",
    ),
    "other content": (lambda e: replace(e, candidate_hash="0" * 64), "the evidence is for content 000000000000, and"),
    "another date": (
        lambda e: replace(e, business_date=date(1994, 3, 30)),
        "the evidence is for business date 1994-03-30, not 1994-03-31",
    ),
    "another contract": (
        lambda e: replace(e, contracts=e.contracts | {"core.party": Version("0.9.0", "0" * 64)}),
        "changed since the audit: core.party",
    ),
    "another policy": (lambda e: replace(e, policy=Version("0.9.0", "0" * 64)), "changed since the audit: policy.yaml"),
}  # fmt: skip


def assert_refused(office: Office, directory: Path, said: str) -> None:
    with pytest.raises(Refused) as caught:
        office.publish(directory)
    assert said in str(caught.value)
    assert list(office.home.releases.iterdir()) == [], "nothing is left behind"
    assert directory.exists(), "what was refused is kept for inspection"


@pytest.mark.parametrize("name", EVIDENCE)
def test_evidence_that_is_not_good_enough(office: Office, candidate: Path, catalog: Catalog, name: str) -> None:
    spoil, said = EVIDENCE[name]
    spoil(evidence(candidate, catalog)).write(candidate)
    assert_refused(office, candidate, said)


def test_every_blocking_check_is_needed(office: Office, candidate: Path, catalog: Catalog) -> None:
    good = evidence(candidate, catalog)
    blocking = sorted(check for check in expected_checks(catalog) if gate_of(check).severity == "block")
    for check_id in blocking[::25]:
        each(state(check_id, "failed"))(good).write(candidate)
        assert_refused(office, candidate, f"{check_id} failed: 3 rows")


def test_no_evidence(office: Office, candidate: Path) -> None:
    (candidate / "evidence.json").unlink()
    assert_refused(
        office, candidate, "there is no evidence; audit the candidate: nothing is published without evidence"
    )


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"format": 99}'])
def test_evidence_that_cannot_be_read(office: Office, candidate: Path, content: bytes) -> None:
    (candidate / "evidence.json").write_bytes(content)
    assert_refused(office, candidate, "evidence.json: not ")


def test_the_evidence_of_another_candidate(office: Office, candidate: Path) -> None:
    other = office.approved(parties=3)
    shutil.copy(other / "evidence.json", candidate / "evidence.json")
    assert_refused(office, candidate, "or the evidence is of another candidate")


SPOILED = {
    "rows taken out": lambda d: rewritten(d / "risk" / "customer_360.parquet"),
    "the same rows written again": lambda d: pq.write_table(
        pq.read_table(d / "risk" / "customer_360.parquet"), d / "risk" / "customer_360.parquet", compression="none"
    ),
    "a file beside": lambda d: shutil.copy(d / "risk" / "customer_360.parquet", d / "marketing" / "risk.parquet"),
    "a file taken away": lambda d: (d / "shared" / "coverage.parquet").unlink(),
    "two files changed over": lambda d: shutil.copy(
        d / "risk" / "low_risk_decision.parquet", d / "marketing" / "low_risk_list.parquet"
    ),
    "another bank": lambda d: _declare(d, bank="xiaocheng"),
    "another date": lambda d: _declare(d, business_date="1994-03-30"),
}


def _declare(directory: Path, **said: str) -> None:
    path = directory / "candidate.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | said))


@pytest.mark.parametrize("name", SPOILED)
def test_a_candidate_changed_after_its_audit(office: Office, candidate: Path, name: str) -> None:
    SPOILED[name](candidate)
    assert_refused(office, candidate, "it was changed after the audit")


@pytest.mark.parametrize("content", [b"", b"not Parquet"])
def test_a_file_that_is_no_longer_parquet(office: Office, candidate: Path, content: bytes) -> None:
    (candidate / "risk" / "customer_360.parquet").write_bytes(content)
    assert_refused(
        office, candidate, "risk/customer_360.parquet is not a readable Parquet file: build the candidate again"
    )


def test_a_link_to_somewhere_else(office: Office, candidate: Path, tmp_path: Path) -> None:
    path = candidate / "risk" / "customer_360.parquet"
    path.rename(tmp_path / "elsewhere.parquet")
    path.symlink_to(tmp_path / "elsewhere.parquet")
    assert_refused(office, candidate, "risk/customer_360.parquet is not a plain file")


def test_a_directory_that_is_no_candidate(office: Office, tmp_path: Path) -> None:
    assert_refused(office, tmp_path, "is not a candidate: run the night again")


def test_a_candidate_of_another_home(office: Office, candidate: Path, catalog: Catalog, tmp_path: Path) -> None:
    elsewhere = Settings(home_dir=tmp_path / "elsewhere", vault_key=KEY)
    elsewhere.home.prepare("xiaocheng")
    said = f"it is of bank {BANK}, and {elsewhere.home.path} is the home of xiaocheng"
    with pytest.raises(Refused, match=said):
        publish(candidate, catalog, elsewhere, office.ring, {})


def test_a_file_that_changes_while_it_is_copied(
    office: Office, candidate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfileobj

    def meddle(source, target) -> None:
        copy(source, target)
        target.write(b"more")

    monkeypatch.setattr(shutil, "copyfileobj", meddle)
    assert_refused(office, candidate, "was changed while it was being published: build the candidate again")
