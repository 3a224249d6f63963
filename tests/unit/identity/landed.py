"""A home with a few landed rows, as ingest leaves it: tokens in the lake, values in the vault, an entry in the ledger.

Rows name only the columns that matter, with raw values; the others are empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from pipelines.contracts.arrow import lake_schema
from pipelines.contracts.load import Catalog
from pipelines.identity import run
from pipelines.ingest import lake, ledger
from pipelines.ingest.ledger import Landing, Ledger
from pipelines.settings import Settings
from pipelines.vault import store
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import tokenise

RING = KeyRing(bytes.fromhex("5a" * 32), (bytes.fromhex("c3" * 32),))


class Landed:
    """Lands rows and resolves nights over them."""

    def __init__(self, catalog: Catalog, path: Path, ring: KeyRing = RING) -> None:
        self.catalog, self.ring = catalog, ring
        self.settings = Settings(home_dir=path, bank="simbank", threads=1)
        self.home = self.settings.home
        self.home.prepare("simbank")
        for contract in catalog.sources.values():
            lake.prepare(self.home, contract)
        ledger.prepare(self.home, catalog.derived["control.landing"])

    def land(self, contract_id: str, day: date, *rows: Mapping[str, Any], source: str = "s") -> None:
        """Land rows of one date; `_change` may say that a key is gone."""
        contract = self.catalog.sources[contract_id]
        kinds = {column.name: column.identifier for column in contract.columns if column.identifier}
        stated = [{name: row.get(name) for name in kinds} for row in rows]
        raw = pl.DataFrame(stated, schema=dict.fromkeys(kinds, pl.String))
        made = tokenise(raw, kinds, self.ring)
        store.keep(store.path_of(self.home, contract_id, source, day), made.values, self.ring)
        tokens = made.rows.select(name for name in made.rows.columns if name.endswith("_token")).to_dicts()
        schema = lake_schema(contract)
        plain = [{name: value for name, value in row.items() if name not in kinds} for row in rows]
        full = [
            {"_change": "upsert", "_row_hash": "", "_line": n, **row, **(tokens[n] if tokens else {})}
            for n, row in enumerate(plain)
        ]
        path = lake.partition(self.home.lake, contract_id, source, day)
        lake.write_parquet(path, pa.Table.from_pylist(full, schema=schema))
        digest, nothing = hashlib.sha256(repr(rows).encode()).hexdigest(), Decimal(0)
        told = Landing(
            contract_id, source, day, "rows", "landed", None, digest, "recipe", None, None,
            Decimal(len(rows)), Decimal(len(rows)), nothing, nothing, nothing,
        )  # fmt: skip
        Ledger(self.home, self.catalog.derived["control.landing"], contract_id, source).record([told])

    def resolve(self, day: date, **how: Any) -> run.Outcome:
        """One night."""
        return run.resolve(self.catalog, self.settings, self.catalog.feeds("simbank"), self.ring, day, **how)
