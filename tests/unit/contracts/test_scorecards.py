"""Scorecards: what is refused and by which words, what nobody is judged by, and what the pages say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.contracts.load import Catalog
from pipelines.contracts.model_card import model_cards
from pipelines.contracts.scorecard_file import load_scorecards
from pipelines.contracts.scorecard_macro import points_sql
from pipelines.contracts.scorecards import Scorecard, range_text
from pipelines.settings import PROJECT

GOOD = """name: person
version: 1.0.0
method: expert
title: {zh: 评分卡, en: Scorecard}
purpose: Grades.
target: None.
limits: [Invented.]
owner: risk-modelling
approved_by: [chief-risk-officer, data-protection-officer]
banks: [simbank]
mart: mart.customer_360
population: {party_kind: [person]}
requires: {credit_completeness: 0.5}
scaling: {points: 600, odds: 50, pdo: 20}
calibration: {intercept: 0, slope: 1, performance_days: 180, pd_floor: 0.0003}
base_points: 500
characteristics:
- column: card_utilisation
  risk: rises
  reason: {zh: 使用率, en: Use of the limit, code: USE}
  bins: [{points: 1.5, missing: true}, {points: 12, below: 0.2}, {points: 3, below: 0.55}, {points: -7}]
- column: tax_grade
  risk: by_value
  reason: {zh: 纳税等级, en: Tax grade, code: TAX}
  bins: [{points: 0, missing: true}, {points: 5, values: [A, B]}, {points: -5}]
"""
BINS = "bins: [{points: 1.5, missing: true}, {points: 12, below: 0.2}, {points: 3, below: 0.55}, {points: -7}]"
USE, MISSING = "- column: card_utilisation", "{points: 1.5, missing: true}, "
REFUSED = {
    "a column that is not there": (USE, "- column: card_utilization", "card_utilization: no column of"),
    "a column that serves marketing alone": (USE, "- column: contacts_30d", "may not be judged by it (risk_"),
    "a sensitive column": (USE, "- column: medical_payments_365d", "may not be judged by it (risk_management)"),
    "gender": (USE, "- column: gender", "gender: nobody is judged by this"),
    "marital status": (USE, "- column: marital_status", "nobody is judged by this"),
    "where somebody lives": (USE, "- column: district_key", "nobody is judged by this"),
    "age": (USE, "- column: age_years", "nobody is judged by this"),
    "the same column twice": (USE, "- column: tax_grade", "is there twice"),
    "the same code twice": ("code: USE", "code: TAX", "reason code TAX is there twice"),
    "no bin for what is missing": (MISSING, "", "card_utilisation is sometimes missing"),
    "missing comes later": (BINS, BINS.replace(MISSING, "").replace("{points: 3,", MISSING + "{points: 3,"), "first"),
    "bounds that fall": ("below: 0.55", "below: 0.1", "bounds do not rise"),
    "a bound twice": ("below: 0.55", "below: 0.2", "bounds do not rise"),
    "no rest": ("{points: -7}", "{points: -7, below: 0.9}", "takes the rest, and says none"),
    "two rests": ("{points: 3, below: 0.55}", "{points: 3}", "takes the rest, and says none"),
    "values of a number": ("points: 3, below: 0.55", "points: 3, values: [x]", "below is its word"),
    "a bound of words": ("points: 5, values: [A, B]", "points: 5, below: 3", "values is its word"),
    "a value twice": ("values: [A, B]}", "values: [A, B]}, {points: 1, values: [B]}", "a value is in two bins"),
    "finer points than are kept": ("points: 12,", "points: 12.125,", "at most two decimals"),
    "a bank without feeds": ("banks: [simbank]", "banks: [simbnk]", "no bank 'simbnk', did you mean 'simbank'"),
    "another mart": ("mart.customer_360", "mart.customer", "no mart 'mart.customer'"),
    "a trained card that says not on what": ("method: expert", "method: trained", "trained card says by `training`"),
    "one signature": ("[chief-risk-officer, data-protection-officer]", "[chief-risk-officer]", "approved_by"),
    "another name": ("name: person", "name: people", "a file of this name holds 'person'"),
    "a field of nobody": ("base_points: 500", "base_points: 500\nbonus: 3", "bonus: not known here"),
    "a reason in one language": ("zh: 使用率, ", "", "reason.zh: missing"),
    "a slope that turns the score around": ("slope: 1", "slope: -1", "calibration.slope"),
}  # fmt: skip


def load(catalog: Catalog, folder: Path, text: str) -> dict[str, Scorecard]:
    (folder / "person.yaml").write_text(text, encoding="utf-8")
    return load_scorecards(folder, catalog.marts, catalog.banks)


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_its_file(catalog: Catalog, tmp_path: Path, case: str) -> None:
    old, new, said = REFUSED[case]
    assert old in GOOD
    with pytest.raises(Exception, match=r"person\.yaml: ") as caught:
        load(catalog, tmp_path, GOOD.replace(old, new))
    assert type(caught.value).__name__ == "ContractError"
    assert said in str(caught.value)


def test_a_card_is_what_its_file_says_to_the_digit(catalog: Catalog, tmp_path: Path) -> None:
    card = load(catalog, tmp_path, GOOD)["person"]
    use, tax = card.characteristics
    assert (use.most, use.bins[1].below, use.bins[0].points) == (Decimal(12), Decimal("0.2"), Decimal("1.5"))
    assert card.columns == ("party_kind", "credit_completeness", "card_utilisation", "tax_grade")
    assert points_sql(use) == (
        "case when card_utilisation is null then 1.5 when card_utilisation < 0.2 then 12 "
        "when card_utilisation < 0.55 then 3 else -7 end"
    )
    assert "when cast(tax_grade as string) in ('A', 'B') then 5" in points_sql(tax)
    assert [range_text(use, n) for n in range(4)] == ["not known", "below 0.2", "from 0.2 below 0.55", "from 0.55"]
    assert [range_text(tax, n) for n in range(3)] == ["not known", "A, B", "any other"]


def test_a_file_that_would_not_be_read_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "person.yml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(Exception, match="would not be read"):
        load_scorecards(tmp_path, catalog.marts, catalog.banks)


def test_every_card_has_its_page_with_the_figures_of_the_card(catalog: Catalog) -> None:
    for path, text in model_cards(catalog, PROJECT / "docs" / "models").items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run `zhongtai score pages`"
        card = catalog.scorecards[path.stem]
        if card.training is not None:
            assert f"| {card.training.test.auc} |" in text and f"| {card.training.train.ks} |" in text
        assert all(limit in text for limit in card.limits)
    assert set(catalog.scorecards) == {"person", "person_internal", "merchant"}


def test_figures_of_trained_cards_agree_with_each_other(catalog: Catalog) -> None:
    for card in catalog.scorecards.values():
        if card.training is None:
            continue
        test = card.training.test
        assert sum(one.rows for one in card.training.calibration) == test.rows
        assert sum(one.defaults for one in card.training.calibration) == test.defaults
        assert max(card.training.train.observed) < min(test.observed)
        assert Decimal("0.5") < test.auc_from <= test.auc <= test.auc_to < 1
        for one in card.characteristics:
            worth = [each.points for each in one.bins if not each.missing]
            assert one.risk == "by_value" or worth == sorted(worth, reverse=one.risk == "rises"), one.column
