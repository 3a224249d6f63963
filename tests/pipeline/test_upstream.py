"""Where failing rows came from, held against a reading of the lake that knows how the keys of that bank hang together.

What belongs here: deliveries that are named for parties of a published home. What does not: the words (`gates show`).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from project import project_catalog

from pipelines.audit.gates import Verdict, suites
from pipelines.audit.upstream import Finder, Upstream
from pipelines.contracts.load import Catalog
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

DAY = date(2025, 12, 31)
PRODUCT = "risk.customer_360"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.fixture(scope="module")
def ring(vault_key: str) -> KeyRing:
    return KeyRing(bytes.fromhex(vault_key))


def lake(home: Path, contract: str) -> pl.DataFrame:
    paths = [str(path) for path in home.glob(f"lake/{contract}/source=[!_]*/*/part.parquet")]
    return pl.read_parquet(paths, hive_partitioning=True).with_columns(pl.col("business_date").cast(pl.String))


@pytest.fixture(scope="module")
def expected(xiaocheng) -> dict[str, dict[str, list[str]]]:
    """Of each contract the dates on which rows of each party's were delivered, by the party's key."""
    home = xiaocheng.home
    people, holders, bookings = (lake(home, f"core.{name}") for name in ("party", "account_holder", "transaction"))
    of_accounts = holders.select("party_key", "account_key").unique()
    booked = bookings.select("account_key", "business_date").join(of_accounts, on="account_key")

    def dates(rows: pl.DataFrame) -> dict[str, list[str]]:
        found = rows.group_by("party_key").agg(pl.col("business_date").unique().sort())
        return dict(found.iter_rows())

    return {"core.party": dates(people), "core.transaction": dates(booked)}


def asked(catalog: Catalog, home: Path, ring: KeyRing, parties: list[str], column: str) -> Upstream | None:
    """What is said of parties, by their keys, whose `column` is out of range."""
    crosswalk = pl.read_parquet(home / "identity/party_crosswalk.parquet").filter(pl.col("record_key").is_in(parties))
    name = hmac_sha256(pl.col("party_id"), ring.pseudonym_key("risk"))
    keys = tuple({"pseudonym": one} for one in crosswalk.select(name.alias("pseudonym"))["pseudonym"])
    check = next(e.id for e in suites(catalog)[PRODUCT] if e.columns == (column,) and e.kind in ("range", "values"))
    return Finder(catalog, Home(home), DAY, ring)(check, Verdict("failed", "", keys))


@pytest.mark.parametrize(("column", "contract"), [("age_years", "core.party"), ("debit_count_90d", "core.transaction")])
def test_the_deliveries_that_rows_of_parties_came_in_are_named(
    xiaocheng, catalog, ring, expected, column: str, contract: str
) -> None:
    """The first and the last, and how many: of one party, and of several together."""
    of_party = expected[contract]
    last_of_all = max(dates[-1] for dates in of_party.values())
    early = [party for party, dates in sorted(of_party.items()) if dates[-1] < last_of_all]
    assert early, "a party of which the last delivery says nothing"
    for parties in ([early[0]], early[:1] + [p for p in sorted(of_party) if p not in early][:3]):
        dates = sorted({one for party in parties for one in of_party[party]})
        found = asked(catalog, xiaocheng.home, ring, parties, column)
        assert found is not None
        assert (found.contract, found.business_date, found.last, found.came_in) == (
            contract, dates[0], dates[-1], len(dates),
        )  # fmt: skip
        assert found.delivery and found.delivery_sha256


def test_without_a_party_to_follow_it_is_the_last_delivery(xiaocheng, catalog, ring, expected) -> None:
    found = asked(catalog, xiaocheng.home, ring, [], "age_years")
    assert found is not None
    assert (found.contract, found.came_in, found.last) == ("core.party", None, None)
    assert found.business_date == max(one for dates in expected["core.party"].values() for one in dates)
    assert "last delivered by" in str(found)


def test_the_columns_that_drifted_are_followed_and_not_all_rows(xiaocheng, catalog, ring) -> None:
    finder = Finder(catalog, Home(xiaocheng.home), DAY, ring)
    check = f"distribution.drift/{PRODUCT}"
    found = finder(check, Verdict("failed", "", columns=("debit_count_90d",)))
    assert found is not None and found.contract == "core.transaction"
    assert found.way[0] == f"{PRODUCT}.debit_count_90d"


def test_nothing_that_is_said_names_a_party(xiaocheng, catalog, ring, expected) -> None:
    party = min(expected["core.party"])
    ids = pl.read_parquet(xiaocheng.home / "identity/party_crosswalk.parquet")
    (party_id,) = ids.filter(pl.col("record_key") == party)["party_id"]
    found = asked(catalog, xiaocheng.home, ring, [party], "age_years")
    assert party not in f"{found!r}" and party_id not in f"{found!r}"
