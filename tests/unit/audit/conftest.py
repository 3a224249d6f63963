"""Catalogs and candidates for the audit's tests."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest
from project import project_catalog

from pipelines.audit.content import read_content
from pipelines.audit.evidence import Evidence
from pipelines.audit.run import audit_candidate
from pipelines.audit.subject import Subject
from pipelines.audit.tables import open_tables
from pipelines.contracts.load import Catalog

from .candidates import DAY, NO_SHELF, Spoil, write_candidate, write_crosswalk

PARTIES = 40
# What tests spoil, where their module names no PRODUCTS: a candidate of all would take each of them a minute.
PRODUCTS = (
    "marketing.low_risk_list", "risk.low_risk_decision", "shared.coverage", "shared.reconciliation",
)  # fmt: skip


@pytest.fixture(scope="session")
def whole_catalog() -> Catalog:
    """Every contract of the project."""
    return project_catalog()


@pytest.fixture
def catalog(whole_catalog: Catalog, request: pytest.FixtureRequest) -> Catalog:
    """The project's contracts with the products that tests spoil, to be changed by a test as it likes."""
    own = copy.copy(whole_catalog)
    own.products = {name: own.products[name] for name in getattr(request.module, "PRODUCTS", PRODUCTS)}
    used = {"mart.lawful_use", *(product.mart for product in own.products.values())}
    own.marts = {name: mart for name, mart in own.marts.items() if name in used}
    return own


@pytest.fixture
def crosswalk(tmp_path: Path) -> Path:
    """The crosswalk of the parties in a candidate."""
    return write_crosswalk(tmp_path / "party_crosswalk.parquet", PARTIES)


@pytest.fixture
def audited(tmp_path: Path, catalog: Catalog, crosswalk: Path) -> Callable[[Spoil | None], Evidence]:
    """Audit a candidate that a test has spoiled."""

    def audit(spoil: Spoil | None = None) -> Evidence:
        return audit_candidate(write_candidate(tmp_path, catalog, PARTIES, spoil), catalog, crosswalk, NO_SHELF)

    return audit


@pytest.fixture
def opened(tmp_path: Path, crosswalk: Path) -> Iterator[Callable[..., Subject]]:
    """Open a candidate for single checks, with the releases in `tmp_path / "releases"` before it."""
    count = 0
    with ExitStack() as open_ones:

        def open_(catalog: Catalog, spoil: Spoil | None = None, parties: int = PARTIES, day: date = DAY) -> Subject:
            nonlocal count
            count += 1
            directory = write_candidate(tmp_path / "candidates" / f"{count}", catalog, parties, spoil, day)
            tables = open_ones.enter_context(open_tables(directory, catalog, threads=1, memory_limit="1GB"))
            return Subject(directory, read_content(directory), catalog, tables, crosswalk, tmp_path / "releases")

        yield open_
