"""The identity records of a home: whom the rows of the lake are about, with what the vault knows of them.

What belongs here: from landed rows to one row per record, raw identifiers included, in memory. What does not: bringing
them into a form that can be compared (`standardise`).
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import polars as pl

from pipelines.contracts.feed import Feed, Hashing
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import HASHED, Contract
from pipelines.contracts.subjects import KINDS, Subject
from pipelines.ingest import lake
from pipelines.settings import Home
from pipelines.vault import store
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

SEPARATOR = "\x1f"
FOUNDING_CONTRACT = "core.party"
#: Who a record is. `key` tells it from others of its contract, source and role; where `key_kind` is a kind of
#: identifier, the lake has its token. `record_ref` outlives a rotation of keys. An account is one of its
#: holder's at a system; other records are of an event, and one person may have many.
COLUMNS = {
    "record_ref": pl.String, "contract": pl.String, "source": pl.String, "role": pl.String, "key": pl.String,
    "key_kind": pl.String, "entity_kind": pl.String, "first_seen": pl.Date, "is_account": pl.Boolean,
}  # fmt: skip
_TEXTS = ("name", "alias", "head", "national_id", "uscc", "phone", "phone_hash", "email", "device", "address")
_CHECKED = ("national_id", "uscc")


@dataclass(frozen=True)
class Window:
    """Business dates after `after` (None: from the first) through `through`."""

    after: date | None
    through: date

    def predicate(self) -> str:
        """SQL over `business_date`."""
        since = "" if self.after is None else f"business_date > date '{self.after}' and "
        return f"{since}business_date <= date '{self.through}'"

    def days(self) -> list[date] | None:
        """The dates, None for all."""
        if self.after is None:
            return None
        return [self.after + timedelta(days=n) for n in range(1, (self.through - self.after).days + 1)]


def read_records(catalog: Catalog, home: Home, ring: KeyRing, window: Window) -> pl.DataFrame:
    """Records with a landed row in `window`: COLUMNS, and the columns that `standardise` takes.

    Of each attribute the latest that was stated counts; `phone_before` is the one before. A record that is known by an
    identifier has no row where that is missing.
    """
    about = [contract for contract in catalog.sources.values() if contract.subjects]
    known = store.values(home, ring, contracts={contract.id for contract in about}, days=window.days())
    vault = {str(kind): part for (kind,), part in known.partition_by("kind", as_dict=True).items()}
    frames = []
    with closing(duckdb.connect()) as con:
        for contract in about:
            for subject in contract.subjects:
                rows = con.execute(_query(home, contract, subject, window)).pl()
                if rows.height:
                    frames.append(_record(rows, contract, subject, vault, ring))
    shape = {**COLUMNS, **_raw_shape()}
    empty = pl.DataFrame(schema=shape)
    return pl.concat([empty, *(frame.select(shape.keys()).cast(shape) for frame in frames)])  # type: ignore[arg-type]


def _raw_shape() -> dict[str, type[pl.DataType]]:
    texts = (*_TEXTS, "phone_before", "gender", "refers_to", "acts_for")
    return {
        **dict.fromkeys(texts, pl.String),
        "national_id_valid": pl.Boolean,
        "uscc_valid": pl.Boolean,
        "birth_month": pl.Date,
    }


def _query(home: Home, contract: Contract, subject: Subject, window: Window) -> str:
    """SQL for one row per record and entity: source, record_key, entity_kind, first_seen, and its tokens."""
    lake_name = {column.name: column.lake_name for column in contract.columns}
    key = lake_name[subject.key]
    kind = f"'{subject.entity}'" if subject.entity in KINDS else lake_name[subject.entity]
    if subject.organisation_if:
        kind = f"case when {lake_name[subject.organisation_if]} is not null then 'organisation' else 'person' end"
    # In whole numbers: as a float a date leaves no room for the line.
    at = "(epoch(business_date)::bigint * 1000000000 + _line)"
    latest = ", ".join(
        f"arg_max({lake_name[column]}, {at}) filter ({lake_name[column]} is not null) as {name}"
        for name, column in subject.columns.items()
    )
    refers = {"refers_to": subject.refers_to, "acts_for": subject.acts_for}
    references = ", ".join(
        f"arg_max({lake_name[one.key]}, {at}) filter ({lake_name[one.key]} is not null) as {name}"
        for name, one in refers.items()
        if one
    )
    before = ""
    if phone := subject.columns.get("phone"):
        token = lake_name[phone]
        before = f"arg_max({token}, {at}) filter ({token} <> latest_phone) as phone_before"
    rows = (
        f"select *, {kind} as entity_kind from {lake.scan(home, contract.id, window.days())} "
        f"where {window.predicate()} and _change = 'upsert' and {key} is not null"
    )
    if before:
        token = lake_name[subject.columns["phone"]]
        of = f"source, {key}"
        rows = (
            f"select *, last_value({token} ignore nulls) over (partition by {of} order by business_date, _line "
            f"rows between unbounded preceding and unbounded following) as latest_phone from ({rows})"
        )
    wanted = ", ".join(filter(None, (latest, references, before)))
    return (
        f"select source, {key} as record_key, arg_max(entity_kind, {at}) as entity_kind, "
        f"min(business_date) as first_seen, {wanted} from ({rows}) group by source, {key} order by source, record_key"
    )


def _record(
    rows: pl.DataFrame, contract: Contract, subject: Subject, vault: dict[str, pl.DataFrame], ring: KeyRing
) -> pl.DataFrame:
    """The rows of one subject with values for tokens, and what names each record for good."""
    kinds = {column.name: column.identifier for column in contract.columns}
    identified_by = kinds[subject.key]
    stated = {name: kinds[column] for name, column in subject.columns.items()}
    if "phone" in stated:
        stated["phone_before"] = stated["phone"]
    frame = rows.rename({"record_key": "key"})
    for name, kind in {**stated, "key": identified_by}.items():
        if kind:
            frame = _with_values(frame, name, vault.get(kind))
    frame = frame.filter(pl.col("key").is_not_null())
    missing = [name for name in _raw_shape() if name not in frame.columns]
    shape = _raw_shape()
    parts = [pl.lit(contract.id), pl.col("source"), pl.lit(subject.role), pl.col("key")]
    return frame.with_columns(
        *(pl.lit(None, shape[name]).alias(name) for name in missing),
        *_references(subject),
        contract=pl.lit(contract.id),
        key_kind=pl.lit(identified_by, pl.String),
        role=pl.lit(subject.role),
        record_ref=hmac_sha256(pl.concat_str(parts, separator=SEPARATOR), ring.record_reference_key()),
        entity_kind=_kind(subject),
        is_account=pl.lit(subject.key not in contract.key),
    )


def founding_text(*, of_core: bool) -> pl.Expr:
    """What the id of a party is made of that a record founds.

    A record of core founded parties before there were others, and its text stays what it was.
    """
    parts = ("source", "key") if of_core else ("contract", "source", "role", "key")
    return pl.concat_str(*parts, separator=SEPARATOR)


def _references(subject: Subject) -> list[pl.Expr]:
    """Whom a record refers to, and acts for, by contract, role and key (`match` finds the record)."""
    named = (("refers_to", subject.refers_to), ("acts_for", subject.acts_for))
    return [
        pl.concat_str(pl.lit(one.contract), pl.lit(one.role), name, separator=SEPARATOR).alias(name)
        for name, one in named
        if one
    ]


def _kind(subject: Subject) -> pl.Expr:
    if not subject.organisation_if:
        return pl.col("entity_kind")
    # Rows of either kind without an identifier of theirs: no person's name is longer than that of two surnames.
    long_name = pl.col("name").str.contains(r"^\p{Han}{5,}$").fill_null(False) & pl.col("national_id").is_null()
    return pl.when(long_name).then(pl.lit("organisation")).otherwise(pl.col("entity_kind"))


def _with_values(frame: pl.DataFrame, name: str, known: pl.DataFrame | None) -> pl.DataFrame:
    """`frame` with the value of each token in column `name`, and of a kind with a checksum whether it is right."""
    if known is None:
        known = pl.DataFrame(schema={"token": pl.String, "value": pl.String, "valid": pl.Boolean})
    columns = [pl.col("value").alias(name)]
    if name in _CHECKED:
        columns.append(pl.col("valid").alias(f"{name}_valid"))
    known = known.select("token", "value", "valid")
    found = frame.rename({name: "token"}).join(known, on="token", how="left", maintain_order="left")
    return found.with_columns(columns).drop("token", "value", "valid")


def hashings(catalog: Catalog, feeds: tuple[Feed, ...]) -> dict[tuple[str, str], Hashing]:
    """How each source hashes the phone numbers of a contract, by contract and source."""
    found: dict[tuple[str, str], Hashing] = {}
    for feed in feeds:
        contract = catalog.sources[feed.contract]
        for column, how in feed.hashing(contract).items():
            if contract.column(column).identifier == HASHED:
                found[feed.contract, feed.source] = how
    return found
