"""A feed: where one delivering system of a bank delivers a contract, and how its columns become the contract's.

What belongs here: the feed's file, read strictly and held against its contract. What does not: any look at a delivery
(`pipelines.ingest`).
"""

from __future__ import annotations

import codecs
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, field_validator

from pipelines.contracts.document import Strict, faults, read_document, suggestion
from pipelines.contracts.model import Contract, ContractError

Name = Annotated[str, StringConstraints(min_length=1)]
Character = Annotated[str, StringConstraints(min_length=1, max_length=1)]
Position = Annotated[int, Field(ge=1)]
_CONTRACT = re.compile(r"(.+)@([0-9]+)")


class Trailer(Strict):
    """The last record, which starts with `prefix`; positions count fields from 1."""

    prefix: Name
    rows: Position | None = None
    sums: dict[str, Position] = Field(default_factory=dict)


class Format(Strict):
    """How the bytes of a delivery become rows of text."""

    type: Literal["csv", "jsonl", "parquet"]
    delimiter: Character = ","
    quote: Annotated[str, StringConstraints(max_length=1)] = '"'
    encoding: str = "utf-8"
    header: bool = True
    fields: tuple[Name, ...] = ()
    trailer: Trailer | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError:
            raise ValueError("not an encoding; write one as utf-8, gb18030 or ascii") from None
        return name


class History(Strict):
    """One file with many dates; rows known after `through` come in daily files."""

    path: Name
    through: date | None = None


class Daily(Strict):
    """One file per business date; `flag` is the file that says the delivery is complete."""

    path: Name
    flag: str | None = None

    @field_validator("path", "flag")
    @classmethod
    def _dated(cls, path: str | None) -> str | None:
        if path is not None:
            try:
                differ = path.format(date=date(2001, 2, 3)) != path.format(date=date(2010, 11, 12))
            except (KeyError, IndexError, ValueError):
                differ = False
            if not differ:
                raise ValueError("names the same file every day; write the date as {date:%Y%m%d}")
        return path


class Mapping(Strict):
    """One contract column: SQL over raw text, its date format, and the contract's value for each raw value."""

    sql: Name
    format: str | None = None
    values: dict[str, str] | None = None

    @field_validator("values", mode="before")
    @classmethod
    def _as_text(cls, values: Any) -> Any:
        for entry in (entry for pair in values.items() for entry in pair) if isinstance(values, dict) else ():
            # Unquoted, YAML reads NO as false and 01 as 1: what the file says would be lost.
            if not isinstance(entry, str):
                raise ValueError(f"{entry!r} is not text; put every value and code in quotes")
        return values


class Feed(Strict):
    """One feed. `source` is the delivering system: the folder the file lies in."""

    contract: str
    major: int
    source: str
    bank: str
    history: History | None = None
    daily: Daily | None = None
    format: Format
    reads: dict[str, str] = Field(default_factory=dict)
    join: str = ""
    known_from: Mapping | Literal["never", "delivery"] = "delivery"
    deleted: str | None = None
    columns: dict[str, Mapping]
    ignored: dict[str, Name] = Field(default_factory=dict)
    path: Path = Field(repr=False)
    sha256: str = Field(repr=False)

    @property
    def readable(self) -> bool:
        """Whether any night may read it at all."""
        return self.known_from != "never"


def load_feed(path: Path, sources: dict[str, Contract]) -> Feed:
    """Read one feed and hold it against its contract. Raises ContractError naming what is wrong."""
    given, sha256 = read_document(path, "a feed")
    named = _CONTRACT.fullmatch(str(given.pop("contract", "")))
    if named is None:
        raise ContractError(f"{path}: contract: say which and of which major version, as core.party@1")
    if named[1] not in sources:
        hint = suggestion(named[1], set(sources))
        raise ContractError(f"{path}: contract: no source contract '{named[1]}'{hint}; there are: {', '.join(sources)}")
    if not isinstance(given.get("columns"), dict):
        raise ContractError(f"{path}: columns: missing; map every column of {named[1]}")
    known_from = given.get("known_from", "delivery")
    given |= {
        "columns": {name: _mapping(value) for name, value in given["columns"].items()},
        "known_from": known_from if known_from in ("never", "delivery") else _mapping(known_from),
    }
    place = {"source": path.parent.name, "bank": path.parents[1].name, "path": path}
    taken = {**place, "sha256": sha256, "major": named[2]}
    if told := sorted(given.keys() & taken.keys()):
        raise ContractError(f"{path}: {told[0]}: not known here; remove it, the place of the file says it")
    try:
        feed = Feed(contract=named[1], **taken, **given)
    except ValidationError as error:
        raise ContractError(f"{path}: {faults(error, given)}") from error
    _check(path, feed, sources[named[1]], sources)
    return feed


def _mapping(value: Any) -> Any:
    return value if isinstance(value, dict) else {"sql": "" if value is None else str(value)}


def _check(path: Path, feed: Feed, contract: Contract, sources: dict[str, Contract]) -> None:
    names = {column.name for column in contract.columns}
    missing, unknown = sorted(names - feed.columns.keys()), sorted(feed.columns.keys() - names)
    form, trailer, csv = feed.format, feed.format.trailer, feed.format.type == "csv"
    strangers = [contract_id for contract_id in feed.reads.values() if contract_id not in sources]
    uncoded = [
        f"{code} of {name}" for name, code in _codes(feed) if name in names and not _allows(contract, name, code)
    ]
    faults = (
        (feed.major != contract.major, f"contract: asks for {feed.major}; the contract is {contract.version}; adapt"),
        (path.name != f"{contract.id}.yaml", f"contract: the file is not called after it; call it {contract.id}.yaml"),
        (missing, f"columns: {', '.join(missing)} of {contract.id} not mapped; map each, if only to \"null\""),
        (unknown, f"columns: {', '.join(unknown)} not in {contract.id}; remove, or move to ignored with a reason"),
        (uncoded, f"columns: {', '.join(uncoded)} is not in the contract's enum; correct values"),
        (feed.history is None and feed.daily is None, "history, daily: neither is given; say where the files lie"),
        (
            feed.history and feed.daily and feed.history.through is None,
            "history.through: missing; say up to which date the history counts, daily files follow",
        ),
        (
            feed.history and feed.known_from == "delivery",
            "known_from: a history file says from when each row is known; give SQL over its columns",
        ),
        (
            feed.daily and not feed.history and contract.delivery == "full" and isinstance(feed.known_from, Mapping),
            "known_from: a full daily delivery is known when it is delivered; remove it",
        ),
        (
            feed.deleted and contract.delivery != "delta",
            f"deleted: {contract.id} is delivered {contract.delivery}, not delta; remove it",
        ),
        (strangers, f"reads: no source contract '{''.join(strangers[:1])}'; there are: {', '.join(sources)}"),
        ("delivery" in feed.reads, "reads: delivery is the name of the feed's own rows; choose another"),
        (feed.join and not feed.reads, "join: nothing to join; name the other deliveries under reads"),
        (csv and not form.header and not form.fields, "format.fields: missing; without a header, name the columns"),
        (csv and form.header and form.fields, "format.fields: the header names the columns; remove one of the two"),
        (form.type == "parquet" and trailer, "format.trailer: a Parquet file has none; remove it"),
        (
            trailer and trailer.sums.keys() - names,
            f"format.trailer.sums: name columns of {contract.id}: {', '.join(sorted(names))}",
        ),
    )  # fmt: skip
    for wrong, message in faults:
        if wrong:
            raise ContractError(f"{path}: {message}")


def _codes(feed: Feed) -> list[tuple[str, str]]:
    return [(name, code) for name, mapping in feed.columns.items() for code in (mapping.values or {}).values()]


def _allows(contract: Contract, name: str, code: str) -> bool:
    return not contract.column(name).enum or code in contract.column(name).enum
