"""Derives what dbt knows of scenario features: one macro that returns every definition.

What belongs here: the text of the generated macro. What does not: the SQL around it, which is written by hand in
`dbt_project/macros/marts/`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.contracts.features import FeatureDefinition
from pipelines.contracts.tag_macro import written

_HEADER = """{#-
  Generated from data_contracts/features/ by `zhongtai contracts sync`. Change the definitions, not this file.

  Every scenario feature in its order: what it says, of which parties (`speaks_of`, a predicate over customer_360), and
  what it is made of. `model` is empty where that is a column of customer_360.
-#}
"""


def feature_macro(features: Mapping[str, FeatureDefinition]) -> str:
    """The text of `macros/marts/feature_definitions.sql`."""
    entries = "".join(_entry(feature) for feature in features.values())
    return (
        f"{_HEADER}{{% macro feature_definitions() -%}}\n    {{{{ return([\n{entries}    ]) }}}}\n{{%- endmacro %}}\n"
    )


def _entry(feature: FeatureDefinition) -> str:
    fields = {
        "feature": feature.name, "scenario": feature.scenario, "description": feature.description,
        "unit": feature.unit, "direction": feature.direction, "owner": feature.owner, "speaks_of": feature.speaks_of,
        "form": feature.form, "part": feature.value, "whole": feature.whole or "", "model": feature.model or "",
        "without_row": "" if feature.without_row is None else str(feature.without_row),
    }  # fmt: skip
    lines = "".join(f"            '{name}': {written(value)},\n" for name, value in fields.items())
    return f"        {{\n{lines}        }},\n"
