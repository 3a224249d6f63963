"""Relations of the simulated bank against what was planted in it: rings, circles of guarantees, households, supply.

Who is who is taken from the truth here, so that what is missed is missed by the relations and not by identity.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from homes import linked
from known_parties import write_known_parties
from project import project_catalog
from simulated import NIGHT, Simulated

from pipelines.relations.build import TABLES, build_relations
from pipelines.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def related(simbank: Simulated, tmp_path_factory) -> Path:
    """A copy of the bank's home with identity from the truth, and relations as of the last night."""
    home = linked(
        simbank.home, tmp_path_factory.mktemp("related") / "home", "warehouse", "releases", "candidates", "identity"
    )
    settings = Settings(home_dir=home)
    write_known_parties(settings.home, simbank.home / "simulated" / "truth")
    rows = build_relations(project_catalog(), settings, NIGHT)
    assert all(rows.values())
    return home


def table(home: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(home / "relation" / f"{name}.parquet")


def truth(home: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(home / "simulated" / "truth" / f"{name}.parquet")


def parties(home: Path, contract: str, role: str) -> pl.DataFrame:
    crosswalk = pl.read_parquet(home / "identity" / "party_crosswalk.parquet")
    return crosswalk.filter(contract=contract, role=role).select("record_key", "party_id").unique()


def pairs(frame: pl.DataFrame, group: str) -> set[tuple[str, str]]:
    members = frame.select("party_id", group).drop_nulls().unique()
    both = members.join(members, on=group).filter(pl.col("party_id") < pl.col("party_id_right"))
    return set(both.select("party_id", "party_id_right").iter_rows())


def test_planted_rings_are_found_and_little_else(related: Path) -> None:
    core = parties(related, "core.party", "holder")
    planted = truth(related, "ring").join(core, left_on="party_key", right_on="record_key")
    planted_pairs, found_pairs = pairs(planted, "ring"), pairs(table(related, "party_network"), "ring_id")
    assert len(planted_pairs & found_pairs) >= 0.7 * len(planted_pairs)
    assert len(planted_pairs & found_pairs) >= 0.9 * len(found_pairs)


def test_sureties_of_planted_circles_are_edges_and_circles_are_who_reaches_whom(related: Path) -> None:
    """A planted circle may be open still on this night: a loan of it is granted later."""
    companies = truth(related, "identity").filter(contract="registry.company").select("entity", "record_key")
    named = companies.join(parties(related, "registry.company", "company"), on="record_key").select(
        "entity", "party_id"
    )
    landed = pl.read_parquet(related / "lake" / "loan.guarantee" / "*" / "*" / "part.parquet", hive_partitioning=False)
    planted = truth(related, "guarantee_circle").join(
        landed.filter(pl.col("guarantor_uscc_token").is_not_null() & (pl.col("signed_on") <= NIGHT)), on="loan_key"
    )
    planted = planted.join(named, left_on="guarantor", right_on="entity").join(
        named, left_on="borrower", right_on="entity", suffix="_to"
    )
    edges = set(
        table(related, "party_relation")
        .filter(relation_type="guarantor")
        .select("from_party_id", "to_party_id")
        .iter_rows()
    )
    expected = set(planted.select("party_id", "party_id_to").iter_rows())
    assert expected
    assert expected <= edges
    reached = {party: _reached(party, edges) for edge in edges for party in edge}
    circles = {(a, b) for a in reached for b in reached[a] if a < b and a in reached[b]}
    assert pairs(table(related, "party_network"), "guarantee_circle_id") == circles


def _reached(party: str, edges: set[tuple[str, str]]) -> set[str]:
    found, new = set(), {party}
    while new := {b for a, b in edges if a in new} - found:
        found |= new
    return found


def test_households_are_those_of_the_city(related: Path) -> None:
    core = parties(related, "core.party", "holder")
    lived = pairs(truth(related, "customer").join(core, left_on="party_key", right_on="record_key"), "household")
    customers = set(core["party_id"])
    found = {pair for pair in pairs(table(related, "household"), "household_id") if customers.issuperset(pair)}
    assert len(lived & found) >= 0.9 * len(lived)
    assert len(lived & found) >= 0.85 * len(found)


def test_the_same_night_gives_the_same_bytes(related: Path, simbank: Simulated, tmp_path: Path) -> None:
    files = {name: (related / "relation" / f"{name}.parquet").read_bytes() for name in TABLES}
    settings = Settings(home_dir=related, threads=1)
    build_relations(project_catalog(), settings, NIGHT)
    assert files == {name: (related / "relation" / f"{name}.parquet").read_bytes() for name in TABLES}
    assert all((related / "relation" / f"{name}.parquet").stat().st_mode & 0o077 == 0 for name in TABLES)
