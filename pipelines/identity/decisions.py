"""Decisions: what people said of two records, in one file of a home that outranks every rule and model.

What belongs here: the file, and which pairs of records it holds together or apart. What does not: who proposes an entry
(`undo`, the command line) and what follows from it for a night (`assign`).

The last word stands: an entry that a later one contradicts in any pair counts no more, as a whole. A name is a record
reference, or a party id, which stands for the record that founded the party.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError

from pipelines.contracts.document import Strict, faults, read_document
from pipelines.contracts.entries import append
from pipelines.contracts.model import ContractError
from pipelines.settings import Home

TOGETHER, APART = "together", "apart"
_HEADER = """\
# What people decided of records: read by every night, the last word on a pair stands.
# verdict: together or apart; left, right: record references or party ids, from `zhongtai identity review` or `explain`.
decisions:
"""
Name = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Names = Annotated[
    tuple[Name, ...], Field(min_length=1), BeforeValidator(lambda given: [given] if isinstance(given, str) else given)
]
Said = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class Decision(Strict):
    """One entry. Every record of `left` and `right` is one party, or none of `left` is with one of `right`.

    `event` is the identity event that the entry takes back.
    """

    verdict: Literal["together", "apart"]
    left: Names
    right: Names
    decided_by: Said
    reason: Said
    event: Name | None = None


class _File(Strict):
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True)
class Verdicts:
    """What stands, as pairs of record references, smaller one first, with the entry that says so.

    `together` are joins that make one party of all records of an entry. `unknown` names no record that there is.
    """

    together: dict[tuple[str, str], Decision]
    apart: dict[tuple[str, str], Decision]
    unknown: tuple[str, ...] = ()


def path(home: Home) -> Path:
    """The decision file of a home; there is none before the first decision."""
    return home.identity / "decisions.yaml"


def fingerprint(home: Home) -> str:
    """SHA-256 of the decision file, or of nothing: part of what a night was made from."""
    return hashlib.sha256(path(home).read_bytes() if path(home).exists() else b"").hexdigest()


def read(file: Path) -> tuple[Decision, ...]:
    """Every entry in order. Raises ContractError naming file, entry and rule."""
    if not file.exists():
        return ()
    given, _ = read_document(file, "a decision file")
    if given.get("decisions", ()) is None:  # the list is still empty
        given = {**given, "decisions": []}
    try:
        entries = _File.model_validate(given).decisions
    except ValidationError as error:
        raise ContractError(f"{file}: {faults(error, given)}; `zhongtai identity decide` writes entries") from error
    for number, entry in enumerate(entries, start=1):
        if shared := set(entry.left) & set(entry.right):
            raise ContractError(f"{file}: decisions.{number}: {min(shared)} is on both sides; take it from one of them")
    return entries


def add(file: Path, new: Sequence[Decision]) -> None:
    """Put entries at the end of the file; what people wrote above, comments and all, stays as it is.

    Raises ContractError where the file or what would become of it cannot be read.
    """
    append(file, "decisions", _HEADER, [_plain(entry) for entry in new], read, (*read(file), *new))


def _plain(entry: Decision) -> dict[str, Any]:
    fields = entry.model_dump(exclude_none=True)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def named(entries: Sequence[Decision]) -> set[str]:
    """Every record reference and party id that entries name."""
    return {name for entry in entries for name in (*entry.left, *entry.right)}


def verdicts(entries: Sequence[Decision], founders: dict[str, str], records: Collection[str]) -> Verdicts:
    """What stands of `entries`: `founders` gives the founding record of a party id, `records` are those there are."""
    together: dict[tuple[str, str], Decision] = {}
    apart: dict[tuple[str, str], Decision] = {}
    standing: list[tuple[Decision, frozenset[str], frozenset[str]]] = []
    for entry in reversed(entries):
        left, right = (
            frozenset(record for name in side if (record := founders.get(name, name)) in records)
            for side in (entry.left, entry.right)
        )
        if left and right and not left & right and not any(_contradict((entry, left, right), s) for s in standing):
            standing.append((entry, left, right))
    for entry, left, right in reversed(standing):
        if entry.verdict == APART:
            apart |= {_pair(a, b): entry for a, b in product(left, right)}
        else:
            first, *others = sorted(left | right)
            together |= {(first, other): entry for other in others}
    unknown = sorted(name for name in named(entries) if founders.get(name, name) not in records)
    return Verdicts(together, apart, tuple(unknown))


def _contradict(
    one: tuple[Decision, frozenset[str], frozenset[str]], other: tuple[Decision, frozenset[str], frozenset[str]]
) -> bool:
    if one[0].verdict == other[0].verdict:
        return False
    (_, left, right), joined = (one, other) if one[0].verdict == APART else (other, one)
    whole = joined[1] | joined[2]
    return bool(left & whole) and bool(right & whole)


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)
