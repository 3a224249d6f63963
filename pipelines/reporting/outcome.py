"""What came of a run of the nightly job, by its events: the release, or what stands against it, in words.

Belongs here: reading events of Dagster. Does not belong here: running the job (`cli.execute`), and who is told
(`alerts`, `sensors`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from dagster import DagsterEvent, DagsterEventType

from pipelines.assets.release import EVIDENCE, RELEASE
from pipelines.ingest.arrival import WORDS
from pipelines.release.audit_page import where_to_look
from pipelines.release.refused import Refused
from pipelines.settings import InputError

_ROWS = {
    "read": "rows_delivered", "accepted": "rows_accepted", "unchanged": "rows_unchanged",
    "quarantined": "rows_quarantined", "tombstones": "rows_tombstones",
}  # fmt: skip


_FAILURES = (
    DagsterEventType.STEP_FAILURE,
    DagsterEventType.RESOURCE_INIT_FAILURE,
    DagsterEventType.RUN_FAILURE,
)
_BAD_INPUT = {"IngestError", "InputError", "WarehouseUnreadable", "DeliveryFault"}


class RunFailed(Exception):
    """A step failed. Says what it said."""


@dataclass
class Outcome:
    """What a run did. `error` is what stands against a release, or None."""

    bank: str
    business_date: date
    status: str = "failed"
    release: str | None = None
    path: str | None = None
    content_hash: str | None = None
    current: str | None = None  # what consumers see now: not `release` where that was run for an earlier date
    seconds: dict[str, float] = field(default_factory=dict)
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=lambda: {"passed": 0, "failed": 0, "warned": 0})
    arrivals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WORDS, 0))  # deliveries, by when they came
    warnings: list[str] = field(default_factory=list)
    error: Exception | None = None
    lost: list[Outcome] = field(default_factory=list)  # runs before it that were killed, and could not say so

    def as_json(self) -> dict[str, Any]:
        """One JSON object; money and rows are integers, seconds are rounded."""
        return {
            "bank": self.bank, "business_date": self.business_date.isoformat(), "status": self.status,
            "release": self.release, "path": self.path, "content_hash": self.content_hash,
            "current": self.current,
            "seconds": self.seconds, "rows": self.rows, "checks": self.checks,
            "arrivals": self.arrivals, "warnings": self.warnings,
            "error": str(self.error) if self.error else None,
        }  # fmt: skip


def gathered(bank: str, business_date: date, events: Sequence[DagsterEvent], *, success: bool) -> Outcome:
    """What a run did that has ended, by all of its events."""
    outcome = Outcome(bank, business_date)
    for entry in events:
        step = entry.step_key or ""
        if entry.event_type is DagsterEventType.STEP_SUCCESS:
            outcome.seconds[step.split("__")[-1]] = round(entry.step_success_data.duration_ms / 1000, 2)
        elif entry.event_type is DagsterEventType.ASSET_MATERIALIZATION:
            _materialized(outcome, entry.materialization)
        elif entry.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            _checked(outcome, entry.asset_check_evaluation_data)
    if success:
        outcome.status = "published"
    else:
        outcome.error = _why(outcome, events)
        outcome.status = "refused" if isinstance(outcome.error, Refused) else "failed"
    return outcome


def _materialized(outcome: Outcome, materialization: dg.AssetMaterialization) -> None:
    metadata = {name: value.value for name, value in materialization.metadata.items()}
    path = materialization.asset_key.path
    if path[0] == "lake" and "rows_delivered" in metadata:
        outcome.rows[".".join(path[1:])] = {name: int(metadata[key]) for name, key in _ROWS.items()}
    if materialization.asset_key == RELEASE:
        outcome.release, outcome.path = str(metadata["release"]), str(metadata["path"])
        outcome.content_hash = str(metadata["content_hash"])


def _checked(outcome: Outcome, evaluation: Any) -> None:
    warn = evaluation.severity is dg.AssetCheckSeverity.WARN
    outcome.checks["passed" if evaluation.passed else "warned" if warn else "failed"] += 1
    if evaluation.check_name == "in_time":
        for state in outcome.arrivals.keys() & evaluation.metadata.keys():
            outcome.arrivals[state] += int(evaluation.metadata[state].value)
    if warn and not evaluation.passed and evaluation.description:
        outcome.warnings += evaluation.description.splitlines()


def _why(outcome: Outcome, events: Sequence[DagsterEvent]) -> Exception:
    """The error to show: bad input and refusals by name, else what the failed step said."""
    errors = [
        error
        for entry in events
        if entry.event_type in _FAILURES and (error := getattr(entry.event_specific_data, "error", None))
    ]
    chain = list(_causes(errors[0])) if errors else []
    for error in chain:
        if error.cls_name in _BAD_INPUT:
            return InputError(_words(error))
        if error.cls_name == Refused.__name__:
            return Refused(_words(error))
    refused = _failed_checks(events)
    words = _words(chain[-1]) if chain else "a step failed without saying why"
    if not refused:
        return RunFailed(words)
    listed = [
        f"  {'/'.join(check.asset_key.path)} {check.check_name}: {check.description or 'failed'}" for check in refused
    ]
    said = [f"  {line}" for line in words.splitlines()] if any(not check.description for check in refused) else []
    head = f"{len(refused)} checks stand against a release as of {outcome.business_date}:"
    return Refused("\n".join([head, *listed, *said, *_where_to_look(events)]))


def _where_to_look(events: Sequence[DagsterEvent]) -> list[str]:
    """The page on the audited candidate, and the command that says the same; nothing where nothing was audited."""
    return [
        where_to_look(Path(entry.materialization.metadata["page"].value))
        for entry in events
        if entry.event_type is DagsterEventType.ASSET_MATERIALIZATION and entry.asset_key == EVIDENCE
    ]


def _failed_checks(events: Sequence[DagsterEvent]) -> list[Any]:
    """Blocking checks that failed, but for missing deliveries: those are bad input."""
    checks = [
        entry.asset_check_evaluation_data
        for entry in events
        if entry.event_type is DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    failed = [check for check in checks if not check.passed and check.severity is dg.AssetCheckSeverity.ERROR]
    return [check for check in failed if check.asset_key.path[0] != "lake" or check.check_name != "delivered"]


def _causes(error: Any) -> Iterator[Any]:
    while error is not None:
        yield error
        error = error.cause


def _words(error: Any) -> str:
    """An error's message without the name of its class, which Dagster puts before it."""
    return (error.message.partition(": ")[2] or error.message).strip()
