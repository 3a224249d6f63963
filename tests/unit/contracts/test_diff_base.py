"""The state that contracts are compared with comes from git."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.contracts.diff import Change, catalog_at, compare
from pipelines.contracts.model import ContractError

if TYPE_CHECKING:
    from conftest import Folder


@pytest.fixture
def repository(folder: Folder) -> Path:
    """A git repository with the contracts committed once, under the tag `first`."""
    project = folder.root.parent
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "first"],
        ["tag", "first"],
    ):
        subprocess.run(["git", "-C", str(project), *command], check=True, capture_output=True)
    return project


def test_an_earlier_state_comes_from_git(folder: Folder, repository: Path) -> None:
    folder.edit("sources/reference/district.odcs.yaml", "physicalType: decimal(9,4)", "physicalType: decimal(9,2)")
    (difference,) = compare(catalog_at(repository, folder.root, "first"), folder.load())
    assert difference.changes == (
        Change("reference.district", "unemployment_rate: type changed from decimal(9,4) to decimal(9,2)", True),
    )
    assert difference.fault == "reference.district: breaking changes demand version 2.0.0; it says 1.1.0"


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD~1", "", "HEAD:data_contracts"])
def test_a_revision_that_git_does_not_know(folder: Folder, repository: Path, revision: str) -> None:
    with pytest.raises(ContractError) as caught:
        catalog_at(repository, folder.root, revision)
    assert str(caught.value) == f"git knows no revision '{revision}'; give a branch, a tag or a commit with --base"


def test_a_folder_that_git_never_had(folder: Folder, repository: Path) -> None:
    later = folder.root.rename(repository / "contracts")
    with pytest.raises(ContractError) as caught:
        catalog_at(repository, later, "first")
    assert str(caught.value) == "git has no contracts at 'first'; give a later revision with --base"


def test_a_folder_outside_the_project(folder: Folder, tmp_path: Path) -> None:
    project = tmp_path / "elsewhere"
    project.mkdir()
    with pytest.raises(ContractError, match=rf"^{folder.root}: lies outside {project}, so git knows no earlier state"):
        catalog_at(project, folder.root, "HEAD")


def test_an_earlier_state_that_cannot_be_read(folder: Folder, repository: Path) -> None:
    folder.edit("sources/core/party.odcs.yaml", "id: core.party\n", "")
    command = ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-am", "broken"]
    subprocess.run(["git", "-C", str(repository), *command], check=True, capture_output=True)
    with pytest.raises(ContractError) as caught:
        catalog_at(repository, folder.root, "HEAD")
    assert str(caught.value) == (
        "at 'HEAD' the contracts cannot be read; give a later one: "
        "data_contracts/sources/core/party.odcs.yaml: id: missing; every contract states it"
    )
