"""Every fault of the catalogue on the simulated bank itself: a night makes of it what is written beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import copied, linked, published_bytes
from project import project_catalog
from simulated import CUSTOMERS, NEXT, NIGHT, SEED, needed, world

from pipelines.contracts.load import Catalog
from pipelines.ingest import ledger
from pipelines.ingest.faults import IngestError
from pipelines.ingest.night import Outcome, ingest, open_desk
from pipelines.release.catalogue import current
from pipelines.settings import Home, Settings
from pipelines.simulation import truth
from pipelines.simulation.book import Request
from pipelines.simulation.crm import VARIABLE
from pipelines.simulation.faults.catalogue import FAULTS, IN_DATABASE, PUBLISHED, QUARANTINED, REFUSED
from pipelines.simulation.run import simulate

pytestmark = pytest.mark.slow
# What landing does not read; the deliveries are linked apart.
_NOT_LANDED = ("simulated", "warehouse", "dbt", "dagster", "releases", "candidates")


@dataclass(frozen=True)
class Spoiled:
    """A night that was spoiled, what must come of it, and what came."""

    home: Home
    verdict: dict[str, Any]
    outcome: Outcome


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.fixture
def quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)  # what a power cut leaves is not tested here
        patch.setattr(truth, "tables", dict)  # is written already, and is the same
        yield


def spoiled(catalog: Catalog, name: str, before: Path, place: Path, out: Path, night: date, crm: str) -> Spoiled:
    """Simulate a night with a fault and land what the fault is about, with all that it refers to."""
    request = Request(out=out, customers=CUSTOMERS, seed=SEED, first=night, last=night, crm=crm, faults=(name,))
    (path,) = simulate(request, catalog).expected
    home = linked(before, place / "home", *_NOT_LANDED)
    bank = {"csv": "simbank", "postgres": "simbank_postgres"}[crm]
    desk = open_desk(
        catalog, Settings(home_dir=home, bank=bank, deliveries=request.deliveries, vault_key="5a" * 32)
    )  # fmt: skip
    verdict = json.loads(path.read_text())
    outcomes = ingest(desk, night, night, needed(catalog, verdict["contract"]))
    mine = (verdict["contract"], verdict["source"])
    (outcome,) = [each for each in outcomes if (each.feed.contract, each.feed.source) == mine]
    others = [str(each.fault) for each in outcomes if each.fault and each is not outcome]
    assert others == []
    return Spoiled(desk.home, verdict, outcome)


def held_against(night: Spoiled, day: date) -> None:
    """What came is what must come: in the fault, in the ledger, in the quarantine."""
    verdict, outcome = night.verdict, night.outcome
    landed = [
        each for each in ledger.read_all(night.home)
        if (each.contract, each.source, each.business_date) == (verdict["contract"], verdict["source"], day)
        and each.measure == "rows"
    ]  # fmt: skip
    if verdict["verdict"] == REFUSED:
        assert outcome.fault is not None and outcome.fault.rule == verdict["rule"], (verdict, outcome.fault)
        said = str(IngestError([outcome.fault]))
        assert verdict["contract"] in said and f"{day}" in said and len(said) < 900, said
        assert landed == []
        return
    assert outcome.fault is None, (verdict, outcome.fault)
    (landing,) = landed
    assert landing.quarantined == verdict["quarantined"], (verdict, landing)
    assert landing.delivered == landing.accepted + landing.unchanged + landing.quarantined, landing
    if verdict["verdict"] == QUARANTINED:
        part = f"{verdict['contract']}/source={verdict['source']}/business_date={day}/part.parquet"
        reasons = pl.read_parquet(night.home.quarantine / part, hive_partitioning=False)
        assert verdict["rule"] in set(reasons["rule"]), (verdict, reasons)


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in IN_DATABASE])
def test_a_night_makes_of_it_what_was_expected(name, simbank, catalog, tmp_path, quickly):
    out = linked(simbank.before / "simulated", tmp_path / "simulated", "truth")
    night = spoiled(catalog, name, simbank.before, tmp_path, out, NIGHT, "csv")
    held_against(night, NIGHT)


@pytest.mark.parametrize("name", sorted(IN_DATABASE))
def test_a_night_makes_of_the_database_what_was_expected(name, simbank_postgres, catalog, tmp_path, quickly):
    home, url = simbank_postgres
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, url)
        request = Request(out=home / "simulated", customers=CUSTOMERS, seed=SEED, last=NIGHT, crm="postgres")
        simulate(replace(request, first=NEXT), catalog)  # as it was, whatever was spoiled before
        night = spoiled(catalog, name, home, tmp_path, home / "simulated", NIGHT, "postgres")
    held_against(night, NIGHT)


#: One fault of each verdict for the whole night, with its exit code and what it says.
WHOLE = {
    "trailer_sum": (2, "core.transaction"),
    "json_bad_type": (0, ""),
    "optional_missing": (0, ""),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole_night_with_a_fault(name, simbank, zhongtai, tmp_path):
    fault, (code, said) = FAULTS[name], WHOLE[name]
    home = copied(simbank.before, tmp_path / "home")
    before, release = published_bytes(home), current(Home(home))
    simulated = zhongtai(*world(NIGHT, NIGHT, "--fault", name), home=home)
    assert simulated.code == 0, simulated.err
    night = zhongtai("nightly", "--date", f"{NIGHT}", "--json", home=home)
    assert night.code == code, night.err
    assert "Traceback" not in night.err and said in night.err
    if fault.verdict == REFUSED:
        assert night.json["status"] == "failed" and all(word in night.err for word in (fault.rule, f"{NIGHT}"))
        assert (current(Home(home)), published_bytes(home)) == (release, before)
        repaired(home, simbank, zhongtai)
        return
    rows = night.json["rows"][fault.contract]
    assert night.json["status"] == "published" and rows["quarantined"] == fault.bad
    if fault.verdict == PUBLISHED:
        assert rows == dict.fromkeys(rows, 0)
    else:
        assert rows["read"] == simbank.runs["last"]["rows"][fault.contract]["read"]
        assert night.json["content_hash"] != simbank.runs["last"]["content_hash"]


def repaired(home: Path, simbank: Any, zhongtai: Any) -> None:
    """Simulated again without the fault, the night publishes what it would have."""
    simulated = zhongtai(*world(NIGHT, NIGHT), home=home)
    assert simulated.code == 0, simulated.err
    night = zhongtai("nightly", "--date", f"{NIGHT}", "--json", home=home)
    assert night.code == 0, night.err
    assert night.json["content_hash"] == simbank.runs["last"]["content_hash"]
    assert published_bytes(home) == published_bytes(simbank.home)


def test_each_verdict_has_a_whole_night():
    assert {FAULTS[name].verdict for name in WHOLE} == {REFUSED, QUARANTINED, PUBLISHED}
