"""Evidence on its own: its form on disk and what it takes to be allowed to publish."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipelines.audit.evidence import CheckResult, Evidence, EvidenceError, Version, read_evidence, verify
from pipelines.audit.upstream import Upstream
from pipelines.audit.waivers import WaiverRecord

DAY, HASH = date(1994, 3, 31), "ab" * 32
AGREED, RANGE, CARRIED = (
    "reconciliation.agreed",
    "contract.range/risk.low_risk_decision/income_periods",
    "coverage.carried",
)
EXPECTED = frozenset({AGREED, RANGE, CARRIED})


def result(check_id: str, state: str = "passed", severity: str = "block") -> CheckResult:
    return CheckResult(check_id, state, severity, "What must hold.", "3 of 500 rows", ({"pseudonym": "cd" * 32},))


def evidence(*checks: CheckResult) -> Evidence:
    contracts = {"risk.low_risk_decision": Version("1.0.0", "ef" * 32)}
    return Evidence(HASH, "pkdd99", DAY, contracts, Version("1.0.0", "01" * 32), checks)


GOOD = evidence(result(RANGE), result(CARRIED, severity="warn"), result(AGREED))


def problems(found: Evidence, candidate_hash: str = HASH, day: date = DAY) -> list[str]:
    return verify(found, candidate_hash, day, EXPECTED)


@pytest.mark.parametrize(
    ("check", "keys", "private", "words"),
    [
        (RANGE, 1, "passed", ""),
        (RANGE, 5, "passed", "the first 5"),
        (RANGE, 0, "passed", "not named: no column of their key may be shown"),
        (RANGE, 0, "failed", "not named: a check of privacy did not pass, so no key is written down"),
        (RANGE, 0, "not_audited", "not named: a check of privacy did not pass, so no key is written down"),
        ("distribution.drift/risk.customer_360", 0, "passed", "none by itself: it is about the whole"),
    ],
)
def test_of_rows_it_is_said_which_are_named_and_why_none_are(check: str, keys: int, private: str, words: str) -> None:
    failed = replace(result(check, "failed"), failing_keys=tuple({"pseudonym": f"{n:064x}"} for n in range(keys)))
    assert evidence(failed, result("privacy.no_party_id", private)).rows_of(failed) == words
    passed = replace(failed, state="passed")
    assert evidence(passed).rows_of(passed) == ""


def test_complete_and_passed_evidence_allows_publication() -> None:
    assert problems(GOOD) == []


def test_a_warning_does_not_stop_publication() -> None:
    assert problems(evidence(result(RANGE), result(CARRIED, "failed", "warn"), result(AGREED))) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (evidence(*GOOD.checks[1:]), f"never checked: {RANGE}"),
        (evidence(*GOOD.checks, result("contract.key/marketing.gone")), "checked, but by no contract or gate of today"),
        (evidence(*GOOD.checks, result("no.such_gate", "failed")), "checked, but by no contract or gate of today"),
        (evidence(*GOOD.checks, result(AGREED)), f"checked twice: {AGREED}"),
        (evidence(*GOOD.checks[:2], result(AGREED, "failed")), f"{AGREED} failed: 3 of 500 rows"),
        (evidence(*GOOD.checks[:2], result(AGREED, "not_audited")), f"{AGREED} not audited: 3 of 500 rows"),
        (evidence(GOOD.checks[0], result(CARRIED, "not_audited", "warn"), GOOD.checks[2]), f"{CARRIED} not audited: 3"),
        (
            evidence(GOOD.checks[0], result(CARRIED, "skipped", "warn"), GOOD.checks[2]),
            f"{CARRIED} in an unknown state",
        ),
        (evidence(*GOOD.checks[:2], result(AGREED, "skipped")), f"{AGREED} in an unknown state"),
        (evidence(*GOOD.checks[:2], result(AGREED, "failed", "warn")), f"{AGREED} failed"),
        (evidence(), f"never checked: {RANGE}, {CARRIED}, {AGREED}"),
    ],
)
def test_what_stops_publication_is_told_in_words(found: Evidence, words: str) -> None:
    (problem,) = problems(found)
    assert problem.startswith(words)


def test_evidence_of_other_content_or_another_date_is_no_evidence() -> None:
    (problem,) = problems(GOOD, candidate_hash="12" * 32)
    assert "for content abababababab, and the candidate's content is 121212121212" in problem
    assert problems(GOOD, day=date(1994, 4, 1)) == ["the evidence is for business date 1994-03-31, not 1994-04-01"]


def test_many_missing_checks_are_counted_not_listed() -> None:
    (problem,) = verify(evidence(), HASH, DAY, {f"contract.key/p{n}" for n in range(9)})
    assert problem == "never checked: contract.key/p0, contract.key/p1, contract.key/p2 and 6 more"


def test_evidence_survives_the_disk_and_is_private(tmp_path: Path) -> None:
    path = GOOD.write(tmp_path)
    assert read_evidence(tmp_path) == GOOD
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["evidence.json"]
    assert path.read_bytes() == GOOD.to_json()


def test_evidence_names_the_gates_and_their_owners() -> None:
    gate = json.loads(GOOD.to_json())["gates"][AGREED]
    assert gate == {
        "id": AGREED, "owner": "data-office", "principle": 3, "severity": "block", "each": "release",
        "protects": "counts and sums agree from delivery to mart",
    }  # fmt: skip


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b'{"format": 3}', GOOD.to_json().replace(b'"bank"', b'"bunk"')]
)
def test_what_is_not_evidence_is_not_read_as_evidence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "evidence.json").write_bytes(content)
    with pytest.raises(EvidenceError, match="audit the candidate again"):
        read_evidence(tmp_path)


def test_without_evidence_one_is_told_to_audit(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="there is no evidence"):
        read_evidence(tmp_path)


def test_evidence_does_not_depend_on_what_it_was_read_from(tmp_path: Path) -> None:
    GOOD.write(tmp_path)
    assert read_evidence(tmp_path).to_json() == GOOD.to_json()
    assert replace(GOOD, bank="other").to_json() != GOOD.to_json()


UPSTREAM = Upstream(
    "core.party", "birth_date", ("risk.a.b", "core__party.birth_date"), "core", "party.txt", "ab", "2025-01-01"
)
RECORD = WaiverRecord(
    "month", "cd", "contract.range", ("risk.a",), "Why.", "who", ("one", "two"), "2025-02-01", (RANGE,)
)


def test_waivers_and_what_lies_upstream_survive_the_disk(tmp_path: Path) -> None:
    found = replace(evidence(replace(result(RANGE, "failed"), waiver="month", upstream=UPSTREAM)), waivers=(RECORD,))
    found.write(tmp_path)
    assert read_evidence(tmp_path) == found
    assert read_evidence(tmp_path).to_json() == found.to_json()


def test_evidence_from_before_there_were_waivers_is_read(tmp_path: Path) -> None:
    content = json.loads(GOOD.to_json()) | {"format": 1}
    del content["waivers"]
    for check in content["checks"]:
        del check["waiver"], check["upstream"]
    (tmp_path / "evidence.json").write_text(json.dumps(content))
    assert read_evidence(tmp_path) == GOOD
