"""Derives the checks that ingest makes on every row of a contract, as SQL predicates of what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.contracts.model import Column, Contract


@dataclass(frozen=True)
class RowCheck:
    """`violated` is an SQL expression over contract columns and `business_date`: true where the row is bad."""

    rule: str
    column: str
    violated: str
    reason: str


def row_checks(contract: Contract) -> list[RowCheck]:
    """Every check on a single row: required, code lists, ranges, and the contract's own rules."""
    checks = [check for column in contract.columns for check in _column_checks(column)]
    for rule in contract.rules:
        violated = f"not coalesce(({rule.predicate}), true)"
        checks.append(RowCheck(rule.name, "", violated, f"breaks the rule: {rule.description} ({rule.predicate})"))
    return checks


def _column_checks(column: Column) -> list[RowCheck]:
    checks = []
    if column.required or column.key:
        checks.append(RowCheck("required", column.name, f"{column.name} is null", "is empty but required"))
    if column.enum:
        values = ", ".join("'" + value.replace("'", "''") + "'" for value in column.enum)
        reason = f"is not one of {', '.join(column.enum)}"
        checks.append(RowCheck("accepted_values", column.name, f"{column.name} not in ({values})", reason))
    quote = "'" if column.type in ("date", "timestamp") else ""
    for bound, sign, word in ((column.minimum, "<", "below"), (column.maximum, ">", "above")):
        if bound is not None:
            limit = f"{column.type} {quote}{bound}{quote}" if quote else str(bound)
            checks.append(RowCheck("range", column.name, f"{column.name} {sign} {limit}", f"is {word} {bound}"))
    return checks
