"""An empty lake to put rows in."""

from pathlib import Path

import pytest

from pipelines.contracts.load import Catalog, load_catalog
from pipelines.settings import PROJECT

from .lakes import Lake


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load_catalog(PROJECT / "data_contracts")


@pytest.fixture
def some_lake(catalog: Catalog, tmp_path: Path) -> Lake:
    return Lake(catalog, tmp_path)
