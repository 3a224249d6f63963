"""The invented bank, landed as a whole: each count that its generator worked out, no identifier beyond the vault."""

from __future__ import annotations

import json
import re
import stat
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from project import project_catalog

from pipelines.ingest import ledger, quarantine
from pipelines.ingest.batch import Desk
from pipelines.ingest.night import ingest, open_desk
from pipelines.settings import PROJECT, Settings
from pipelines.vault import originals

XIAOCHENG = PROJECT / "tests" / "fixtures" / "xiaocheng"
EXPECTED = json.loads((XIAOCHENG / "expected.json").read_text("utf-8"))
THROUGH = date.fromisoformat(EXPECTED["history_through"])
READABLE = sorted(name for name, entry in EXPECTED["contracts"].items() if entry["readable"])
DAYS = [(name, day) for name in READABLE for day in EXPECTED["contracts"][name]["daily"]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Desk:
    """A home that has landed every night of the bank."""
    settings = Settings(home_dir=tmp_path_factory.mktemp("bank") / "home", bank="xiaocheng")
    desk = open_desk(project_catalog(), settings)
    outcomes = ingest(desk, desk.bank.first_date, date(2025, 12, 31))
    assert [str(outcome.fault) for outcome in outcomes if outcome.fault] == []
    return desk


@pytest.fixture(scope="module")
def landings(desk) -> dict[tuple[str, date, str], ledger.Landing]:
    return {(each.contract, each.business_date, each.measure): each for each in ledger.read_all(desk.home)}


def rows_of(desk: Desk, contract: str, day: str) -> pl.DataFrame:
    (source,) = {feed.source for feed in desk.feeds if feed.contract == contract}
    path = desk.home.lake / contract / f"source={source}" / f"business_date={day}" / "part.parquet"
    schema = next((desk.home.lake / contract / "source=_schema").rglob("*.parquet"))
    return pl.read_parquet(path if path.exists() else schema, hive_partitioning=False)


@pytest.mark.parametrize("contract", READABLE)
def test_the_history_is_landed_on_the_dates_it_is_known(desk, landings, contract):
    history = EXPECTED["contracts"][contract]["history"]
    rows = [
        each for (of, day, measure), each in landings.items() if (of, measure) == (contract, "rows") and day <= THROUGH
    ]
    assert {str(each.business_date): int(each.accepted) for each in rows if each.accepted} == history["by_date"]
    assert sum(each.delivered for each in rows) == history["read"] and sum(each.quarantined for each in rows) == 0
    assert {each.declared for each in rows} == {None}  # the trailer of a history speaks of no single date


@pytest.mark.parametrize("contract, day", DAYS)
def test_each_daily_file_becomes_what_its_generator_says(desk, landings, contract, day):
    entry = EXPECTED["contracts"][contract]["daily"][day]
    landing = landings[contract, date.fromisoformat(day), "rows"]
    counts = {"read": "delivered", "accepted": "accepted", "unchanged": "unchanged", "quarantined": "quarantined"}
    assert landing.status == entry["status"]
    assert {name: int(getattr(landing, of)) for name, of in counts.items()} == {name: entry[name] for name in counts}
    rows, (key,) = rows_of(desk, contract, day), desk.catalog.contract(contract).key
    assert rows[key].is_sorted() and int(landing.tombstones) == entry["tombstones"]
    by_change = {change: sorted(rows.filter(pl.col("_change") == change)[key]) for change in ("upsert", "delete")}
    assert by_change["delete"] == sorted(entry.get("tombstone_keys", []))
    if desk.catalog.contract(contract).delivery != "append":  # the generator lists what changed, not every booking
        assert by_change["upsert"] == sorted(entry.get("accepted_keys", []))


@pytest.mark.parametrize(
    "contract, day", [(of, day) for of, day in DAYS if EXPECTED["contracts"][of]["daily"][day]["faults"]]
)
def test_each_bad_row_is_set_apart(desk, contract, day):
    faults = EXPECTED["contracts"][contract]["daily"][day]["faults"]
    path = next((desk.home.quarantine / contract).glob(f"*/business_date={day}/part.parquet"))
    found = pl.read_parquet(path, hive_partitioning=False)
    assert found.select("line", "record_key", "rule", "column_name").rows() == [
        (fault["line"], fault["key"], fault["rule"], fault["column"]) for fault in faults
    ]
    (source,) = {feed.source for feed in desk.feeds if feed.contract == contract}
    sealed = quarantine.sealed_path(desk.home, contract, source, date.fromisoformat(day))
    assert [row["_line"] for row in originals.read(sealed, desk.ring)] == [fault["line"] for fault in faults]


def test_sums_are_exact_where_no_double_is(landings):
    entry = EXPECTED["contracts"]["core.transaction"]
    of = {
        day: each for (of, day, measure), each in landings.items() if of == "core.transaction" and measure == "amount"
    }
    total = sum(each.delivered for day, each in of.items() if day <= THROUGH)
    assert total == Decimal(entry["history"]["sums"]["amount"]["read"])
    for day, daily in entry["daily"].items():
        landed, sums = of[date.fromisoformat(day)], daily["sums"]["amount"]
        found = (landed.delivered, landed.accepted, landed.unchanged, landed.quarantined)
        assert found == tuple(Decimal(sums[name]) for name in ("read", "accepted", "unchanged", "quarantined"))
        assert landed.declared == landed.delivered


def test_no_identifier_is_anywhere_but_in_the_vault(desk):
    identifiers = (XIAOCHENG / "identifiers.txt").read_text("utf-8").split("\n")[:-1]
    assert len(identifiers) > 1000
    texts, hexadecimal = set(), re.compile("[0-9a-f]{32}|[0-9a-f]{64}")
    raw = b""
    for path in sorted(desk.home.path.rglob("*")):
        if path.is_dir() or desk.home.vault in path.parents:
            continue
        if path.suffix != ".parquet":
            raw += path.read_bytes() + b"\n"
            continue
        raw += str(pq.read_schema(path)).encode() + str(pq.read_metadata(path).metadata).encode()
        for column in pl.read_parquet(path, glob=False, hive_partitioning=False).iter_columns():
            texts |= set(column.cast(pl.String).drop_nulls())
    readable = "\n".join(text for text in texts if not hexadecimal.fullmatch(text))
    assert [value for value in identifiers if value in readable] == []
    assert [value for value in identifiers if any(value.encode(e) in raw for e in ("utf-8", "gb18030"))] == []


def test_no_key_is_anywhere_but_in_the_vault(desk):
    keys = [(desk.home.vault / "master.key").read_text(), desk.ring.token_key("name"), desk.ring.party_id_key()]
    files = [path for path in desk.home.path.rglob("*") if path.is_file() and desk.home.vault not in path.parents]
    assert not [path for path in files if any(key.encode() in path.read_bytes() for key in keys)]


def test_one_person_has_one_token(desk):
    parties = pl.concat(
        [
            pl.read_parquet(path, hive_partitioning=False)
            for path in Path(desk.home.lake / "core.party").glob("source=core/*/*")
        ]
    ).unique("party_key")
    names = parties.group_by("full_name_token").len().sort("len")
    assert names["len"].max() >= 3  # homonyms
    assert parties["national_id_token"].drop_nulls().is_unique().all()
    case = parties.filter(pl.col("party_key") == EXPECTED["cases"]["identifier_written_otherwise"][0])
    assert (
        case["phone_token"].null_count() == 0
        and case["phone_token"][0] not in parties.filter(pl.col("party_key") != case["party_key"][0])["phone_token"]
    )


def test_every_file_is_private(desk):
    modes = {stat.S_IMODE(path.stat().st_mode) for path in desk.home.path.rglob("*") if path.is_file()}
    assert modes == {0o600}
    for root in (desk.home.lake, desk.home.quarantine, desk.home.vault, desk.home.control):
        assert stat.S_IMODE(root.stat().st_mode) == 0o700
