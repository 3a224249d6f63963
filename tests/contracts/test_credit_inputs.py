"""What a party is judged by: nothing that nobody may be judged by, followed back to the sources."""

from __future__ import annotations

import re

import pytest

from pipelines.contracts.load import Catalog
from pipelines.contracts.scorecard_file import PURPOSE
from pipelines.lineage.graph import Lineage
from pipelines.lineage.purpose import permitted, reach, released_columns
from pipelines.lineage.trace import Origin

from .conftest import Compiled

JUDGING = ("risk_grade", "merchant_score", "expected_loss", "stress_result")
PERSONAL = re.compile(r"gender|marital|ethnic|religion|birth_month|district|medical|education")


@pytest.fixture(scope="module")
def lineage(compiled: Compiled, catalog: Catalog) -> Lineage:
    return Lineage(compiled.models, catalog, compiled.keys)


def faults(catalog: Catalog, lineage: Lineage, column: Origin) -> list[str]:
    """Ancestors of a column that may not be used to judge, or that say who somebody is."""
    found, may = [], permitted(catalog, lineage)
    for origin in reach(lineage, [column], released_columns(catalog)):
        purposes = may(origin)
        if purposes is not None and PURPOSE not in purposes:
            found.append(f"{origin.table}.{origin.column} may not be used for {PURPOSE}")
        if origin.table.startswith("medical__") or (
            origin.table in lineage.contracts and PERSONAL.search(origin.column)
        ):
            found.append(f"{origin.table}.{origin.column} says who somebody is")
    return sorted(found)


def test_no_column_of_a_card_comes_from_what_nobody_is_judged_by(catalog: Catalog, lineage: Lineage) -> None:
    for card in catalog.scorecards.values():
        table = catalog.marts[card.mart].table
        for name in (*card.columns, *(one.column for one in card.set_aside)):
            assert faults(catalog, lineage, Origin(table, name)) == [], f"{card.name}: {name}"


@pytest.mark.parametrize("model", JUDGING)
def test_no_figure_comes_from_what_nobody_is_judged_by(catalog: Catalog, lineage: Lineage, model: str) -> None:
    columns = [c for c in lineage.traces[model].columns if c not in ("party_id", "business_date")]
    assert "grade" in columns or "score" in columns or "ead" in columns
    for column in columns:
        assert faults(catalog, lineage, Origin(model, column)) == [], column


@pytest.mark.parametrize("column", ["medical_payments_365d", "gender", "district_key", "campaign_contacts_90d"])
def test_such_a_column_would_be_seen(catalog: Catalog, lineage: Lineage, column: str) -> None:
    assert faults(catalog, lineage, Origin("customer_360", column))


def test_marketing_gets_nothing_of_it(catalog: Catalog) -> None:
    marts = {str(product.mart) for product in catalog.products.values() if product.consumer in ("marketing", "shared")}
    assert not marts & {f"mart.{model}" for model in JUDGING}
