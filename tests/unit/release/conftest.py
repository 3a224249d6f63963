"""A home with a bank's marts, fresh for every test."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from project import project_catalog

from pipelines.contracts.load import Catalog
from pipelines.settings import Settings
from pipelines.vault.keys import KeyRing

from .lawful_nights import NIGHTS, publish
from .warehouse import BANK, KEY, Office

# What tests read of a release; candidates of every product would take each of them a minute.
PRODUCTS = (
    "marketing.customer_360", "marketing.customer_tag", "marketing.lawful_use", "marketing.low_risk_list",
    "risk.customer_360", "risk.lawful_use", "risk.low_risk_decision", "risk.party_relation", "risk.scenario_feature",
    "shared.coverage", "shared.reconciliation",
)  # fmt: skip


@pytest.fixture(scope="session")
def whole_catalog() -> Catalog:
    """Every contract of the project."""
    return project_catalog()


@pytest.fixture(scope="session")
def catalog(whole_catalog: Catalog) -> Catalog:
    """The project's contracts with some products, and the marts that these are made of."""
    own = copy.copy(whole_catalog)
    own.products = {name: own.products[name] for name in PRODUCTS}
    used = {product.mart for product in own.products.values()}
    own.marts = {name: mart for name, mart in own.marts.items() if name in used}
    return own


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where candidates are kept that were built once."""
    return tmp_path_factory.mktemp("shelf")


def new_office(path: Path, catalog: Catalog, shelf: Path) -> Office:
    """A home in `path` in which nothing was built yet."""
    settings = Settings(home_dir=path, bank=BANK, vault_key=KEY)
    settings.home.prepare(BANK)
    return Office(catalog, settings, KeyRing.open(settings.home.vault, KEY), shelf)


@pytest.fixture
def office(tmp_path: Path, catalog: Catalog, shelf: Path) -> Office:
    """A home in which nothing was built yet."""
    return new_office(tmp_path / "home", catalog, shelf)


@pytest.fixture
def candidate(office: Office) -> Path:
    """A candidate of the home, with passing evidence."""
    return office.approved()


@pytest.fixture(scope="session")
def two_nights(tmp_path_factory: pytest.TempPathFactory, whole_catalog: Catalog, shelf: Path) -> Office:
    """A home that published the two nights of `lawful_nights`, for tests that only read."""
    office = new_office(tmp_path_factory.mktemp("two_nights") / "home", whole_catalog, shelf)
    for night in NIGHTS:
        publish(office, night)
    return office
