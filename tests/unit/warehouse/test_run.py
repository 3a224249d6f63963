"""dbt in a process of its own: what it streams, what it leaves behind, and how it fails."""

import os
import signal
import subprocess
import sys

import duckdb
import pytest

from pipelines.warehouse.run import Dbt, DbtFailed

from .conftest import DAY, NEXT_DAY, land, write

STOPPED = 130  # how dbt_process says that whoever ordered is gone


def results(dbt: Dbt, day=DAY) -> dict[str, dict]:
    return {message["data"]["node_info"]["node_name"]: message for message in dbt.build(day, day)}


def parties(dbt: Dbt) -> list[tuple]:
    with duckdb.connect(str(dbt.home.warehouse)) as con:  # to write: fails while anyone else holds the file
        return con.execute("select party_id, business_date from marts.customer_360 order by all").fetchall()


def test_two_nights(dbt):
    dbt.start()
    first = results(dbt)
    parsed = dbt.target / "partial_parse.msgpack"
    written = parsed.stat().st_mtime_ns
    assert first["customer_360"]["rows"] == 3
    assert first["unique_customer_360_party_id"]["data"]["status"] == "pass"
    assert parties(dbt) == [(1, DAY), (2, DAY), (3, DAY)]

    results(dbt, NEXT_DAY)
    assert parties(dbt)[0] == (1, NEXT_DAY)
    assert parsed.stat().st_mtime_ns == written, "another date must not have the project parsed again"
    assert not list(dbt.home.warehouse.parent.glob("*.wal"))
    assert not (dbt.project / "target").exists() and not (dbt.project / "logs").exists()
    assert dbt.home.warehouse.stat().st_mode & 0o077 == 0
    assert (dbt.home.dbt / "stderr.log").read_text() == ""


@pytest.mark.slow
def test_results_come_while_dbt_works(dbt):
    write(
        dbt.project / "models/marts/customer/customer_360.sql",
        """
        -- depends_on: {{ ref('int_processed_date') }}
        select count(*) as party_id from range(1000000000000)
        """,
    )
    dbt.start()
    process, build = dbt._process, dbt.build(DAY, DAY)
    assert next(build)["info"]["name"] in ("LogModelResult", "LogTestResult")
    build.close()  # as when the run is cancelled
    # By the end of its orders or by the signal, whichever it noticed first.
    assert process.returncode in (STOPPED, -signal.SIGTERM), "it ended when it was asked to, in the midst of a query"
    with duckdb.connect(str(dbt.home.warehouse)):
        pass


def test_failure_names_models_checks_and_the_words_of_the_database(dbt):
    land(dbt.home.path, "values (1), (1), (2)")
    write(dbt.project / "models/marts/broken.sql", "select no_such_column from {{ ref('int_processed_date') }}")
    with pytest.raises(DbtFailed) as failed:
        results(dbt)
    words = str(failed.value)
    assert "model broken (models/marts/broken.sql): " in words
    assert "no_such_column" in words and "Binder Error" in words
    assert "test unique_customer_360_party_id" in words and "Got 1 result" in words
    assert parties(dbt), "the lock is released, and what was built stays"


@pytest.mark.slow
def test_where_memory_ran_out_it_says_what_gives_more(dbt):
    dbt._settings = dbt._settings.model_copy(update={"memory_limit": "32MB"})
    large = "select list(i || '-') as words from range(5000000) as numbers(i)"
    write(dbt.project / "models/marts/customer/large.sql", large)
    with pytest.raises(DbtFailed) as failed:
        results(dbt)
    words = str(failed.value)
    assert "model large (models/marts/customer/large.sql): Out of Memory Error" in words
    assert "DuckDB may use 32MB: let it use more by ZHONGTAI_MEMORY_LIMIT" in words
    assert "SET memory_limit" not in words


def test_a_lost_process_is_told_as_such(dbt):
    dbt.start()
    os.kill(dbt._process.pid, signal.SIGKILL)
    with pytest.raises(DbtFailed, match="was stopped by SIGKILL before it was done"):
        results(dbt)


def test_a_warehouse_in_use_names_the_process(dbt):
    dbt.home.warehouse.parent.mkdir()
    hold = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(dbt.home.warehouse)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        with pytest.raises(DbtFailed, match=f"in use by process {holder.pid} "):
            results(dbt)
        holder.stdin.close()


def test_it_ends_when_nobody_needs_it(dbt):
    dbt.start()
    process = dbt._process
    dbt.close()
    # It is asked to end, also while it is still being imported. Where SIGINT is ignored, as shells have it for what
    # runs in the background, Dagster ignores SIGTERM, and so do its processes: the end of the input ends them then.
    assert process.returncode in (-signal.SIGTERM, 0)


def test_environment_steers_nothing_and_holds_no_key(dbt, monkeypatch):
    monkeypatch.setenv("ZHONGTAI_VAULT_KEY", "00")
    monkeypatch.setenv("ZHONGTAI_TO", "1999-01-01")
    monkeypatch.setenv("DBT_TARGET_PATH", "/elsewhere")
    environment = dbt._environment()
    assert environment["ZHONGTAI_HOME"] == str(dbt.home.path)
    assert not {"ZHONGTAI_VAULT_KEY", "ZHONGTAI_TO", "DBT_TARGET_PATH"} & environment.keys()
