"""Definitions of scenario features: what is refused, by whose words, and what becomes of a new entry."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from pipelines.contracts.feature_macro import feature_macro
from pipelines.contracts.features import load_features
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import ContractError

GOOD = """domain: trade
owner: risk-modelling
speaks_of: is_merchant
features:
  - name: burden
    description: Rent over turnover.
    unit: ratio
    direction: higher_is_riskier
    share: {of: monthly_rent, whole: turnover_30d}
"""
SHARE = "share: {of: monthly_rent, whole: turnover_30d}"
REFUSED = {
    "a column that is not there": ("monthly_rent", "monthly_rant", "burden.share: 'monthly_rant' is no column of"),
    "medical data": (SHARE, "column: medical_payments_365d", "may not be used for risk_management, only for marketing"),
    "what campaigns did": (SHARE, "column: campaign_contacts_90d", "may not be used for risk_management"),
    "medical data to speak of": (
        "speaks_of: is_merchant", "speaks_of: medical_payments_365d > 0", "no feature can be made of it",
    ),
    "a threshold": ("speaks_of: is_merchant", "speaks_of: turnover_30d > 500", "500 is a threshold"),
    "two forms": (SHARE, f"{SHARE}\n    column: turnover_30d", "2 of column, share and holds are given; give one"),
    "no form": (f"    {SHARE}\n", "", "0 of column, share and holds are given; give one"),
    "no sentence": ("Rent over turnover.", "Rent over turnover", "burden.description: 'Rent over turnover' is"),
    "another unit": ("unit: ratio", "unit: yuan", "features.burden.unit"),
    "another direction": ("higher_is_riskier", "up", "features.burden.direction"),
    "a row that is always there": (SHARE, f"{SHARE}\n    without_row: 0", "every party has a row in mart.customer_360"),
    "another domain": ("domain: trade", "domain: market", "a file of this name holds 'trade'"),
    "a part of nothing": ("whole: turnover_30d", "whole: 0", "features.burden.share.whole"),
}  # fmt: skip


def load(catalog: Catalog, folder: Path, text: str) -> dict:
    folder.mkdir(exist_ok=True)
    (folder / "trade.yaml").write_text(text, encoding="utf-8")
    return load_features(folder, catalog.marts, catalog.policy)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_file_and_feature(catalog: Catalog, tmp_path: Path, case: str) -> None:
    old, new, said = REFUSED[case]
    assert GOOD.count(old) == 1
    with pytest.raises(ContractError, match=r"trade\.yaml: ") as caught:
        load(catalog, tmp_path / "features", GOOD.replace(old, new))
    assert said in str(caught.value)


def test_a_name_may_be_given_once(catalog: Catalog, tmp_path: Path) -> None:
    again = GOOD + GOOD[GOOD.index("  - name: burden") :]
    with pytest.raises(ContractError, match=r"burden\.name: .* has it too"):
        load(catalog, tmp_path / "features", again)


def test_a_new_entry_is_all_that_dbt_needs(catalog: Catalog, tmp_path: Path) -> None:
    macro = feature_macro(load(catalog, tmp_path / "features", GOOD))
    found: list = []
    environment = jinja2.Environment()
    environment.globals["return"] = lambda value: found.extend(value) or ""
    environment.from_string(macro + "{{ feature_definitions() }}").render()
    assert [(each["feature"], each["scenario"], each["part"], each["whole"], each["model"]) for each in found] == [
        ("burden", "trade", "monthly_rent", "turnover_30d", "")
    ]


def test_every_partner_scenario_that_risk_may_use_has_a_feature(catalog: Catalog) -> None:
    known = {feature.scenario for feature in catalog.features.values()}
    assert {
        "market", "ecommerce", "supply_chain", "tax", "social_security", "judicial", "registry", "environment",
        "payroll",
    } <= known  # fmt: skip
    assert "medical" not in known
