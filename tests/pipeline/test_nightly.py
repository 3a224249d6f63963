"""The nightly run from deliveries to release, by the command that a bank schedules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from homes import ask, copied, published_bytes, timeless_bytes

from pipelines.assets.lock import exclusive
from pipelines.ingest import ledger
from pipelines.release.catalogue import current, list_releases
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing

XIAOCHENG = Path(__file__).parents[1] / "fixtures" / "xiaocheng"
LAST = "2025-12-31"


def test_the_outcome_says_what_was_done(xiaocheng, expected):
    outcome = xiaocheng.runs["nightly"]
    assert outcome["status"] == "published"
    assert outcome["business_date"] == LAST
    assert outcome["release"].startswith(LAST)
    assert Path(outcome["path"]).is_dir()
    assert outcome["checks"]["failed"] == 0 < outcome["checks"]["passed"]
    readable = sum(told["readable"] for told in expected["contracts"].values())
    assert outcome["arrivals"] == {"in_time": 0, "late": 0, "missing": 0, "unknown": readable}
    assert {"start-up", "ingest", "warehouse", "candidate", "evidence", "release", "total"} <= outcome["seconds"].keys()
    for contract, told in expected["contracts"].items():
        if told["readable"]:
            day = told["daily"][LAST]
            found = outcome["rows"][contract]
            assert {name: found[name] for name in ("read", "accepted", "unchanged", "quarantined", "tombstones")} == {
                name: day[name] for name in ("read", "accepted", "unchanged", "quarantined", "tombstones")
            }, contract


def test_what_was_due_and_what_came_is_shown_of_every_feed(xiaocheng, zhongtai, expected):
    told = zhongtai("deliveries", "--json", home=xiaocheng.home).json
    assert told["business_date"] == LAST
    readable = {name for name, of in expected["contracts"].items() if of["readable"]}
    assert {row["contract"] for row in told["deliveries"]} == readable
    assert {(row["last_for"], row["arrival"], row["next_due_for"], row["behind"]) for row in told["deliveries"]} == {
        (LAST, "not known", None, 0)  # the bank ends on this date
    }
    shown = zhongtai("deliveries", "--contract", "core.party", home=xiaocheng.home)
    assert [line.split()[:4] for line in shown.out.splitlines()] == [
        ["contract", "source", "frequency", "last"], ["core.party", "core", "daily", LAST],
    ]  # fmt: skip
    none = zhongtai("deliveries", "--contract", "tax.filing", home=xiaocheng.home)
    assert none.code == 2 and "nothing was landed of tax.filing yet: run a night first" in none.err


def test_every_landing_balances(xiaocheng):
    landings = ledger.read_all(Home(xiaocheng.home))
    assert landings
    for landing in landings:
        assert landing.delivered == landing.accepted + landing.unchanged + landing.quarantined, landing
        assert landing.declared is None or landing.declared == landing.delivered, landing


def test_every_low_risk_decision_is_the_one_the_bank_was_made_for(xiaocheng, expected, vault_key):
    ring = KeyRing.open(xiaocheng.home / "vault", vault_key)
    crosswalk = pl.read_parquet(xiaocheng.home / "identity" / "party_crosswalk.parquet")
    from pipelines.vault.tokens import hmac_sha256

    names = crosswalk.select("record_key", pseudonym=hmac_sha256(pl.col("party_id"), ring.pseudonym_key("risk")))
    rows = ask(xiaocheng.home, "risk", "select pseudonym, included, band from low_risk_decision")
    record = dict(zip(names["pseudonym"], names["record_key"], strict=True))
    found = {record[pseudonym]: (included, band) for pseudonym, included, band in rows}
    wanted = {key: (d["included"], d["band"]) for key, d in expected["low_risk"]["decisions"].items()}
    assert found == wanted


def test_marketing_sees_included_parties_only_and_no_verdict(xiaocheng, expected):
    rows = ask(xiaocheng.home, "marketing", "select band, count(*) from low_risk_list group by band order by band")
    assert dict(rows) == expected["low_risk"]["bands"]
    own = "select column_name from duckdb_columns() where schema_name = 'main'"
    columns = {name for (name,) in ask(xiaocheng.home, "marketing", own)}
    assert not {name for name in columns if name.startswith("rule_")} | ({"exclusion_reasons", "party_id"} & columns)


@pytest.mark.slow
def test_the_same_night_again_gives_the_same_bytes(xiaocheng, zhongtai):
    before, release = published_bytes(xiaocheng.home), xiaocheng.runs["nightly"]
    again = zhongtai("nightly", "--date", LAST, "--json", home=xiaocheng.home)
    assert again.code == 0, again.err
    assert (again.json["release"], again.json["content_hash"]) == (release["release"], release["content_hash"])
    assert published_bytes(xiaocheng.home) == before
    assert again.json["rows"] == release["rows"]


@pytest.mark.slow
def test_one_run_over_missed_nights_publishes_what_the_nights_would_have(xiaocheng, zhongtai, tmp_path):
    home = tmp_path / "home"
    late = zhongtai("nightly", "--bank", "xiaocheng", "--date", LAST, "--json", home=home)
    assert late.code == 0, late.err
    assert timeless_bytes(home) == timeless_bytes(xiaocheng.home)


@pytest.mark.slow
def test_each_date_of_a_backfill_is_published_as_by_its_own_night(xiaocheng, zhongtai, tmp_path):
    home = tmp_path / "home"
    each = zhongtai("backfill", "--bank", "xiaocheng", "--from", "2025-12-30", "--release-each", "--json", home=home)
    assert each.code == 0, each.err
    told, wanted = [json.loads(line) for line in each.out.splitlines()], list(xiaocheng.runs.values())
    assert [night["release"] for night in told] == [night["release"] for night in wanted]
    assert [night["checks"] for night in told] == [night["checks"] for night in wanted]
    for night, other in zip(told, wanted, strict=True):  # with what each was held against
        mine, theirs = (Path(of["path"]) / "evidence.json" for of in (night, other))
        assert mine.read_bytes() == theirs.read_bytes()
    assert published_bytes(home) == published_bytes(xiaocheng.home)
    assert "2025-12-30, 1 of 2\n" in each.err and f"{LAST}, 2 of 2\n" in each.err


@pytest.mark.slow
def test_where_a_date_of_a_backfill_is_not_published_none_after_it_is(deliveries, expected, zhongtai, tmp_path):
    (deliveries / expected["contracts"]["core.transaction"]["files"]["2025-12-30"]).unlink()
    home, dates = tmp_path / "home", ("--from", "2025-12-29", "--to", LAST, "--release-each")
    each = zhongtai("backfill", "--bank", "xiaocheng", *dates, home=home, ZHONGTAI_DELIVERIES=str(deliveries))
    assert each.code == 2, each.err
    assert (
        f"left     2025-12-30 to {LAST}: `zhongtai backfill --from 2025-12-30 --to {LAST} --release-each`" in each.err
    )
    assert [release.business_date.isoformat() for release in list_releases(Home(home))] == ["2025-12-29"]


@pytest.mark.slow
def test_the_first_date_publishes_an_empty_list_without_a_row_of_nulls(zhongtai, tmp_path):
    home = tmp_path / "home"
    first = zhongtai("nightly", "--bank", "xiaocheng", "--date", "2025-06-01", "--json", home=home)
    assert first.code == 0, first.err
    assert ask(home, "marketing", "select count(*) from low_risk_list") == [(0,)]
    release = current(Home(home))
    assert pl.read_parquet(release.path / "marketing" / "low_risk_list.parquet").height == 0
    assert ask(home, "risk", "select count(*) from low_risk_decision where pseudonym is null") == [(0,)]


@pytest.fixture
def deliveries(tmp_path) -> Path:
    """A copy of the bank's deliveries, to spoil."""
    return Path(shutil.copytree(XIAOCHENG / "deliveries", tmp_path / "deliveries"))


@pytest.fixture
def home(xiaocheng, tmp_path) -> Path:
    """A copy of the published home."""
    return copied(xiaocheng.home, tmp_path / "home")


@pytest.mark.slow
def test_a_missing_required_delivery_stops_the_night(home, deliveries, expected, zhongtai):
    before = published_bytes(home)
    name = expected["contracts"]["core.transaction"]["files"][LAST]
    (deliveries / name).unlink()
    stopped = zhongtai("nightly", "--date", LAST, "--json", home=home, ZHONGTAI_DELIVERIES=str(deliveries))
    assert stopped.code == 2
    assert stopped.json["status"] == "failed"
    for words in ("core.transaction", LAST, Path(name).name, "missing_delivery", "run the night again"):
        assert words in stopped.err
    assert published_bytes(home) == before


def lake_file(home: Path, contract: str, day: str) -> Path:
    return next((home / "lake" / contract).glob(f"*/business_date={day}/part.parquet"))


@pytest.mark.slow
def test_a_lake_that_lost_files_lands_them_again(home, zhongtai):
    before = published_bytes(home)
    lost = [lake_file(home, "core.transaction", "2025-11-11"), lake_file(home, "loan.contract", "2025-06-01")]
    kept = [path.read_bytes() for path in lost]
    for path in lost:
        path.unlink()
    again = zhongtai("nightly", "--date", LAST, "--json", home=home)
    assert again.code == 0, again.err
    assert [path.read_bytes() for path in lost] == kept
    assert published_bytes(home) == before


@pytest.mark.slow
def test_a_lake_file_that_lost_rows_is_refused(home, zhongtai):
    before = published_bytes(home)
    path = lake_file(home, "core.transaction", "2025-11-11")
    pl.read_parquet(path, hive_partitioning=False).head(3).write_parquet(path)
    # Facts are only read again from the lake when they have to be: as after the loss of the build file.
    shutil.rmtree(home / "warehouse")
    refused = zhongtai("nightly", "--date", LAST, "--json", home=home)
    assert refused.code == 3, refused.err
    assert refused.json["status"] == "refused"
    assert "reconciliation" in refused.err
    assert published_bytes(home) == before


@pytest.mark.slow
def test_an_earlier_night_again_does_not_move_the_pointer_back(home, zhongtai):
    current_before = current(Home(home)).id
    earlier = zhongtai("nightly", "--date", "2025-12-30", "--json", home=home)
    assert earlier.code == 0, earlier.err
    assert earlier.json["business_date"] == "2025-12-30"
    assert current(Home(home)).id == current_before


@pytest.mark.slow
def test_two_runs_at_once_are_one_run(home, zhongtai):
    with exclusive(Home(home)):
        second = zhongtai("nightly", "--date", LAST, home=home)
    assert second.code == 2
    assert "another run works in" in second.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nightly", "--bank", "nowhere"), "no bank 'nowhere'"),
        (("nightly", "--bank", "pkdd99"), "is the home of bank 'xiaocheng'"),
        (("nightly", "--date", "31.12.2025"), "write YYYY-MM-DD"),
        (("nightly", "--date", "2026-01-01"), "not a business date of xiaocheng"),
        (("backfill", "--from", LAST, "--to", "2025-12-30"), "lies after"),
        (("query", "--consumer", "risk", "select * from nothing"), "low_risk_decision"),
        (("query", "--consumer", "marketing", "copy release to '/tmp/x.csv'"), "disabled"),
        (("releases", "show", "1999"), "0 releases are called '1999'"),
    ],
)
def test_bad_usage_is_one_clear_error(xiaocheng, zhongtai, arguments, words):
    call = zhongtai(*arguments, home=xiaocheng.home)
    assert call.code == 2
    assert words in call.err
    assert "Traceback" not in call.err


@pytest.mark.parametrize("format_", ["table", "csv", "json", "parquet"])
def test_query_answers_in_every_format(xiaocheng, zhongtai, tmp_path, format_):
    out = tmp_path / "answer"
    sql = "select band, count(*) as n from low_risk_list group by band order by band"
    arguments = ["--consumer", "marketing", sql, "--format", format_, "--out", str(out)]
    assert zhongtai("query", *arguments, home=xiaocheng.home).code == 0
    if format_ == "json":
        assert [row["band"] for row in json.loads(out.read_text())] == ["A", "B", "C"]
    elif format_ == "parquet":
        assert pl.read_parquet(out)["band"].to_list() == ["A", "B", "C"]
    else:
        assert "A" in out.read_text()


def test_the_doctor_finds_a_healthy_home(xiaocheng, zhongtai):
    healthy = zhongtai("doctor", "--json", home=xiaocheng.home)
    assert healthy.code == 0, healthy.out
    assert healthy.json["well"]


def test_releases_are_listed_and_verified(xiaocheng, zhongtai):
    listed = zhongtai("releases", "list", "--json", home=xiaocheng.home).json["releases"]
    assert [row["business_date"] for row in listed] == ["2025-12-30", LAST]
    assert [row["current"] for row in listed] == [False, True]
    assert zhongtai("releases", "verify", home=xiaocheng.home).code == 0


@pytest.mark.slow
def test_the_unit_tests_of_the_models_pass(home):
    dbt_project = Path(__file__).parents[2] / "dbt_project"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")), "--quiet", "test", "--select", "test_type:unit",
            "--project-dir", str(dbt_project), "--profiles-dir", str(dbt_project),
            "--target-path", str(home / "dbt" / "unit"), "--log-path", str(home / "dbt" / "unit"),
        ],
        env=os.environ | {"ZHONGTAI_HOME": str(home), "ZHONGTAI_FROM": LAST, "ZHONGTAI_TO": LAST},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((home / "dbt" / "unit" / "run_results.json").read_text())["results"]
    assert len(results) >= 20
    assert {result["status"] for result in results} == {"pass"}
