"""Reads the Open Data Contract Standard, and refuses what it or the platform would pass over in silence.

What belongs here: the standard's vocabulary. What does not: what the platform requires (`load`, `column`).
"""

from __future__ import annotations

import hashlib
import inspect
import re
from pathlib import Path
from typing import Any

from open_data_contract_standard import model as standard
from open_data_contract_standard.model import CustomProperty, OpenDataContractStandard
from pydantic import BaseModel, ValidationError

from pipelines.contracts.document import faults, label, read_document, suggestion
from pipelines.contracts.frequency import DAILY, Frequency, frequency_of
from pipelines.contracts.model import ContractError

_FIELDS = {
    field.alias or name
    for _, model in inspect.getmembers(standard, inspect.isclass)
    if issubclass(model, BaseModel)
    for name, field in model.model_fields.items()
}
# Fields of the standard that promise something nobody here would keep, and where to say it instead.
_NOT_KEPT = {
    "table": {
        "relationships": "give each to its column",
        "physicalName": "name is also the physical name; remove it",
    },
    "column": {
        "quality": "move the rule to quality of the table",
        "unique": "make it the primaryKey, or write a rule",
        "physicalName": "name is also the physical name; remove it",
        "properties": "columns are flat; give each part its own",
        "items": "columns are flat; give a table of its own",
        "map": "columns are flat; give a table of its own",
    },
}
_OPTIONS = {"minimum", "maximum"}
_READ: dict[str, OpenDataContractStandard] = {}  # documents without a fault, by the SHA-256 of their file
_SERVICE_LEVELS = {"timeOfAvailability", "frequency"}
_HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_HOW_OFTEN = (
    "give value and unit: 1 d, 1 w, 1 m, 1 q or 1 y for daily, weekly, monthly, quarterly or yearly, or 2, 4 or 6 m"
)


def read_odcs(path: Path) -> tuple[OpenDataContractStandard, str]:
    """The document in `path` with exactly one table, and the file's SHA-256. Raises ContractError."""
    if (known := _found_right(path)) is not None:
        return known
    given, sha256 = read_document(path, "a data contract")
    try:
        document = OpenDataContractStandard(**given)
    except ValidationError as error:
        _check_fields(path, given, {name: None for name in given if name in _FIELDS})
        raise ContractError(f"{path}: {faults(error, given)}") from error
    _check_fields(path, given, document.model_dump(by_alias=True, exclude_unset=True))
    if document.kind != "DataContract" or not (document.apiVersion or "").startswith("v3."):
        raise ContractError(
            f"{path}: kind, apiVersion: say which standard it follows: `kind: DataContract`, `apiVersion: v3.1.0`"
        )
    if (tables := len(document.schema_ or [])) != 1:
        raise ContractError(f"{path}: schema: {tables} tables; give exactly one table per contract")
    _check_kept(path, document)
    _READ[sha256] = document
    return document, sha256


def _found_right(path: Path) -> tuple[OpenDataContractStandard, str] | None:
    """What `path` says, where a file of the same bytes was read before: two versions of a project differ in little."""
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None  # whoever reads it says why it cannot be read
    return (_READ[sha256], sha256) if sha256 in _READ else None


def properties(path: Path, at: str, items: list[CustomProperty] | None, known: set[str]) -> dict[str, Any]:
    """Custom properties by name. Raises ContractError where one is unknown, given twice or empty."""
    found: dict[str, Any] = {}
    for item in items or []:
        name = str(item.property)
        if name not in known:
            hint = suggestion(name, known)
            listed = ", ".join(sorted(known)) or "none"
            raise ContractError(f"{path}: {at}: unknown property '{name}'{hint}; known here: {listed}")
        if name in found:
            raise ContractError(f"{path}: {at}: property '{name}' is given twice; keep one")
        if item.value is None or item.value in ("", []):
            raise ContractError(f"{path}: {at}: property '{name}' has no value; give one or remove it")
        found[name] = item.value
    return found


def available_at(document: OpenDataContractStandard) -> str | None:
    """When a delivery is due, by the bank's clock on the day after the business date."""
    levels = {item.property: item.value for item in document.slaProperties or []}
    return str(levels["timeOfAvailability"]) if "timeOfAvailability" in levels else None


def frequency(path: Path, document: OpenDataContractStandard, *, needed: bool) -> Frequency:
    """How often it is delivered. Raises ContractError where that is no frequency, or `needed` and missing."""
    levels = {item.property: item for item in document.slaProperties or []}
    if "frequency" not in levels:
        if needed:
            raise ContractError(f"{path}: slaProperties.frequency: missing; {_HOW_OFTEN}")
        return DAILY
    stated = levels["frequency"]
    found = frequency_of(stated.value, stated.unit)
    if found is None:
        said = " ".join(str(part) for part in (stated.value, stated.unit) if part is not None)
        raise ContractError(f"{path}: slaProperties.frequency: '{said}' is not one that is known here; {_HOW_OFTEN}")
    return found


def _check_fields(path: Path, given: Any, understood: Any) -> None:
    if unknown := sorted(_unknown(given, understood)):
        hint = suggestion(unknown[0].rpartition(".")[2], _FIELDS)
        raise ContractError(
            f"{path}: {unknown[0]}: not a field of the Open Data Contract Standard{hint}; remove or rename it"
        )


def _unknown(given: Any, understood: Any, at: str = "") -> set[str]:
    if isinstance(given, dict) and isinstance(understood, dict):
        missing = {f"{at}{key}" for key in given.keys() - understood.keys()}
        return missing.union(*(_unknown(given[k], understood[k], f"{at}{k}.") for k in given if k in understood))
    if isinstance(given, list) and isinstance(understood, list):
        pairs = zip(given, understood, strict=True)
        return set().union(*(_unknown(a, b, f"{at}{label(a, n)}.") for n, (a, b) in enumerate(pairs)))
    return set()


def _check_kept(path: Path, document: OpenDataContractStandard) -> None:
    table = document.schema_[0]
    parts = [("table", f"schema.{table.name}", table)]
    parts += [("column", f"schema.{table.name}.{column.name}", column) for column in table.properties or []]
    for kind, at, part in parts:
        for name, advice in _NOT_KEPT[kind].items():
            if name in part.model_fields_set and not (kind == "table" and name == "properties"):
                raise ContractError(f"{path}: {at}.{name}: the platform does not act on it; {advice}")
    for column in table.properties or []:
        if unknown := sorted((column.logicalTypeOptions or {}).keys() - _OPTIONS):
            hint = suggestion(unknown[0], _OPTIONS)
            raise ContractError(
                f"{path}: {column.name}.logicalTypeOptions.{unknown[0]}: the platform knows minimum and maximum{hint}; "
                f"say anything else as a rule under quality of the table"
            )
    for level in document.slaProperties or []:
        if level.property not in _SERVICE_LEVELS:
            hint = suggestion(str(level.property), _SERVICE_LEVELS)
            raise ContractError(
                f"{path}: slaProperties: unknown property '{level.property}'{hint}; "
                f"known here: {', '.join(sorted(_SERVICE_LEVELS))}"
            )
        if level.property == "timeOfAvailability" and not _HOUR.fullmatch(str(level.value)):
            raise ContractError(
                f"{path}: slaProperties.timeOfAvailability: '{level.value}' is no time of day; "
                f'write it in quotes, as "01:15"'
            )
    named = [level.property for level in document.slaProperties or []]
    if len(set(named)) < len(named):
        raise ContractError(f"{path}: slaProperties: a property is given twice; keep one")
