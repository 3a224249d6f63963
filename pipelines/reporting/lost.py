"""Runs of the command that were killed: the next one says for them that they failed.

Belongs here: finding them. Does not belong here: what is left of their work; the steps that find it go on with it.
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from pipelines.assets.lock import holder
from pipelines.reporting.outcome import Outcome, RunFailed
from pipelines.reporting.sensors import PARTITIONS, TOLD, TOLD_TAG
from pipelines.settings import Home

_SAID = "its process ended without saying so"


def end_lost_runs(instance: dg.DagsterInstance, home: Home, bank: str) -> list[Outcome]:
    """Say of runs of the command that were killed that they failed; returns of each what there is to tell.

    The UI's queue would wait for them for ever. While somebody holds the lock of the home nothing is known of them.
    """
    if holder(home) is not None:
        return []
    told = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={TOLD_TAG: TOLD})):
        instance.report_run_failed(run, _SAID)
        if day := next((run.tags[name] for name in PARTITIONS if name in run.tags), None):
            told.append(Outcome(bank, date.fromisoformat(day), error=RunFailed(_SAID)))
    return told
