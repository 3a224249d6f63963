"""Whom the rows of a contract are about: the subjects of a source contract, and which columns say who they are.

What belongs here: reading and checking `subjects`. What does not: how records are matched (`pipelines.identity`).
A contract without subjects says nothing of a person or organisation that is not said by another contract's key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from pipelines.contracts.document import Strict, faults
from pipelines.contracts.model import Contract, ContractError

#: Which kinds of identifier may state each attribute of a subject; None: a plain column.
ATTRIBUTES: dict[str, tuple[str | None, ...]] = {
    "name": ("name",),  # as registered
    "alias": ("name",),  # as people call themselves: a name only where somebody is registered under it
    "national_id": ("national_id",),
    "uscc": ("uscc",),
    "phone": ("phone",),
    "phone_hash": ("phone_hash",),
    "email": ("email",),
    "address": ("address",),
    "device": ("device",),
    "head": ("name",),  # who acts for an organisation
    "birth_month": (None,),
    "gender": (None,),
}
KINDS = ("person", "organisation")
SUBJECTS = "subjects"  # as an input of a derived contract: every column that says who a subject is


class Reference(Strict):
    """A column that holds the key of another contract's subject."""

    contract: str
    role: str
    key: str


class _Stated(Strict):
    role: str = Field(pattern=r"^[a-z][a-z_]*$")
    entity: str | dict[Literal["organisation"], str]
    key: str
    name: str | None = None
    alias: str | None = None
    national_id: str | None = None
    uscc: str | None = None
    phone: str | None = None
    phone_hash: str | None = None
    email: str | None = None
    address: str | None = None
    device: str | None = None
    head: str | None = None
    birth_month: str | None = None
    gender: str | None = None
    refers_to: Reference | None = None
    acts_for: Reference | None = None


@dataclass(frozen=True)
class Subject:
    """One subject of a contract's rows.

    `entity` is person, organisation, or the name of a column that holds one of the two; `organisation_if` names the
    identifier that only organisations have, where rows of a contract are of either. `columns` gives the column of each
    attribute. `refers_to` is the same subject in another contract, `acts_for` an organisation it stands for.
    """

    role: str
    entity: str
    key: str
    columns: dict[str, str] = field(hash=False)
    organisation_if: str | None = None
    refers_to: Reference | None = None
    acts_for: Reference | None = None


def read_subjects(path: Path, given: Any) -> tuple[Subject, ...]:
    """The subjects that a contract states. Raises ContractError."""
    if given is None:
        return ()
    if not isinstance(given, list):
        raise ContractError(f"{path}: customProperties.subjects: write a list, one entry for each subject")
    found = tuple(_subject(path, number, item) for number, item in enumerate(given, start=1))
    for number, subject in enumerate(found):
        # A report is of a person or an organisation, each by its own identifier: one role, two keys.
        if (subject.role, subject.key) in {(one.role, one.key) for one in found[:number]}:
            said = f"two have the role '{subject.role}' and one key; give each its own role"
            raise ContractError(f"{path}: customProperties.subjects: {said}")
    return found


def _subject(path: Path, number: int, item: Any) -> Subject:
    try:
        stated = _Stated.model_validate(item)
    except ValidationError as error:
        raise ContractError(f"{path}: customProperties.subjects.{number}: {faults(error, item)}") from error
    columns = {name: column for name in ATTRIBUTES if (column := getattr(stated, name))}
    by_identifier = isinstance(stated.entity, dict)
    return Subject(
        role=stated.role,
        entity="person" if by_identifier else str(stated.entity),
        key=stated.key,
        columns=columns,
        organisation_if=stated.entity["organisation"] if isinstance(stated.entity, dict) else None,
        refers_to=stated.refers_to,
        acts_for=stated.acts_for,
    )


def check_subjects(contracts: dict[str, Contract]) -> None:
    """Raise ContractError for a subject that names a column or another subject that is not there."""
    for contract in contracts.values():
        known = {column.name: column for column in contract.columns}
        for subject in contract.subjects:
            where = f"{contract.path}: customProperties.subjects.{subject.role}"
            named = {"key": subject.key, **subject.columns}
            if subject.entity not in KINDS:
                named["entity"] = subject.entity
            if subject.organisation_if:
                named["entity.organisation"] = subject.organisation_if
            for name, reference in (("refers_to", subject.refers_to), ("acts_for", subject.acts_for)):
                if reference:
                    named[f"{name}.key"] = reference.key
                    _check_reference(f"{where}.{name}", reference, contracts)
            for name, column in named.items():
                if column not in known:
                    raise ContractError(f"{where}.{name}: no column '{column}' in {contract.id}; name one of its own")
            for name, column in subject.columns.items():
                if known[column].identifier not in ATTRIBUTES[name]:
                    kinds = " or ".join(kind or "no identifier" for kind in ATTRIBUTES[name])
                    raise ContractError(f"{where}.{name}: column '{column}' is not of kind {kinds}; name one that is")


def _check_reference(where: str, reference: Reference, contracts: dict[str, Contract]) -> None:
    other = contracts.get(reference.contract)
    if other is None or reference.role not in {subject.role for subject in other.subjects}:
        raise ContractError(
            f"{where}: no subject '{reference.role}' of a contract '{reference.contract}'; name one that is there"
        )


def subject_columns(contract: Contract) -> set[str]:
    """Names of the columns of a source contract that say who its subjects are, or whom they refer to."""
    found = {column.name for column in contract.columns if column.key and contract.subjects}
    for subject in contract.subjects:
        references = [each.key for each in (subject.refers_to, subject.acts_for) if each]
        found |= {subject.key, *subject.columns.values(), *references, subject.organisation_if or subject.key}
        found |= {subject.entity} - set(KINDS)
    return found
