"""Reads a YAML file of `data_contracts/` so that nothing in it is lost or guessed, and words what is wrong with it.

What belongs here: the text of a file and how a fault in it is said. What does not: what a contract, feed, bank or
policy is.
"""

from __future__ import annotations

import hashlib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.contracts.model import ContractError


class Strict(BaseModel):
    """A part of a file that has no field beside those named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class _OneMeaning(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """A reader that refuses a key given twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                problem = f"'{key.value}' is given twice; keep one"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_document(path: Path, what: str) -> tuple[dict[str, Any], str]:
    """The fields of a YAML file, and its SHA-256. Raises ContractError where it is not `what`."""
    try:
        raw = path.read_bytes()
        given = yaml.load(raw, Loader=_OneMeaning)
    except FileNotFoundError:
        raise ContractError(f"{path}: no such file; write {what}") from None
    except (OSError, yaml.YAMLError) as error:
        raise ContractError(f"{path}: {_position(error)}") from error
    except ValueError as error:  # a date or number that there is not, as 2025-02-30
        raise ContractError(f"{path}: {error}; correct the value") from error
    if not isinstance(given, dict):
        raise ContractError(f"{path}: not {what}; write its fields as `name: value`")
    return given, hashlib.sha256(raw).hexdigest()


def faults(error: ValidationError, given: Any) -> str:
    """What a model says is wrong with `given`, field by field, on one line."""
    said = []
    for fault in error.errors(include_url=False):
        where = ".".join(_named(given, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            said.append(f"{where}: not known here; remove or rename it")
        elif fault["type"] == "missing":
            said.append(f"{where}: missing; every file of this kind states it")
        else:
            words = fault["msg"].removeprefix("Input ").removeprefix("Value error, ")
            said.append(f"{where}: {words}; it says {fault['input']!r}")
    return "; ".join(said)


def label(item: Any, position: int) -> str:
    """What a reader calls an entry of a list: its name where it has one, else its place."""
    named = item if isinstance(item, dict) else {}
    return str(named.get("name") or named.get("property") or position + 1)


def suggestion(word: str, known: set[str]) -> str:
    """`, did you mean X` where a known word is close, else nothing."""
    close = get_close_matches(word, sorted(known), n=1)
    return f", did you mean '{close[0]}'" if close else ""


def _position(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else f"cannot be read: {problem}"


def _named(given: Any, location: tuple[int | str, ...]) -> list[str]:
    names = []
    for part in location:
        try:
            inner = given[part]
        except (KeyError, IndexError, TypeError):
            inner = None
        names.append(label(inner, part) if isinstance(part, int) else str(part))
        given = inner
    return names
