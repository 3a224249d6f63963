"""A feed: where one delivering system of a bank delivers a contract, and how its columns become the contract's."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipelines.contracts.model import Contract, ContractError


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Trailer(_Strict):
    """The last record, which starts with `prefix`; positions count fields from 1."""

    prefix: str
    rows: int | None = None
    sums: dict[str, int] = {}


class Format(_Strict):
    """How the bytes of a delivery become rows of text."""

    type: Literal["csv", "jsonl", "parquet"]
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    header: bool = True
    fields: tuple[str, ...] = ()
    trailer: Trailer | None = None


class History(_Strict):
    """One file with many dates; rows known after `through` come in daily files."""

    path: str
    through: date | None = None


class Daily(_Strict):
    """One file per business date; `flag` is the file that says the delivery is complete."""

    path: str
    flag: str | None = None


class Mapping(_Strict):
    """One contract column: SQL over raw text, its date format, and the contract's value for each raw value."""

    sql: str
    format: str | None = None
    values: dict[str, str] | None = None

    @field_validator("values", mode="before")
    @classmethod
    def _as_text(cls, values: dict[Any, Any] | None) -> dict[str, str] | None:
        return {str(raw): str(value) for raw, value in values.items()} if values else None


class Feed(_Strict):
    """One feed. `source` is the delivering system: the folder the file lies in."""

    contract: str
    major: int
    source: str
    bank: str
    history: History | None = None
    daily: Daily | None = None
    format: Format
    reads: dict[str, str] = {}
    join: str = ""
    known_from: Mapping | Literal["never", "delivery"] = "delivery"
    deleted: str | None = None
    columns: dict[str, Mapping]
    ignored: dict[str, str] = {}
    path: Path = Field(repr=False)
    sha256: str = Field(repr=False)

    @property
    def readable(self) -> bool:
        """Whether any night may read it at all."""
        return self.known_from != "never"


def load_feed(path: Path, sources: dict[str, Contract]) -> Feed:
    """Read one feed and hold it against its contract. Raises ContractError naming what is wrong."""
    raw = path.read_bytes()
    try:
        given = yaml.safe_load(raw)
        contract_id, _, major = str(given.pop("contract")).partition("@")
        given["columns"] = {name: _mapping(value) for name, value in given["columns"].items()}
        if given.get("known_from") not in (None, "never", "delivery"):
            given["known_from"] = _mapping(given["known_from"])
        feed = Feed(
            **given, contract=contract_id, major=int(major), source=path.parent.name, bank=path.parents[1].name,
            path=path, sha256=hashlib.sha256(raw).hexdigest(),
        )  # fmt: skip
    except (yaml.YAMLError, ValidationError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ContractError(f"{path}: not a feed: {error}") from error
    if contract_id not in sources:
        raise ContractError(f"{path}: contract: no source contract '{contract_id}'; there are: {', '.join(sources)}")
    contract = sources[contract_id]
    _check(path, feed, contract)
    return feed


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"sql": str(value)}


def _check(path: Path, feed: Feed, contract: Contract) -> None:
    names = {column.name for column in contract.columns}
    missing, unknown = sorted(names - feed.columns.keys()), sorted(feed.columns.keys() - names)
    faults = (
        (feed.major != contract.major, f"contract: asks for major {feed.major}; {contract.id} is {contract.version}"),
        (path.name != f"{contract.id}.yaml", f"name the file {contract.id}.yaml"),
        (missing, f"columns: {', '.join(missing)} of {contract.id} not mapped; map each, if only to null"),
        (unknown, f"columns: {', '.join(unknown)} not in {contract.id}; remove, or move to ignored with a reason"),
        (feed.history is None and feed.daily is None, "give history, daily or both"),
        (
            feed.history and feed.daily and feed.history.through is None,
            "history.through: say up to which date the history counts; daily files follow",
        ),
        (feed.history and feed.known_from == "delivery", "known_from: a history file says from when each row is known"),
        (
            feed.daily and contract.delivery == "full" and feed.known_from not in ("never", "delivery") and not feed.history,
            "known_from: a full daily delivery is known when it is delivered",
        ),
        (feed.deleted and contract.delivery != "delta", f"deleted: {contract.id} is delivered {contract.delivery}, not delta"),
    )  # fmt: skip
    for wrong, message in faults:
        if wrong:
            raise ContractError(f"{path}: {message}")
