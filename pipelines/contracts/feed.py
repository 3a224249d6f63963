"""A feed: where one delivering system of a bank delivers a contract, and how its columns become the contract's.

What belongs here: the feed's file, read strictly and held against its contract. What does not: any look at a delivery
(`pipelines.ingest`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from pipelines.contracts.document import Strict, faults, read_document, suggestion
from pipelines.contracts.form import DATE, Daily, Format, History, Name, Stamps, Trailer, check_place, holds_secret
from pipelines.contracts.model import HASHED, Contract, ContractError

__all__ = ["Daily", "Feed", "Format", "History", "Mapping", "Trailer", "load_feed"]

# `sha256`: plain, whoever has the hashes can try all numbers there are; `partner_key`: HMAC-SHA256 under the key that
# is shared with this partner alone.
Hashing = Literal["sha256", "partner_key"]
_CONTRACT = re.compile(r"(.+)@([0-9]+)")


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
    """One feed. `source` is the delivering system: the folder the file lies in; `at` is another place to deliver to.

    `arrival_times` is as in bank.yaml, where this feed comes another way than the others of its bank.
    """

    contract: str
    major: int
    source: str
    bank: str
    at: Name | None = None
    arrival_times: Stamps | None = None
    history: History | None = None
    daily: Daily | None = None
    format: Format
    reads: dict[str, str] = Field(default_factory=dict)
    join: str = ""
    known_from: Mapping | Literal["never", "delivery"] = "delivery"
    deleted: str | None = None
    columns: dict[str, Mapping]
    ignored: dict[str, Name] = Field(default_factory=dict)
    hashed: dict[str, Hashing] = Field(default_factory=dict)
    path: Path = Field(repr=False)
    sha256: str = Field(repr=False)

    @field_validator("at")
    @classmethod
    def _known_places(cls, place: str | None) -> str | None:
        # What may be a secret is refused later, without being repeated.
        return place if place is None or holds_secret(place) else check_place(place)

    @property
    def readable(self) -> bool:
        """Whether any night may read it at all."""
        return self.known_from != "never"

    def hashing(self, contract: Contract) -> dict[str, Hashing]:
        """How each column that the system delivers hashed is hashed: `sha256`, unless the feed says otherwise."""
        delivered = [c.name for c in contract.columns if c.identifier == HASHED and self.columns[c.name].sql != "null"]
        return {name: self.hashed.get(name, "sha256") for name in delivered}


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
    trailer = feed.format.trailer
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
            feed.history and feed.daily and feed.history.through is None and feed.history.through_file is None,
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
        (
            sorted(feed.hashed.keys() - {c.name for c in contract.columns if c.identifier == HASHED}),
            f"hashed: only a column of {contract.id} whose identifier is {HASHED} is delivered hashed; correct it",
        ),
        (strangers, f"reads: no source contract '{''.join(strangers[:1])}'; there are: {', '.join(sources)}"),
        ("delivery" in feed.reads, "reads: delivery is the name of the feed's own rows; choose another"),
        (feed.join and not feed.reads, "join: nothing to join; name the other deliveries under reads"),
        (
            trailer and trailer.sums.keys() - names,
            f"format.trailer.sums: name columns of {contract.id}: {', '.join(sorted(names))}",
        ),
        *_form_faults(feed),
        *_where_faults(feed),
    )  # fmt: skip
    for wrong, message in faults:
        if wrong:
            raise ContractError(f"{path}: {message}")


def _form_faults(feed: Feed) -> list[tuple[object, str]]:
    """What does not go together in `format`."""
    form, trailer = feed.format, feed.format.trailer
    csv, fixed = form.type == "csv", form.type == "fixed"
    positions = [each for each in (trailer.rows, *trailer.sums.values()) if each] if trailer else []
    return [
        (csv and not form.header and not form.fields, "format.fields: missing; without a header, name the columns"),
        (csv and form.header and form.fields, "format.fields: the header names the columns; remove one of the two"),
        (form.type == "parquet" and trailer, "format.trailer: a Parquet file has none; remove it"),
        (form.type == "postgres" and trailer, "format.trailer: a table has none; remove it"),
        (fixed and not form.widths, "format.widths: missing; give the bytes of every field, in order"),
        (form.widths and not fixed, f"format.widths: a {form.type} delivery has none; remove them, or say type: fixed"),
        (fixed and form.fields, "format.fields: widths name the columns; remove it"),
        (
            fixed and form.header and "header" in form.model_fields_set,
            "format.header: a fixed-width file has none; remove it",
        ),
        (
            fixed and form.ends_lines_otherwise,
            f"format.encoding: a line end of {form.encoding} is not the one byte that files of fixed width are cut at; "
            f"use utf-8, gb18030 or another that keeps ASCII",
        ),
        (fixed and trailer and not trailer.widths, "format.trailer.widths: missing; give the bytes of its fields"),
        (
            trailer and trailer.widths and not fixed,
            "format.trailer.widths: only a fixed-width file has them; remove them",
        ),
        (
            trailer and trailer.widths and max(positions, default=0) > len(trailer.widths),
            "format.trailer: names a field that trailer.widths does not have; correct one",
        ),
    ]  # fmt: skip


def _where_faults(feed: Feed) -> list[tuple[object, str]]:
    """What does not go together in saying where deliveries lie."""
    wrong: list[tuple[object, str]] = [
        (holds_secret(feed.at), "at: may hold a password; write the address, or all of it, as {env:NAME}"),
    ]
    history, daily, database = feed.history, feed.daily, feed.format.type == "postgres"
    for name, where in (("history", history), ("daily", daily)):
        if where is None:
            continue
        sql = (where.table, where.query, where.where, getattr(where, "ready", None))
        if not database:
            wrong += [
                (any(sql), f"{name}: only format {{type: postgres}} reads tables; name a path instead"),
                (not where.path, f"{name}.path: missing; every file of this kind states it"),
            ]
            continue
        wrong += [
            (where.path or getattr(where, "flag", None), f"{name}: a database has no files; name a table or a query"),
            ((where.table is None) == (where.query is None), f"{name}: say which rows: either table or query"),
            (where.query and where.where, f"{name}.where: belongs to a table; write it into the query"),
            (
                where is history and DATE in f"{where.query}{where.where}",
                f"history: a history is not of one date; remove {DATE}",
            ),
            (
                where is daily and DATE not in f"{where.query}{where.where}",
                f'daily: gives the same rows every day; name the date as {DATE}, as in where: "day = {DATE}"',
            ),
        ]
    if history and history.through_file:
        wrong += [
            (history.through, "history.through_file: through says the date already; remove one of the two"),
            (database, "history.through_file: a database has no files; write through"),
            (daily is None, "history.through_file: without daily files the whole history counts; remove it"),
        ]
    wrong.append((database and feed.at is None, "at: missing; name the database, as {env:CRM_URL}"))
    return wrong


def _codes(feed: Feed) -> list[tuple[str, str]]:
    return [(name, code) for name, mapping in feed.columns.items() for code in (mapping.values or {}).values()]


def _allows(contract: Contract, name: str, code: str) -> bool:
    return not contract.column(name).enum or code in contract.column(name).enum
