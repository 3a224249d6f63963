"""Propensity cards: what is refused, and what a score means."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import ContractError
from pipelines.contracts.propensity import PropensityCard, load_propensity
from pipelines.settings import PROJECT

TEXT = (PROJECT / "data_contracts/propensity/offer.yaml").read_text(encoding="utf-8")
FIRST = "- column: aum\n  bins:\n  - missing: true\n"
REFUSED = {
    "a column that is not there": ("column: aum", "column: aun", "aun: no column of mart.customer_360"),
    "what measures risk": ("column: aum", "column: days_past_due", "lets it serve risk_management, not marketing"),
    "what taxes say": ("column: aum", "column: tax_revenue_365d", "lets it serve risk_management, not marketing"),
    "what the bureau says": (
        "column: aum",
        "column: bureau_open_loans",
        "lets it serve risk_management, not marketing",
    ),
    "a column twice": ("column: aum", "column: balance_avg_90d", "balance_avg_90d is there twice"),
    "nothing for what is missing": (FIRST, "- column: aum\n  bins:\n  - below: 1\n", "what is missing comes first"),
    "one signature": ("- data-protection-officer\n", "", "approved_by"),
    "another name": ("name: offer", "name: other", "a file of this name holds 'offer'"),
    "no training": ("training:", "trained:", "training"),
}


def load(catalog: Catalog, folder: Path, text: str) -> dict[str, PropensityCard]:
    folder.mkdir(exist_ok=True)
    (folder / "offer.yaml").write_text(text, encoding="utf-8")
    return load_propensity(folder, catalog.marts)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_its_file(catalog: Catalog, tmp_path: Path, case: str) -> None:
    old, new, said = REFUSED[case]
    assert TEXT.count(old) == 1
    with pytest.raises(ContractError, match=r"offer\.yaml: ") as caught:
        load(catalog, tmp_path / "propensity", TEXT.replace(old, new))
    assert said in str(caught.value)


def test_twenty_points_double_the_odds(catalog: Catalog) -> None:
    scaling = catalog.propensity["offer"].scaling

    def odds(score: float) -> float:
        return math.exp((score - scaling.offset) / scaling.factor)

    assert odds(500) == pytest.approx(0.05)
    assert odds(520) / odds(500) == pytest.approx(2)


def test_no_column_of_a_card_measures_risk(catalog: Catalog) -> None:
    """Marketing gets every one of them; so the score tells it nothing that it does not have."""
    given = {column.name for column in catalog.products["marketing.customer_360"].columns}
    for card in catalog.propensity.values():
        assert {one.column for one in card.characteristics} <= given
