"""The project's contracts, and its dbt models as dbt compiles them."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.lineage.compiled import compiled_models, tested_keys
from pipelines.settings import PROJECT

DBT = PROJECT / "dbt_project"


@dataclass(frozen=True)
class Compiled:
    """SQL of every model by name, the keys that a test holds a model to, and the home it was compiled for."""

    models: dict[str, str]
    keys: dict[str, frozenset[str]]
    home: Path


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """Every contract of the project."""
    return project_catalog()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """What dbt would run for a night, without running it. Takes dbt's start, once for all workers."""
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "dbt_compiled"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            compile_project(DBT, place / "target", place / "home")
            (place / "done").touch()
    models = compiled_models(place / "target", DBT)
    return Compiled(models, tested_keys(DBT), place / "home")


def compile_project(project: Path, target: Path, home: Path) -> None:
    """Have dbt compile every model of a project."""
    (home / "warehouse").mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ZHONGTAI_", "DBT_"))}
    environment |= {"ZHONGTAI_HOME": str(home), "ZHONGTAI_FROM": "1994-03-01", "ZHONGTAI_TO": "1994-03-31"}
    command = [
        str(Path(sys.executable).with_name("dbt")), "--quiet", "compile", "--select", "resource_type:model",
        "--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(target),
        "--log-path", str(target),
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
