"""An attack: marketing keeps its file of every night and joins them, to see a risk figure move.

Figures of risk move from night to night as they like, while membership, band and reasons stay: not a byte of what
marketing gets moves with them. Belongs here: the projection, which hands out what a product names and nothing else.
Does not belong here: that marts do not mix the two, by lineage (`tests/contracts/test_attack_leak.py`, which the policy
map names), and what bands tell over time (`tests/pipeline/test_attack_joining_lists.py`).
"""

from __future__ import annotations

import copy
import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.release.candidate import build_candidate

from .warehouse import BANK, DAY, PARTIES, Office, Rows, anybody, write_warehouse

NIGHTS = 3
MOVING = {"risk_grade", "expected_loss", "low_risk_decision"}
Nights = dict[date, dict[str, bytes]]


@pytest.fixture
def catalog(whole_catalog: Catalog) -> Catalog:
    """Everything that marketing is handed, and some of what only risk is, to see that figures move."""
    own = copy.copy(whole_catalog)
    own.products = {
        name: each for name, each in own.products.items() if each.consumer != "risk" or each.table in MOVING
    }
    return own


def seen_by_marketing(catalog: Catalog, mart: Contract) -> set[str]:
    """Columns of a mart that marketing's or everybody's products name, or choose their rows by."""
    found = set(mart.key)
    for product in catalog.products.values():
        if product.mart == mart.id and product.consumer != "risk":
            found |= {column.name for column in product.columns}
            found |= {column.name for column in mart.columns if column.name in (product.filter or "")}
    return found


def moved(row: dict[str, Any], kept: set[str], chance: random.Random) -> dict[str, Any]:
    """A row whose figures that only risk may see are others."""
    told = dict(row)
    for name, value in row.items():
        if name in kept or value is None or isinstance(value, bool):
            continue
        if isinstance(value, int | float | Decimal):
            told[name] = value + chance.randint(1, 9)
        elif isinstance(value, str) and name not in ("party_id", "from_party_id", "to_party_id"):
            told[name] = f"{value} {chance.randint(1, 9)}"
    return told


def nights(
    office: Office, catalog: Catalog, seed: int | None, spoil: str = "", count: int = NIGHTS
) -> dict[str, Nights]:
    """Files of each consumer and night. Without a seed figures of risk stand still; `spoil` moves one more."""
    files: dict[str, Nights] = {"marketing": {}, "risk": {}, "shared": {}}
    for number in range(count):
        day, chance = DAY + timedelta(number), random.Random(f"{seed} {number}")

        def change(table: str, rows: Rows, chance: random.Random = chance) -> Rows:
            mart = next(one for one in catalog.marts.values() if one.table == table)
            kept = seen_by_marketing(catalog, mart) - {spoil}
            return rows if seed is None else [moved(row, kept, chance) for row in rows]

        write_warehouse(office.home, catalog, {day: PARTIES}, change)
        place = build_candidate(catalog, office.home, office.ring, BANK, day, anybody(catalog)).directory
        for consumer, held in files.items():
            held[day] = {path.name: path.read_bytes() for path in sorted((place / consumer).glob("*.parquet"))}
    return files


@pytest.mark.slow
def test_nights_that_are_joined_do_not_move_with_figures_of_risk(office: Office, catalog: Catalog) -> None:
    still, moving = nights(office, catalog, None), nights(office, catalog, 1)
    assert moving["marketing"] == still["marketing"]
    assert moving["shared"] == still["shared"]
    differ = {name for day in still["risk"] for name, content in still["risk"][day].items()
              if moving["risk"][day][name] != content}  # fmt: skip
    assert differ == {f"{name}.parquet" for name in MOVING}


def test_a_figure_that_reaches_marketing_would_be_seen(office: Office, catalog: Catalog) -> None:
    still, moving = nights(office, catalog, None, count=1), nights(office, catalog, 1, "band", 1)
    differ = {name for day in still["marketing"] for name, content in still["marketing"][day].items()
              if moving["marketing"][day][name] != content}  # fmt: skip
    assert differ == {"low_risk_list.parquet", "low_risk_list_with_bureau.parquet"}


def test_what_a_list_tells_of_risk_has_few_values(office: Office, catalog: Catalog) -> None:
    """Whatever the nights, a release point lets through membership, a band, and codes of the vocabulary."""
    point = catalog.policy.release_points["low_risk_band"]
    product = catalog.products[point["product"]]
    signed = {name.rpartition(".")[2] for name in point["inputs"]}
    told = [c for c in product.columns if c.name in signed]
    # What follows from the band has at most three values; the segment two (tests/pipeline/test_low_risk_list).
    assert len([one for one in point["output_domain"] if ";" in one]) <= 3 >= len(product.column("band").enum)
    for column in told:
        assert column.type in ("string", "boolean"), f"{column.name} could tell a figure"
        assert not column.enum or set(column.enum) <= set(point["output_domain"]), column.name
    place = office.build().directory
    frame = pl.read_parquet(place / "marketing" / f"{product.table}.parquet")
    free = [c.name for c in product.columns if c.name not in signed and not c.key and c.type != "date"]
    assert [name for name in free if frame[name].dtype.is_float() or frame[name].dtype.is_decimal()] == []
