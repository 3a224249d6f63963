"""Modules are short, say what belongs in them, and are called by what they hold; imports point one way."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipelines.settings import PROJECT

from .code import name, python, repository, tree

CODE, TESTS = python("pipelines", "benchmarks"), python("tests")
LONGEST, LONGEST_TEST, LONGEST_MODEL = 250, 350, 120
NAMELESS = re.compile(r"(^|_)(utils?|helpers?|commons?|misc|stuff)(_|$)")


def length(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def length_without_tables(path: Path) -> int:
    """Lines of a module but for the literals that it assigns: a table of cases is as long as there are cases."""
    tables = [
        node.end_lineno - node.lineno
        for node in tree(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict | ast.List | ast.Tuple)
    ]
    return length(path) - sum(tables)


def test_modules_are_short() -> None:
    assert {name(path): length(path) for path in CODE if length(path) > LONGEST} == {}


def test_tests_are_short_but_for_their_tables() -> None:
    assert {name(path): n for path in TESTS if (n := length_without_tables(path)) > LONGEST_TEST} == {}


def test_models_are_short() -> None:
    models = [path for path in repository() if path.suffix == ".sql" and path.is_relative_to(PROJECT / "dbt_project")]
    assert models
    written = [path for path in models if "  Generated from " not in path.read_text(encoding="utf-8")[:200]]
    assert len(written) >= len(models) - 4  # tags, features, scorecards, propensity cards
    assert {name(path): length(path) for path in written if length(path) > LONGEST_MODEL} == {}


def test_every_module_says_what_belongs_in_it() -> None:
    for path in (*CODE, *TESTS):
        said = ast.get_docstring(tree(path))
        assert said, f"{name(path)} has no docstring"
        assert said.splitlines()[0].endswith((".", ":", "?")) or "\n" in said, f"{name(path)}: {said}"
        assert len(said) > 20, f"{name(path)}: {said}"


def test_nothing_is_called_by_what_it_is_not() -> None:
    assert [
        name(path) for path in repository() if NAMELESS.search(path.stem) or NAMELESS.search(path.parent.name)
    ] == []


def test_imports_point_one_way() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_every_part_of_the_platform_has_its_layer() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (layers,) = [contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers"]
    placed = {part.strip() for layer in layers for part in re.split(r"[|:]", layer)}
    parts = {path.relative_to(PROJECT / "pipelines").parts[0].removesuffix(".py") for path in python("pipelines")}
    assert placed == {f"pipelines.{part}" for part in parts - {"__init__"}}


def test_nothing_is_imported_but_at_the_top_that_a_rule_would_miss() -> None:
    """Import-linter reads imports wherever they stand; a name built at run time it cannot read."""
    for path in CODE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "importlib.import_module"):
                assert isinstance(node.args[0], ast.Constant), name(path)


@pytest.mark.parametrize("stem", ["utils", "sql_utils", "helpers", "test_helpers", "common", "misc"])
def test_such_a_name_would_be_seen(stem: str) -> None:
    assert NAMELESS.search(stem)
