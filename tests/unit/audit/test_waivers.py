"""A waiver lets exactly what it was signed for be published, and says so; any other does nothing, and says so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.audit.content import content_hash
from pipelines.audit.evidence import read_evidence, verify
from pipelines.audit.gates import REGISTRY, expected_checks, gate_of
from pipelines.audit.run import audit_candidate
from pipelines.audit.waivers import waived
from pipelines.contracts.load import Catalog, load_catalog
from pipelines.contracts.model import ContractError
from pipelines.contracts.waivers import NEVER, Waiver, load_waiver
from pipelines.settings import PROJECT

from .candidates import DAY, NO_SHELF, write_candidate
from .test_defects import put

DECISION = "risk.low_risk_decision"
BROKEN = f"contract.range/{DECISION}/income_periods"
WRITTEN: dict[str, Any] = {
    "gate": "contract.range",
    "scope": {"bank": "pkdd99", "of": [DECISION], "business_dates": {"first": "1994-03-30", "last": "1994-04-01"}},
    "reason": "The core system counted a month twice; the figure is not used on these days.",
    "requested_by": "risk-policy",
    "requested_on": "1994-03-30",
    "approved_by": ["chief-risk-officer", "data-protection-officer"],
    "expires": "1994-04-02",
}


def written(path: Path, **changes: Any) -> Waiver:
    path.mkdir(exist_ok=True)
    scope = {**WRITTEN["scope"], **changes.pop("scope", {})}
    (path / "month.yaml").write_text(yaml.safe_dump({**WRITTEN, "scope": scope, **changes}))
    return load_waiver(path / "month.yaml")


def with_waiver(catalog: Catalog, path: Path, **changes: Any) -> None:
    waiver = written(path, **changes)
    catalog.waivers = {waiver.name: waiver}


def audited(tmp_path: Path, catalog: Catalog, crosswalk: Path):
    candidate = write_candidate(tmp_path / "candidates", catalog, spoil=put(DECISION, "income_periods", 7))
    return candidate, audit_candidate(candidate, catalog, crosswalk, NO_SHELF)


def problems(candidate: Path, catalog: Catalog) -> list[str]:
    """What publishing says: it finds the waivers anew."""
    evidence = read_evidence(candidate)
    failed = [check.id for check in evidence.checks if check.state == "failed"]
    found = waived(catalog, "pkdd99", DAY, failed)
    return verify(evidence, content_hash(candidate), DAY, expected_checks(catalog), found)


def test_what_two_have_signed_is_let_pass_and_written_down(tmp_path, catalog, crosswalk) -> None:
    with_waiver(catalog, tmp_path / "waivers")
    candidate, evidence = audited(tmp_path, catalog, crosswalk)
    assert evidence.refusals() == ()
    (warned,) = evidence.warnings()
    assert (warned.id, warned.state, warned.waiver) == (BROKEN, "failed", "month")
    assert evidence.words(warned) == f"{BROKEN} failed: 1 of 40 rows (waived by month until 1994-04-02)"
    (record,) = evidence.waivers
    assert (record.checks, record.approved_by) == ((BROKEN,), tuple(WRITTEN["approved_by"]))
    assert problems(candidate, catalog) == []
    assert read_evidence(candidate) == evidence


IDLE = {
    "one signature": ({"approved_by": ["chief-risk-officer"]}, "signed by 1 of two"),
    "the same signature twice": ({"approved_by": ["chief-risk-officer"] * 2}, "signed by 1 of two"),
    "no signature": ({"approved_by": []}, "signed by 0 of two"),
    "signed by who asked": (
        {"requested_by": "chief-risk-officer"}, "chief-risk-officer requested it and cannot sign it",
    ),
    "signed by a stranger": (
        {"approved_by": ["chief-risk-officer", "data-protection-officer", "somebody"]},
        "somebody is not among the approvers of the policy",
    ),
    "expired": ({"expires": "1994-03-30"}, "expired on 1994-03-30"),
    "for longer than the policy lets": (
        {"expires": "1994-06-01"}, "asked for until 1994-06-01, beyond 1994-04-30: gates.waiver_max_days of the policy",
    ),
    "for other dates": (
        {"scope": {"business_dates": {"first": "1994-04-01", "last": "1994-04-01"}}},
        "for business dates 1994-04-01 to 1994-04-01",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", IDLE)
def test_any_other_does_nothing_and_is_told(tmp_path, catalog, crosswalk, case: str) -> None:
    changes, why = IDLE[case]
    with_waiver(catalog, tmp_path / "waivers", **changes)
    candidate, evidence = audited(tmp_path, catalog, crosswalk)
    assert [(one.checks, one.idle) for one in evidence.waivers] == [((), why)]
    assert [check.id for check in evidence.refusals()] == [BROKEN]
    (said,) = problems(candidate, catalog)
    assert said == f"{BROKEN} failed: 1 of 40 rows (waiver month does nothing: {why})"


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{"gate": "contract.values"}, {"scope": {"of": ["marketing.low_risk_list"]}}, {"scope": {"of": []}},
     {"scope": {"bank": "xiaocheng"}}],
)  # fmt: skip
def test_what_it_was_not_written_for_it_does_not_touch(tmp_path, catalog, crosswalk, changes) -> None:
    with_waiver(catalog, tmp_path / "waivers", **changes)
    candidate, evidence = audited(tmp_path, catalog, crosswalk)
    assert evidence.waivers == ()
    assert problems(candidate, catalog) == [f"{BROKEN} failed: 1 of 40 rows"]


def test_publishing_does_not_take_the_words_of_evidence(tmp_path, catalog, crosswalk) -> None:
    """A waiver that is gone, or was changed, since the audit."""
    with_waiver(catalog, tmp_path / "waivers")
    candidate, _ = audited(tmp_path, catalog, crosswalk)
    assert problems(candidate, catalog) == []
    with_waiver(catalog, tmp_path / "waivers", reason="Another reason, which nobody has seen yet.")
    assert len(problems(candidate, catalog)) == 1
    catalog.waivers = {}
    assert len(problems(candidate, catalog)) == 1


def test_a_waiver_that_was_written_after_the_audit_needs_another_audit(tmp_path, catalog, crosswalk) -> None:
    candidate, _ = audited(tmp_path, catalog, crosswalk)
    with_waiver(catalog, tmp_path / "waivers")
    assert len(problems(candidate, catalog)) == 1


def test_what_was_not_audited_is_never_waived(tmp_path, catalog, crosswalk) -> None:
    with_waiver(catalog, tmp_path / "waivers", gate="volume.published")
    (tmp_path / "releases" / f"{DAY - timedelta(1)}-abc").mkdir(parents=True)
    candidate = write_candidate(tmp_path / "candidates", catalog)
    evidence = audit_candidate(candidate, catalog, crosswalk, tmp_path / "releases")
    unread = [check for check in evidence.refusals() if check.id == f"volume.published/{DECISION}"]
    assert [(check.state, check.waiver) for check in unread] == [("not_audited", None)]
    everything = dict.fromkeys(expected_checks(catalog), catalog.waivers["month"])
    said = verify(evidence, content_hash(candidate), DAY, expected_checks(catalog), everything)
    assert any(line.startswith(f"volume.published/{DECISION} not audited") for line in said)


@pytest.mark.parametrize("gate", [name for name in REGISTRY if name.startswith(NEVER)])
def test_privacy_is_not_waived_even_if_the_policy_says_so(tmp_path, whole_catalog, gate: str) -> None:
    assert gate not in whole_catalog.policy.waivable
    policy = replace(whole_catalog.policy, waivable=tuple(REGISTRY))
    assert written(tmp_path, gate=gate).idle(policy, DAY) == f"{gate} cannot be waived"
    assert written(tmp_path, gate="consumers.consistent").idle(policy, DAY) == ""
    assert written(tmp_path, gate="consumers.consistent").idle(whole_catalog.policy, DAY)


def test_what_the_policy_lets_be_waived_are_gates(whole_catalog: Catalog) -> None:
    assert set(whole_catalog.policy.waivable) <= REGISTRY.keys()
    assert all(REGISTRY[gate].severity == "block" for gate in whole_catalog.policy.waivable)


@given(day=st.dates(date(1994, 3, 1), date(1994, 5, 1)), expires=st.dates(date(1994, 3, 1), date(1994, 4, 30)))
def test_it_counts_on_its_dates_and_until_it_expires(whole_catalog: Catalog, day: date, expires: date) -> None:
    waiver = Waiver(
        "w", "", "contract.range", "pkdd99", (DECISION,), date(1994, 3, 30), date(1994, 4, 10), "", "risk-policy",
        date(1994, 3, 30), ("chief-risk-officer", "data-protection-officer"), expires, Path(),
    )  # fmt: skip
    counts = not waiver.idle(whole_catalog.policy, day)
    assert counts == (date(1994, 3, 30) <= day <= min(expires, date(1994, 4, 10)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": "because"}, "reason"),
        ({"expires": "soon"}, "expires"),
        ({"gate": "everything"}, "gate"),
        ({"scope": {"business_dates": {"first": "1994-04-02", "last": "1994-04-01"}}}, "lies after"),
        ({"signature": "me"}, "signature"),
    ],
)
def test_a_waiver_that_does_not_say_what_is_waived_is_refused(tmp_path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        written(tmp_path, **changes)


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({"bank": "nowhere"}, "no bank 'nowhere'"),
        ({"of": ["risk.nothing"]}, "no product or source contract risk.nothing"),
    ],
)
def test_a_waiver_of_nothing_is_refused_with_the_contracts(tmp_path, scope, words: str) -> None:
    root = tmp_path / "data_contracts"
    shutil.copytree(PROJECT / "data_contracts", root)
    written(root / "waivers", scope=scope)
    with pytest.raises(ContractError, match=words):
        load_catalog(root)
    written(root / "waivers")
    assert [gate_of(f"{w.gate}/x").id for w in load_catalog(root).waivers.values()] == ["contract.range"]
