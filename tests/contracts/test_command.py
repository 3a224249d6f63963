"""`zhongtai contracts check | sync | diff | docs`, by what they print and the code they end with."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.cli import contracts as commands
from pipelines.cli import main as entry
from pipelines.contracts.load import Catalog
from pipelines.settings import PROJECT

gc.enable()  # the command does without; the tests after it do not
DONE, BAD_INPUT = 0, 2
PARTY = "sources/core/party.odcs.yaml"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own with the contracts, what dbt has from them, and one commit tagged `first`."""
    shutil.copytree(PROJECT / "data_contracts", tmp_path / "data_contracts")
    models = shutil.ignore_patterns("*.sql", "*__unit_tests.yml")
    shutil.copytree(PROJECT / "dbt_project" / "models", tmp_path / "dbt_project" / "models", ignore=models)
    macros = Path("dbt_project", "macros", "marts")
    (tmp_path / macros).mkdir(parents=True)
    for path in (PROJECT / macros).glob("*.sql"):
        if "  Generated from " in path.read_text(encoding="utf-8")[:200]:
            shutil.copy(path, tmp_path / macros)
    for command in (
        ["init", "--quiet"], ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "first"], ["tag", "first"],
    ):  # fmt: skip
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, capture_output=True)
    monkeypatch.setattr(commands, "PROJECT", tmp_path)
    monkeypatch.setattr(commands, "DBT_PROJECT", tmp_path / "dbt_project")
    monkeypatch.setenv("ZHONGTAI_CONTRACTS", str(tmp_path / "data_contracts"))
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path


@pytest.fixture
def contracts(project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """The command as its entry point runs it, but that it ends in an exception instead of ending the tests."""

    def end(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", end)

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["zhongtai", "contracts", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            entry.main()
        said = capfd.readouterr()
        return Said(ended.value.code, said.out, said.err)

    return call


def edit(project: Path, name: str, old: str, new: str) -> Path:
    path = project / "data_contracts" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_check_says_what_was_read(contracts: Call, catalog: Catalog) -> None:
    said = contracts("check")
    feeds = sum(len(catalog.feeds(bank)) for bank in catalog.banks)
    assert said.code == DONE, said.err
    assert said.out.strip() == (
        f"{len(catalog.all())} contracts, {feeds} feeds of {len(catalog.banks)} banks and policy "
        f"{catalog.policy.version} are complete; derived files agree"
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (PARTY, "id: core.party\n", "", "id: missing; every contract states it"),
        (
            "feeds/xiaocheng/core/core.party.yaml", "  party_key: CUST_NO\n", "",
            'columns: party_key of core.party not mapped; map each, if only to "null"',
        ),
        ("feeds/pkdd99/bank.yaml", "currency: CZK\n", "", "currency: missing; every file of this kind states it"),
        ("policy.yaml", "requested_by: risk-policy\n", "", "requested_by: missing; every file of this kind states it"),
    ],
)  # fmt: skip
def test_check_ends_with_2_and_one_message(
    contracts: Call, project: Path, name: str, old: str, new: str, said: str
) -> None:
    path = edit(project, name, old, new)
    found = contracts("check")
    assert (found.code, found.out) == (BAD_INPUT, "")
    assert found.err.strip() == f"error: {path}: {said}"


def test_check_names_what_has_drifted_and_sync_mends_it(contracts: Call, project: Path) -> None:
    edit(
        project,
        "marts/customer/customer_360.odcs.yaml",
        "Days from relationship_since",
        "Whole days from relationship_since",
    )
    found = contracts("check")
    assert found.code == BAD_INPUT
    name = "dbt_project/models/marts/customer/customer_360.yml"
    assert found.err.strip() == f"error: not what the contracts say: {name}; run `zhongtai contracts sync`"
    assert contracts("sync") == Said(DONE, f"wrote {name}\n", "")
    assert contracts("check").code == DONE
    assert contracts("sync") == Said(DONE, "nothing to do: derived files agree with the contracts\n", "")


def test_diff_of_nothing(contracts: Call) -> None:
    assert contracts("diff", "--base", "first") == Said(DONE, "no contract differs from first\n", "")


def test_diff_refuses_a_breaking_change_without_a_major_version(contracts: Call, project: Path) -> None:
    edit(project, "sources/reference/district.odcs.yaml", "decimal(9,4)", "decimal(9,2)")
    found = contracts("diff", "--base", "first")
    change = "unemployment_rate: type changed from decimal(9,4) to decimal(9,2)"
    assert found.code == BAD_INPUT
    assert found.out == f"reference.district 1.1.0 -> 1.1.0\n  BREAKING: {change}\n"
    assert found.err.strip() == "error: reference.district: breaking changes demand version 2.0.0; it says 1.1.0"


def test_diff_accepts_it_with_one(contracts: Call, project: Path) -> None:
    edit(project, "sources/reference/district.odcs.yaml", "decimal(9,4)", "decimal(9,2)")
    edit(project, "sources/reference/district.odcs.yaml", "version: 1.1.0", "version: 2.0.0")
    for bank, source in (("pkdd99", "reference"), ("simbank", "reference"), ("xiaocheng", "reference")):
        edit(project, f"feeds/{bank}/{source}/reference.district.yaml", "reference.district@1", "reference.district@2")
    found = contracts("diff", "--base", "first", "--json")
    assert found.code == DONE
    (difference,) = json.loads(found.out)["contracts"]
    assert (difference["breaking"], difference["fault"], difference["after"]) == (True, None, "2.0.0")


def test_diff_of_wording_wants_a_patch(contracts: Call, project: Path) -> None:
    edit(project, PARTY, "name: Parties", "name: Customers")
    found = contracts("diff", "--base", "first")
    assert found.code == BAD_INPUT
    assert "compatible: wording changed" in found.out
    assert "core.party: changed, but the version is still 1.2.0; raise minor or patch" in found.err
    edit(project, PARTY, "version: 1.2.0", "version: 1.2.1")
    assert contracts("diff", "--base", "first").code == DONE


def test_diff_with_nothing_to_compare(contracts: Call) -> None:
    found = contracts("diff", "--base", "nowhere")
    assert found == Said(
        BAD_INPUT, "", "error: git knows no revision 'nowhere'; give a branch, a tag or a commit with --base\n"
    )


def test_docs_writes_a_page_for_every_contract(contracts: Call, catalog: Catalog, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    assert contracts("docs", "--out", str(out)).code == DONE
    assert {path.stem for path in out.iterdir()} == {"index", *catalog.all()}
    for contract in catalog.all().values():
        text = (out / f"{contract.id}.md").read_text(encoding="utf-8")
        assert all(f"| {column.name} | {column.type} |" in text for column in contract.columns)


@pytest.mark.parametrize("arguments", [["compare"], ["diff", "--bse", "first"], ["check", "more"]])
def test_bad_usage_ends_with_2(contracts: Call, arguments: list[str]) -> None:
    assert contracts(*arguments).code == BAD_INPUT


def test_the_project_itself_passes_as_a_process_of_its_own() -> None:
    command = [str(Path(sys.executable).with_name("zhongtai")), "contracts", "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert (done.returncode, done.stderr) == (DONE, "")
