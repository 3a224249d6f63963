"""The Dagster instance of a home: its settings file, written once, and nothing that reports to anybody."""

from __future__ import annotations

import os

from pipelines.settings import Home, make_directory, write_private

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
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
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
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
