"""A spoiled delivery is refused or its bad rows are set apart: nothing wrong is landed, a corrected one repairs all.

Belongs here: what is checked after each case. The cases are in `mutations_of_files` and `mutations_of_rows`.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import linked
from mutations import ACCOUNT, BEFORE, DISTRICT, NIGHT, Case, Deliveries
from mutations_of_files import REFUSED
from mutations_of_rows import HARMLESS, QUARANTINED
from project import project_catalog

from pipelines.ingest import ledger
from pipelines.ingest.batch import Desk
from pipelines.ingest.faults import IngestError
from pipelines.ingest.night import Outcome, ingest, open_desk
from pipelines.settings import PROJECT, Home, Settings
from pipelines.vault import originals

pytestmark = pytest.mark.slow  # eighty nights of ingest
# One home serves them all.
XIAOCHENG = PROJECT / "tests" / "fixtures" / "xiaocheng"
VAULT_KEY = "5a" * 32  # one key for every home, so that the same rows give the same bytes


@dataclass(frozen=True)
class Night:
    """A private home that has landed everything before the last night, and private deliveries."""

    desk: Desk
    deliveries: Deliveries

    @property
    def home(self) -> Home:
        return self.desk.home

    def run(self, *contracts: str, first: date = NIGHT, **changes: Any) -> dict[str, Outcome]:
        """Ingest the last night of some contracts, the first of them with `changes`."""
        catalog = copy.copy(self.desk.catalog)
        catalog.sources = catalog.sources | {contracts[0]: replace(catalog.sources[contracts[0]], **changes)}
        outcomes = ingest(replace(self.desk, catalog=catalog), first, NIGHT, contracts)
        return {outcome.feed.contract: outcome for outcome in outcomes}

    def landed(self, contract: str) -> dict[str, bytes]:
        """Every file of the home that says anything of a contract, by its place."""
        source = next(iter((self.home.lake / contract).glob("source=[!_]*"))).name.removeprefix("source=")
        sealed = self.home.vault / "quarantine" / contract
        roots = [self.home.lake / contract, self.home.quarantine / contract, sealed]
        paths = [path for root in roots for path in root.rglob("*") if path.is_file()]
        paths.append(self.home.control / "landing" / f"{contract}.{source}.parquet")
        return {str(path.relative_to(self.home.path)): path.read_bytes() for path in paths}

    def releases(self) -> dict[str, bytes | str]:
        """Every file and pointer below `releases`."""
        return {
            str(path.relative_to(self.home.releases)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
            for path in self.home.releases.rglob("*")
            if path.is_symlink() or path.is_file()
        }


def settings_of(home: Path, deliveries: Path) -> Settings:
    return Settings(home_dir=home, bank="xiaocheng", deliveries=deliveries, vault_key=VAULT_KEY)


def other_than(contract: str) -> str:
    return ACCOUNT if contract == DISTRICT else DISTRICT


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    # What is on disk after a power cut is not tested here, and hundreds of small files wait for the disk otherwise.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Desk:
    """A home that has landed everything through the night before, with a release that is current."""
    home = tmp_path_factory.mktemp("mutations") / "before"
    desk = open_desk(project_catalog(), settings_of(home, XIAOCHENG / "deliveries"))
    assert [outcome.fault for outcome in ingest(desk, desk.bank.first_date, BEFORE) if outcome.fault] == []
    release = home / "releases" / "2025-12-30-fedcba"
    release.mkdir()
    (release / "manifest.json").write_text("{}")
    (home / "releases" / "current").symlink_to(release.name)
    return desk


@pytest.fixture(scope="module")
def undisturbed(before, tmp_path_factory) -> Night:
    """The last night as it was delivered."""
    home = linked(before.home.path, tmp_path_factory.mktemp("mutations") / "home")
    desk = replace(before, settings=settings_of(home, XIAOCHENG / "deliveries"))
    assert [outcome.fault for outcome in ingest(desk, NIGHT, NIGHT) if outcome.fault] == []
    return Night(desk, Deliveries(XIAOCHENG / "deliveries"))


@pytest.fixture
def night(before, tmp_path) -> Night:
    deliveries = Deliveries(linked(XIAOCHENG / "deliveries", tmp_path / "deliveries"))
    settings = settings_of(linked(before.home.path, tmp_path / "home"), deliveries.directory)
    return Night(replace(before, settings=settings), deliveries)


@pytest.fixture(scope="module")
def identifiers() -> list[str]:
    return (XIAOCHENG / "identifiers.txt").read_text("utf-8").split("\n")[:-1]


def cases(table: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", table, ids=lambda case: case.name.replace(" ", "_"))


def corrected(night: Night, case: Case) -> dict[str, Outcome]:
    """Put every delivery back as it was, and run the night again."""
    shutil.rmtree(night.deliveries.directory)
    linked(XIAOCHENG / "deliveries", night.deliveries.directory)
    return night.run(case.contract, first=case.first)


def test_the_table_is_long_enough():
    names = [case.name for case in (*REFUSED, *QUARANTINED, *HARMLESS)]
    assert len(REFUSED) + len(QUARANTINED) >= 30 and len(set(names)) == len(names)


@cases(REFUSED)
def test_a_fault_of_the_whole_delivery_stops_the_feed(case, night, undisturbed, identifiers):
    case.spoil(night.deliveries)
    was, released = night.landed(case.contract), night.releases()
    other = other_than(case.contract)
    outcomes = night.run(case.contract, other, first=case.first, **case.changes)
    fault = outcomes[case.contract].fault

    assert fault is not None and fault.rule == case.fault[0], repr(fault)
    said = str(IngestError([fault]))
    assert [part for part in (case.contract, *case.fault) if part not in said] == [], said
    assert str(night.deliveries.directory) in fault.file and fault.action.split()[0] in ACTIONS, said
    assert len(said) < 900 and "\n" not in str(fault), said
    assert not [value for value in identifiers if value in said.replace(str(night.deliveries.directory), "")]

    assert outcomes[case.contract].landings == [] and night.landed(case.contract) == was
    assert outcomes[other].fault is None and night.landed(other) == undisturbed.landed(other)
    assert night.releases() == released

    assert corrected(night, case)[case.contract].fault is None
    assert night.landed(case.contract) == undisturbed.landed(case.contract)
    assert night.releases() == released


# What a message tells its reader to do begins with one of these.
ACTIONS = ("ask", "map", "run", "correct", "find", "put")


@cases(QUARANTINED)
def test_bad_rows_are_set_apart_and_the_others_landed(case, night, undisturbed, identifiers):
    case.spoil(night.deliveries)
    released = night.releases()
    outcome = night.run(case.contract)[case.contract]
    assert outcome.fault is None
    source, contract = outcome.feed.source, night.desk.catalog.sources[case.contract]
    place = f"{case.contract}/source={source}/business_date={NIGHT}/part.parquet"

    reasons = pl.read_parquet(night.home.quarantine / place, hive_partitioning=False)
    assert set(reasons.select("line", "rule", "column_name").rows()) == case.bad
    assert case.shown in reasons["reason"][0]
    assert set(reasons["delivery"]) == {night.deliveries.path(case.contract).name}
    said = "\n".join(reasons["reason"].to_list())
    assert not [value for value in identifiers if value in said]
    bad_lines = sorted({line for line, _, _ in case.bad})

    assert {landing.measure for landing in outcome.landings} == set(contract.measures)
    for landing in outcome.landings:
        assert landing.business_date == NIGHT
        assert landing.delivered == landing.accepted + landing.unchanged + landing.quarantined
    assert outcome.total("quarantined") == len(bad_lines)
    assert outcome.total("delivered") == len(delivered_rows(night.deliveries, outcome))

    sealed = night.home.vault / "quarantine" / case.contract / source / f"{NIGHT}.sealed"
    kept = originals.read(sealed, night.desk.ring)
    delivered = delivered_rows(night.deliveries, outcome)
    assert {row.pop("_line"): row for row in kept} == {line: delivered[line] for line in bad_lines}

    (key,) = contract.key
    ours, theirs = lake_rows(night.home, place), lake_rows(undisturbed.home, place)
    if any(rule == "malformed" or (column == key and rule == "required") for _, rule, column in case.bad):
        # A row whose key cannot be read may be that of any key: none is taken for deleted.
        theirs = theirs.filter(pl.col("_change") != "delete")
    theirs = theirs.filter(~pl.col("_line").is_in(bad_lines).fill_null(False))
    assert_same_but(ours, theirs, key, reasons["record_key"].to_list())
    assert night.releases() == released

    assert corrected(night, case)[case.contract].fault is None
    assert night.landed(case.contract) == undisturbed.landed(case.contract)
    assert night.releases() == released


def lake_rows(home: Home, place: str) -> pl.DataFrame:
    path = home.lake / place
    if not path.exists():
        return pl.read_parquet(next((home.lake / place.split("/")[0]).glob("source=_schema/*/part.parquet"))).head(0)
    return pl.read_parquet(path, hive_partitioning=False)


def assert_same_but(ours: pl.DataFrame, theirs: pl.DataFrame, key: str, bad: list[str | None]) -> None:
    """No bad key was landed; apart from those, and from where in the file a row was, both nights landed the same."""
    assert not set(ours[key]) & set(bad)
    theirs = theirs.filter(~pl.col(key).is_in([value for value in bad if value]))
    assert ours.drop("_line").sort(key).equals(theirs.drop("_line").sort(key)), f"{ours}{theirs}"


def delivered_rows(deliveries: Deliveries, outcome: Outcome) -> dict[int, dict[str, str | None]]:
    """Every row of a text delivery by line, split with none of the pipeline's code; what does not split as `_text`."""
    contract, form = outcome.feed.contract, outcome.feed.format
    lines = deliveries.text(contract).replace("\r\n", "\n").split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    lines = lines[:-1] if form.trailer else lines
    if form.type == "jsonl":
        return {number: json_row(line) for number, line in enumerate(lines, 1)}
    return dict(csv_rows(lines, form))


def json_row(line: str) -> dict[str, str | None]:
    try:
        row = json.loads(line)
        if not isinstance(row, dict) or line.count('"product"') > 1:
            raise ValueError
    except ValueError:
        return {"_text": line}
    names = {"card_ref", "holding", "product", "issued", "recorded", "contactless"}
    texts = {name: row.get(name) for name in names}
    return {
        name: value if value is None or isinstance(value, str) else json.dumps(value) for name, value in texts.items()
    }


def csv_rows(lines: list[str], form: Any) -> Iterator[tuple[int, dict[str, str | None]]]:
    header = form.fields or next(csv.reader(io.StringIO(lines[0]), delimiter=form.delimiter))
    for number, line in enumerate(lines, 1):
        if number == 1 and form.header:
            continue
        fields = next(csv.reader(io.StringIO(line), delimiter=form.delimiter))
        if len(fields) != len(header) or '"M"N"' in line:
            yield number, {"_text": line}
        else:
            yield number, {name: value or None for name, value in zip(header, fields, strict=True)}


@cases(HARMLESS)
def test_what_is_only_unusual_is_landed(case, night, undisturbed):
    case.spoil(night.deliveries)
    outcome = night.run(case.contract)[case.contract]
    assert outcome.fault is None
    theirs = {landing.measure: landing for landing in ledger.read_all(undisturbed.home) if same_night(landing, case)}
    for landing in outcome.landings:
        reference = theirs[landing.measure]
        assert landing.accepted == reference.accepted and landing.unchanged == reference.unchanged
        assert landing.tombstones == reference.tombstones and landing.quarantined == reference.quarantined


def same_night(landing: ledger.Landing, case: Case) -> bool:
    return landing.contract == case.contract and landing.business_date == NIGHT
