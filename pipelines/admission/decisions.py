"""Decisions on cases of admission: what a reviewer said, in one file of a home that outranks the rules.

What belongs here: the file and its rows. What does not: which cases there are (`admission_decision`, a mart).

The last word on a case stands, from the day on which it was said. A case is named by its `case_key`, which follows
from the application, so that a decision never carries over to the next one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator

from pipelines.contracts.document import Strict, faults, read_document
from pipelines.contracts.entries import append
from pipelines.contracts.model import ContractError
from pipelines.settings import Home, make_directory

ADMIT, REJECT = "admit", "reject"
CASE_DIGITS = 16
_HEADER = """\
# What reviewers decided of cases of admission: read by every night, the last word on a case stands.
# verdict: admit or reject; case: from `zhongtai admission list`; decided_on: the day from which on it holds.
decisions:
"""
Said = Annotated[str, StringConstraints(min_length=1, max_length=400, strip_whitespace=True)]


class Decision(Strict):
    """One entry: who said what of a case, when and why."""

    case: Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{CASE_DIGITS}}}$")]
    verdict: Literal["admit", "reject"]
    decided_by: Said
    decided_on: date
    reason: Said

    @field_validator("decided_on", mode="before")
    @classmethod
    def _a_day(cls, value: Any) -> Any:
        """A day and nothing that could be read as one: a number is no date, a time has more than a day."""
        if type(value) is date or (isinstance(value, str) and len(value) == len("2025-01-31")):
            return value
        raise ValueError("write a day as YYYY-MM-DD")


class _File(Strict):
    decisions: Annotated[tuple[Decision, ...], Field()] = ()


def path(home: Home) -> Path:
    """The decision file of a home; there is none before the first decision."""
    return home.risk / "admission_decisions.yaml"


def read(file: Path) -> tuple[Decision, ...]:
    """Every entry in order. Raises ContractError naming file, entry and rule."""
    if not file.exists():
        return ()
    given, _ = read_document(file, "a file of admission decisions")
    if given.get("decisions", ()) is None:  # the list is still empty
        given = {**given, "decisions": []}
    try:
        entries = _File.model_validate(given).decisions
    except ValidationError as error:
        raise ContractError(f"{file}: {faults(error, given)}; `zhongtai admission decide` writes entries") from error
    last: dict[str, date] = {}
    for number, entry in enumerate(entries, start=1):
        if entry.decided_on < last.get(entry.case, entry.decided_on):
            raise ContractError(
                f"{file}: decisions.{number}: case {entry.case} was decided later above, on {last[entry.case]}; "
                "the last word stands: put entries of one case in the order of their days"
            )
        last[entry.case] = entry.decided_on
    return entries


def add(file: Path, new: Sequence[Decision]) -> None:
    """Put entries at the end of the file; what people wrote above, comments and all, stays as it is.

    Raises ContractError where the file or what would become of it cannot be read.
    """
    make_directory(file.parent)
    append(file, "decisions", _HEADER, [entry.model_dump() for entry in new], read, (*read(file), *new))


def rows(home: Home) -> list[dict[str, Any]]:
    """The entries as control.admission_decision has them, numbered from 1."""
    return [
        {
            "entry": number, "case_key": entry.case, "verdict": entry.verdict, "decided_by": entry.decided_by,
            "decided_on": entry.decided_on, "reason": entry.reason,
        }
        for number, entry in enumerate(read(path(home)), start=1)
    ]  # fmt: skip


def fingerprint(home: Home, through: date) -> str | None:
    """SHA-256 over the entries said by `through`: part of what a release was made from; None where there are none."""
    said = [entry.model_dump(mode="json") for entry in read(path(home)) if entry.decided_on <= through]
    if not said:
        return None
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
