"""Waivers: who lets a release be published although a gate failed, for what, why, and until when.

What belongs here: the files below `waivers/`, and which of them were signed as the policy asks. What does not: which
checks failed, and publishing in spite of them (`pipelines.audit.waivers`). A waiver that was not signed by two, or asks
for what cannot be waived, is read and does nothing: that is said where its gate fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError, model_validator

from pipelines.contracts.document import Strict, faults, read_document
from pipelines.contracts.model import ContractError
from pipelines.contracts.policy import Policy

Name = Annotated[str, StringConstraints(min_length=1)]
NEVER = ("privacy.", "candidate.", "contract.pseudonym")  # whatever the policy says
_MAX_DAYS = "gates.waiver_max_days"


@dataclass(frozen=True)
class Waiver:
    """`of` are the products or contracts whose checks are waived, none for a gate that is one check of a release."""

    name: str
    sha256: str
    gate: str
    bank: str
    of: tuple[str, ...]
    first: date
    last: date
    reason: str
    requested_by: str
    requested_on: date
    approved_by: tuple[str, ...]
    expires: date
    path: Path = field(compare=False)

    def idle(self, policy: Policy, business_date: date) -> str:
        """Why it does nothing for a release of `business_date`; empty where it counts."""
        may_sign = set(policy.approvers) - {self.requested_by}
        signed = {name for name in self.approved_by if name in may_sign}
        longest = self.requested_on + timedelta(int(policy.thresholds[_MAX_DAYS]))
        if self.gate.startswith(NEVER) or self.gate not in policy.waivable:
            return f"{self.gate} cannot be waived"
        if self.requested_by in self.approved_by:
            return f"{self.requested_by} requested it and cannot sign it"
        if strangers := sorted(set(self.approved_by) - may_sign):
            return f"{strangers[0]} is not among the approvers of the policy"
        if len(signed) < 2:
            return f"signed by {len(signed)} of two"
        if self.expires > longest:
            return f"asked for until {self.expires}, beyond {longest}: {_MAX_DAYS} of the policy"
        if business_date > self.expires:
            return f"expired on {self.expires}"
        if not self.first <= business_date <= self.last:
            return f"for business dates {self.first} to {self.last}"
        return ""


class _Dates(Strict):
    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> _Dates:
        if self.first > self.last:
            raise ValueError(f"first {self.first} lies after last {self.last}")
        return self


class _Scope(Strict):
    bank: Name
    of: tuple[Name, ...] = ()
    business_dates: _Dates


class _File(Strict):
    gate: Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z_]+$")]
    scope: _Scope
    reason: Annotated[str, Field(min_length=20)]
    requested_by: Name
    requested_on: date
    approved_by: tuple[Name, ...]
    expires: date


def load_waiver(path: Path) -> Waiver:
    """Read one waiver. Raises ContractError where it does not say what is waived for whom, why and until when."""
    given, sha256 = read_document(path, "a waiver")
    try:
        file = _File(**given)
    except ValidationError as error:
        raise ContractError(f"{path}: {faults(error, given)}") from error
    dates = file.scope.business_dates
    return Waiver(
        name=path.stem, sha256=sha256, gate=file.gate, bank=file.scope.bank, of=file.scope.of, first=dates.first,
        last=dates.last, reason=" ".join(file.reason.split()), requested_by=file.requested_by,
        requested_on=file.requested_on, approved_by=file.approved_by, expires=file.expires, path=path,
    )  # fmt: skip


def load_waivers(folder: Path, banks: tuple[str, ...], known: set[str]) -> dict[str, Waiver]:
    """Every waiver by name. Raises ContractError for one of a bank, product or contract that is not there."""
    files = sorted(path for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    if odd := [path for path in files if path.suffix != ".yaml" or not path.is_file()]:
        raise ContractError(f"{odd[0]}: would not be read; files here are called waivers/<name>.yaml")
    waivers = {path.stem: load_waiver(path) for path in files}
    for waiver in waivers.values():
        if waiver.bank not in banks:
            raise ContractError(f"{waiver.path}: scope.bank: no bank '{waiver.bank}'; there are: {', '.join(banks)}")
        if unknown := [name for name in waiver.of if name not in known]:
            raise ContractError(f"{waiver.path}: scope.of: no product or source contract {unknown[0]}; correct it")
    return waivers
