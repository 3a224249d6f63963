"""The simulated bank through the real commands: everything lands, reconciles, and is published the same every way."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import published_bytes, timeless_bytes
from project import project_catalog
from simulated import (
    BEFORE,
    HISTORY,
    LATE,
    LATE_FEED,
    NEXT,
    NIGHT,
    START,
    WRONG_FEED,
    delivered_files,
    world,
)  # fmt: skip

from pipelines.contracts.load import Catalog
from pipelines.ingest import ledger
from pipelines.ingest.ledger import Landing
from pipelines.release.catalogue import current
from pipelines.settings import PROJECT, Home

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.fixture(scope="module")
def landings(simbank) -> list[Landing]:
    return [landing for landing in ledger.read_all(Home(simbank.home)) if landing.measure == "rows"]


def landed(home: Path, place: tuple[str, str], day: date) -> Landing:
    (found,) = [
        each for each in ledger.read_all(Home(home))
        if (each.contract, each.source) == place and each.business_date == day and each.measure == "rows"
    ]  # fmt: skip
    return found


def turnover(home: Path, source: str) -> pl.DataFrame:
    """What the lake holds of a market's takings on the day that was late or wrong."""
    path = home / "lake" / LATE_FEED[0] / f"source={source}" / f"business_date={LATE}" / "part.parquet"
    return pl.read_parquet(path, hive_partitioning=False).sort("lease_key", "trade_date")


def test_every_night_publishes(simbank):
    assert [run["status"] for run in simbank.runs.values()] == ["published"] * 4
    assert [run["business_date"] for run in simbank.runs.values()] == [f"{day}" for day in (LATE, NEXT, BEFORE, NIGHT)]
    assert {(run["checks"]["failed"], run["checks"]["passed"] > 100) for run in simbank.runs.values()} == {(0, True)}


def test_every_contract_of_every_source_lands_rows(simbank, landings, catalog):
    rows = {(feed.contract, feed.source): 0 for feed in catalog.feeds("simbank")}
    for landing in landings:
        rows[landing.contract, landing.source] += int(landing.accepted)
    assert [place for place, count in rows.items() if count == 0] == []
    assert sum(int(landing.quarantined) for landing in landings) == 0
    for landing in landings:
        assert landing.delivered == landing.accepted + landing.unchanged + landing.quarantined, landing
        assert landing.declared is None or landing.declared == landing.delivered, landing


def test_everything_reconciles_and_is_covered(simbank, catalog):
    with closing(duckdb.connect(str(Home(simbank.home).warehouse), read_only=True)) as con:
        agreed = con.execute("select contract, source, step, status from marts.reconciliation").fetchall()
        covered = con.execute(
            "select contract, status, carried_days from marts.coverage where business_date = ?", [NIGHT]
        ).fetchall()
    assert {status for *_, status in agreed} == {"agreed"}
    read = {(contract, source) for contract, source, step, _ in agreed if step == "ingest"}
    assert read == {(feed.contract, feed.source) for feed in catalog.feeds("simbank")}
    assert {each[1:] for each in covered} == {("delivered", 0)}
    assert {each[0] for each in covered} >= {feed.contract for feed in catalog.feeds("simbank")}


def test_a_late_file_is_carried_and_lands_the_next_night(simbank):
    assert not landed_at(simbank.home, LATE) and landed_at(simbank.home, NEXT)
    late = landed(simbank.home, LATE_FEED, LATE)
    assert late.status == "landed" and late.accepted > 0
    assert len(turnover(simbank.home, LATE_FEED[1])) == late.accepted


def test_a_late_file_is_told_of_while_it_is_missing_and_when_it_has_come(simbank, zhongtai):
    place = "market.daily_turnover from market_west, 2025-01-15"
    (missing,) = [line for line in simbank.runs["late"]["warnings"] if line.startswith(f"{place}: nothing came")]
    assert "due for 2025-01-15, by 01:15 bank time on 2025-01-16; the last came for 2025-01-14: 1 day behind" in missing
    (late,) = [line for line in simbank.runs["next"]["warnings"] if line.startswith(f"{place}: came on 2025-01-17 00:")]
    assert "due by 2025-01-16 01:15 bank time (daily): 23 hours late; ask " in late
    assert [simbank.runs[name]["arrivals"]["missing"] for name in ("late", "next", "last")] == [1, 0, 0]
    assert [simbank.runs[name]["arrivals"]["late"] for name in ("late", "next", "last")] == [0, 1, 0]
    shown = zhongtai("deliveries", "--date", f"{LATE}", "--contract", LATE_FEED[0], "--json", home=simbank.home)
    (of,) = [row for row in shown.json["deliveries"] if row["source"] == LATE_FEED[1]]
    assert (of["last_for"], of["arrival"], of["behind"]) == ("2025-01-15", "late", 0)


def landed_at(home: Path, release_of: date) -> bool:
    """Whether the release of a night was made with the file that came late."""
    (path,) = home.glob(f"releases/{release_of}-*/manifest.json")
    files = json.loads(path.read_text())["deliveries"]
    return any((each["contract"], each["source"], each["first"]) == (*LATE_FEED, f"{LATE}") for each in files)


def test_a_corrected_file_is_taken_in_by_a_run_from_its_date(simbank, tmp_path, zhongtai):
    simulated = zhongtai(*world(LATE, START, "--out", str(tmp_path / "simulated")), home=tmp_path)
    assert simulated.code == 0, simulated.err
    name = f"{LATE:%Y%m%d}/market_east/daily_turnover.csv"
    wrong, right = ((root / name).read_text() for root in (tmp_path / "simulated/deliveries", simbank.deliveries))
    assert wrong != right
    told = {line.split(",")[0]: line.split(",")[2] for line in right.splitlines()[1:]}
    taken = turnover(simbank.home, WRONG_FEED[1])
    assert {key: f"{amount:.2f}" for key, amount in taken.select("lease_key", "turnover").rows()} == told


def test_the_same_night_again_gives_the_same_release(simbank, zhongtai):
    before = published_bytes(simbank.home)
    again = zhongtai("nightly", "--date", f"{NIGHT}", "--json", home=simbank.home)
    assert again.code == 0, again.err
    assert again.json["content_hash"] == simbank.runs["last"]["content_hash"]
    assert published_bytes(simbank.home) == before


def test_generated_at_once_and_without_the_truth_it_is_the_same_release(simbank, zhongtai, tmp_path):
    home = tmp_path / "home"
    simulated = zhongtai(*world(NIGHT, START), home=home)
    assert simulated.code == 0, simulated.err
    assert delivered_files(home / "simulated") == delivered_files(simbank.home / "simulated")
    assert any((simbank.home / "simulated" / "truth").iterdir())
    shutil.move(home / "simulated" / "truth", tmp_path / "away")
    once = zhongtai("backfill", "--bank", "simbank", "--to", f"{NIGHT}", "--json", home=home)
    assert once.code == 0, once.err
    assert timeless_bytes(home) == timeless_bytes(simbank.home)


@pytest.mark.parametrize("path", ["../truth/customer.parquet", "{root}/simulated/truth/customer.parquet"])
def test_a_feed_that_points_at_the_truth_is_refused(simbank, zhongtai, tmp_path, path):
    contracts = Path(shutil.copytree(PROJECT / "data_contracts", tmp_path / "contracts"))
    feed = contracts / "feeds/simbank/wealth/wealth.holding.yaml"
    spoiled = feed.read_text().replace("history/wealth/position.parquet", path.format(root=simbank.home))
    assert spoiled != feed.read_text()
    feed.write_text(spoiled)
    refused = zhongtai("nightly", "--date", f"{NIGHT}", home=simbank.home, ZHONGTAI_CONTRACTS=str(contracts))
    assert refused.code == 2 and "wealth.holding.yaml" in refused.err and "Traceback" not in refused.err


def test_with_its_crm_in_a_database_the_bank_publishes_the_same(simbank, simbank_postgres):
    home, _ = simbank_postgres
    release = current(Home(home))
    assert release is not None
    (other,) = (simbank.home / "releases").glob(f"{LATE}-*")
    tables = sorted(path.relative_to(other) for path in other.rglob("*.parquet"))
    assert tables == sorted(path.relative_to(release.path) for path in release.path.rglob("*.parquet")) != []
    assert [name for name in tables if (release.path / name).read_bytes() != (other / name).read_bytes()] == []


def test_the_history_ends_before_the_nights():
    assert HISTORY + timedelta(days=1) == LATE
