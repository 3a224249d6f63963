"""Releases of earlier business dates for a candidate to be held against, with what the audit reads of one."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.load import Catalog

from .candidates import Spoil, product_tables


def write_release(
    shelf: Path, catalog: Catalog, day: date, parties: int = 40, spoil: Spoil | None = None, **more: Any
) -> Path:
    """A release of `day` below `shelf`; `more` are the end of its `id`, and what it says that it `supersedes`."""
    tables = {name: as_of(table, day) for name, table in product_tables(catalog, parties).items()}
    if spoil:
        spoil(tables)
    release = shelf / f"{day}-{more.get('id', 'abcdef012345')}"
    for product_id, table in tables.items():
        product = catalog.products[product_id]
        path = release / product.consumer / f"{product.table}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    rows = {name: table.num_rows for name, table in tables.items()}
    write_manifest(release, day, rows, **more)
    return release


def write_manifest(release: Path, day: date, rows: dict[str, int], **more: Any) -> Path:
    """A release of which only the numbers of rows are known."""
    release.mkdir(parents=True, exist_ok=True)
    (release / "manifest.json").write_text(json.dumps({"business_date": f"{day}", "rows": rows}))
    if told := {name: more[name] for name in ("supersedes", "restores", "place") if name in more}:
        (release / "proof").mkdir(exist_ok=True)
        (release / "proof" / "supersedes.json").write_text(json.dumps(told))
    return release


def as_of(table: pa.Table, day: date) -> pa.Table:
    """A table of `day`, for which everything was delivered."""
    if "business_date" not in table.schema.names:
        return table
    for name in {"business_date", "delivered_through"} & set(table.schema.names):
        table = table.set_column(table.schema.names.index(name), name, pa.array([day] * table.num_rows, pa.date32()))
    return table
