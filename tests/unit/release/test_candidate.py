"""From marts to a candidate: what each consumer gets, under which pseudonym, in which bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from pipelines.audit.content import PROOF, STATED, content_hash
from pipelines.audit.lawful import PURPOSES
from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.load import Catalog
from pipelines.release import candidate as module
from pipelines.release.candidate import build_candidate, candidate_of, prune_candidates
from pipelines.release.refused import Refused
from pipelines.vault.keys import KeyRing

from .warehouse import BANK, DAY, PARTIES, Office, Rows, anybody, mart_rows, party_id, write_warehouse

EVE = date(1994, 3, 30)


def read(directory: Path, product_id: str) -> pl.DataFrame:
    return pl.read_parquet(directory / f"{product_id.replace('.', '/')}.parquet", hive_partitioning=False)


def test_every_product_has_the_columns_types_and_order_of_its_contract(office: Office, whole_catalog: Catalog) -> None:
    catalog = whole_catalog
    built = replace(office, catalog=catalog).build()
    files = {path.relative_to(built.directory).as_posix() for path in built.directory.rglob("*.parquet")}
    stated = {f"{STATED}/{mart.table}.parquet" for mart in catalog.marts.values() if mart.history}
    proofs = {f"{PROOF}/{name}{consumer}.parquet" for consumer in PURPOSES for name in ("", "usage_")}
    assert files == stated | proofs | {f"{p.consumer}/{p.table}.parquet" for p in catalog.products.values()}
    for product in catalog.products.values():
        path = built.directory / str(product.consumer) / f"{product.table}.parquet"
        assert pq.read_schema(path).equals(arrow_schema(product))
        assert pq.read_metadata(path).num_rows == built.rows[product.id]


def test_rows_are_those_of_the_mart_under_the_filter(office: Office, catalog: Catalog) -> None:
    directory = office.build().directory
    decided = mart_rows(catalog.marts["mart.low_risk_list"], DAY, PARTIES)
    included = [row for row in decided if row["included"]]
    assert 0 < len(included) < len(decided)
    assert sorted(read(directory, "marketing.low_risk_list")["band"]) == sorted(row["band"] for row in included)
    assert read(directory, "risk.low_risk_decision").height == len(decided)
    whole = read(directory, "risk.customer_360").sort("balance")
    expected = pl.DataFrame(mart_rows(catalog.marts["mart.customer_360"], DAY, PARTIES), infer_schema_length=None)
    for name in ("balance", "age_years", "gender", "business_date", "relationship_since"):
        assert whole[name].to_list() == expected.sort("balance")[name].to_list()


def test_rows_are_sorted_by_key(office: Office, catalog: Catalog) -> None:
    directory = office.build().directory
    for product in catalog.products.values():
        frame = read(directory, product.id)
        assert frame.equals(frame.sort(product.key)), product.id


def test_a_pseudonym_is_the_hmac_of_the_party_under_the_key_of_the_consumer(office: Office) -> None:
    directory = office.build().directory
    for consumer in ("marketing", "risk"):
        key = office.ring.pseudonym_key(consumer).encode()
        expected = {hmac.new(key, party_id(n).encode(), hashlib.sha256).hexdigest() for n in range(PARTIES)}
        assert set(read(directory, f"{consumer}.customer_360")["pseudonym"]) == expected


def test_two_consumers_cannot_join_and_one_can_join_its_own(office: Office) -> None:
    directory = office.build().directory
    marketing, risk = (set(read(directory, f"{name}.customer_360")["pseudonym"]) for name in ("marketing", "risk"))
    ids = {party_id(n) for n in range(PARTIES)}
    assert not marketing & risk
    assert not (marketing | risk) & ids
    assert set(read(directory, "marketing.low_risk_list")["pseudonym"]) < marketing
    assert set(read(directory, "risk.low_risk_decision")["pseudonym"]) == risk


def test_a_party_keeps_its_pseudonym_from_night_to_night_but_not_under_another_key(office: Office) -> None:
    first, second = office.build(EVE), office.build(DAY)
    one, two, other = (
        set(read(built.directory, "risk.customer_360")["pseudonym"])
        for built in (first, second, office.build(DAY, ring=KeyRing(b"\x01" * 32)))
    )
    assert one == two
    assert not one & other


def test_only_the_business_date_is_projected(office: Office, catalog: Catalog) -> None:
    write_warehouse(office.home, catalog, {EVE: 5, DAY: 3})
    for day, parties in ((EVE, 5), (DAY, 3)):
        built = build_candidate(catalog, office.home, office.ring, BANK, day, anybody(catalog))
        frame = read(built.directory, "risk.customer_360")
        assert (frame.height, frame["business_date"].unique().to_list()) == (parties, [day])


def test_the_same_marts_give_the_same_bytes(office: Office, catalog: Catalog) -> None:
    first = office.build()
    before = {path: path.read_bytes() for path in first.directory.rglob("*") if path.is_file()}
    shuffled = {"n": 0}

    def shuffle(_: str, rows: Rows) -> Rows:
        shuffled["n"] += 1
        return rows[1::2] + rows[::2]

    write_warehouse(office.home, catalog, {DAY: PARTIES}, shuffle)
    second = build_candidate(catalog, office.home, office.ring, BANK, DAY, anybody(catalog))
    assert shuffled["n"] == len(catalog.marts)
    assert second == first
    assert {path: path.read_bytes() for path in second.directory.rglob("*") if path.is_file()} == before


def test_a_candidate_is_called_by_the_hash_of_its_content(office: Office) -> None:
    built = office.build()
    declared = json.loads((built.directory / "candidate.json").read_bytes())
    assert built.directory.name == built.content_hash == content_hash(built.directory) == declared["content_hash"]
    assert (declared["bank"], declared["business_date"]) == (BANK, "1994-03-31")
    assert office.build(parties=PARTIES + 1).content_hash != built.content_hash
    assert office.build(EVE).content_hash != built.content_hash


def test_building_again_takes_old_evidence_away(office: Office) -> None:
    directory = office.approved()
    assert office.build().directory == directory
    assert not (directory / "evidence.json").exists()


def test_an_empty_mart_gives_zero_rows_and_not_one_of_nulls(office: Office, catalog: Catalog) -> None:
    built = office.build(parties=0)
    assert set(built.rows.values()) == {0}
    for product in catalog.products.values():
        assert read(built.directory, product.id).height == 0
        path = built.directory / str(product.consumer) / f"{product.table}.parquet"
        assert pq.read_schema(path).equals(arrow_schema(product))


def test_a_filter_that_lets_nothing_through_gives_zero_rows(office: Office, catalog: Catalog) -> None:
    write_warehouse(
        office.home, catalog, {DAY: PARTIES},
        lambda table, rows: [row | {"included": False} if table == "low_risk_list" else row for row in rows],
    )  # fmt: skip
    built = build_candidate(catalog, office.home, office.ring, BANK, DAY, anybody(catalog))
    assert (built.rows["marketing.low_risk_list"], built.rows["risk.low_risk_decision"]) == (0, PARTIES)


def test_what_must_be_filled_and_is_not_is_left_for_the_audit_to_say(office: Office, catalog: Catalog) -> None:
    def empty_one(table: str, rows: Rows) -> Rows:
        return [rows[0] | {"lifecycle_stage": None}, *rows[1:]] if table == "customer_360" else rows

    write_warehouse(office.home, catalog, {DAY: PARTIES}, empty_one)
    built = build_candidate(catalog, office.home, office.ring, BANK, DAY, anybody(catalog))
    assert read(built.directory, "marketing.customer_360")["lifecycle_stage"].null_count() == 1


def test_marts_of_another_night_are_refused(office: Office, catalog: Catalog) -> None:
    write_warehouse(office.home, catalog, {EVE: PARTIES})
    with pytest.raises(Refused) as caught:
        build_candidate(catalog, office.home, office.ring, BANK, DAY, anybody(catalog))
    first = next(iter(catalog.products.values())).mart.partition(".")[2]
    assert str(caught.value) == (
        f"{first} holds other dates than 1994-03-31: it was built for another night. "
        "Materialise the marts for 1994-03-31, or run `zhongtai nightly --date 1994-03-31`"
    )
    assert list(office.home.candidates.iterdir()) == [], "nothing half built stays behind"


def test_one_mart_of_another_night_is_enough(office: Office, catalog: Catalog) -> None:
    def old(table: str, rows: Rows) -> Rows:
        return [row | {"business_date": EVE} for row in rows] if table == "reconciliation" else rows

    write_warehouse(office.home, catalog, {DAY: PARTIES}, old)
    with pytest.raises(Refused, match=r"^reconciliation holds other dates than 1994-03-31"):
        build_candidate(catalog, office.home, office.ring, BANK, DAY, anybody(catalog))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("drop table marts.customer_360", "(Catalog Error"),
        ("alter table marts.customer_360 drop column balance", "(Binder Error"),
    ],
)
def test_a_mart_that_is_not_what_its_contract_says(office: Office, catalog: Catalog, sql: str, said: str) -> None:
    write_warehouse(office.home, catalog, {DAY: PARTIES})
    with duckdb.connect(str(office.home.warehouse)) as con:
        con.execute(sql)
    with pytest.raises(Refused) as caught:
        build_candidate(catalog, office.home, office.ring, BANK, DAY, anybody(catalog))
    version = catalog.marts["mart.customer_360"].version
    assert str(caught.value).startswith(f"customer_360 is not what mart.customer_360 {version} says {said}")
    assert "zhongtai nightly --date 1994-03-31" in str(caught.value)


def test_without_a_warehouse(office: Office, catalog: Catalog) -> None:
    with pytest.raises(Refused, match=r"^nothing is built in .* yet: run `zhongtai nightly --date 1994-03-31`$"):
        build_candidate(catalog, office.home, office.ring, BANK, DAY, anybody(catalog))


def test_the_warehouse_is_only_read(office: Office, catalog: Catalog) -> None:
    write_warehouse(office.home, catalog, {DAY: PARTIES})
    before = office.home.warehouse.read_bytes()
    office.home.warehouse.chmod(0o400)
    build_candidate(catalog, office.home, office.ring, BANK, DAY, anybody(catalog))
    assert office.home.warehouse.read_bytes() == before


def test_a_candidate_is_private(office: Office) -> None:
    before = os.umask(0)
    try:
        directory = office.build().directory
    finally:
        os.umask(before)
    paths = [directory, *directory.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}


def test_a_build_that_fails_leaves_the_last_candidate(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = office.build(EVE).directory

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(module, "describe_candidate", full)
    with pytest.raises(OSError, match="no space"):
        office.build(DAY)
    assert list(office.home.candidates.iterdir()) == [directory]


def test_the_latest_candidate_of_a_date(office: Office) -> None:
    first, eve, second = office.build(parties=3), office.build(EVE), office.build(parties=4)
    for n, built in enumerate((eve, first, second)):
        os.utime(built.directory / "candidate.json", ns=(n, n))
    assert candidate_of(office.home, DAY) == second.directory
    assert candidate_of(office.home, EVE) == eve.directory
    with pytest.raises(Refused, match="there is no candidate of 1994-03-29"):
        candidate_of(office.home, date(1994, 3, 29))


def test_old_candidates_and_leftovers_are_pruned(office: Office) -> None:
    built = [office.build(parties=n) for n in range(1, 5)]
    for n, one in enumerate(built):
        os.utime(one.directory, ns=(n, n))
    (office.home.candidates / ".building-1-1994-03-31").mkdir()
    prune_candidates(office.home, keep=2)
    assert {path.name for path in office.home.candidates.iterdir()} == {one.content_hash for one in built[2:]}
    prune_candidates(office.home, keep=0)
    assert list(office.home.candidates.iterdir()) == []
