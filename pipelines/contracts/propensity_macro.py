"""Derives what dbt knows of propensity cards: one macro that returns every card with the SQL of its points.

What belongs here: the text of the generated macro. What does not: the SQL around it, which is written by hand in
`dbt_project/models/marts/marketing/`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.contracts.propensity import Characteristic, PropensityCard
from pipelines.contracts.scorecard_macro import points_sql
from pipelines.contracts.tag_macro import written

_HEADER = """{#-
  Generated from data_contracts/propensity/ by `zhongtai contracts sync`. Change the cards, not this file.

  Every propensity card by its name. Of each characteristic `points` is SQL over the columns of the card's mart;
  `offset` and `factor` make a probability of a score.
-#}
"""


def propensity_macro(cards: Mapping[str, PropensityCard]) -> str:
    """The text of `macros/marts/propensity_cards.sql`."""
    entries = "".join(_card(card) for card in cards.values())
    return f"{_HEADER}{{% macro propensity_cards() -%}}\n    {{{{ return({{\n{entries}    }}) }}}}\n{{%- endmacro %}}\n"


def _card(card: PropensityCard) -> str:
    fields = {
        "card": f"{card.name} {card.version}",
        "base_points": f"{card.base_points:f}",
        "factor": f"{card.scaling.factor:.10f}",
        "offset": f"{card.scaling.offset:.10f}",
    }
    lines = "".join(f"            '{name}': {written(value)},\n" for name, value in fields.items())
    parts = "".join(_characteristic(one) for one in card.characteristics)
    return f"        '{card.name}': {{\n{lines}            'characteristics': [\n{parts}            ],\n        }},\n"


def _characteristic(one: Characteristic) -> str:
    fields = {"column": one.column, "points": points_sql(one)}
    inner = ", ".join(f"'{name}': {written(value)}" for name, value in fields.items())
    return f"                {{{inner}}},\n"
