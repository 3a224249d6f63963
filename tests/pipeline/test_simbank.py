"""The simulated bank through the real commands: everything lands, reconciles, and is published the same every way."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from homes import published_bytes
from simulated import (
    BEFORE,
    CUSTOMERS,
    HISTORY,
    LATE,
    LATE_FEED,
    NEXT,
    NIGHT,
    SEED,
    START,
    WRONG_FEED,
    delivered_files,
    identifiers,
    world,
)  # fmt: skip

from pipelines.contracts.load import Catalog, load_catalog
from pipelines.ingest import ledger
from pipelines.ingest.ledger import Landing
from pipelines.release.catalogue import current
from pipelines.settings import PROJECT, Home
from pipelines.simulation.run import all_emitters
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import build_world

pytestmark = pytest.mark.slow
# Names as short as these are words of Chinese too: they are looked for as whole values.
_SHORT = 4


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(PROJECT / "data_contracts")


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
    assert once.json["content_hash"] == simbank.runs["last"]["content_hash"]
    assert published_bytes(home) == published_bytes(simbank.home)


@pytest.mark.parametrize("path", ["../truth/customer.parquet", "{root}/simulated/truth/customer.parquet"])
def test_a_feed_that_points_at_the_truth_is_refused(simbank, zhongtai, tmp_path, path):
    contracts = Path(shutil.copytree(PROJECT / "data_contracts", tmp_path / "contracts"))
    feed = contracts / "feeds/simbank/wealth/wealth.holding.yaml"
    spoiled = feed.read_text().replace("history/wealth/position.parquet", path.format(root=simbank.home))
    assert spoiled != feed.read_text()
    feed.write_text(spoiled)
    refused = zhongtai("nightly", "--date", f"{NIGHT}", home=simbank.home, ZHONGTAI_CONTRACTS=str(contracts))
    assert refused.code == 2 and "wealth.holding.yaml" in refused.err and "Traceback" not in refused.err


def raw_values(catalog: Catalog) -> dict[str, set[str]]:
    """Every identifier that a source delivers, by its kind."""
    simulated, emitters = build_world(load_settings(), CUSTOMERS, SEED), all_emitters()
    days = range((NIGHT - START).days + 1)
    frames = [(key[0], emitters[key](simulated, day, key[1])) for key in sorted(emitters) for day in days]
    found = identifiers(catalog, frames)
    # An account of the bank's own is the key of core.account too, and stays as it is.
    for name, frame in frames:
        if name == "core.account":
            found["bank_account"] -= set(frame["account_key"].cast(str))
    return found


def readable(home: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every text in every file of a home but in the vault and in what was delivered: values of tables, bytes of all."""
    for path in sorted(home.rglob("*")):
        place = path.relative_to(home)
        if path.is_symlink() or path.is_dir() or place.parts[0] in ("vault", "simulated"):
            continue
        raw = path.read_bytes()
        yield path, [raw.decode(encoding, "ignore") for encoding in ("utf-8", "gb18030")]
        if path.suffix == ".parquet":
            yield path, [str(pq.read_schema(path)), str(pq.read_metadata(path).metadata)]
            frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
            yield from ((path, texts(column)) for column in frame.iter_columns())
        elif path.suffix == ".duckdb":
            with closing(duckdb.connect(str(path), read_only=True)) as con:
                names = con.execute("select schema_name, view_name from duckdb_views() where not internal union all "
                                    "select schema_name, table_name from duckdb_tables()").fetchall()  # fmt: skip
                for schema, name in names:
                    try:
                        frame = con.execute(f'from "{schema}"."{name}"').pl()
                    except duckdb.Error:
                        continue  # a view over files that the build has taken away
                    yield from ((path, texts(column)) for column in frame.iter_columns())


def texts(column: pl.Series) -> list[str]:
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        return [str(value) for value in column.unique().to_list()]
    return [str(value) for value in column.drop_nulls().unique().to_list()]


def test_no_identifier_is_anywhere_but_in_the_vault_and_what_was_delivered(simbank, catalog):
    kinds = raw_values(catalog)
    assert {"national_id", "phone", "uscc", "name", "address", "email"} <= kinds.keys()
    assert min(len(kinds[kind]) for kind in ("national_id", "phone", "name")) > CUSTOMERS / 2
    values = set().union(*kinds.values())
    whole = {value for value in values if len(value) <= _SHORT}
    parts = sorted(values - whole)
    said = {text: path.name for path, texts_ in readable(simbank.home) for text in texts_}
    assert {".parquet", ".duckdb", ".db", ".json"} <= {Path(name).suffix for name in said.values()}
    held = pl.DataFrame({"text": list(said), "file": list(said.values())})
    # At once: what looks for thousands of values is made for each call.
    found = held.select("file", pl.col("text").str.extract_many(parts)).explode("text").drop_nulls()
    assert found.unique().rows() == []
    word = re.compile(r"[^\W_]+")
    assert {(name, each) for text, name in said.items() for each in whole & set(word.findall(text))} == set()


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
