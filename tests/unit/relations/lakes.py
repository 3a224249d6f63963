"""A home with a few landed rows and a crosswalk, for relations that are worked out by hand.

Rows name only the columns that matter; the others are empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.contracts.arrow import arrow_schema, lake_schema
from pipelines.contracts.load import Catalog
from pipelines.ingest import lake
from pipelines.relations.asof import AsOf
from pipelines.relations.build import KINDS, relations_as_of
from pipelines.settings import Home

DAY, EARLIER, LATER = date(2025, 6, 30), date(2025, 6, 1), date(2025, 7, 1)
Row = Mapping[str, Any]


class Lake:
    """Rows by contract, and who is who; parties are named by letters, organisations by capitals."""

    def __init__(self, catalog: Catalog, path: Path) -> None:
        self.catalog, self.home = catalog, Home(path)
        self._crosswalk: list[Row] = []
        for name in {column.rpartition(".")[0] for kind in KINDS for column in kind.inputs}:
            lake.prepare(self.home, catalog.sources[name])

    def land(self, contract_id: str, rows: Sequence[Row], source: str = "s", day: date = EARLIER) -> None:
        """Put rows in the lake as landed on `day`."""
        schema = lake_schema(self.catalog.sources[contract_id])
        full = [{"_change": "upsert", "_row_hash": "", "_line": n, **row} for n, row in enumerate(rows)]
        table = pa.Table.from_pylist(full, schema=schema)
        lake.write_parquet(lake.partition(self.home.lake, contract_id, source, day), table)

    def know(self, contract_id: str, role: str, parties: Mapping[str, str], source: str = "s") -> None:
        """Records of a contract in a role, with their parties."""
        self._crosswalk += [
            {"contract": contract_id, "source": source, "record_key": key, "role": role, "party_id": party,
             "record_ref": f"{contract_id} {source} {role} {key}", "founded_on": EARLIER, "linked_by": "founding",
             "match_weight": None}
            for key, party in parties.items()
        ]  # fmt: skip

    def customers(self, parties: Mapping[str, str], **columns: Mapping[str, Any]) -> None:
        """Records of core.party with columns by party key, and their parties."""
        rows = [{"party_key": key, **{name: of.get(key) for name, of in columns.items()}} for key in parties]
        self.land("core.party", rows)
        self.know("core.party", "holder", parties)

    def say(self, *words: tuple[str, str, date], purpose: str = "data_sharing", partner: str | None = "s") -> None:
        """Events of consent: party key, action and day; of one partner, or of all."""
        rows = [
            {"event_key": f"{n}", "party_key": key, "action": action, "event_time": datetime.combine(day, time(12)),
             "purpose": purpose, "data_class": "partner", "partner": partner}
            for n, (key, action, day) in enumerate(words)
        ]  # fmt: skip
        self.land("consent.event", rows)

    def relations(self, day: date = DAY) -> dict[str, list[dict[str, Any]]]:
        """Every table of the domain `relation` as of `day`."""
        crosswalk = pa.Table.from_pylist(
            self._crosswalk, schema=arrow_schema(self.catalog.derived["identity.party_crosswalk"])
        )
        parties = [
            {"party_id": party, "party_kind": "organisation" if party.isupper() else "person", "founded_on": EARLIER,
             "records": 1}
            for party in sorted({row["party_id"] for row in self._crosswalk})
        ]  # fmt: skip
        lake.write_parquet(self.home.identity / "party_crosswalk.parquet", crosswalk)
        schema = arrow_schema(self.catalog.derived["identity.party"])
        lake.write_parquet(self.home.identity / "party.parquet", pa.Table.from_pylist(parties, schema=schema))
        with duckdb.connect() as con:
            found = relations_as_of(AsOf(con, self.catalog, self.home, day), self.catalog)
        return {name: table.to_pylist() for name, table in found.items()}

    def edges(self, relation: str, day: date = DAY) -> dict[tuple[str, str], dict[str, Any]]:
        """Edges of one relation by their parties."""
        found = [edge for edge in self.relations(day)["party_relation"] if edge["relation_type"] == relation]
        assert len({(edge["from_party_id"], edge["to_party_id"], edge["evidence"]) for edge in found}) == len(found)
        return {(edge["from_party_id"], edge["to_party_id"]): edge for edge in found}
