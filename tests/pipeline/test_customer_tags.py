"""Tags, portraits and segments of the simulated bank, recomputed from customer_360 another way.

Belongs here: what the marts hold after the nights of `simulated`. Does not belong here: intervals as such
(tests/unit/warehouse), definitions as such (tests/unit/contracts).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import duckdb
import polars as pl
import pytest
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.history.store import statements
from pipelines.release.catalogue import list_releases
from pipelines.settings import Home

pytestmark = pytest.mark.slow
MARTS = {"customer_tag": "risk_management", "customer_tag_marketing": "marketing"}
CONSUMERS = ("marketing", "risk")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


@pytest.fixture(scope="module")
def con(simbank) -> Any:
    with closing(duckdb.connect(str(Home(simbank.home).warehouse), read_only=True)) as con:
        yield con


def open_tags(con: Any, mart: str) -> dict[str, set[tuple[str, str]]]:
    rows = con.execute(
        f"select tag, party_id, value from marts.{mart} where valid_to is null "
        f"and business_date = (select max(business_date) from marts.{mart})"
    ).fetchall()
    found: dict[str, set[tuple[str, str]]] = {}
    for tag, party, value in rows:
        found.setdefault(tag, set()).add((party, value))
    return found


def due(con: Any) -> set[str]:
    rows = con.execute(
        "select refresh from marts.tag_refresh where valid_from = business_date "
        "and business_date = (select max(business_date) from marts.tag_refresh)"
    ).fetchall()
    return {refresh for (refresh,) in rows}


def stated(catalog: Catalog, rule: str) -> str:
    """A rule with its thresholds as numbers."""
    return re.sub(r"policy\('([^']+)'\)", lambda found: repr(catalog.policy.thresholds[found[1]]), rule)


@pytest.mark.parametrize("mart", MARTS)
def test_every_tag_that_was_due_is_its_rule_over_customer_360(con, catalog: Catalog, mart: str) -> None:
    held, refreshes, compared = open_tags(con, mart), due(con), 0
    assert "daily" in refreshes
    of_purpose = {name: tag for name, tag in catalog.tags.items() if MARTS[mart] in tag.purposes}
    assert held.keys() <= of_purpose.keys()
    for name, tag in of_purpose.items():
        if tag.refresh not in refreshes:
            continue
        rule = stated(catalog, tag.rule)
        value = f"case when {rule} then 'true' end" if tag.is_flag else rule
        rows = con.execute(
            f"select party_id, value from (select party_id, {value} as value from marts.customer_360 "
            "where business_date = (select max(business_date) from marts.customer_360)) where value is not null"
        ).fetchall()
        assert held.get(name, set()) == set(rows), name
        compared += len(rows)
    assert compared > 1000


def banded(row: dict[str, Any], limit: Callable[[str], Decimal]) -> str | None:
    if row["aum"] is None:
        return None
    bands = [band for band in ("mass", "affluent", "high") if row["aum"] >= limit(f"{band}_aum")]
    return bands[-1] if bands else "small"


BY_HAND: dict[str, Callable[[dict[str, Any], Callable[[str], Decimal]], str | bool | None]] = {
    "minor": lambda r, at: r["party_kind"] == "person" and r["age_years"] in range(int(at("adult_age"))),
    "asset_band": banded,
    "reachable": lambda r, at: bool(r["contact_known"]) and r["consent_marketing"] is True,
    "no_consent": lambda r, at: r["consent_marketing"] is False,
    "card_holder": lambda r, at: (r["cards_held"] or 0) > 0,
    "wealth_client": lambda r, at: (r["wealth_positions"] or 0) > 0,
    "stall_merchant": lambda r, at: r["is_merchant"] is True,
    "dormant": lambda r, at: r["lifecycle_stage"] == "dormant",
}  # fmt: skip


def test_a_handful_of_tags_row_by_row(con, catalog: Catalog) -> None:
    def limit(name: str) -> Decimal:
        return Decimal(str(catalog.policy.thresholds[f"tag.{name}"]))

    rows = con.execute(
        "from marts.customer_360 where business_date = (select max(business_date) from marts.customer_360)"
    ).pl()
    held = open_tags(con, "customer_tag")
    for name, rule in BY_HAND.items():
        assert catalog.tags[name].refresh == "daily"
        verdicts = {row["party_id"]: rule(row, limit) for row in rows.iter_rows(named=True)}
        expected = {(party, "true" if v is True else str(v)) for party, v in verdicts.items() if v not in (None, False)}
        assert held.get(name, set()) == expected, name


def published(simbank, consumer: str, table: str = "customer_tag") -> dict[date, pl.DataFrame]:
    """What a consumer was told on each business date, by the last release of it."""
    return {
        date.fromisoformat(release.manifest["business_date"]): pl.read_parquet(
            release.path / consumer / f"{table}.parquet"
        )
        for release in list_releases(Home(simbank.home))
    }


def changed_their_mind(before: pl.DataFrame, after: pl.DataFrame) -> pl.Series:
    """Parties of whom other uses are lawful than the night before: their tags come and go with that."""
    rows = pl.concat([before.drop("business_date"), after.drop("business_date")])
    return rows.filter(~rows.is_duplicated())["pseudonym"].unique()


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_what_was_told_night_by_night_makes_intervals_without_gap_or_overlap(simbank, consumer: str) -> None:
    told, lawful = published(simbank, consumer), published(simbank, consumer, "lawful_use")
    # A night that restates a corrected date may find that a tag never held, or held all along.
    restated = {each.business_date for each in statements(Home(simbank.home)) if len(each.stated) > 1}
    nights = [(before, after) for before, after in pairwise(sorted(told)) if after not in restated]
    assert nights
    for before, after in nights:
        key = ["pseudonym", "tag", "value", "valid_from"]
        moved = changed_their_mind(lawful[before], lawful[after])
        kept, found = (told[day].filter(~pl.col("pseudonym").is_in(moved.implode())) for day in (before, after))
        was = set(kept.filter(pl.col("valid_to").is_null()).select(key).rows())
        now = set(found.filter(pl.col("valid_to").is_null()).select(key).rows())
        ended = set(found.filter(pl.col("valid_to").is_not_null()).select(key).rows())
        # What was open goes on as it was or ends today; what is open and was not, begins today.
        assert was - now == ended
        assert {row[3] for row in now - was} <= {after}
        assert max(Counter((row[0], row[1]) for row in now).values()) == 1


def test_every_person_has_one_tier_and_quintiles_are_of_one_size(con) -> None:
    tiers = con.execute(
        "select customer.party_kind = 'person', count(segment.asset_tier), count(*) "
        "from marts.customer_360 as customer "
        "left join marts.customer_segment as segment using (party_id, business_date) group by 1"
    ).fetchall()
    assert {(person, tiers == rows, tiers == 0) for person, tiers, rows in tiers} == {
        (True, True, False), (False, False, True),
    }  # fmt: skip
    for column in ("rfm_recency", "rfm_frequency", "rfm_monetary"):
        sizes = con.execute(
            f"select count(*) from marts.customer_segment where {column} is not null group by business_date, {column}"
        ).fetchall()
        assert len(sizes) % 5 == 0 and max(sizes)[0] - min(sizes)[0] <= 1


def test_portraits_are_shares(con) -> None:
    frame = con.execute("from marts.customer_portrait").pl()
    persons = con.execute("select count(*) from marts.customer_360 where party_kind = 'person'").fetchone()
    assert (frame.height,) == persons
    for axis, inputs in (("need", 11), ("life", 9), ("risk", 3)):
        scores = frame[f"{axis}_score"].drop_nulls()
        assert scores.min() >= 0 and scores.max() <= 1 and scores.n_unique() > 1
        shares = {Decimal(known * 10000 * 2 + inputs) // (2 * inputs) / 10000 for known in range(inputs + 1)}
        assert set(frame[f"{axis}_completeness"].unique()) <= shares
