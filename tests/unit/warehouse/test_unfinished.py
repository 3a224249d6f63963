"""Which dates are built again after a build that did not end well, whatever their digests say."""

import os
import signal
from datetime import date

import pyarrow as pa
import pytest
from project import project_catalog

from pipelines.contracts.arrow import arrow_schema
from pipelines.ingest import lake
from pipelines.settings import Home
from pipelines.warehouse import control
from pipelines.warehouse.run import Dbt, DbtFailed
from pipelines.warehouse.unfinished import begin, finish, unfinished_since

from .conftest import DAY, NEXT_DAY, land

pytestmark = pytest.mark.slow  # starts dbt for each
LONG_AGO = date(2023, 1, 1)


def built(dbt: Dbt, first: date, *selection: str) -> date | None:
    """What is in doubt after a build from `first` on."""
    for _ in dbt.build(first, NEXT_DAY, selection):
        pass
    return unfinished_since(dbt.home)


def test_a_build_that_held_leaves_nothing_in_doubt(dbt):
    assert unfinished_since(dbt.home) is None
    assert built(dbt, DAY) is None


def test_a_build_is_in_doubt_until_all_of_it_held(dbt):
    for _ in dbt.build(DAY, DAY):
        assert unfinished_since(dbt.home) == DAY
    assert unfinished_since(dbt.home) is None


def test_what_a_check_refused_is_in_doubt_until_a_build_of_it_held(dbt):
    land(dbt.home.path, "values (1), (1), (2)")
    with pytest.raises(DbtFailed, match="unique_customer_360_party_id"):
        built(dbt, LONG_AGO)
    assert unfinished_since(dbt.home) == LONG_AGO
    land(dbt.home.path, "values (1), (2)")
    assert built(dbt, DAY) == LONG_AGO, "a later date that held is no word on an earlier one"
    assert built(dbt, LONG_AGO) is None


def test_what_was_stopped_is_in_doubt(dbt):
    build = dbt.build(DAY, DAY)
    next(build)
    build.close()
    assert unfinished_since(dbt.home) == DAY
    dbt.start()
    os.kill(dbt._process.pid, signal.SIGKILL)
    with pytest.raises(DbtFailed, match="SIGKILL"):
        built(dbt, LONG_AGO)
    assert unfinished_since(dbt.home) == LONG_AGO


def test_a_part_that_held_says_nothing_of_the_rest(dbt):
    assert built(dbt, DAY, "--select", "int_processed_date") == DAY
    assert built(dbt, DAY, "--exclude", "unique_customer_360_party_id") == DAY, "a check was left out"
    assert built(dbt, DAY, "--exclude", "source:identity.*") is None, "nothing is left out that decides"


def test_the_earliest_date_counts(tmp_path):
    home = Home(tmp_path)
    home.warehouse.parent.mkdir()
    for first, since in ((NEXT_DAY, NEXT_DAY), (DAY, DAY), (NEXT_DAY, DAY)):
        begin(home, first)
        assert unfinished_since(home) == since
    finish(home, NEXT_DAY)
    assert unfinished_since(home) == DAY
    finish(home, LONG_AGO)
    finish(home, LONG_AGO)
    assert unfinished_since(home) is None


def test_a_run_writes_the_facts_from_the_date_in_doubt_on(tmp_path, monkeypatch):
    home = Home(tmp_path)
    home.warehouse.parent.mkdir()
    days = [LONG_AGO, DAY, NEXT_DAY]
    shape = arrow_schema(project_catalog().derived["control.business_date"])
    told = [
        {"business_date": day, "digest": "as built", "is_release_date": day == NEXT_DAY, "is_restated": False}
        for day in days
    ]
    lake.write_parquet(home.control / "business_date.parquet", pa.Table.from_pylist(told, schema=shape))
    monkeypatch.setattr(control, "processed_dates", lambda _: dict.fromkeys(days, "as built"))
    assert control.fact_dates(home, NEXT_DAY) == (NEXT_DAY, NEXT_DAY)
    begin(home, DAY)
    assert control.fact_dates(home, NEXT_DAY) == (DAY, NEXT_DAY)
    assert control.fact_dates(home, LONG_AGO) == (LONG_AGO, NEXT_DAY)
