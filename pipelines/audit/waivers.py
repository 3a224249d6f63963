"""Which failed checks of a candidate are waived, and by what.

What belongs here: matching of waivers to failed checks, for the audit that writes evidence and again for publishing,
which does not take the evidence's word. What does not: the files and their signatures (`pipelines.contracts.waivers`).
A check that was not carried out is never waived: nobody knows what there would be to let pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pipelines.audit.gates import about, gate_of
from pipelines.contracts.load import Catalog
from pipelines.contracts.waivers import Waiver


@dataclass(frozen=True)
class WaiverRecord:
    """A waiver as evidence and manifest tell it. `checks` are those it lets pass; with none, `idle` says why."""

    name: str
    sha256: str
    gate: str
    of: tuple[str, ...]
    reason: str
    requested_by: str
    approved_by: tuple[str, ...]
    expires: str
    checks: tuple[str, ...]
    idle: str = ""


def waived(catalog: Catalog, bank: str, business_date: date, failed: Iterable[str]) -> dict[str, Waiver]:
    """The waiver of each failed check that one lets pass, by the id of the check."""
    found = {}
    for waiver in _of_bank(catalog, bank):
        if not waiver.idle(catalog.policy, business_date):
            found |= {check: waiver for check in failed if covers(waiver, check) and check not in found}
    return found


def records(catalog: Catalog, bank: str, business_date: date, failed: Iterable[str]) -> tuple[WaiverRecord, ...]:
    """Every waiver that was written for one of the failed checks, whether it counts or not."""
    failed = sorted(failed)
    by_check = waived(catalog, bank, business_date, failed)
    told = []
    for waiver in _of_bank(catalog, bank):
        if not any(covers(waiver, check) for check in failed):
            continue
        idle = waiver.idle(catalog.policy, business_date)
        checks = tuple(check for check in failed if by_check.get(check) is waiver)
        told.append(_record(waiver, checks, idle or ("" if checks else "another waiver lets the same pass")))
    return tuple(told)


def _of_bank(catalog: Catalog, bank: str) -> list[Waiver]:
    return [waiver for _, waiver in sorted(catalog.waivers.items()) if waiver.bank == bank]


def covers(waiver: Waiver | WaiverRecord, check: str) -> bool:
    """Whether a waiver was written for a check."""
    named = about(check)
    return gate_of(check).id == waiver.gate and (named in waiver.of if named else not waiver.of)


def _record(waiver: Waiver, checks: tuple[str, ...], idle: str) -> WaiverRecord:
    return WaiverRecord(
        waiver.name, waiver.sha256, waiver.gate, waiver.of, waiver.reason, waiver.requested_by, waiver.approved_by,
        waiver.expires.isoformat(), checks, idle,
    )  # fmt: skip
