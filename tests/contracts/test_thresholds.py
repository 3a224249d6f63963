"""No number decides anything in SQL: thresholds come from policy.yaml, windows from the contracts.

The rule: a comparison has a number on one side only if that number is 0 or 1, or the length of a window that a column
or a code of a contract names (30 in `credit_amount_30d`), or the largest value of a column's type.
"""

from __future__ import annotations

import re

import pytest
import sqlglot
from sqlglot import exp

from pipelines.contracts.load import Catalog
from pipelines.contracts.propensity import PropensityCard
from pipelines.contracts.scorecards import Scorecard

from .conftest import DBT, Compiled

COMPARISONS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ, exp.Between, exp.In)


def numbers_that_decide(sql: str) -> set[str]:
    """Numbers in comparisons, where nothing between the number and the comparison is a query of its own."""
    found = set()
    for comparison in sqlglot.parse_one(sql, dialect="duckdb").find_all(*COMPARISONS):
        for literal in comparison.find_all(exp.Literal):
            within = literal.parent
            while within is not comparison and not isinstance(within, exp.Query | exp.DataType | exp.Case):
                within = within.parent
            if within is comparison and not literal.is_string:
                found.add(literal.this)
    return found


def structural(catalog: Catalog) -> set[str]:
    """Numbers that are part of what a column is."""
    columns = [column for mart in catalog.marts.values() for column in mart.columns]
    names = [name for column in columns for name in (column.name, *column.enum)]
    windows = {found[1] for name in names if (found := re.search(r"_(\d+)d$", name))}
    limits = {"99999"}  # decimal(9,4): a ratio that does not fit is cut there
    # Twice a median is exact, where that of an even number of amounts lies between two of them (macro twice_median).
    return {"0", "1", "2"} | windows | limits


def bounds(card: Scorecard) -> set[str]:
    """Where the bins of a card end, and what its characteristics are worth: data, in a file that two people sign."""
    numbers = [*card.requires.values(), *(one.most for one in card.characteristics)]
    numbers += [each.below for one in card.characteristics for each in one.bins if each.below is not None]
    return {f"{abs(number):f}" for number in numbers}


def bin_bounds(card: PropensityCard) -> set[str]:
    """Where the bins of a propensity card end."""
    ends = [each.below for one in card.characteristics for each in one.bins if each.below is not None]
    return {f"{abs(end):f}" for end in ends}


def test_no_number_decides(compiled: Compiled, catalog: Catalog) -> None:
    known = structural(catalog)
    assert {"30", "90", "365"} <= known
    # Of the models, four score by a card and name where its bins end.
    cards = {
        "risk_grade": bounds(catalog.scorecards["person"]),
        "low_risk_list": bounds(catalog.scorecards["person_internal"]),
        "merchant_score": bounds(catalog.scorecards["merchant"]),
        "propensity_score": bin_bounds(catalog.propensity["offer"]),
    }
    known |= {"0.180625e0", "0.5e0", "1e-10", "1e0"}  # of the normal distribution: no other number has such a form
    found = {}
    for model, sql in compiled.models.items():
        if extra := numbers_that_decide(sql) - known - cards.get(model, set()):
            found[model] = extra
    assert found == {}


@pytest.mark.parametrize(
    "condition",
    ["age_years >= 18", "18 <= age_years", "age_years between 18 and 65", "0.4 > a / b", "a <= b * 0.4", "n in (2, 5)",
     "case when x > 3 then true end", "- 500 < balance"],
)  # fmt: skip
def test_a_number_that_decides_would_be_seen(catalog: Catalog, condition: str) -> None:
    assert numbers_that_decide(f"select a from t where {condition}") - structural(catalog)


@pytest.mark.parametrize(
    "condition",
    ["n > 0", "x = '18'", "days < 90", "a >= (select value from policy where n = 1)", "cast(a as decimal(18, 6)) > b",
     "a > case when b = 1 then 1 else 0 end"],
)  # fmt: skip
def test_what_is_part_of_a_column_is_no_threshold(catalog: Catalog, condition: str) -> None:
    assert not numbers_that_decide(f"select a from t where {condition}") - structural(catalog)


def test_every_threshold_that_sql_names_is_in_the_policy(catalog: Catalog) -> None:
    used = set()
    for path in [*(DBT / "models").rglob("*.sql"), *(DBT / "macros").rglob("*.sql")]:
        used |= set(re.findall(r"policy\('([^']+)'\)", path.read_text(encoding="utf-8")))
    assert used
    assert used <= catalog.policy.thresholds.keys()
