"""Builds the columns of a contract from their entries in the standard, and refuses what does not fit together.

What belongs here: everything about one column. What does not: rules between columns or contracts (`load`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from open_data_contract_standard.model import SchemaProperty

from pipelines.contracts.document import suggestion
from pipelines.contracts.expectations import party_column
from pipelines.contracts.model import HISTORY, IDENTIFIERS, PURPOSES, Column, Contract, ContractError
from pipelines.contracts.odcs import properties

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CLASSIFICATION = re.compile(r"L([1-5])(?:/(C[1-3]))?")
_KNOWN = {"identifier", "inputs", "purposes", "legalBasis", "history"}
# The standard's type for each of ours, and what a bound of that type is.
_LOGICAL = {
    "string": "string", "date": "date", "timestamp": "timestamp", "boolean": "boolean", "bigint": "integer",
    "double": "number", "decimal": "number",
}  # fmt: skip
_TYPE = re.compile(r"string|date|timestamp|boolean|bigint|double|decimal\(([0-9]+),([0-9]+)\)")
_MOMENTS = {"date": date.fromisoformat, "timestamp": datetime.fromisoformat}
# What a product column may say although it takes everything else from its mart.
_OF_A_PRODUCT = {"name", "description", "required"}


def build_column(
    path: Path, item: SchemaProperty, position: int, purposes: tuple[str, ...], legal_basis: str, mart: Contract | None
) -> Column:
    """The column that `item` describes; a product's comes from `mart`, but for the pseudonym. Raises ContractError."""
    name = item.name or ""
    if not _NAME.fullmatch(name):
        raise ContractError(
            f"{path}: schema.properties.{name or position}.name: give lower-case letters, digits and underscores"
        )
    if mart is not None and party_column(name) is None:
        return _inherited(path, item, mart, purposes)
    given = properties(path, name, item.customProperties, _KNOWN)
    column = Column(
        name=name,
        type=_type(path, item),
        description=_description(path, item),
        required=bool(item.required),
        key=bool(item.primaryKey),
        enum=_enum(path, item),
        minimum=_bound(path, item, "minimum"),
        maximum=_bound(path, item, "maximum"),
        identifier=given.get("identifier"),
        references=_reference(path, item),
        purposes=_purposes(path, name, given.get("purposes"), purposes),
        legal_basis=given.get("legalBasis", legal_basis),
        inputs=tuple(item.transformSourceObjects or given.get("inputs", ())),
        history=given.get("history"),
        **_classification(path, item),
    )
    _check(path, column)
    return column


def _inherited(path: Path, item: SchemaProperty, mart: Contract, purposes: tuple[str, ...]) -> Column:
    try:
        inherited = mart.column(str(item.name))
    except KeyError:
        hint = suggestion(str(item.name), {column.name for column in mart.columns})
        raise ContractError(
            f"{path}: {item.name}: not a column of {mart.id}{hint}; remove it or add it there"
        ) from None
    if own := sorted(item.model_fields_set - _OF_A_PRODUCT):
        raise ContractError(
            f"{path}: {item.name}.{own[0]}: a column of a product is what {mart.id} says it is; remove it here"
        )
    if item.required:
        raise ContractError(
            f"{path}: {item.name}.required: whether a value is there, {mart.id} says; a product may only say "
            f"`required: false` of what it may have to hold back"
        )
    return replace(
        inherited,
        description=item.description or inherited.description,
        purposes=purposes,
        required=inherited.required and item.required is None,
    )


def _type(path: Path, item: SchemaProperty) -> str:
    found = _TYPE.fullmatch(item.physicalType or "")
    if found is None or (found[1] and not int(found[2]) <= int(found[1]) <= 38):
        raise ContractError(
            f"{path}: {item.name}.physicalType: '{item.physicalType}' is not a type of the platform; give "
            f"{', '.join(_LOGICAL)}(digits,places), with at most 38 digits"
        )
    logical = _LOGICAL[found[0].partition("(")[0]]
    if item.logicalType != logical:
        raise ContractError(
            f"{path}: {item.name}.logicalType: '{item.logicalType}' does not go with {found[0]}; give {logical}"
        )
    return found[0]


def _description(path: Path, item: SchemaProperty) -> str:
    if not (item.description or "").strip():
        raise ContractError(f"{path}: {item.name}.description: missing; say what the column means")
    return str(item.description)


def _classification(path: Path, item: SchemaProperty) -> dict[str, Any]:
    found = _CLASSIFICATION.fullmatch(item.classification or "")
    if found is None:
        raise ContractError(
            f"{path}: {item.name}.classification: '{item.classification}' is not a class; give L1 to L5, followed by "
            f"/C1 to /C3 for personal data"
        )
    return {"security_level": int(found[1]), "personal_class": found[2]}


def _enum(path: Path, item: SchemaProperty) -> tuple[str, ...]:
    values = [entry.value for entry in item.enum or []]
    if values and item.physicalType != "string":
        raise ContractError(f"{path}: {item.name}.enum: only a string has a list of codes; give minimum and maximum")
    for value in values:
        if not isinstance(value, str) or not value:
            raise ContractError(f"{path}: {item.name}.enum: {value!r} is not text; put it in quotes")
        if values.count(value) > 1:
            raise ContractError(f"{path}: {item.name}.enum: '{value}' is listed twice; keep one")
    return tuple(values)


def _bound(path: Path, item: SchemaProperty, which: str) -> float | str | None:
    value = (item.logicalTypeOptions or {}).get(which)
    if value is None:
        return None
    at, type_ = f"{path}: {item.name}.logicalTypeOptions.{which}", str(item.physicalType)
    if type_ in ("string", "boolean"):
        raise ContractError(f"{at}: a {type_} has no {which}; remove it, or write a rule under quality of the table")
    if type_ in _MOMENTS:
        try:
            _MOMENTS[type_](str(value))
        except ValueError:
            raise ContractError(f"{at}: '{value}' is not a {type_}; write it as 2025-01-31 in quotes") from None
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ContractError(f"{at}: '{value}' is not a number; write it without quotes")
    return value


def _reference(path: Path, item: SchemaProperty) -> tuple[str, str] | None:
    relationships = item.relationships or []
    if not relationships:
        return None
    to = relationships[0].to
    if len(relationships) > 1 or relationships[0].type != "foreignKey" or not isinstance(to, str) or to.count(".") != 2:
        raise ContractError(
            f"{path}: {item.name}.relationships: give one, as `type: foreignKey` and `to: <contract id>.<key column>`"
        )
    contract_id, _, column = to.rpartition(".")
    return contract_id, column


def _purposes(path: Path, name: str, own: Any, of_contract: tuple[str, ...]) -> tuple[str, ...]:
    purposes = of_contract if own is None else check_purposes(path, f"{name}.customProperties.purposes", own)
    if wider := sorted(set(purposes) - set(of_contract)):
        raise ContractError(
            f"{path}: {name}.customProperties.purposes: {', '.join(wider)} is more than the contract allows; narrow it"
        )
    return purposes


def check_purposes(path: Path, at: str, given: Any) -> tuple[str, ...]:
    """`given` as purposes. Raises ContractError where it is no list, or names one that the platform does not know."""
    if not isinstance(given, list):
        raise ContractError(f"{path}: {at}: '{given}' is not a list; write [{', '.join(PURPOSES[:2])}]")
    if unknown := [purpose for purpose in given if purpose not in PURPOSES]:
        hint = suggestion(str(unknown[0]), set(PURPOSES))
        raise ContractError(f"{path}: {at}: unknown '{unknown[0]}'{hint}; use {', '.join(PURPOSES)}")
    return tuple(given)


def _check(path: Path, column: Column) -> None:
    faults = (
        (column.key and not column.required, "required: a key column is never empty; say `required: true`"),
        (
            column.minimum is not None and column.maximum is not None and column.minimum > column.maximum,  # type: ignore[operator]
            f"logicalTypeOptions: minimum {column.minimum} lies above maximum {column.maximum}; correct one",
        ),
        (
            column.identifier and column.identifier not in IDENTIFIERS,
            f"customProperties.identifier: unknown '{column.identifier}'; use {', '.join(IDENTIFIERS)}",
        ),
        (
            column.history not in (None, *HISTORY),
            f"customProperties.history: unknown '{column.history}'; use {', '.join(HISTORY)}",
        ),
        (
            column.history == "counted" and column.type != "bigint",
            "customProperties.history: only whole days are counted; make it a bigint",
        ),
        (
            column.identifier and column.type != "string",
            "customProperties.identifier: only a string becomes a token; make it one",
        ),
        (
            column.identifier and column.key,
            "customProperties.identifier: an identifier is no key, which the lake needs as delivered; use another key",
        ),
        (
            column.identifier and column.personal_class is None,
            "classification: an identifier is personal; add /C1 to /C3",
        ),
    )
    for wrong, message in faults:
        if wrong:
            raise ContractError(f"{path}: {column.name}.{message}")
