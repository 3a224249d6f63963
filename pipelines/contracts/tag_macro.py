"""Derives what dbt knows of tags: one macro that returns every definition.

What belongs here: the text of the generated macro. What does not: the SQL around it, which is written by hand in
`dbt_project/macros/marts/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from pipelines.contracts.tags import TagDefinition

_HEADER = """{#-
  Generated from data_contracts/tags/ by `zhongtai contracts sync`. Change the definitions, not this file.

  Every tag in its order. `expression` is SQL over the columns of customer_360 and of the thresholds, each called
  policy_<section>__<name>; null where the tag does not hold or cannot be known.
-#}
"""


def tag_macro(tags: Mapping[str, TagDefinition]) -> str:
    """The text of `macros/marts/tag_definitions.sql`."""
    entries = "".join(_entry(tag) for tag in tags.values())
    return f"{_HEADER}{{% macro tag_definitions() -%}}\n    {{{{ return([\n{entries}    ]) }}}}\n{{%- endmacro %}}\n"


def _entry(tag: TagDefinition) -> str:
    fields = {
        "tag": tag.name, "domain": tag.domain, "label_zh": tag.label_zh, "label_en": tag.label_en,
        "description": tag.description, "rule": tag.rule, "expression": tag.expression,
        "kind": "flag" if tag.is_flag else "band", "refresh": tag.refresh, "owner": tag.owner,
        "purposes": list(tag.purposes), "since": tag.since, "thresholds": list(tag.thresholds),
    }  # fmt: skip
    lines = "".join(f"            '{name}': {written(value)},\n" for name, value in fields.items())
    return f"        {{\n{lines}        }},\n"


def written(value: object) -> str:
    """A value as Jinja reads it: what JSON writes, with braces that open no expression."""
    return json.dumps(value, ensure_ascii=False).replace("{", "\\u007b").replace("}", "\\u007d")
