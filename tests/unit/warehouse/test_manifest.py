"""The manifest: parsed when the project changed, and never seen half written."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.warehouse.manifest import begin, manifest
from pipelines.warehouse.run import Dbt, DbtFailed

from .conftest import write

pytestmark = pytest.mark.slow  # has dbt read the whole project


def test_parsed_only_after_a_change(dbt):
    with ThreadPoolExecutor() as two:  # a server and a nightly run that start together in a new home
        paths = set(two.map(lambda _: manifest(Dbt(dbt._settings, dbt.project)), range(2)))
    (first,) = paths
    assert "model.zhongtai.customer_360" in json.loads(first.read_text())["nodes"]

    written = first.stat().st_mtime_ns
    assert manifest(dbt) == first and first.stat().st_mtime_ns == written and dbt._process is None

    write(dbt.project / "models/marts/coverage.sql", "select 1 as one")
    dbt.start()
    early = dbt._process
    second = manifest(dbt)
    assert second != first and not first.exists()
    assert early.returncode is not None and dbt._process.poll() is None, "dbt waits again, with the new project"
    assert "model.zhongtai.coverage" in json.loads(second.read_text())["nodes"]
    assert {path.name for path in dbt.home.dbt.iterdir()} == {second.name, "target", "stderr.log"}
    dbt.close()


def test_begun_early_one_process_parses_and_waits(dbt):
    begin(dbt)
    early = dbt._process
    first = manifest(dbt)
    assert dbt._process is early and early.poll() is None, "it goes on to build what it has parsed"
    dbt.close()

    begin(dbt)
    assert dbt.parses_into is None, "the manifest is fresh"
    dbt.close()

    write(dbt.project / "models/marts/coverage.sql", "select 1 as one")
    (dbt.home.dbt / ".parse-999999-manifest-0-x").mkdir()  # of a process that was killed
    begin(dbt)
    write(dbt.project / "models/marts/coverage.sql", "select 2 as two")
    second = manifest(dbt)
    assert "select 2 as two" in json.loads(second.read_text())["nodes"]["model.zhongtai.coverage"]["raw_code"]
    assert second != first and {path.name for path in dbt.home.dbt.iterdir()} == {second.name, "target", "stderr.log"}


def test_a_project_that_does_not_parse_says_where(dbt):
    write(dbt.project / "models/marts/broken.sql", "select * from {{ ref('no_such_model') }}")
    with pytest.raises(DbtFailed, match=r"no_such_model"):
        manifest(dbt)
    assert not list(dbt.home.dbt.glob("manifest-*"))
