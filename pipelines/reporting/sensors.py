"""Tells of the runs that Dagster's daemon starts, by the schedule or by hand in the UI: a sensor for each way to end.

Belongs here: noticing that a run has ended. Does not belong here: what came of it (`outcome`), and sinks (`alerts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from pipelines.assets.platform import Platform
from pipelines.reporting import alerts
from pipelines.reporting.outcome import gathered

TOLD_TAG, TOLD = "zhongtai/told", "by the command"  # on a run of which its command tells by itself
_ENDS = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
PARTITIONS = ("dagster/partition", "dagster/asset_partition_range_end")  # tags that say the business date


def alert_sensors(platform: Platform, nightly: Any) -> Sequence[dg.SensorDefinition]:
    """Sensors that hand what came of a run of `nightly` to the sinks; none where there are no sinks."""
    return [_sensor(platform, nightly, end) for end in _ENDS] if platform.settings.alerts else []


def _sensor(platform: Platform, nightly: Any, end: dg.DagsterRunStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=f"tell_of_{end.value.lower()}", run_status=end, monitored_jobs=[nightly],
        default_status=dg.DefaultSensorStatus.RUNNING, description="Tells the sinks of alerts what came of a run.",
    )  # fmt: skip
    def tell(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if TOLD_TAG in run.tags:
            return dg.SkipReason("its command tells of it")
        day = next((run.tags[name] for name in PARTITIONS if name in run.tags), None)
        if day is None:
            return dg.SkipReason("it is of no business date")
        entries = [entry.dagster_event for entry in context.instance.all_logs(run.run_id) if entry.dagster_event]
        outcome = gathered(
            platform.bank.bank, date.fromisoformat(day), entries, success=end is dg.DagsterRunStatus.SUCCESS
        )
        stats = context.instance.get_run_stats(run.run_id)
        if stats.start_time and stats.end_time:
            outcome.seconds["total"] = round(stats.end_time - stats.start_time, 2)
        message = alerts.told(platform.catalog, outcome.as_json(), outcome.error)
        for fault in alerts.send(platform.settings, message):
            context.log.warning(f"alert not delivered: {fault}")
        return None

    return tell
