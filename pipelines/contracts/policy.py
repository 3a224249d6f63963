"""The policy file: every threshold, release point and approver, versioned and signed by two people.

What belongs here: the file's shape and its signatures. What does not: whether products and release points agree
(`purpose`), and what a threshold does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError

from pipelines.contracts.document import Strict, faults, read_document
from pipelines.contracts.lawful import LawfulUse
from pipelines.contracts.model import PURPOSES, ContractError
from pipelines.contracts.release_rules import ReleaseRules

Name = Annotated[str, StringConstraints(min_length=1)]
Purpose = Literal[PURPOSES]  # type: ignore[valid-type]


@dataclass(frozen=True)
class Policy:
    """`thresholds` maps a dotted name, for example `low_risk.min_age_years`, to its number.

    `survivorship` maps an attribute of a party to the contracts that may speak for it, the first one first.
    `release_points` say where a product may serve more than its mart, `table_release_points` where columns of a Python
    step may serve more than what they are made from. `gates` say what gates of a release look at.
    `waivable` are gates that two approvers may waive (`waivers`).
    """

    version: str
    sha256: str
    thresholds: dict[str, float]
    survivorship: dict[str, tuple[str, ...]]
    release_points: dict[str, dict[str, Any]]
    table_release_points: dict[str, dict[str, Any]]
    marketing_reason_codes: dict[str, str]
    lawful_use: LawfulUse
    approved_by: tuple[str, ...]
    path: Path = field(compare=False)
    gates: ReleaseRules = field(default_factory=ReleaseRules)
    approvers: tuple[str, ...] = ()
    waivable: tuple[str, ...] = ()


class _ReleasePoint(Strict):
    product: Name
    from_purpose: Purpose
    to_purpose: Purpose
    inputs: Annotated[tuple[Name, ...], Field(min_length=1)]
    output_domain: Annotated[tuple[Name, ...], Field(min_length=1)]
    minimum_group: Annotated[int, Field(ge=1)]
    # The column that says how many people a row stands for; without it a row is a person, and groups are counted.
    group_size: Name | None = None
    article: Name
    approved_by: tuple[Name, ...]


class _TableReleasePoint(Strict):
    table: Name
    columns: Annotated[tuple[Name, ...], Field(min_length=1)]
    article: Name
    approved_by: tuple[Name, ...]


class _File(Strict):
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    approvers: tuple[Name, ...]
    approved_by: tuple[Name, ...]
    requested_by: Name
    thresholds: dict[Name, Any]
    survivorship: dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]] = Field(default_factory=dict)
    release_points: dict[Name, _ReleasePoint]
    table_release_points: dict[Name, _TableReleasePoint] = Field(default_factory=dict)
    marketing_reason_codes: dict[Name, Name]
    lawful_use: LawfulUse
    gates: ReleaseRules = Field(default_factory=ReleaseRules)
    waivable: tuple[Name, ...] = ()


def load_policy(path: Path) -> Policy:
    """Read the policy. Raises ContractError without two listed approvers who are not the requester."""
    given, sha256 = read_document(path, "a policy")
    try:
        file = _File(**given)
    except ValidationError as error:
        raise ContractError(f"{path}: {faults(error, given)}") from error
    _check_signatures(path, file)
    return Policy(
        version=file.version,
        sha256=sha256,
        thresholds=dict(_flatten(path, file.thresholds)),
        survivorship=file.survivorship,
        release_points={name: point.model_dump(mode="json") for name, point in file.release_points.items()},
        table_release_points={name: point.model_dump(mode="json") for name, point in file.table_release_points.items()},
        marketing_reason_codes=file.marketing_reason_codes,
        lawful_use=file.lawful_use,
        approved_by=file.approved_by,
        path=path,
        gates=file.gates,
        approvers=file.approvers,
        waivable=file.waivable,
    )


def _check_signatures(path: Path, file: _File) -> None:
    may_sign = set(file.approvers) - {file.requested_by}
    signed = {"approved_by": file.approved_by}
    for section in ("release_points", "table_release_points"):
        signed |= {f"{section}.{name}.approved_by": point.approved_by for name, point in getattr(file, section).items()}
    for part, names in signed.items():
        if strangers := [name for name in names if name not in may_sign]:
            why = "requested it" if strangers[0] == file.requested_by else "is not among approvers"
            raise ContractError(f"{path}: {part}: {strangers[0]} {why} and cannot sign; let someone else sign")
        if len(set(names)) < 2:
            listed = ", ".join(sorted(may_sign))
            raise ContractError(f"{path}: {part}: signed by {len(set(names))}; two of {listed} must sign")


def _flatten(path: Path, values: dict[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    pairs: list[tuple[str, float]] = []
    for name, value in values.items():
        at = f"{prefix}{name}"
        if isinstance(value, dict):
            pairs += _flatten(path, value, f"{at}.")
        elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            pairs.append((at, float(value)))
        else:
            raise ContractError(f"{path}: thresholds.{at}: '{value}' is not a number; give one without quotes")
    return pairs
