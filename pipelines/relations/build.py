"""The step: edges, households, networks and positions in supply chains as of a date, written for dbt."""

from __future__ import annotations

from datetime import date

import polars as pl
import pyarrow as pa

from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.load import Catalog
from pipelines.ingest import lake
from pipelines.ingest.engine import open_engine, workbench
from pipelines.relations import employment, guarantee, household, ownership, sharing, supply
from pipelines.relations.asof import AsOf
from pipelines.relations.kind import Kind, edges
from pipelines.relations.network import households, network
from pipelines.settings import Settings

KINDS: tuple[Kind, ...] = (
    *ownership.KINDS, *guarantee.KINDS, *employment.KINDS, *supply.KINDS, *household.KINDS, *sharing.KINDS,
)  # fmt: skip
TABLES = ("party_relation", "supply_chain_position", "household", "party_network")


def build_relations(catalog: Catalog, settings: Settings, day: date) -> dict[str, int]:
    """Write every table of the domain `relation` as of `day`; returns their rows. Needs crosswalk and parties."""
    with open_engine(settings) as engine, workbench(engine) as con:
        found = relations_as_of(AsOf(con, catalog, settings.home, day), catalog)
        for name, table in found.items():
            lake.write_parquet(settings.home.relation / f"{name}.parquet", table)
    return {name: table.num_rows for name, table in found.items()}


def relations_as_of(known: AsOf, catalog: Catalog) -> dict[str, pa.Table]:
    """Each table of the domain `relation` as of the day of `known`, sorted by key."""
    sharing.carry(known)
    every = " union all ".join(edges(known, kind, catalog) for kind in KINDS)
    known.keep("edge", supply.supplied(every))
    found = {
        "party_relation": known.con.execute("select * from edge").pl(),
        "supply_chain_position": known.con.execute(supply.positions()).pl(),
        "household": households(known),
        "party_network": network(known),
    }
    return {name: _as_contract(catalog, name, frame, known.day) for name, frame in found.items()}


def _as_contract(catalog: Catalog, name: str, frame: pl.DataFrame, day: date) -> pa.Table:
    contract = catalog.derived[f"relation.{name}"]
    schema = arrow_schema(contract)
    dated = frame.with_columns(business_date=pl.lit(day))
    return dated.select(schema.names).sort(contract.key).to_arrow().cast(schema)
