"""A copy of the project's contracts for a test to spoil."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import project_catalog

from pipelines.contracts.load import Catalog, load_catalog
from pipelines.contracts.model import ContractError
from pipelines.settings import PROJECT


@dataclass(frozen=True)
class Folder:
    """A folder of contracts that is edited as a person would: by replacing words in a file."""

    root: Path

    def edit(self, name: str, old: str, new: str) -> Path:
        """Replace the first `old` in the file `name`; without `old`, the file holds `new`."""
        path = self.root / name
        if not old:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(new, encoding="utf-8")
            return path
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} does not say {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    def load(self) -> Catalog:
        """Read everything: contracts, policy, banks and feeds."""
        catalog = load_catalog(self.root)
        for bank in catalog.banks:
            catalog.bank(bank)
            catalog.feeds(bank)
        return catalog

    def refusal(self) -> str:
        """What is said of the folder."""
        with pytest.raises(ContractError) as caught:
            self.load()
        return str(caught.value)


@pytest.fixture(scope="session", autouse=True)
def _each_document_is_parsed_once() -> Iterator[None]:
    """Hundreds of cases read the same files but for one; what cannot be parsed is parsed, and refused, every time."""
    parsed: dict[tuple[Any, bytes], bytes] = {}
    parse = yaml.load

    def load(raw: Any, Loader: Any) -> Any:
        if not isinstance(raw, bytes):
            return parse(raw, Loader=Loader)
        if (Loader, raw) not in parsed:
            parsed[Loader, raw] = pickle.dumps(parse(raw, Loader=Loader))
        return pickle.loads(parsed[Loader, raw])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.contracts.document.yaml.load", load)
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """The project's contracts, to be changed by a test as it likes."""
    shutil.copytree(PROJECT / "data_contracts", tmp_path / "data_contracts")
    return Folder(tmp_path / "data_contracts")


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The project's contracts as they are."""
    return project_catalog()
