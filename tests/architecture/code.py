"""What the architecture tests look at: the files of the repository, and Python as syntax trees."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pipelines.settings import PROJECT

NOT_OURS = {".venv", ".git", "var", "build", "target", "logs", "__pycache__", "node_modules"}


@cache
def repository() -> tuple[Path, ...]:
    """Every file that is or would be committed; in an export without git, every file outside caches and data."""
    listed = ["git", "-C", str(PROJECT), "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        paths = [PROJECT / name for name in done.stdout.splitlines()]
    else:
        paths = [path for path in PROJECT.rglob("*") if not _aside(path.relative_to(PROJECT))]
    return tuple(sorted(path for path in paths if path.is_file()))


def _aside(path: Path) -> bool:
    return any(
        part in NOT_OURS or part.endswith(("_cache", ".egg-info")) or part.startswith("var-") for part in path.parts
    )


def python(*folders: str) -> list[Path]:
    """Python files below these folders of the project."""
    return [path for path in repository() if path.suffix == ".py" and path.relative_to(PROJECT).parts[0] in folders]


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name(path: Path) -> str:
    """How a file is called in a message: relative to the project."""
    return path.relative_to(PROJECT).as_posix()


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call in a file, with what is called as it is written: `duckdb.connect`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def texts(path: Path) -> Iterator[str]:
    """Every piece of text in a file that is no docstring: SQL, messages, names."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree(path))
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value
