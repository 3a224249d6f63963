"""Compares two states of the contracts and says which changes break a reader.

A breaking change demands a new major version, any other change a new minor or patch version.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pipelines.contracts.load import Catalog, load_catalog
from pipelines.contracts.model import Column, Contract, ContractError

_FIELDS = (
    "type", "identifier", "references", "required", "minimum", "maximum", "personal_class", "security_level", "inputs",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One change of one contract, in plain words."""

    contract: str
    description: str
    breaking: bool


@dataclass(frozen=True)
class Difference:
    """Every change of one contract, and whether its version announces them."""

    contract: str
    before: str | None
    after: str | None
    changes: tuple[Change, ...]

    @property
    def breaking(self) -> bool:
        """Whether a reader of the contract before would fail or be misled."""
        return any(change.breaking for change in self.changes)

    @property
    def fault(self) -> str | None:
        """What the version fails to say, or None."""
        if self.before is None or self.after is None:
            return None
        before, after = _parts(self.before), _parts(self.after)
        if self.breaking and after[0] <= before[0]:
            return f"{self.contract}: breaking changes demand version {before[0] + 1}.0.0; it says {self.after}"
        if self.changes and after <= before:
            return f"{self.contract}: changed, but the version is still {self.after}; raise minor or patch"
        return None


def catalog_at(project: Path, folder: Path, revision: str) -> Catalog:
    """The catalog of `folder` as of a git revision of `project`. Raises ContractError where there is none to read."""
    if not folder.resolve().is_relative_to(project.resolve()):
        raise ContractError(f"{folder}: lies outside {project}, so git knows no earlier state of it; compare there")
    relative = folder.resolve().relative_to(project.resolve())
    commit = _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit.returncode:
        raise ContractError(f"git knows no revision '{revision}'; give a branch, a tag or a commit with --base")
    archived = _git(project, "archive", commit.stdout.decode().strip(), str(relative))
    if archived.returncode:
        raise ContractError(f"git has no {relative} at '{revision}'; give a later revision with --base")
    with tempfile.TemporaryDirectory() as directory, tarfile.open(fileobj=BytesIO(archived.stdout)) as archive:
        archive.extractall(directory, filter="data")
        try:
            return load_catalog(Path(directory) / relative)
        except ContractError as error:
            words = str(error).replace(f"{directory}/", "")
            raise ContractError(f"at '{revision}' the contracts cannot be read; give a later one: {words}") from error


def _git(project: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, check=False)


def compare(before: Catalog, after: Catalog) -> list[Difference]:
    """The contracts that differ, by id."""
    old, new = before.all(), after.all()
    return [
        difference
        for contract_id in sorted(old.keys() | new.keys())
        if (difference := _compare(contract_id, old.get(contract_id), new.get(contract_id))) is not None
    ]


def _compare(contract_id: str, before: Contract | None, after: Contract | None) -> Difference | None:
    if before is None or after is None:
        removed = after is None
        change = Change(contract_id, "contract removed" if removed else "contract added", removed)
        return Difference(contract_id, before and before.version, after and after.version, (change,))
    changes = [*_table_changes(before, after), *_use_changes(before, after), *_column_changes(before, after)]
    if not changes and before.sha256 != after.sha256:
        changes.append(Change(contract_id, "wording changed", False))
    return Difference(contract_id, before.version, after.version, tuple(changes)) if changes else None


def _table_changes(before: Contract, after: Contract) -> list[Change]:
    changes = []
    for name, breaking in (
        ("table", True), ("key", True), ("delivery", True), ("consumer", True), ("mart", True), ("filter", True),
        ("control_sums", True), ("criticality", False), ("carry_forward_days", False), ("reject_limit", False),
        ("owner", False), ("available_at", False), ("frequency", False), ("row_count", False), ("member", False),
        ("release_point", True), ("data_class", True),
    ):  # fmt: skip
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            changes.append(Change(after.id, f"{name} changed from {old} to {new}", breaking))
    return changes + _rule_changes(before, after)


def _rule_changes(before: Contract, after: Contract) -> list[Change]:
    old, new = ({rule.name: rule.predicate for rule in contract.rules} for contract in (before, after))
    changes = [Change(after.id, f"rule {name} changed", True) for name in old if new.get(name, old[name]) != old[name]]
    # Who delivers a source must meet a new rule; who reads anything else relied on one that is gone.
    delivered = after.kind == "source"
    changes += [Change(after.id, f"rule {name} added", delivered) for name in new if name not in old]
    changes += [Change(after.id, f"rule {name} removed", not delivered) for name in old if name not in new]
    return changes


def _column_changes(before: Contract, after: Contract) -> list[Change]:
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    changes = [Change(after.id, f"column {name} removed", True) for name in old if name not in new]
    for name, column in new.items():
        if name not in old:
            # What delivers a source must fill a required column; readers of the others only gain one.
            changes.append(Change(after.id, f"column {name} added", column.required and after.kind == "source"))
        else:
            changes += _field_changes(after, old[name], column)
    if [n for n in old if n in new] != [n for n in new if n in old]:
        changes.append(Change(after.id, "order of columns changed", True))
    return changes


def _field_changes(contract: Contract, before: Column, after: Column) -> list[Change]:
    changes = []
    for name in _FIELDS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            changes.append(Change(contract.id, f"{after.name}: {name} changed from {old} to {new}", True))
    if lost := [value for value in before.enum if value not in after.enum]:
        changes.append(Change(contract.id, f"{after.name}: no longer {', '.join(lost)}", True))
    if won := [value for value in after.enum if value not in before.enum]:
        # A new code from a source is met by the feed; a reader of a product may not know it.
        changes.append(Change(contract.id, f"{after.name}: may now be {', '.join(won)}", contract.kind != "source"))
    return changes


def _use_changes(before: Contract, after: Contract) -> list[Change]:
    """What data may be used for, and on which basis: of the contract, and of columns that differ from it."""
    pairs = [("", before, after)]
    for column in after.columns:
        old = next((c for c in before.columns if c.name == column.name), None)
        if old and (_use(old) != _use(before) or _use(column) != _use(after)):
            pairs.append((f"{column.name}: ", old, column))
    changes = []
    for name, old, new in pairs:
        if lost := sorted(set(old.purposes) - set(new.purposes)):
            changes.append(Change(after.id, f"{name}may no longer be used for {', '.join(lost)}", True))
        if won := sorted(set(new.purposes) - set(old.purposes)):
            changes.append(Change(after.id, f"{name}may now be used for {', '.join(won)}", False))
        if old.legal_basis != new.legal_basis:
            said = f"{name}legal_basis changed from {old.legal_basis} to {new.legal_basis}"
            changes.append(Change(after.id, said, True))
    return changes


def _use(of: Contract | Column) -> tuple[set[str], str]:
    return set(of.purposes), of.legal_basis


def _parts(version: str) -> tuple[int, int, int]:
    major, minor, patch = (int(part) for part in version.split("."))
    return major, minor, patch
