"""The shape of a contract as the platform uses it: frozen, complete, free of YAML.

What belongs here: data classes and what follows from them alone. What does not: reading files (`load`).
Vocabulary: Open Data Contract Standard v3; security levels 1-5 after JR/T 0197-2020, personal classes C1-C3
after JR/T 0171-2020.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.contracts.frequency import DAILY, Frequency

if TYPE_CHECKING:
    from pipelines.contracts.examples import Example
    from pipelines.contracts.subjects import Subject

KINDS = ("source", "derived", "mart", "product")
DELIVERIES = ("full", "delta", "append", "derived")
CONSUMERS = ("marketing", "risk", "shared")
# Kinds of identifier that the ingest boundary turns into tokens (`pipelines.vault.normal` says how).
IDENTIFIERS = (
    "name", "national_id", "phone", "bank_account", "uscc", "address", "email", "device", "phone_hash",
)  # fmt: skip
HASHED = "phone_hash"  # the kind that a delivering system has hashed already; its feed says how
# What of a column its mart's history keeps: the day it counts from, whom it is shared with, or nothing. Without a word:
# its value.
HISTORY = ("counted", "shared", "left_out")
PURPOSES = ("marketing", "risk_management", "regulatory_reporting", "model_evaluation")
# What kind of data a source contract delivers: decides what a purpose needs before it may use it.
DATA_CLASSES = ("basic", "transaction", "partner", "bureau", "medical", "public")


class ContractError(Exception):
    """A contract, feed, bank or policy file is wrong. The message names file, field, rule and what to do."""


@dataclass(frozen=True)
class Column:
    """One column. `type` is the contract's physical type, for example `decimal(18,2)`."""

    name: str
    type: str
    description: str
    required: bool = False
    key: bool = False
    security_level: int = 1
    personal_class: str | None = None
    enum: tuple[str, ...] = ()
    minimum: float | str | None = None
    maximum: float | str | None = None
    identifier: str | None = None
    references: tuple[str, str] | None = None
    purposes: tuple[str, ...] = ()
    legal_basis: str = ""
    inputs: tuple[str, ...] = ()
    history: str | None = None

    @property
    def lake_name(self) -> str:
        """Name beyond the ingest boundary: an identifier is there only as its token."""
        return f"{self.name}_token" if self.identifier else self.name


@dataclass(frozen=True)
class RowRule:
    """A rule every row must meet: an SQL predicate over contract columns and `business_date`; null passes."""

    name: str
    description: str
    predicate: str
    dimension: str


@dataclass(frozen=True)
class Contract:
    """One table: what it means, who answers for it, and every rule that its rows and readers are held to."""

    id: str
    version: str
    kind: str
    name: str
    domain: str
    table: str
    owner: str
    purpose: str
    grain: str
    columns: tuple[Column, ...]
    rules: tuple[RowRule, ...]
    delivery: str
    criticality: str
    carry_forward_days: int
    reject_limit: float
    control_sums: tuple[str, ...]
    purposes: tuple[str, ...]
    legal_basis: str
    path: Path = field(compare=False)
    sha256: str
    limitations: str = ""
    available_at: str | None = None
    frequency: Frequency = DAILY
    row_count: tuple[int, int | None] | None = None  # least and most rows of a delivery, where the contract says so
    consumer: str | None = None
    mart: str | None = None
    filter: str | None = None
    release_point: str | None = None
    history: str | None = None
    subjects: tuple[Subject, ...] = ()
    data_class: str = ""
    examples: tuple[Example, ...] = ()
    member: str | None = None  # of a product that is a list: which of its rows are on it, as SQL over its columns

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns, in order."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def major(self) -> int:
        """Major version: a breaking change raises it."""
        return int(self.version.split(".")[0])

    @property
    def due(self) -> str:
        """How often and by when it is delivered, in words."""
        after = "business date" if self.frequency == DAILY else "last business date of the period"
        return f"{self.frequency}, by {self.available_at} bank time on the day after the {after}"

    @property
    def measures(self) -> tuple[str, ...]:
        """What reconciliation counts and adds up: rows, then every control sum."""
        return ("rows", *self.control_sums)

    def column(self, name: str) -> Column:
        """The column `name`; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.id} has no column {name}")
