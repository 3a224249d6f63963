"""Catalogs and candidates for the audit's tests."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.audit.evidence import Evidence
from pipelines.audit.run import audit_candidate
from pipelines.contracts.load import Catalog, load_catalog
from pipelines.settings import PROJECT

from .candidates import Spoil, write_candidate, write_crosswalk

PARTIES = 40
_WIDE = ("customer_360.odcs.yaml", "scenario_feature.odcs.yaml")


@pytest.fixture(scope="session")
def whole_catalog() -> Catalog:
    """Every contract of the project."""
    return load_catalog(PROJECT / "data_contracts")


@pytest.fixture(scope="session")
def _narrow_catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    root = tmp_path_factory.mktemp("contracts") / "data_contracts"
    shutil.copytree(PROJECT / "data_contracts", root)
    for name in _WIDE:
        for path in (root / "products").rglob(name):
            path.unlink()
    return load_catalog(root)


@pytest.fixture
def catalog(_narrow_catalog: Catalog) -> Catalog:
    """The project's contracts without the wide products, to be changed by a test as it likes."""
    own = copy.copy(_narrow_catalog)
    own.marts, own.products = dict(own.marts), dict(own.products)
    return own


@pytest.fixture
def crosswalk(tmp_path: Path) -> Path:
    """The crosswalk of the parties in a candidate."""
    return write_crosswalk(tmp_path / "party_crosswalk.parquet", PARTIES)


@pytest.fixture
def audited(tmp_path: Path, catalog: Catalog, crosswalk: Path) -> Callable[[Spoil | None], Evidence]:
    """Audit a candidate that a test has spoiled."""

    def audit(spoil: Spoil | None = None) -> Evidence:
        return audit_candidate(write_candidate(tmp_path, catalog, PARTIES, spoil), catalog, crosswalk)

    return audit
