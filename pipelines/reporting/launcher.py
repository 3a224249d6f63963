"""Launches the runs of the UI as Dagster does, and can say of each whether its process is still there.

Where a run's process alone is killed, the server that started it says that the run failed. Where that server is killed
with it, nobody did: the daemon that comes next asks here (`run_monitoring` in dagster.yaml), and a sensor tells.
Belongs here: that answer. Does not belong here: runs of the command, of which the next command tells (`lost`).
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from dagster import DagsterEventType, DagsterRun
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus

from pipelines.assets.lock import holder
from pipelines.reporting.sensors import TOLD_TAG
from pipelines.settings import Home, runs

_PROCESS = "pid"  # as Dagster names it in what it notes of a run


class WatchedRunLauncher(DefaultRunLauncher):
    """As Dagster's; named in dagster.yaml."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether the daemon may ask."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a run is there. While somebody holds the lock of the home, it is taken to be."""
        home = Home(Path(self._instance.root_directory).parent)
        process = _process(self._instance, run)
        if TOLD_TAG in run.tags or process is None or runs(process) or holder(home) is not None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"process {process} ended without saying so")


def _process(instance: dg.DagsterInstance, run: DagsterRun) -> str | None:
    """The process in which a run works, or None before it says so."""
    events = [
        entry.get_dagster_event() for entry in instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)
    ]
    told = [event.engine_event_data.metadata.get(_PROCESS) for event in events]
    return next((str(one.value) for one in reversed(told) if one is not None), None)
