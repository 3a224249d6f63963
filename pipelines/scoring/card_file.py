"""A card written as `pipelines.contracts.scorecard_file` reads it.

What belongs here: the text of the file. What does not: what a card is, and how it came about.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from pipelines.contracts.scorecard_file import read_scorecard
from pipelines.contracts.scorecards import Scorecard

_HEADER = """# Points, calibration and figures are written by `zhongtai score train --scorecard {name}`; the words, the
# columns to consider and whom the card speaks of are written by hand. The version is raised by who signs.
"""
_HEADER_EXPERT = "# Points set by experts and signed; nothing here is estimated.\n"


def write_card(path: Path, card: Scorecard) -> None:
    """Write `card`, and read it again: what is written is what was meant."""
    given = _plain(card.model_dump(exclude_defaults=True))
    text = yaml.safe_dump(given, allow_unicode=True, sort_keys=False, width=120, default_flow_style=None)
    header = _HEADER.format(name=card.name) if card.method == "trained" else _HEADER_EXPERT
    path.write_text(header + text, encoding="utf-8")
    assert read_scorecard(path) == card, path


def _plain(value: Any) -> Any:
    """Numbers as YAML writes them, and lists."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
