"""An empty lake to put rows in."""

from pathlib import Path

import pytest
from project import project_catalog

from pipelines.contracts.load import Catalog

from .lakes import Lake


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return project_catalog()


@pytest.fixture
def some_lake(catalog: Catalog, tmp_path: Path) -> Lake:
    return Lake(catalog, tmp_path)
