"""Runs the nightly job in this process."""

from __future__ import annotations

import gc
import time
from datetime import UTC, date, datetime

import dagster as dg

from pipelines.assets.platform import FIRST_DATE_TAG
from pipelines.audit.engine import preload_in_background
from pipelines.definitions import JOB, build_definitions
from pipelines.release.catalogue import current
from pipelines.reporting.lost import end_lost_runs
from pipelines.reporting.outcome import Outcome, gathered
from pipelines.reporting.sensors import TOLD, TOLD_TAG
from pipelines.settings import Settings
from pipelines.warehouse.run import Dbt


def execute(settings: Settings, dbt: Dbt, first: date, last: date) -> tuple[Outcome, float]:
    """Run the job for `last`, reaching back to `first`. Returns what came of it, and when the job itself began."""
    definitions = build_definitions(settings, dbt)
    tags = {TOLD_TAG: TOLD}
    tags |= {FIRST_DATE_TAG: first.isoformat()} if first < last else {}
    job = definitions.resolve_job_def(JOB)
    # Start-up is over and what it imported stays (cli.main): garbage is looked for from here on, but not there.
    gc.freeze()
    gc.enable()
    started = time.perf_counter()
    preload_in_background()
    # Which dates there are is asked of the wall clock otherwise, and a night is not to depend on that.
    ended = datetime.fromordinal(last.toordinal() + 2).replace(tzinfo=UTC)
    with dg.DagsterInstance.get() as instance, dg.partition_loading_context(effective_dt=max(ended, datetime.now(UTC))):
        lost = end_lost_runs(instance, settings.home, settings.bank_name())
        result = job.execute_in_process(
            instance=instance, partition_key=last.isoformat(), tags=tags, raise_on_error=False,
            run_config={"loggers": {"progress": {}}},
        )  # fmt: skip
        outcome = gathered(settings.bank_name(), last, result.all_events, success=result.success)
    outcome.lost = lost
    seen = current(settings.home)
    outcome.current = seen and seen.id
    return outcome, started
