"""What the law forbids: uses of data that are refused whoever declares them, each with its article.

What belongs here: the file `refusals.yaml`, and whether a contract, feed or policy does what it refuses. What does not:
purposes that travel with lineage (`purpose`), and what is found in a release (`pipelines.audit`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator

from pipelines.contracts.document import Strict, faults, read_document
from pipelines.contracts.feed import Feed
from pipelines.contracts.model import CONSUMERS, PURPOSES, Contract, ContractError
from pipelines.contracts.policy import Policy

Name = Annotated[str, StringConstraints(min_length=1)]
USES = ("any", "credit_input", "marketing", "automated_marketing")
PLACES = (
    "sources", "feeds", "derived", "marts", "marts/risk", *(f"products/{consumer}" for consumer in CONSUMERS),
)  # fmt: skip
GOVERNANCE = "governance"
_NOBODY = "-"  # stands for the contract where none delivers the data


class Reason(Strict):
    """Why, for the people of the bank."""

    zh: Name
    en: Name


class Refusal(Strict):
    """Data that is refused for a use, and where a declaration of that use would stand.

    Data is named by the contracts it comes from and by words in names of columns. It is refused in `places`; where
    `purposes` are listed, only for these. `thresholds` of the policy may not lie below the number given.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]*$")]
    subject: Name
    use: Literal[USES]  # type: ignore[valid-type]
    contracts: tuple[Name, ...] = ()
    columns: tuple[Name, ...] = ()
    purposes: tuple[Literal[PURPOSES], ...] = ()  # type: ignore[valid-type]
    places: tuple[Literal[PLACES], ...] = ()  # type: ignore[valid-type]
    thresholds: dict[Name, float] = Field(default_factory=dict)
    article: Name
    reason: Reason
    enforced_by: Annotated[tuple[Name, ...], Field(min_length=1)]

    @field_validator("columns")
    @classmethod
    def _regular(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"not a regular expression ({error}); write one") from error
        return patterns

    @cached_property
    def _called(self) -> re.Pattern[str] | None:
        """Any of the words in names of columns."""
        return re.compile("|".join(f"(?:{each})" for each in self.columns), re.IGNORECASE) if self.columns else None

    def is_about(self, contract_id: str, words: Iterable[str]) -> bool:
        """Whether data of a contract, or any that is called so, is what is refused."""
        if any(fnmatchcase(contract_id, pattern) for pattern in self.contracts):
            return True
        return self._called is not None and any(map(self._called.search, words))

    def concerns(self, sources: dict[str, Contract]) -> list[str]:
        """Source contracts that deliver the data, or a dash where none does."""
        found = [c.id for c in sources.values() if self.is_about(c.id, [column.name for column in c.columns])]
        return found or [_NOBODY]


@dataclass(frozen=True)
class _Declared:
    """A column somebody declares: where, of which contracts it comes, by which names, and for what."""

    path: Path
    place: tuple[str, ...]
    column: str
    origins: tuple[str, ...]
    words: tuple[str, ...]
    purposes: tuple[str, ...]


def load_refusals(path: Path) -> tuple[Refusal, ...]:
    """Read refusals.yaml. Raises ContractError for one that refuses nothing, or is given twice."""
    given, _ = read_document(path, "refusals, as `refusals: [...]`")
    if given.keys() != {"refusals"} or not isinstance(given["refusals"], list):
        raise ContractError(f"{path}: not refusals; write them as `refusals: [...]` and nothing else")
    refusals = []
    for position, entry in enumerate(given["refusals"], start=1):
        at = f"{path}: refusals.{entry.get('id', position) if isinstance(entry, dict) else position}"
        if not isinstance(entry, dict):
            raise ContractError(f"{at}: not a refusal; write its fields as `name: value`")
        try:
            refusal = Refusal(**entry)
        except ValidationError as error:
            raise ContractError(f"{at}: {faults(error, entry)}") from error
        names_data = bool(refusal.contracts or refusal.columns)
        if names_data != bool(refusal.places) or not (names_data or refusal.thresholds):
            raise ContractError(f"{at}: refuses nothing; name contracts or columns with places, or thresholds")
        if refusal.id in {other.id for other in refusals}:
            raise ContractError(f"{at}: is there twice; keep one")
        refusals.append(refusal)
    return tuple(refusals)


def check_refusals(refusals: Iterable[Refusal], contracts: Iterable[Contract], policy: Policy) -> None:
    """Raise ContractError, with the article, for a contract or threshold that does what is refused."""
    every = list(contracts)
    governance = {contract.id for contract in every if contract.path.parent.name == GOVERNANCE}
    declared = [one for contract in every for one in _of_contract(contract, governance)]
    for refusal in refusals:
        for name, least in refusal.thresholds.items():
            if name not in policy.thresholds:
                raise ContractError(f"{policy.path}: thresholds.{name}: missing; give it: {refusal.id} speaks of it")
            if policy.thresholds[name] < least:
                raise ContractError(f"{policy.path}: thresholds.{name}: lies below {least:g}; {_why(refusal)}")
        _refuse(refusal, declared)


def check_feed_refusals(refusals: Iterable[Refusal], feed: Feed) -> None:
    """Raise ContractError, with the article, for a feed that takes refused data under another name."""
    read = {name: mapping.sql for name, mapping in feed.columns.items()}
    declared = [_Declared(feed.path, ("feeds",), name, (), (sql,), ()) for name, sql in read.items()]
    for refusal in refusals:
        _refuse(refusal, declared)


def _refuse(refusal: Refusal, declared: Iterable[_Declared]) -> None:
    for one in declared:
        if not set(one.place) & set(refusal.places):
            continue
        serves = set(refusal.purposes) & set(one.purposes)
        if refusal.purposes and not serves:
            continue
        if any(refusal.is_about(origin, ()) for origin in one.origins) or refusal.is_about("", one.words):
            what = f" for {', '.join(sorted(serves))}" if serves else ""
            raise ContractError(f"{one.path}: {one.column}: is refused{what}; {_why(refusal)}")


def _why(refusal: Refusal) -> str:
    return f"{refusal.id}: {refusal.article}: {refusal.reason.en} {refusal.reason.zh} Remove it"


def _of_contract(contract: Contract, governance: set[str]) -> Iterator[_Declared]:
    """Columns of a contract with the contracts that they say they are made of.

    Marts of `governance` say how data is used, and name what may not be: what they are made of, their lineage holds.
    """
    group = contract.path.parent.name
    marts = (f"marts/{group}",) if contract.id in governance else ("marts", f"marts/{group}")
    place = {
        "source": ("sources",), "derived": ("derived",), "mart": marts,
        "product": (f"products/{contract.consumer}",),
    }[contract.kind]  # fmt: skip
    for column in contract.columns:
        origins = tuple(source.rpartition(".")[0] for source in column.inputs)
        words = [column.name, *(source.rpartition(".")[2] for source in column.inputs)]
        if contract.kind in ("mart", "product") and not {contract.id, contract.mart} & governance:
            words += column.enum  # a feature or a reason may be a code instead of a column
        yield _Declared(contract.path, place, column.name, (contract.id, *origins), tuple(words), column.purposes)
