"""Runs the nightly job in this process and gathers from its events what came of it."""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg
from dagster import DagsterEventType, ExecuteInProcessResult

from pipelines.assets.platform import FIRST_DATE_TAG, RELEASE_EACH_TAG
from pipelines.assets.release import RELEASE
from pipelines.audit.engine import preload_in_background
from pipelines.definitions import JOB, build_definitions
from pipelines.release.refused import Refused
from pipelines.settings import InputError, Settings
from pipelines.warehouse.run import Dbt

_ROWS = {
    "read": "rows_delivered", "accepted": "rows_accepted", "unchanged": "rows_unchanged",
    "quarantined": "rows_quarantined", "tombstones": "rows_tombstones",
}  # fmt: skip


@dataclass
class Outcome:
    """What a run did. `error` is what stands against a release, or None."""

    bank: str
    business_date: date
    started: float
    status: str = "failed"
    release: str | None = None
    path: str | None = None
    content_hash: str | None = None
    released: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=lambda: {"passed": 0, "failed": 0, "warned": 0})
    error: Exception | None = None

    def as_json(self) -> dict[str, Any]:
        """One JSON object; money and rows are integers, seconds are rounded."""
        return {
            "bank": self.bank, "business_date": self.business_date.isoformat(), "status": self.status,
            "release": self.release, "path": self.path, "content_hash": self.content_hash, "released": self.released,
            "seconds": self.seconds, "rows": self.rows, "checks": self.checks,
            "error": str(self.error) if self.error else None,
        }  # fmt: skip


def execute(settings: Settings, dbt: Dbt, first: date, last: date, *, release_each: bool) -> Outcome:
    """Run the job for `last`, reaching back to `first`."""
    definitions = build_definitions(settings, dbt)
    tags = {FIRST_DATE_TAG: first.isoformat()} if first < last else {}
    tags |= {RELEASE_EACH_TAG: "true"} if release_each else {}
    job = definitions.resolve_job_def(JOB)
    # Start-up is over and what it imported stays (cli.main): garbage is looked for from here on, but not there.
    gc.freeze()
    gc.enable()
    outcome = Outcome(settings.bank_name(), last, time.perf_counter())
    preload_in_background()
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance, partition_key=last.isoformat(), tags=tags, raise_on_error=False,
            run_config={"loggers": {"progress": {}}},
        )  # fmt: skip
        _gather(outcome, result)
    return outcome


def _gather(outcome: Outcome, result: ExecuteInProcessResult) -> None:
    for entry in result.all_events:
        step = entry.step_key or ""
        if entry.event_type is DagsterEventType.STEP_SUCCESS:
            outcome.seconds[step.split("__")[-1]] = round(entry.step_success_data.duration_ms / 1000, 2)
        elif entry.event_type is DagsterEventType.ASSET_MATERIALIZATION:
            _materialized(outcome, entry.materialization)
        elif entry.event_type is DagsterEventType.ASSET_CHECK_EVALUATION:
            _checked(outcome, entry.asset_check_evaluation_data)
    if result.success:
        outcome.status = "published"
    else:
        outcome.error = _why(outcome, result)
        outcome.status = "refused" if isinstance(outcome.error, Refused) else "failed"


def _materialized(outcome: Outcome, materialization: dg.AssetMaterialization) -> None:
    metadata = {name: value.value for name, value in materialization.metadata.items()}
    path = materialization.asset_key.path
    if path[0] == "lake" and "rows_delivered" in metadata:
        outcome.rows[".".join(path[1:])] = {name: int(metadata[key]) for name, key in _ROWS.items()}
    if materialization.asset_key == RELEASE:
        outcome.release, outcome.path = str(metadata["release"]), str(metadata["path"])
        outcome.content_hash, outcome.released = str(metadata["content_hash"]), list(metadata["released"])


def _checked(outcome: Outcome, evaluation: Any) -> None:
    warn = evaluation.severity is dg.AssetCheckSeverity.WARN
    outcome.checks["passed" if evaluation.passed else "warned" if warn else "failed"] += 1


def _why(outcome: Outcome, result: ExecuteInProcessResult) -> Exception:
    """The error to show: bad input and refusals by name, else what the failed step said."""
    failed_checks = [
        data
        for entry in result.all_events
        if entry.event_type is DagsterEventType.ASSET_CHECK_EVALUATION
        and not (data := entry.asset_check_evaluation_data).passed
        and data.severity is dg.AssetCheckSeverity.ERROR
    ]
    refused = [d for d in failed_checks if d.asset_key.path[0] != "lake" or d.check_name != "delivered"]
    for entry in result.all_events:
        if entry.event_type in (
            DagsterEventType.STEP_FAILURE,
            DagsterEventType.RESOURCE_INIT_FAILURE,
            DagsterEventType.RUN_FAILURE,
        ):
            error = getattr(entry.event_specific_data, "error", None)
            while error is not None:
                name = error.cls_name
                if name in ("IngestError", "InputError", "WarehouseUnreadable", "DeliveryFault"):
                    return InputError(error.message.partition(": ")[2].strip() or error.message.strip())
                if name == "Refused":
                    return Refused(error.message.partition(": ")[2].strip())
                last, error = error, error.cause
            if not refused:
                return RuntimeError(last.message.strip())
    listed = "\n".join(f"  {'/'.join(d.asset_key.path)} {d.check_name}: {d.description or 'failed'}" for d in refused)
    return Refused(f"{len(refused)} checks stand against a release as of {outcome.business_date}:\n{listed}")
