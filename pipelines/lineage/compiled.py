"""The lineage of what dbt built in a home, from the SQL that it compiled there.

Belongs here: where compiled SQL, tested keys and kept traces lie. Does not belong here: tracing itself (`graph`,
`trace`), and keeping traces (`kept`).
"""

from __future__ import annotations

from pathlib import Path

import yaml

from pipelines.contracts.load import Catalog
from pipelines.lineage.graph import Lineage
from pipelines.lineage.kept import Kept
from pipelines.settings import PROJECT, Home, InputError

DBT_PROJECT = PROJECT / "dbt_project"
_COMPILED = Path("compiled") / "zhongtai" / "models"
_KEPT = "lineage.json"


def lineage_of(catalog: Catalog, home: Home, project: Path = DBT_PROJECT) -> Lineage:
    """The lineage of the last build of `home`; models that changed are traced, the others taken as they were kept.

    Raises InputError for a model that dbt has not built in this home.
    """
    models, keys = compiled_models(home.dbt / "target", project), tested_keys(project)
    kept = Kept(home.dbt / _KEPT, home.path)
    lineage = Lineage(models, catalog, keys, kept)
    kept.write()
    return lineage


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
