"""The policy file: every threshold, release point and approver, versioned and signed by two people."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.contracts.model import ContractError


@dataclass(frozen=True)
class Policy:
    """`thresholds` maps a dotted name, for example `low_risk.min_age_years`, to its number."""

    version: str
    sha256: str
    thresholds: dict[str, float]
    release_points: dict[str, dict[str, Any]]
    marketing_reason_codes: tuple[str, ...]
    approved_by: tuple[str, ...]


def load_policy(path: Path) -> Policy:
    """Read the policy. Raises ContractError without two listed approvers who are not the requester."""
    raw = path.read_bytes()
    given = yaml.safe_load(raw)
    listed, requester = set(given["approvers"]), given["requested_by"]
    signed = {"policy": given["approved_by"]}
    signed |= {f"release point {name}": point["approved_by"] for name, point in given["release_points"].items()}
    for what, approvers in signed.items():
        if len(set(approvers) & listed - {requester}) < 2:
            raise ContractError(
                f"{path}: {what}: approved_by needs two distinct names from approvers ({', '.join(sorted(listed))}), "
                f"neither of them the requester ({requester})"
            )
    return Policy(
        version=str(given["version"]),
        sha256=hashlib.sha256(raw).hexdigest(),
        thresholds=dict(_flatten(path, given["thresholds"])),
        release_points=given["release_points"],
        marketing_reason_codes=tuple(given["marketing_reason_codes"]),
        approved_by=tuple(given["approved_by"]),
    )


def _flatten(path: Path, values: dict[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    pairs: list[tuple[str, float]] = []
    for name, value in values.items():
        if isinstance(value, dict):
            pairs += _flatten(path, value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            pairs.append((f"{prefix}{name}", float(value)))
        else:
            raise ContractError(f"{path}: thresholds.{prefix}{name}: '{value}' is not a number")
    return pairs
