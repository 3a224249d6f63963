"""Scores in SQL against a small scorer of their own here, row by row and to the last digit.

The SQL is the project's own, rendered with the committed cards and run by DuckDB.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import project_catalog

from pipelines.contracts.scorecards import Characteristic, Scorecard
from pipelines.settings import PROJECT

CATALOG = project_catalog()
MART = CATALOG.marts["mart.customer_360"]
MACROS = [PROJECT / "dbt_project" / "macros" / "marts" / f"{name}.sql" for name in ("scorecards", "scored")]


def rendered(name: str) -> str:
    """The model's select over tables `bank` and `customer_360`, as dbt would write it."""
    kept: dict[str, Any] = {}

    def keep(value: Any) -> str:
        kept["value"] = value
        return ""

    text = "\n".join(path.read_text(encoding="utf-8") for path in MACROS)
    given_names = {"ref": lambda table: table, "source": lambda _, table: table, "return": keep}
    environment = jinja2.Environment()
    environment.globals.update(given_names)
    module = environment.from_string(text).module
    module.scorecards()
    with_clause = module.scored(kept["value"][name], "true")
    said = "party_id, scorecard, score, reason_1, reason_2, reason_3, pd_window, pd_year, not_evaluable"
    return f"{with_clause} select {said} from scored order by party_id"


def worth(one: Characteristic, value: Any) -> Decimal:
    """Points of a value, by the words of the card."""
    for each in one.bins:
        said_nothing = not each.missing and each.below is None and not each.values
        if said_nothing or (each.missing and value is None):
            return each.points
        if value is not None and ((each.below is not None and value < each.below) or str(value) in each.values):
            return each.points
    raise AssertionError("the last bin takes the rest")


def expected(card: Scorecard, row: dict[str, Any]) -> tuple:
    """What the row of a party should say."""
    if any(row[name] not in values for name, values in card.population.items()):
        return (None, None, None, None, None, "not_in_population")
    if any(row[name] is None or row[name] < least for name, least in card.requires.items()):
        return (None, None, None, None, None, "not_known_enough")
    points = [(one, worth(one, row[one.column])) for one in card.characteristics]
    lost = [(max(b.points for b in one.bins) - got, one.reason.code) for one, got in points]
    codes = [code for loss, code in sorted(lost, key=lambda pair: -pair[0]) if loss > 0][:3]
    score = (card.base_points + sum(got for _, got in points)).quantize(Decimal("0.01"))
    return (f"{card.name} {card.version}", score, *(codes + [None] * 3)[:3], None)


def values_of(card: Scorecard, name: str) -> st.SearchStrategy:
    """Values of a column at, just below and around the bounds of its bins; those of its contract; nothing."""
    column = MART.column(name)
    bins = next((one.bins for one in card.characteristics if one.column == name), ())
    if column.type == "string":
        return st.sampled_from(sorted({*column.enum, *(v for b in bins for v in b.values)}))
    digits = 0 if column.type == "bigint" else int(column.type.rstrip(")").split(",")[1])
    step = Decimal(1).scaleb(-digits)
    edges = [b.below for b in bins if b.below is not None] + list(card.requires.values())
    near = [(edge + k * step).quantize(step) for edge in edges for k in (-1, 0, 1)]
    drawn = st.one_of(st.sampled_from([*near, Decimal(0).quantize(step)]), st.decimals(0, 900, places=digits))
    whole = drawn.map(int) if column.type == "bigint" else drawn
    return whole if column.required else st.one_of(st.none(), whole)


@pytest.mark.parametrize("name", sorted(CATALOG.scorecards))
def test_sql_scores_as_the_card_says(name: str) -> None:
    card, sql = CATALOG.scorecards[name], rendered(name)
    columns = card.columns
    row = st.fixed_dictionaries({column: values_of(card, column) for column in columns})
    declared = ", ".join(f"{column} {MART.column(column).type}" for column in columns)
    con = duckdb.connect()
    con.execute("create table bank as select 'simbank' as bank")
    con.execute(f"create table customer_360 (party_id text, business_date date, {declared})")

    @given(st.lists(row, min_size=1, max_size=40))
    @settings(max_examples=40, deadline=None)
    def hold(rows: list[dict[str, Any]]) -> None:
        con.execute("begin; delete from customer_360")
        marks = ", ".join("?" for _ in columns)
        con.executemany(
            f"insert into customer_360 values (?, date '2025-01-01', {marks})",
            [[f"P{n:03}", *(one[column] for column in columns)] for n, one in enumerate(rows)],
        )
        found = con.execute(sql).fetchall()
        con.execute("commit")
        assert len(found) == len(rows)
        for (_, *said, window, year, why), one in zip(found, rows, strict=True):
            assert (*said, why) == expected(card, one)
            assert (window is None and year is None) if said[1] is None else close(card, said[1], window, year)

    hold()


def close(card: Scorecard, score: Decimal, window: float, year: float) -> bool:
    """Probabilities of a score to six digits, as they are published."""
    odds = (float(score) - card.scaling.offset) / card.scaling.factor
    p = 1 / (1 + math.exp(float(card.calibration.intercept) + float(card.calibration.slope) * odds))
    q = max(1 - (1 - p) ** (365 / card.calibration.performance_days), float(card.calibration.pd_floor))
    return (six(p), six(q)) == (six(window), six(year))


def six(number: float) -> Decimal:
    return Decimal(repr(number)).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def test_a_card_of_another_bank_says_nothing() -> None:
    card = CATALOG.scorecards["merchant"]
    con = duckdb.connect()
    declared = ", ".join(f"{column} {MART.column(column).type}" for column in card.columns)
    con.execute("create table bank as select 'pkdd99' as bank")
    con.execute(f"create table customer_360 (party_id text, business_date date, {declared})")
    con.execute("insert into customer_360 (party_id, business_date) values ('P', date '2025-01-01')")
    assert con.execute(rendered("merchant")).fetchall() == [("P", *[None] * 7, "no_scorecard")]
