"""The Dagster instance of a home: its settings file, written once, and nothing that reports to anybody."""

from __future__ import annotations

import os
import shutil

from pipelines.settings import Home, make_directory, write_private

_RUNS_KEPT = 400
_SETTINGS = """\
# Written by zhongtai on first use; yours to change (storage: PostgreSQL in production, see docs/runbook.md).
telemetry:
  enabled: false
nux:
  enabled: false
event_log_storage:
  module: pipelines.assets.event_log
  class: KeptSqliteEventLogStorage
  config:
    base_dir: history/runs    # below DAGSTER_HOME, so that a home can be copied and moved
compute_logs:               # steps print nothing; what they say is in the event log
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
run_launcher:
  module: pipelines.reporting.launcher
  class: WatchedRunLauncher
run_monitoring:             # a run whose process was killed is said to have failed, and sensors tell of it
  enabled: true
  poll_interval_seconds: 30
concurrency:
  runs:
    max_concurrent_runs: 1      # a home has one run at a time; others wait their turn
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days: 7
"""


def prepare_instance(home: Home) -> None:
    """Point Dagster at the home, with telemetry off."""
    make_directory(home.dagster)
    path = home.dagster / "dagster.yaml"
    if not path.exists():
        write_private(path, _SETTINGS.encode())
    _prune(home)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")


def _prune(home: Home) -> None:
    """Remove the logs of all but the latest runs, about 1.5 MB each; which partitions exist stays known."""
    history = home.dagster / "history" / "runs"
    runs = [path for path in history.glob("*.db") if path.stem not in ("index", "runs")]
    for path in sorted(runs, key=lambda path: path.stat().st_mtime_ns)[:-_RUNS_KEPT]:
        for part in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            part.unlink(missing_ok=True)
        shutil.rmtree(home.dagster / "storage" / path.stem, ignore_errors=True)
