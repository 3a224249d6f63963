"""What a contract says under `quality`: rules that each row meets, and how many rows a delivery has.

What belongs here: reading both. What does not: carrying rules out (`checks`), counting (`pipelines.ingest.account`),
and the gate that holds a delivery against its number of rows (`pipelines.audit.volume`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.contracts.model import ContractError, RowRule

_METRIC = "rowCount"
_HOW = "give mustBeBetween: [least, most], mustBeGreaterOrEqualTo or mustBeLessOrEqualTo, in whole rows"


def rules(path: Path, table: Any) -> tuple[RowRule, ...]:
    """The rules of its rows. Raises ContractError for one that nobody would check."""
    return tuple(_rule(path, item) for item in table.quality or [] if item.metric != _METRIC)


def row_count(path: Path, table: Any) -> tuple[int, int | None] | None:
    """The least and the most rows of a delivery; None where the contract does not say. Raises ContractError."""
    stated = [item for item in table.quality or [] if item.metric == _METRIC]
    bounds = [bound for item in stated for bound in _bounds(path, item)]
    if not bounds:
        return None
    least = max(low for low, _ in bounds)
    most = min((high for _, high in bounds if high is not None), default=None)
    if most is not None and most < least:
        raise ContractError(
            f"{path}: schema.quality.{_METRIC}: no number is at least {least} and at most {most}; correct one"
        )
    return least, most


def _rule(path: Path, item: Any) -> RowRule:
    if item.engine != "zhongtai" or not item.name or not isinstance(item.implementation, str):
        raise ContractError(
            f"{path}: schema.quality.{item.name or 'a rule without name'}: "
            f"nobody would check it; give name, `engine: zhongtai` and implementation, an SQL predicate over columns"
        )
    return RowRule(item.name, item.description or item.name, item.implementation, item.dimension or "validity")


def _bounds(path: Path, item: Any) -> list[tuple[int, int | None]]:
    """What one entry says, as least and most."""
    between = item.mustBeBetween or [None, None]
    low = [item.mustBeGreaterOrEqualTo, between[0], item.mustBeGreaterThan]
    high = [item.mustBeLessOrEqualTo, between[1], item.mustBeLessThan]
    numbers = [number for number in (*low, *high) if number is not None]
    others = (item.mustBe, item.mustNotBe, item.mustNotBeBetween)
    counted = item.unit in (None, "rows") and all(other is None for other in others)
    if not counted or not numbers or any(number != int(number) or number < 0 for number in numbers):
        raise ContractError(f"{path}: schema.quality.{_METRIC}: not bounds that are known here; {_HOW}")
    # The last of each excludes its number.
    found: list[tuple[int, int | None]] = [(int(n) + (at == 2), None) for at, n in enumerate(low) if n is not None]
    return found + [(0, int(n) - (at == 2)) for at, n in enumerate(high) if n is not None]
