"""A home with a bank's marts, fresh for every test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.contracts.load import Catalog, load_catalog
from pipelines.settings import PROJECT, Settings
from pipelines.vault.keys import KeyRing

from .warehouse import BANK, KEY, Office


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """Every contract of the project."""
    return load_catalog(PROJECT / "data_contracts")


def _office(path: Path, catalog: Catalog) -> Office:
    settings = Settings(home_dir=path, bank=BANK, vault_key=KEY)
    settings.home.prepare(BANK)
    return Office(catalog, settings, KeyRing.open(settings.home.vault, KEY))


@pytest.fixture
def office(tmp_path: Path, catalog: Catalog) -> Office:
    """A home in which nothing was built yet."""
    return _office(tmp_path / "home", catalog)


@pytest.fixture(scope="session")
def _approved(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> Path:
    return _office(tmp_path_factory.mktemp("approved") / "home", catalog).approved()


@pytest.fixture
def candidate(office: Office, _approved: Path) -> Path:
    """A candidate of the home, with passing evidence."""
    return Path(shutil.copytree(_approved, office.home.candidates / _approved.name))
