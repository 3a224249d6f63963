"""Builds a release candidate: each product contract projected from its mart, pseudonymised, sorted, hashed.

A candidate lies under `candidates/<content hash>/` and is nothing to anyone until it has been audited.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.audit.content import CANDIDATE, STATED, canonical_json, list_content
from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.history.recording import keep_stated
from pipelines.history.restatement import dates_stated
from pipelines.history.shape import shapes
from pipelines.ingest.ledger import landed_through
from pipelines.release.refused import Refused
from pipelines.settings import PRIVATE_FILE, Home, make_directory, write_private
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256


@dataclass(frozen=True)
class Candidate:
    """`rows` counts the rows of each product by contract id."""

    directory: Path
    content_hash: str
    business_date: date
    rows: dict[str, int]


def build_candidate(catalog: Catalog, home: Home, ring: KeyRing, bank: str, business_date: date) -> Candidate:
    """Project every product as of `business_date`.

    Raises Refused where a mart is not there, or does not hold that date because it was last built for another one.
    """
    if not home.warehouse.is_file():
        raise Refused(f"nothing is built in {home.path} yet: run `zhongtai nightly --date {business_date}`")
    staging = home.candidates / f".building-{os.getpid()}-{business_date.isoformat()}"
    shutil.rmtree(staging, ignore_errors=True)
    make_directory(staging)
    try:
        rows = {}
        with closing(duckdb.connect(str(home.warehouse), read_only=True)) as con:
            for product in catalog.products.values():
                table = project(con, product, catalog.marts[str(product.mart)], ring, business_date)
                rows[product.id] = table.num_rows
                _write(make_directory(staging / str(product.consumer)) / f"{product.table}.parquet", table)
            stated = landed_through(home, dates_stated(home, business_date))
            keep_stated(con, shapes(catalog), stated, staging / STATED)
        content = list_content(staging, bank, business_date)
        described = {
            "bank": bank,
            "business_date": business_date.isoformat(),
            "content_hash": content.hash,
            "rows": rows,
        }
        write_private(staging / CANDIDATE, canonical_json(described))
        target = home.candidates / content.hash
        shutil.rmtree(target, ignore_errors=True)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Candidate(target, content.hash, business_date, rows)


def project(
    con: duckdb.DuckDBPyConnection, product: Contract, mart: Contract, ring: KeyRing, business_date: date
) -> pa.Table:
    """The rows of `product` as of `business_date`, in the columns, types and order of its contract."""
    stands_for = {column.name: party for column in product.columns if (party := party_column(column.name))}
    names = [column.name for column in product.columns if column.name not in stands_for]
    selected = ", ".join([*names, *stands_for.values()])
    where = f"business_date = date '{business_date}'" + (f" and ({product.filter})" if product.filter else "")
    try:
        held, present = con.execute(
            f"select count(*), count(*) filter (where business_date = ?) from marts.{mart.table}", [business_date]
        ).fetchall()[0]
        frame = con.execute(f"select {selected} from marts.{mart.table} where {where}").pl()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise Refused(
            f"{mart.table} is not what {mart.id} {mart.version} says ({str(error).splitlines()[0]}). "
            f"Materialise the marts for {business_date}, or run `zhongtai nightly --date {business_date}`"
        ) from error
    if held and not present:
        raise Refused(
            f"{mart.table} holds other dates than {business_date}: it was built for another night. "
            f"Materialise the marts for {business_date}, or run `zhongtai nightly --date {business_date}`"
        )
    for name, party in stands_for.items():
        frame = frame.with_columns(hmac_sha256(pl.col(party), ring.pseudonym_key(str(product.consumer))).alias(name))
    schema = arrow_schema(product)
    table = frame.select(schema.names).sort(product.key).to_arrow()
    # What must be filled and is not is for the audit to say, with the keys of the rows.
    empty = [field.with_nullable(True) if table.column(field.name).null_count else field for field in schema]
    return table.cast(pa.schema(empty))


def _write(path: Path, table: pa.Table) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        pq.write_table(table, file, compression="zstd", store_schema=False)
        file.flush()
        os.fsync(file.fileno())


def candidate_of(home: Home, business_date: date) -> Path:
    """The latest candidate of `business_date`. Raises Refused where none was built."""
    found = [
        path.parent
        for path in home.candidates.glob(f"[0-9a-f]*/{CANDIDATE}")
        if json.loads(path.read_bytes())["business_date"] == business_date.isoformat()
    ]
    if not found:
        raise Refused(f"there is no candidate of {business_date}: materialise release/candidate for it first")
    return max(found, key=lambda path: (path / CANDIDATE).stat().st_mtime_ns)


def prune_candidates(home: Home, keep: int) -> None:
    """Remove all but the `keep` latest candidates, and what interrupted builds left behind."""
    for leftover in home.candidates.glob(".*"):
        shutil.rmtree(leftover, ignore_errors=True)
    candidates = sorted(home.candidates.iterdir(), key=lambda path: (path.stat().st_mtime_ns, path.name))
    for path in candidates[: max(0, len(candidates) - keep)]:
        shutil.rmtree(path, ignore_errors=True)
