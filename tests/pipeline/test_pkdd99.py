"""The whole PKDD'99 bank in one pass: what lands, what reconciles, and that a night is no second truth."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from homes import SINCE, published_bytes

from pipelines.ingest import lake, ledger
from pipelines.release.catalogue import current
from pipelines.settings import PROJECT, Home

RAW = Path(os.environ.get("ZHONGTAI_PUBLIC_DATA") or PROJECT.parent / "shared" / "data") / "pkdd99"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (RAW / "trans.asc").is_file(), reason=f"the PKDD'99 files are not at {RAW}"),
]
FIRST, LAST = "1993-01-01", "1994-03-31"


@pytest.fixture(scope="module")
def backfilled(zhongtai, tmp_path_factory) -> tuple[Home, dict]:
    """A home after the backfill of all 455 dates."""
    home = tmp_path_factory.mktemp("backfill") / "home"
    call = zhongtai("backfill", "--bank", "pkdd99", "--from", FIRST, "--to", LAST, "--json", home=home)
    assert call.code == 0, call.err
    return Home(home), call.json


def tags_held(home: Home, name: str) -> pl.DataFrame:
    release = current(home)
    assert release is not None
    held = pl.read_parquet(release.path / name).filter(pl.col("valid_to").is_null())
    assert len(held)
    return held.drop("valid_from", "valid_to").sort("pseudonym", "tag")


def decisions(home: Home, name: str) -> pl.DataFrame:
    release = current(home)
    assert release is not None
    return pl.read_parquet(release.path / name).sort("pseudonym")


def test_every_booking_lands_once(backfilled):
    home, outcome = backfilled
    assert outcome["business_date"] == LAST
    assert outcome["rows"]["core.transaction"] == {
        "read": 49_102, "accepted": 49_102, "unchanged": 0, "quarantined": 0, "tombstones": 0,
    }  # fmt: skip
    with closing(duckdb.connect()) as con:
        found = con.execute(
            f"select direction, count(*), sum(amount), count(distinct business_date) "
            f"from {lake.scan(home, 'core.transaction')} group by direction order by direction"
        ).fetchall()
    totals = {direction: amount for direction, _, amount, _ in found}
    assert totals == {"credit": Decimal("177366296.30"), "debit": Decimal("138120153.50")}
    assert sum(count for _, count, _, _ in found) == 49_102


def test_every_step_reconciles_on_every_date(backfilled):
    home, _ = backfilled
    with closing(duckdb.connect(str(home.warehouse), read_only=True)) as con:
        rows = con.execute("select step, measure, business_date, status from marts.reconciliation").fetchall()
    assert {status for *_, status in rows} == {"agreed"}
    days = {(step, measure): set() for step, measure, _, _ in rows}
    for step, measure, day, _ in rows:
        days[step, measure].add(day)
    for step in ("ingest", "lake", "warehouse"):
        assert len(days[step, "rows"]) == len(days[step, "amount"]) == 455
    assert days["mart", "amount"] == {date.fromisoformat(LAST)}
    landings = ledger.read_all(home)
    assert all(one.delivered == one.accepted + one.unchanged + one.quarantined for one in landings)


def test_what_is_not_known_yet_is_not_landed(backfilled):
    home, _ = backfilled
    assert not {one.contract for one in ledger.read_all(home)} & {
        "core.standing_order", "reference.district", "evaluation.loan_outcome",
    }  # fmt: skip
    with closing(duckdb.connect()) as con:
        (accounts, late) = con.execute(
            f"select count(*), count(*) filter (where opened_on > business_date) from {lake.scan(home, 'core.account')}"
        ).fetchall()[0]
    assert (accounts, late) == (4_500 - 3_271, 0)


def test_the_lake_holds_no_birth_number(backfilled):
    home, _ = backfilled
    lines = (RAW / "client.asc").read_text("ascii").splitlines()[1:]
    numbers = {line.split(";")[1].strip('"') for line in lines}
    with closing(duckdb.connect()) as con:
        described = con.execute(f"describe from {lake.scan(home, 'core.party')}").fetchall()
        # The client number is the bank's own key; one of six digits would be a birth number by chance only.
        for name in [name for name, type_, *_ in described if type_ == "VARCHAR" and name != "party_key"]:
            values = con.execute(f"select distinct {name} from {lake.scan(home, 'core.party')}").fetchall()
            assert not numbers & {value for (value,) in values}, name
        (days,) = con.execute(
            f"select count(distinct day(birth_month)) from {lake.scan(home, 'core.party')}"
        ).fetchall()[0]
    assert days == 1, "a day of birth would make the birth number known again"


def test_the_last_night_again_and_night_by_night_give_the_same_bytes(backfilled, pkdd99_home, zhongtai):
    home, outcome = backfilled
    before = published_bytes(home.path)
    again = zhongtai("nightly", "--date", LAST, "--json", home=home.path)
    assert again.code == 0, again.err
    assert again.json["content_hash"] == outcome["content_hash"]
    assert published_bytes(home.path) == before
    # A tag is held since the release that first said so: since when depends on the nights, what is held does not.
    nights = published_bytes(pkdd99_home)
    since = {name for name in before if name.endswith("/customer_tag.parquet")}
    assert since == {"marketing/customer_tag.parquet", "risk/customer_tag.parquet"}
    listed = {name for name in before if name.rpartition("/")[2] in SINCE}  # the ledger counts the rows of these
    timeless = before.keys() - since - listed
    assert {name: nights[name] for name in timeless} == {name: before[name] for name in timeless}
    assert nights.keys() == before.keys()
    for name in since:
        assert tags_held(Home(pkdd99_home), name).equals(tags_held(home, name))
    # Who was on a list stays by wider limits, and who left it waits: of who was neither, both homes say the same.
    for variant in ("", "_with_bureau"):
        by_nights, at_once = (
            decisions(one, f"risk/low_risk_decision{variant}.parquet") for one in (Home(pkdd99_home), home)
        )
        known = ["rule_", "income_", "debt_", "warning_"]
        assert by_nights["pseudonym"].equals(at_once["pseudonym"])
        assert not at_once["was_included"].any() and at_once["last_out_on"].null_count() == at_once.height
        new = ~by_nights["was_included"] & by_nights["last_out_on"].is_null()
        # Nobody at this bank authorised that the bureau be asked, let alone for marketing.
        assert new.sum() == 0 == at_once.height if variant else new.sum() > 0
        same = [name for name in at_once.columns if name.startswith(tuple(known)) or name in ("included", "band")]
        assert by_nights.filter(new)[same].equals(at_once.filter(new)[same])
