"""The party crosswalk: which source record belongs to which party, since when.

A party id is HMAC-SHA256 under the id key over the founding source and record key, so that it depends neither on
the order of input nor on how often it is computed. Each record of `core.party` founds its own party here;
matching records of several sources with each other builds on this table.
"""

from __future__ import annotations

from contextlib import closing

import duckdb
import polars as pl

from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.load import Catalog
from pipelines.ingest import lake
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

PARTY_CONTRACT, SHAPE = "core.party", "identity.party_crosswalk"


def build_crosswalk(catalog: Catalog, home: Home, ring: KeyRing) -> int:
    """Write the crosswalk of every party record in the lake; returns its number of rows."""
    contract = catalog.sources[PARTY_CONTRACT]
    (key,) = contract.key
    with closing(duckdb.connect()) as con:
        records = con.execute(
            f"select source, {key} as record_key, min(business_date) as founded_on "
            f"from {lake.scan(home, contract.id)} where _change = 'upsert' group by all order by source, record_key"
        ).pl()
    founding = pl.concat_str([pl.col("source"), pl.col("record_key")], separator="\x1f")
    schema = arrow_schema(catalog.derived[SHAPE])
    crosswalk = records.with_columns(party_id=hmac_sha256(founding, ring.party_id_key()))
    lake.write_parquet(
        home.identity / "party_crosswalk.parquet", crosswalk.select(schema.names).to_arrow().cast(schema)
    )
    return crosswalk.height
