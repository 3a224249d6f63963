"""The lineage of what dbt built in a home, from the SQL that it compiled there.

Belongs here: where compiled SQL and tested keys lie, and traces kept from one night to the next. Does not belong here:
tracing itself (`graph`, `trace`).
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import yaml

from pipelines.contracts.load import Catalog
from pipelines.lineage.graph import Lineage
from pipelines.lineage.trace import Keys, Origin, Trace
from pipelines.settings import PROJECT, Home, InputError, write_private

DBT_PROJECT = PROJECT / "dbt_project"
_COMPILED = Path("compiled") / "zhongtai" / "models"
_KEPT = "lineage.json"
_VERSION = 1  # of what is kept; another one is traced anew
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def lineage_of(catalog: Catalog, home: Home, project: Path = DBT_PROJECT) -> Lineage:
    """The lineage of the last build of `home`; traced where a model or a contract changed, or taken as it was kept.

    Raises InputError for a model that dbt has not built in this home.
    """
    models, keys = compiled_models(home.dbt / "target", project), tested_keys(project)
    made_from, place = _digest(models, keys, catalog, home), home.dbt / _KEPT
    if (known := _read(place, made_from)) is None:
        lineage = Lineage(models, catalog, keys)
        _keep(place, made_from, lineage)
        return lineage
    return Lineage(models, catalog, keys, known)


def compiled_models(target: Path, project: Path = DBT_PROJECT) -> dict[str, str]:
    """The compiled SQL of every model of the project, by name. What is left of models that went is not read.

    Raises InputError for a model that dbt has not compiled there.
    """
    models = project / "models"
    files = {path.stem: target / _COMPILED / path.relative_to(models) for path in sorted(models.rglob("*.sql"))}
    if missing := [name for name, path in files.items() if not path.is_file()]:
        raise InputError(f"dbt has not built {missing[0]} under {target}: run `zhongtai nightly`")
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def tested_keys(project: Path = DBT_PROJECT) -> dict[str, frozenset[str]]:
    """The key of every model whose file has it tested that the key identifies a row."""
    found = {}
    for path in sorted((project / "models").rglob("*.yml")):
        text = path.read_text(encoding="utf-8")
        for model in _loaded(text).get("models", []) if "meets_contract" in text else []:
            for test in model.get("data_tests", []):
                if "meets_contract" in test:
                    found[model["name"]] = frozenset(test["meets_contract"]["arguments"]["key"])
    return found


def _loaded(text: str) -> dict:
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _digest(models: dict[str, str], keys: Keys, catalog: Catalog, home: Home) -> str:
    """Of all that traces follow from: dates and the place of the home are in the SQL and say nothing of lineage."""
    digest = hashlib.sha256(f"{_VERSION}".encode())
    for name, sql in sorted(models.items()):
        text = _DATE.sub("date", sql.replace(str(home.path), "home"))
        digest.update(f"{name}\0{text}\0{sorted(keys.get(name, ()))}\0".encode())
    for contract in (*catalog.sources.values(), *catalog.derived.values()):
        digest.update(f"{contract.id}@{contract.sha256}\0".encode())
    return digest.hexdigest()


def _keep(place: Path, made_from: str, lineage: Lineage) -> None:
    traces = {
        model: {
            "columns": {name: _listed(origins) for name, origins in trace.columns.items()},
            "rows": _listed(trace.rows),
            "tables": sorted(trace.tables),
            "deciding": sorted(trace.deciding),
        }
        for model, trace in sorted(lineage.traces.items())
    }
    write_private(place, json.dumps({"made_from": made_from, "traces": traces}).encode())


def _read(place: Path, made_from: str) -> dict[str, Trace] | None:
    if not place.is_file():
        return None
    kept = json.loads(place.read_bytes())
    if kept["made_from"] != made_from:
        return None
    return {
        model: Trace(
            {name: _origins(listed) for name, listed in trace["columns"].items()},
            _origins(trace["rows"]),
            frozenset(trace["tables"]),
            frozenset(trace["deciding"]),
        )
        for model, trace in kept["traces"].items()
    }


def _listed(origins: frozenset[Origin]) -> list[list[str]]:
    return sorted([origin.table, origin.column] for origin in origins)


def _origins(listed: list[list[str]]) -> frozenset[Origin]:
    return frozenset(Origin(table, column) for table, column in listed)
