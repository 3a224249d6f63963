"""Runs that a command did not start are told of by the daemon's sensors; evaluated here on the runs of a real home."""

from __future__ import annotations

import json

import dagster as dg
import pytest
from project import project_catalog

from pipelines.assets.lock import exclusive
from pipelines.assets.platform import Platform
from pipelines.release.catalogue import current
from pipelines.reporting import alerts
from pipelines.reporting.lost import end_lost_runs
from pipelines.reporting.sensors import TOLD, TOLD_TAG, alert_sensors
from pipelines.settings import Home, Settings

LAST = "2025-12-31"


@pytest.fixture
def instance(xiaocheng, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(xiaocheng.home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture
def told(xiaocheng, instance, tmp_path):
    """Hands a run to the sensor of its end; gives what was skipped and the lines of the log."""
    settings = Settings(home_dir=xiaocheng.home, bank="xiaocheng", alert_log=tmp_path / "alerts.log")
    sensors = {sensor.name: sensor for sensor in alert_sensors(Platform(settings), dg.define_asset_job("nightly"))}
    assert sensors.keys() == {"tell_of_success", "tell_of_failure", "tell_of_canceled"}

    def tell(run: dg.DagsterRun) -> tuple[object, list[dict]]:
        ended = [entry.dagster_event for entry in instance.all_logs(run.run_id) if entry.dagster_event][-1]
        context = dg.build_run_status_sensor_context("tell_of_success", ended, instance, run)
        said = sensors["tell_of_success"](context)
        lines = (tmp_path / "alerts.log").read_text().splitlines() if (tmp_path / "alerts.log").exists() else []
        return said, [json.loads(line) for line in lines]

    return tell


def test_a_run_is_told_of_unless_its_command_does(xiaocheng, instance, told):
    (run,) = instance.get_runs(limit=1)
    assert run.tags["dagster/partition"] == LAST
    skipped, lines = told(run)
    assert isinstance(skipped, dg.SkipReason) and not lines

    clicked = run._replace(tags={name: value for name, value in run.tags.items() if name != TOLD_TAG})
    _, (line,) = told(clicked)
    release = current(Home(xiaocheng.home))
    assert (line["status"], line["business_date"]) == ("published", LAST)
    assert (line["release"], line["content_hash"]) == (release.id, release.content_hash)
    assert line["checks"]["failed"] == 0 and line["checks"]["passed"] > 100 and line["seconds"] > 0


def test_a_run_that_was_killed_is_said_to_have_failed_once_nobody_works(tmp_path):
    home = Home(tmp_path)
    with dg.DagsterInstance.ephemeral() as instance:
        started = {"job_name": "nightly", "status": dg.DagsterRunStatus.STARTED}
        lost = instance.add_run(dg.DagsterRun(**started, tags={TOLD_TAG: TOLD, "dagster/partition": LAST}))
        clicked = instance.add_run(dg.DagsterRun(**started))
        with exclusive(home):
            assert end_lost_runs(instance, home, "xiaocheng") == []
        assert instance.get_run_by_id(lost.run_id).status is dg.DagsterRunStatus.STARTED
        (killed,) = end_lost_runs(instance, home, "xiaocheng")
        assert instance.get_run_by_id(lost.run_id).status is dg.DagsterRunStatus.FAILURE
        assert end_lost_runs(instance, home, "xiaocheng") == []
        assert instance.get_run_by_id(clicked.run_id).status is dg.DagsterRunStatus.STARTED
    message = alerts.told(project_catalog(), killed.as_json(), killed.error)
    assert (message["business_date"], message["status"], message["trouble"]) == (LAST, "failed", "failure")


def test_nobody_to_be_told_needs_no_sensor(xiaocheng):
    settings = Settings(home_dir=xiaocheng.home, bank="xiaocheng")
    assert not alert_sensors(Platform(settings), dg.define_asset_job("nightly"))
