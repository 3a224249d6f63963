"""What publishing refuses: it trusts the evidence beside a candidate, and only for exactly that content."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipelines.assets.lock import exclusive
from pipelines.audit.evidence import CheckResult, Evidence, Version
from pipelines.audit.gates import expected_checks, gate_of
from pipelines.cli.main import app
from pipelines.contracts.load import Catalog
from pipelines.ingest.ledger import Ledger
from pipelines.release.catalogue import current, list_releases
from pipelines.release.publish import publish
from pipelines.release.refused import Refused
from pipelines.settings import InputError, Settings

from .test_provenance import landing
from .warehouse import BANK, DAY, KEY, Office, approve, evidence

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
    approve(candidate, spoil(evidence(candidate, catalog)))
    assert_refused(office, candidate, said)


def test_every_blocking_check_is_needed(office: Office, candidate: Path, catalog: Catalog) -> None:
    good = evidence(candidate, catalog)
    blocking = sorted(check for check in expected_checks(catalog) if gate_of(check).severity == "block")
    for check_id in blocking[::25]:
        approve(candidate, each(state(check_id, "failed"))(good))
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


def test_what_it_says_of_itself_was_changed_after_the_audit(office: Office, candidate: Path) -> None:
    withheld = json.loads((candidate / "candidate.json").read_bytes())["withheld"]
    _declare(candidate, withheld={name: 1000 for name in withheld})
    assert_refused(office, candidate, "candidate.json: it was changed after the audit; run the night again")


def test_what_it_would_state_to_the_history_was_changed(office: Office, candidate: Path) -> None:
    stated = candidate / "stated" / "customer_360.parquet"
    pq.write_table(pq.read_table(stated).slice(1), stated)
    assert_refused(office, candidate, "stated/ was changed after it was built: run the night again")


def test_an_audit_that_was_not_finished(office: Office, candidate: Path) -> None:
    (candidate / "audited.json").unlink()
    assert_refused(office, candidate, "audited.json is not there or cannot be read: the audit was not finished")


def test_evidence_of_another_audit_of_the_same_content(office: Office, candidate: Path, catalog: Catalog) -> None:
    found = evidence(candidate, catalog)
    each(lambda check: replace(check, observed="as somebody would have it"))(found).write(candidate)
    assert_refused(office, candidate, "evidence.json: it was changed after the audit")


def test_an_older_candidate_of_a_date_of_which_another_was_published(office: Office, catalog: Catalog) -> None:
    """It may hold who withdrew before the other was built."""
    older, newer = office.build(parties=3).directory, office.build(parties=2).directory
    for directory in (older, newer):
        approve(directory, evidence(directory, catalog))
    published = office.publish(newer)
    with pytest.raises(Refused, match=f"since it was built, {published.id} was published. Run `zhongtai nightly"):
        office.publish(older)
    assert current(office.home).id == published.id
    assert [one.id for one in list_releases(office.home)] == [published.id]


def test_a_night_that_would_be_made_from_something_else_by_now(office: Office, candidate: Path) -> None:
    book = Ledger(office.home, office.catalog.derived["control.landing"], "core.transaction", "core")
    book.record([landing(DAY, "transaction.csv", 3)])
    assert_refused(office, candidate, "since it was built, deliveries changed: core.transaction. Run `zhongtai nightly")


def test_a_policy_that_was_changed_while_the_night_ran(office: Office, catalog: Catalog, tmp_path: Path) -> None:
    own = copy.copy(catalog)
    own.root = Path(shutil.copytree(catalog.root, tmp_path / "contracts"))
    office = replace(office, catalog=own)
    candidate = office.approved()
    with (own.root / "policy.yaml").open("a") as file:
        file.write("# changed\n")
    assert_refused(office, candidate, "policy.yaml: record.tar does not hold the version that manifest.json names")


def test_not_beside_a_run(office: Office, candidate: Path) -> None:
    with exclusive(office.home):
        done = CliRunner().invoke(app, ["--home", str(office.home.path), "releases", "publish", candidate.name])
    assert isinstance(done.exception, InputError) and "another run works in" in str(done.exception)


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
