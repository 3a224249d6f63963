"""Evidence: what was found of one candidate, bound to the hash of its content, and whether it allows publication.

What belongs here: the record, its canonical form on disk, and its verification. What does not: how anything was
checked, and times or durations, so that the same candidate gives the same evidence byte for byte.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.audit.content import EVIDENCE, canonical_json
from pipelines.audit.failures import SAMPLE_SIZE
from pipelines.audit.gates import OF_ROWS, REGISTRY, gate_of
from pipelines.audit.upstream import Upstream
from pipelines.audit.waivers import WaiverRecord, covers
from pipelines.contracts.load import Catalog
from pipelines.contracts.waivers import Waiver
from pipelines.settings import write_private

FORMAT = 2
_READ = (1, FORMAT)  # of format 1, before there were waivers, are releases of then
_NAMED = 3
# Where one of these did not pass, nothing of the data is written down, published key or not.
OF_PRIVACY = ("privacy.", "contract.pseudonym")
_STATES = {"failed": "failed", "not_audited": "not audited"}


class EvidenceError(Exception):
    """There is no evidence, or it cannot be read. The message says what to do."""


@dataclass(frozen=True)
class CheckResult:
    """What one check came to. `failing_keys` holds published keys only, never another value of the data.

    `waiver` names what lets it pass although it failed, `upstream` where failing rows came from.
    """

    id: str
    state: str
    severity: str
    description: str
    observed: str
    failing_keys: tuple[dict[str, str | None], ...] = ()
    waiver: str | None = None
    upstream: Upstream | None = None


@dataclass(frozen=True)
class Version:
    """Which version of a contract or policy was held against the candidate."""

    version: str
    sha256: str


@dataclass(frozen=True)
class Evidence:
    """Everything found of one candidate; checks are in order of their ids."""

    candidate_hash: str
    bank: str
    business_date: date
    contracts: dict[str, Version]
    policy: Version
    checks: tuple[CheckResult, ...]
    waivers: tuple[WaiverRecord, ...] = ()

    def count(self, state: str) -> int:
        """Number of checks in `state`."""
        return sum(check.state == state for check in self.checks)

    def rows_of(self, check: CheckResult) -> str:
        """What is to be known of the rows that a failed check names, in words; empty where it names them all."""
        if check.state != "failed":
            return ""
        if check.failing_keys:
            return f"the first {len(check.failing_keys)}" if len(check.failing_keys) == SAMPLE_SIZE else ""
        if any(one.state != "passed" for one in self.checks if one.id.startswith(OF_PRIVACY)):
            return "not named: a check of privacy did not pass, so no key is written down"
        if check.id.partition("/")[0] in OF_ROWS:
            return "not named: no column of their key may be shown"
        return "none by itself: it is about the whole"

    def refusals(self) -> tuple[CheckResult, ...]:
        """Checks that stop publication: blocking, and failed without a waiver; or of any gate, and not audited."""
        return tuple(check for check in self.checks if _stops(check))

    def warnings(self) -> tuple[CheckResult, ...]:
        """Checks that did not pass and do not stop publication."""
        return tuple(check for check in self.checks if check.state != "passed" and not _stops(check))

    def words(self, check: CheckResult) -> str:
        """A check that did not pass, in words, with what was written to waive it."""
        written = [
            f"waived by {one.name} until {one.expires}" if one.checks else f"waiver {one.name} does nothing: {one.idle}"
            for one in self.waivers
            if (check.id in one.checks if one.checks else covers(one, check.id))
        ]
        said = f"{check.id} {_STATES.get(check.state, 'in an unknown state')}: {check.observed}"
        return f"{said} ({'; '.join(written)})" if written else said

    def to_json(self) -> bytes:
        """Canonical JSON, with the gates that the checks belong to."""
        gates = {gate.id: asdict(gate) for gate in REGISTRY.values()}
        content = {**asdict(self), "business_date": self.business_date.isoformat(), "format": FORMAT, "gates": gates}
        return canonical_json(content)

    def write(self, directory: Path) -> Path:
        """Write evidence.json beside the candidate, atomically and readable by its owner alone."""
        path = directory / EVIDENCE
        write_private(path, self.to_json())
        return path


def read_evidence(directory: Path) -> Evidence:
    """The evidence beside a candidate. Raises EvidenceError where there is none or it is of another form."""
    path = directory / EVIDENCE
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise EvidenceError(f"{path}: there is no evidence; audit the candidate") from None
    except ValueError as error:
        raise EvidenceError(f"{path}: not readable as evidence; audit the candidate again") from error
    try:
        return _evidence(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError(f"{path}: not evidence of format {FORMAT}; audit the candidate again") from error


def verify(
    evidence: Evidence,
    candidate_hash: str,
    business_date: date,
    expected: Iterable[str],
    waivers: Mapping[str, Waiver] | None = None,
) -> list[str]:
    """Why this evidence does not allow publishing that content as of that date; empty where it does.

    `candidate_hash` is computed from the files that are about to be published, `expected` from contracts and
    registry, `waivers` from those that count today, by check. How grave a failure is says the registry, and what is
    waived say the waivers, whatever the evidence claims.
    """
    problems = []
    if evidence.candidate_hash != candidate_hash:
        problems.append(
            f"the evidence is for content {evidence.candidate_hash[:12]}, and the candidate's content is "
            f"{candidate_hash[:12]}: it was changed after the audit, or the evidence is of another candidate"
        )
    if evidence.business_date != business_date:
        problems.append(f"the evidence is for business date {evidence.business_date}, not {business_date}")
    expected, found = set(expected), Counter(check.id for check in evidence.checks)
    problems += _listed("never checked", expected - found.keys())
    problems += _listed("checked, but by no contract or gate of today", found.keys() - expected)
    problems += _listed("checked twice", (check_id for check_id, times in found.items() if times > 1))
    for check in evidence.checks:
        if check.id in expected and _stands(check):
            waiver = (waivers or {}).get(check.id)
            if waiver is not None and check.state == "failed" and _told(evidence, check, waiver):
                continue
            problems.append(evidence.words(check))
    return problems


def _told(evidence: Evidence, check: CheckResult, waiver: Waiver) -> bool:
    """Whether evidence tells of a waiver as it is now: who reads a release later finds it there."""
    told = [one for one in evidence.waivers if one.name == check.waiver and check.id in one.checks]
    return [(one.name, one.sha256) for one in told] == [(waiver.name, waiver.sha256)]


def superseded(evidence: Evidence, catalog: Catalog) -> list[str]:
    """Which contracts or policy were changed since the audit, and so were not what the candidate was held to."""
    now = {contract.id: contract.sha256 for contract in catalog.all().values()}
    then = {contract_id: version.sha256 for contract_id, version in evidence.contracts.items()}
    changed = [contract_id for contract_id in now.keys() | then.keys() if now.get(contract_id) != then.get(contract_id)]
    policy = [] if evidence.policy.sha256 == catalog.policy.sha256 else ["policy.yaml"]
    return _listed("changed since the audit", [*changed, *policy])


def _stops(check: CheckResult) -> bool:
    return _stands(check) and not (check.state == "failed" and check.waiver)


def _stands(check: CheckResult) -> bool:
    """Whether a check is in the way of publishing. A warning may fail, but it must have been looked at."""
    return check.state != "passed" and not (check.state == "failed" and _warns(check.id))


def _warns(check_id: str) -> bool:
    try:
        return gate_of(check_id).severity == "warn"
    except KeyError:
        return False


def _listed(what: str, check_ids: Iterable[str]) -> list[str]:
    ids = sorted(check_ids)
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return [f"{what}: {', '.join(ids[:_NAMED])}{more}"] if ids else []


def _evidence(content: dict[str, Any]) -> Evidence:
    if content["format"] not in _READ:
        raise ValueError(content["format"])
    known = {field.name for field in fields(Evidence)} | {"format", "gates"}
    if unknown := content.keys() - known:
        raise ValueError(unknown)
    return Evidence(
        candidate_hash=content["candidate_hash"],
        bank=content["bank"],
        business_date=date.fromisoformat(content["business_date"]),
        contracts={contract_id: Version(**version) for contract_id, version in content["contracts"].items()},
        policy=Version(**content["policy"]),
        checks=tuple(_check(one) for one in content["checks"]),
        waivers=tuple(_waiver(one) for one in content.get("waivers", ())),
    )


def _check(given: dict[str, Any]) -> CheckResult:
    upstream = given.get("upstream")
    came = Upstream(**{**upstream, "way": tuple(upstream["way"])}) if upstream else None
    return CheckResult(**{**given, "failing_keys": tuple(given["failing_keys"]), "upstream": came})


def _waiver(given: dict[str, Any]) -> WaiverRecord:
    listed = {name: tuple(given[name]) for name in ("of", "approved_by", "checks")}
    return WaiverRecord(**{**given, **listed})
