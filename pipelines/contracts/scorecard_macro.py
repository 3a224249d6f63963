"""Derives what dbt knows of scorecards: one macro that returns every card with the SQL of its points.

What belongs here: the text of the generated macro. What does not: the SQL around it, which is written by hand in
`dbt_project/macros/marts/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipelines.contracts.scorecards import Bin, Characteristic, Scorecard
from pipelines.contracts.tag_macro import written

_HEADER = """{#-
  Generated from data_contracts/scorecards/ by `zhongtai contracts sync`. Change the cards, not this file.

  Every card by its name. Of each characteristic `points` is SQL over the columns of the card's mart and `most` the
  points of its best bin; `offset`, `factor`, `intercept` and `slope` make a probability of a score.
-#}
"""
_EXACT = "{:.10f}"


def scorecard_macro(cards: Mapping[str, Scorecard]) -> str:
    """The text of `macros/marts/scorecards.sql`."""
    entries = "".join(_card(card) for card in cards.values())
    return f"{_HEADER}{{% macro scorecards() -%}}\n    {{{{ return({{\n{entries}    }}) }}}}\n{{%- endmacro %}}\n"


def _card(card: Scorecard) -> str:
    fields = {
        "card": f"{card.name} {card.version}",
        "banks": list(card.banks),
        "population": " and ".join(_among(name, values) for name, values in card.population.items()) or "true",
        "requires": " and ".join(f"coalesce({name} >= {_sql(least)}, false)" for name, least in card.requires.items())
        or "true",
        "base_points": _sql(card.base_points),
        "factor": _EXACT.format(card.scaling.factor),
        "offset": _EXACT.format(card.scaling.offset),
        "intercept": _sql(card.calibration.intercept),
        "slope": _sql(card.calibration.slope),
        "performance_days": card.calibration.performance_days,
        "pd_floor": _sql(card.calibration.pd_floor),
    }
    lines = "".join(f"            '{name}': {written(value)},\n" for name, value in fields.items())
    parts = "".join(_characteristic(one) for one in card.characteristics)
    return f"        '{card.name}': {{\n{lines}            'characteristics': [\n{parts}            ],\n        }},\n"


def _characteristic(one: Characteristic) -> str:
    fields = {"column": one.column, "code": one.reason.code, "points": points_sql(one), "most": _sql(one.most)}
    inner = ", ".join(f"'{name}': {written(value)}" for name, value in fields.items())
    return f"                {{{inner}}},\n"


def points_sql(one: Characteristic) -> str:
    """SQL of the points of a characteristic over its column."""
    *conditional, rest = one.bins
    whens = " ".join(f"when {_holds(one.column, each)} then {_sql(each.points)}" for each in conditional)
    return f"case {whens} else {_sql(rest.points)} end"


def _holds(column: str, each: Bin) -> str:
    if each.missing:
        return f"{column} is null"
    return f"{column} < {_sql(each.below)}" if each.below is not None else _among(column, each.values)


def _among(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"cast({column} as string) in ({listed})"


def _sql(number: Decimal | None) -> str:
    return f"{number:f}"
