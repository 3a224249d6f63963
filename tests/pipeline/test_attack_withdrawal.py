"""An attack: consent is withdrawn, and every artefact after it is searched for the use that it had allowed.

Belongs here: a withdrawal of marketing at the invented bank, delivered on its last night, and everything that the night
leaves behind. Does not belong here: blocks that rest on sharing (`test_consent`), and every reason why something is not
lawful (the unit tests of `mart.lawful_use` and of the audit).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from homes import ask, copied, readable
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.release.candidate import build_candidate, publishable
from pipelines.settings import PROJECT, Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

pytestmark = pytest.mark.slow  # a night of its own
NIGHT = date(2025, 12, 31)
CLASSES = ("basic", "transaction")


@dataclass(frozen=True)
class Withdrawn:
    """A home whose last night brought the withdrawal of one party, and what consumers call the party."""

    home: Path
    party: str
    marketing: str
    risk: str
    said: str


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


def pseudonym(party: str, ring: KeyRing, consumer: str) -> str:
    frame = pl.select(hmac_sha256(pl.lit(party), ring.pseudonym_key(consumer)).alias("it"))
    return str(frame["it"][0])


@pytest.fixture(scope="module")
def withdrawn(xiaocheng, zhongtai, vault_key: str, tmp_path_factory) -> Withdrawn:
    """The last night again, with the withdrawal of somebody on marketing's list."""
    place, ring = tmp_path_factory.mktemp("withdrawal"), KeyRing(bytes.fromhex(vault_key))
    home = copied(xiaocheng.home, place / "home")
    crosswalk = pl.read_parquet(Home(home).identity / "party_crosswalk.parquet").filter(contract="core.party")
    keys: dict[str, list[str]] = {}
    for party, key in crosswalk.select("party_id", "record_key").rows():
        keys.setdefault(party, []).append(key)
    listed = {one for (one,) in ask(home, "marketing", "select pseudonym from low_risk_list")}
    party = min(party for party in keys if pseudonym(party, ring, "marketing") in listed)
    contracts, deliveries = place / "data_contracts", place / "deliveries"
    shutil.copytree(PROJECT / "data_contracts", contracts)
    shutil.copytree(PROJECT / "tests/fixtures/xiaocheng/deliveries", deliveries)
    bank = contracts / "feeds/xiaocheng/bank.yaml"
    text = bank.read_text(encoding="utf-8")
    bank.write_text(text.replace("{project}/tests/fixtures/xiaocheng/deliveries", str(deliveries)), encoding="utf-8")
    with (deliveries / f"privacy/consent_{NIGHT:%Y%m%d}.csv").open("a", encoding="utf-8") as file:
        for key in sorted(set(keys[party])):
            for data_class in CLASSES:
                file.write(f"CW{key}{data_class},{key},{NIGHT} 23:00:00,0,marketing,{data_class}\n")
    call = zhongtai("backfill", "--from", f"{NIGHT}", "--to", f"{NIGHT}", "--json", home=home,
                    ZHONGTAI_CONTRACTS=str(contracts))  # fmt: skip
    assert call.code == 0, call.err + call.out
    names = (pseudonym(party, ring, consumer) for consumer in ("marketing", "risk"))
    return Withdrawn(home, party, *names, said=call.out + call.err)


def holding(frame: pl.DataFrame, name: str) -> dict[str, Any]:
    """The rows of a table in which a text is, by column."""
    text = [column for column in frame.columns if frame[column].dtype == pl.String]
    return {column: frame.filter(pl.col(column).str.contains(name, literal=True)).to_dicts() for column in text
            if frame[column].str.contains(name, literal=True).any()}  # fmt: skip


def test_before_it_marketing_had_the_party(xiaocheng, withdrawn: Withdrawn) -> None:
    release = (xiaocheng.home / "releases" / "current").resolve() / "marketing"
    held = {path.stem for path in release.glob("*.parquet") if holding(pl.read_parquet(path), withdrawn.marketing)}
    assert {"low_risk_list", "customer_360", "customer_segment", "customer_tag"} <= held


def test_after_it_nothing_of_the_night_has_it(withdrawn: Withdrawn) -> None:
    """Every file of the release but the proofs, of the candidates, of logs and reports: tables, databases and bytes."""
    release = (withdrawn.home / "releases" / "current").resolve()
    before = [path for path in (withdrawn.home / "releases").iterdir() if path.is_dir() and path.resolve() != release]
    assert before, "the releases before it stay as they were published"
    found, looked = set(), set()
    for path, texts in readable(withdrawn.home):
        if any(path.is_relative_to(one) for one in before) or "proof" in path.parts:
            continue
        looked.add(path.suffix)
        if any(withdrawn.marketing in text for text in texts):
            found.add(str(path.relative_to(withdrawn.home)))
    assert {".parquet", ".duckdb", ".json", ".db"} <= looked
    assert found == set()
    assert withdrawn.marketing not in withdrawn.said
    assert withdrawn.party not in withdrawn.said


def test_its_proof_says_that_the_use_is_not_lawful_and_why(withdrawn: Withdrawn) -> None:
    release = (withdrawn.home / "releases" / "current").resolve()
    (row,) = pl.read_parquet(release / "proof" / "marketing.parquet").filter(pseudonym=withdrawn.marketing).to_dicts()
    assert [row[f"marketing_{name}"] for name in CLASSES] == [False, False]
    assert {f"{name}:withdrawn" for name in CLASSES} <= set(row["marketing_refusals"].split(";"))


def test_uses_that_rest_on_another_basis_stay(withdrawn: Withdrawn) -> None:
    release = (withdrawn.home / "releases" / "current").resolve() / "risk"
    assert holding(pl.read_parquet(release / "customer_segment.parquet"), withdrawn.risk)


def test_the_release_is_proved_and_the_one_before_it_is_as_it_was(withdrawn: Withdrawn, zhongtai, xiaocheng) -> None:
    verified = zhongtai("proof", "verify", home=withdrawn.home)
    assert verified.code == 0, verified.err
    old = (xiaocheng.home / "releases" / "current").resolve().name
    assert holding(
        pl.read_parquet(withdrawn.home / "releases" / old / "marketing" / "low_risk_list.parquet"), withdrawn.marketing
    )


def test_who_withdrew_is_in_no_row_that_marketing_gets(
    withdrawn: Withdrawn, catalog: Catalog, vault_key: str, tmp_path: Path
) -> None:
    """The candidate is built again, in this process, from the marts of the night."""
    home, ring = Home(copied(withdrawn.home, tmp_path / "home")), KeyRing(bytes.fromhex(vault_key))
    built = build_candidate(catalog, home, ring, "xiaocheng", NIGHT, publishable(catalog, home))
    files = sorted((built.directory / "marketing").glob("*.parquet"))
    assert len(files) > 5
    assert [path.stem for path in files if holding(pl.read_parquet(path), withdrawn.marketing)] == []
