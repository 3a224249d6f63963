"""The tables of the identity layer as dbt reads them: who is who, parties, events, pairs to look at.

What belongs here: their columns from what a night came to. What does not: the state that nights build on (`state`).
Each is written whole, by reference or id; identifiers are tokens of the keys of today.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.load import Catalog
from pipelines.identity import golden, state
from pipelines.ingest import lake
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

CROSSWALK, PARTY = "identity.party_crosswalk", "identity.party"
_RECORD = ("record_ref", "contract", "source", "role", "key", "key_kind")


def write(
    catalog: Catalog, home: Home, ring: KeyRing, records: Sequence[pl.DataFrame], assignment: pl.DataFrame
) -> None:
    """Write all of them from the finished nights and from `assignment`, the party of each record.

    `records` have every record (golden); of one that is in several frames the last counts.
    """
    party = assignment.group_by("party_id").agg(
        party_kind=pl.col("entity_kind").first(), founded_on=pl.col("first_seen").min(), records=pl.len().cast(pl.Int64)
    )
    frames = {
        CROSSWALK: _crosswalk(ring, golden.latest([frame.select(_RECORD) for frame in records]), assignment),
        PARTY: party.sort("party_id"),
        "identity.identity_event": state.events(home),
        "identity.identity_review": state.review(home),
    }
    for name, frame in frames.items():
        contract = catalog.derived[name]
        schema = arrow_schema(contract)
        table = frame.select(schema.names).to_arrow().cast(schema)
        lake.write_parquet(home.identity / f"{contract.table}.parquet", table)


def _crosswalk(ring: KeyRing, records: pl.DataFrame, assignment: pl.DataFrame) -> pl.DataFrame:
    linked = assignment.select("record_ref", "party_id", "linked_by", "match_weight", founded_on="first_seen")
    frame = linked.join(records, on="record_ref", maintain_order="left")
    token = pl.col("key")
    for kind in frame["key_kind"].drop_nulls().unique().sort():
        of_kind = pl.col("key_kind") == kind
        made = hmac_sha256(pl.when(of_kind).then(pl.col("key")), ring.token_key(kind))
        token = pl.when(of_kind).then(made).otherwise(token)
    return frame.with_columns(record_key=token)
