"""A run of the UI whose process is gone is said to have failed by the daemon's own monitoring, and told of."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration

from pipelines.assets.lock import exclusive
from pipelines.assets.platform import Platform
from pipelines.cli.instance import prepare_instance
from pipelines.reporting.sensors import TOLD, TOLD_TAG, alert_sensors
from pipelines.settings import Home, Settings

BANK, DAY = "xiaocheng", "2025-12-31"


@dg.job
def nightly() -> None:
    """Stands for the night: no step of it is run."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with the instance that is written on first use."""
    made = Settings(home_dir=tmp_path / "home", bank=BANK).home
    made.prepare(BANK)
    return made


@pytest.fixture
def instance(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("DAGSTER_HOME", "")
    prepare_instance(home)
    with dg.DagsterInstance.get() as made:
        yield made


def started(instance: dg.DagsterInstance, process: int | None, **tags: str) -> str:
    """A run that works in a process, as Dagster notes it; its id."""
    told = {"dagster/partition": DAY, **tags}
    run = instance.create_run_for_job(nightly, status=dg.DagsterRunStatus.STARTED, tags=told)
    if process is not None:
        instance.report_engine_event("Executing", run, EngineEventData.in_process(process))
    return run.run_id


def monitored(instance: dg.DagsterInstance) -> None:
    """One round of the daemon."""
    assert instance.run_monitoring_enabled
    with WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context:
        errors = [error for error in execute_run_monitoring_iteration(context, logging.getLogger("daemon")) if error]
    assert errors == []


def dead() -> int:
    """A process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_run_whose_process_is_gone_has_failed_and_is_told_of(
    home: Home, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run_id = started(instance, dead())
    with exclusive(home):
        monitored(instance)
        assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.STARTED, "somebody works in the home"
    monitored(instance)
    run = instance.get_run_by_id(run_id)
    assert run.status is dg.DagsterRunStatus.FAILURE

    settings = Settings(home_dir=home.path, bank=BANK, alert_log=tmp_path / "alerts.log")
    (sensor,) = (one for one in alert_sensors(Platform(settings), nightly) if one.name == "tell_of_failure")
    (ended,) = (entry.dagster_event for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE))
    sensor(dg.build_run_status_sensor_context("tell_of_failure", ended, instance, run))
    (line,) = map(json.loads, (tmp_path / "alerts.log").read_text().splitlines())
    assert (line["business_date"], line["status"], line["trouble"]) == (DAY, "failed", "failure")


def test_whoever_works_has_not_said_where_or_tells_by_itself_is_left_alone(instance: dg.DagsterInstance) -> None:
    runs = [started(instance, os.getpid()), started(instance, None), started(instance, dead(), **{TOLD_TAG: TOLD})]
    monitored(instance)
    assert {instance.get_run_by_id(run).status for run in runs} == {dg.DagsterRunStatus.STARTED}
