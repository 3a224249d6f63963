"""The project's own contracts, read once by each process of tests."""

from __future__ import annotations

from functools import cache

from pipelines.contracts.load import Catalog, load_catalog
from pipelines.settings import PROJECT


@cache
def project_catalog() -> Catalog:
    """Every contract of the project; for reading alone, since all tests share it."""
    return load_catalog(PROJECT / "data_contracts")
