"""Derives from a product contract what must hold of its published table, as plain data.

What belongs here: which expectations follow from a contract, with their ids and words. What does not: how they
are checked, how grave a failure is (`pipelines.audit`), and anything of a checking library.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pipelines.contracts.model import Column, Contract, RowRule

PSEUDONYM = "pseudonym"
PARTY = "party_id"
AS_OF = "business_date"
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Expectation:
    """One thing that must hold. `id` is `contract.<kind>/<contract id>`, with the column or rule where there is one.

    kind          columns             arguments
    columns       all, in order       -
    required      one                 -
    key           the key             -
    values        one                 values: tuple of text
    range         one                 minimum, maximum: number, date, timestamp or None
    rule          those it mentions   predicate: SQL; a row breaks it where it is false, null passes
    business_date business_date       -
    pseudonym     one                 -
    """

    id: str
    contract: str
    kind: str
    columns: tuple[str, ...]
    description: str
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)


def expectations(contract: Contract, mart: Contract | None = None) -> tuple[Expectation, ...]:
    """Everything `contract` promises of its table. `mart` adds its row rules, as far as their columns are published."""
    found = [_expectation(contract, "columns", contract.columns, "Exactly the columns of the contract, in its order.")]
    found.append(_expectation(contract, "key", key_columns(contract), "No two rows share a key."))
    for column in contract.columns:
        found += _column_expectations(contract, column)
    for rule, columns in _rules(contract, mart):
        arguments = {"predicate": rule.predicate}
        found.append(_expectation(contract, "rule", columns, rule.description, rule.name, arguments))
    return tuple(found)


def party_column(name: str) -> str | None:
    """The column of party ids that a pseudonym of a product stands for, None where `name` is no pseudonym.

    `pseudonym` stands for `party_id` of the mart, `from_pseudonym` for `from_party_id`.
    """
    if name == PSEUDONYM or name.endswith(f"_{PSEUDONYM}"):
        return name.removesuffix(PSEUDONYM) + PARTY
    return None


def key_columns(contract: Contract) -> tuple[Column, ...]:
    """The key columns as columns."""
    return tuple(column for column in contract.columns if column.key)


def mentioned(sql: str, contract: Contract) -> tuple[str, ...]:
    """Names of the columns of `contract` that an SQL expression mentions, in the order of the contract."""
    words = set(_WORD.findall(_QUOTED.sub("''", sql)))
    return tuple(column.name for column in contract.columns if column.name in words)


def _column_expectations(contract: Contract, column: Column) -> list[Expectation]:
    found = []
    if column.required:
        found.append(_expectation(contract, "required", (column,), f"{column.name} is never empty.", column.name))
    if column.enum:
        words = f"{column.name} is one of {', '.join(column.enum)}."
        found.append(_expectation(contract, "values", (column,), words, column.name, {"values": column.enum}))
    if column.minimum is not None or column.maximum is not None:
        arguments = {"minimum": _bound(column, column.minimum), "maximum": _bound(column, column.maximum)}
        words = " and ".join(
            f"{limit} {arguments[name]}"
            for name, limit in (("minimum", "at least"), ("maximum", "at most"))
            if arguments[name] is not None
        )
        found.append(_expectation(contract, "range", (column,), f"{column.name} is {words}.", column.name, arguments))
    if column.name == AS_OF:
        found.append(_expectation(contract, "business_date", (column,), "Every row is as of the business date."))
    if party_column(column.name):
        detail = "" if column.name == PSEUDONYM else column.name
        words = f"Every {column.name} is 64 hexadecimal digits."
        found.append(_expectation(contract, "pseudonym", (column,), words, detail))
    return found


def _rules(contract: Contract, mart: Contract | None) -> list[tuple[RowRule, tuple[Column, ...]]]:
    published = {column.name for column in contract.columns}
    inherited = [
        rule for rule in (mart.rules if mart else ()) if mart and published.issuperset(mentioned(rule.predicate, mart))
    ]
    by_name = {rule.name: rule for rule in (*inherited, *contract.rules)}
    return [
        (rule, tuple(contract.column(name) for name in mentioned(rule.predicate, contract)))
        for rule in by_name.values()
    ]


def _bound(column: Column, value: float | str | None) -> float | str | date | None:
    readers = {"date": date.fromisoformat, "timestamp": datetime.fromisoformat}
    return readers[column.type](value) if isinstance(value, str) and column.type in readers else value


def _expectation(
    contract: Contract,
    kind: str,
    columns: tuple[Column, ...],
    description: str,
    detail: str = "",
    arguments: Mapping[str, Any] | None = None,
) -> Expectation:
    return Expectation(
        id=f"contract.{kind}/{contract.id}" + (f"/{detail}" if detail else ""),
        contract=contract.id,
        kind=kind,
        columns=tuple(column.name for column in columns),
        description=description,
        arguments=arguments or {},
    )
