"""What the catalogue says a night makes of each fault is what ingest makes of it; every format is spoiled."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from project import project_catalog

from pipelines.cli.main import app
from pipelines.contracts.load import Catalog
from pipelines.ingest.batch import Desk
from pipelines.ingest.night import Outcome, ingest, open_desk
from pipelines.settings import Settings
from pipelines.simulation import truth
from pipelines.simulation.book import Request
from pipelines.simulation.crm import VARIABLE, CrmDatabase
from pipelines.simulation.faults.apply import spoil
from pipelines.simulation.faults.catalogue import FAULTS, IN_DATABASE, PUBLISHED, QUARANTINED, REFUSED, Fault
from pipelines.simulation.run import BANKS, simulate

from .invented import emitters

NIGHT = date(2025, 1, 2)


@dataclass(frozen=True)
class Bank:
    """A home that has landed everything before the last night, and the deliveries of all nights."""

    catalog: Catalog
    request: Request
    desk: Desk


@pytest.fixture(scope="module", autouse=True)
def _quickly():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)  # what a power cut leaves is not tested here
        patch.setattr(truth, "tables", dict)
        yield


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


def landed(catalog: Catalog, place: Path, crm: str) -> Bank:
    request = Request(out=place / "simulated", customers=500, seed=1, last=NIGHT, crm=crm)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.simulation.arrival._SOMETIMES_LATE", {})
        patch.setattr("pipelines.simulation.arrival._SOMETIMES_WRONG", {})
        simulate(request, catalog, emitters=emitters(catalog, BANKS[crm]))
    return Bank(catalog, request, open_desk(catalog, settings_of(place / "home", BANKS[crm], request)))


def settings_of(home: Path, bank: str, request: Request) -> Settings:
    return Settings(home_dir=home, bank=bank, deliveries=request.deliveries, vault_key="5a" * 32)


@pytest.fixture(scope="module")
def files(catalog, tmp_path_factory) -> Bank:
    bank = landed(catalog, tmp_path_factory.mktemp("files"), "csv")
    outcomes = ingest(bank.desk, bank.desk.bank.first_date, NIGHT - timedelta(days=1))
    assert [str(outcome.fault) for outcome in outcomes if outcome.fault] == []
    return bank


@pytest.fixture(scope="module")
def database(catalog):
    # Not below pytest's own folder, which every session closes to others; run by root, the server is another user.
    with tempfile.TemporaryDirectory() as place:
        bank = landed(catalog, Path(place), "postgres")
        with CrmDatabase(bank.request.out / "crm") as crm, pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, crm.url)
            yield bank, crm
        os.kill(int((bank.request.out / "crm/postmaster.pid").read_text().split()[0]), signal.SIGINT)


def rounds() -> list[list[Fault]]:
    """The faults of files, so that no night has two of one delivery."""
    made: list[list[Fault]] = []
    for fault in (fault for name, fault in FAULTS.items() if name not in IN_DATABASE):
        place = (fault.contract, fault.source)
        free = next((each for each in made if place not in {(f.contract, f.source) for f in each}), None)
        if free is None:
            made.append(free := [])
        free.append(fault)
    return made


def held_against(verdict: dict, outcomes: list[Outcome], desk: Desk) -> None:
    place = (verdict["contract"], verdict["source"])
    (outcome,) = [each for each in outcomes if (each.feed.contract, each.feed.source) == place]
    if verdict["verdict"] == REFUSED:
        assert outcome.fault is not None and outcome.fault.rule == verdict["rule"], (verdict, outcome.fault)
        return
    assert outcome.fault is None, (verdict, outcome.fault)
    assert outcome.total("quarantined") == verdict["quarantined"], verdict
    if verdict["verdict"] == QUARANTINED:
        part = f"{place[0]}/source={place[1]}/business_date={NIGHT}/part.parquet"
        assert verdict["rule"] in set(pl.read_parquet(desk.home.quarantine / part)["rule"]), verdict


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(rounds())))
def test_a_night_makes_of_them_what_was_expected(number, files, tmp_path):
    faults = rounds()[number]
    request = replace(files.request, out=shutil.copytree(files.request.out, tmp_path / "simulated"))
    home = shutil.copytree(files.desk.home.path, tmp_path / "home", copy_function=os.link, symlinks=True)
    paths = spoil(faults, request, files.desk.feeds, files.catalog, None)
    assert [path.name for path in paths] == [f"{fault.name}.json" for fault in faults]
    desk = replace(files.desk, settings=settings_of(home, "simbank", request))
    outcomes = ingest(desk, NIGHT, NIGHT, {fault.contract for fault in faults})
    for path in paths:
        held_against(json.loads(path.read_text()), outcomes, desk)


@pytest.mark.servers
@pytest.mark.parametrize("name", sorted(IN_DATABASE))
def test_a_night_makes_of_the_database_what_was_expected(name, database, tmp_path):
    bank, crm = database
    # Each time from the begin: what was spoiled before is simulated again.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.simulation.arrival._SOMETIMES_LATE", {})
        request = replace(bank.request, first=NIGHT, faults=(name,))
        made = emitters(bank.catalog, "simbank_postgres")
        summary = simulate(request, bank.catalog, emitters={("crm.customer", "crm"): made["crm.customer", "crm"]})
    (path,) = summary.expected
    assert summary.crm_url == crm.url
    desk = open_desk(bank.catalog, settings_of(tmp_path / "home", "simbank_postgres", request))
    held_against(json.loads(path.read_text()), ingest(desk, NIGHT, NIGHT, ["crm.customer"]), desk)


def test_the_catalogue_spoils_every_format_in_every_way(catalog):
    feeds = {(feed.contract, feed.source): feed for feed in catalog.feeds("simbank")}
    spoiled = {feeds[fault.contract, fault.source].format.type for fault in FAULTS.values()}
    assert spoiled == {"csv", "fixed", "jsonl", "parquet"} and len(IN_DATABASE) >= 4 and len(FAULTS) >= 60
    assert {fault.verdict for fault in FAULTS.values()} == {REFUSED, QUARANTINED, PUBLISHED}
    rules = {fault.rule for fault in FAULTS.values()}
    assert rules >= {
        "missing_delivery", "missing_flag", "empty_file", "unreadable", "wrong_encoding", "wrong_header",
        "extra_column", "missing_trailer", "bad_trailer", "trailer_count", "trailer_sum", "duplicate_delivery",
        "reject_limit", "vanished_keys", "unbalanced_quote", "malformed", "range", "accepted_values", "required",
        "broken_reference", "duplicate_key", "not_yet_known",
    }  # fmt: skip


def test_the_command_lists_them():
    from typer.testing import CliRunner

    said = CliRunner().invoke(app, ["simulate", "--fault", "list"]).output
    assert all(name in said for name in FAULTS)
