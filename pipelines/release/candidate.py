"""Builds a release candidate: each product contract projected from its mart, pseudonymised, sorted, hashed.

A candidate lies under `candidates/<content hash>/` and is nothing to anyone until it has been audited.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.audit.content import CANDIDATE, PROOF, STATED
from pipelines.contracts.load import Catalog
from pipelines.history.recording import keep_stated
from pipelines.history.restatement import dates_stated
from pipelines.history.shape import shapes
from pipelines.ingest.ledger import landed_through
from pipelines.lineage.compiled import lineage_of
from pipelines.lineage.needs import Needs, needs_of
from pipelines.lineage.purpose import PurposeRefused, check_purposes
from pipelines.release import provenance
from pipelines.release.correction import tell_correction
from pipelines.release.description import describe_candidate
from pipelines.release.projection import project
from pipelines.release.proof import write_proofs
from pipelines.release.refused import Refused
from pipelines.release.usage import write_usage
from pipelines.settings import PRIVATE_FILE, Home, make_directory
from pipelines.vault.keys import KeyRing
from pipelines.warehouse.control import built_as_of


@dataclass(frozen=True)
class Candidate:
    """`rows` counts the rows of each product by contract id, `withheld` those that it is not lawful to hand over."""

    directory: Path
    content_hash: str
    business_date: date
    rows: dict[str, int]
    withheld: dict[str, int]


def build_candidate(
    catalog: Catalog, home: Home, ring: KeyRing, bank: str, business_date: date, needs: Mapping[str, Needs]
) -> Candidate:
    """Project every product as of `business_date`, with what its `needs` allow (`pipelines.lineage.needs`).

    Raises Refused where a mart is not there, or was last built as of another date.
    """
    if not home.warehouse.is_file():
        raise Refused(f"nothing is built in {home.path} yet: run `zhongtai nightly --date {business_date}`")
    if (built := built_as_of(home)) not in (None, business_date):
        # A mart may hold the date all the same, which was stated anew: who is who and related is not as of it then.
        raise Refused(
            f"the marts were last built as of {built}, not {business_date}. "
            f"Materialise them for {business_date}, or run `zhongtai nightly --date {business_date}`"
        )
    staging = home.candidates / f".building-{os.getpid()}-{business_date.isoformat()}"
    shutil.rmtree(staging, ignore_errors=True)
    make_directory(staging)
    try:
        rows, withheld = {}, {}
        with closing(duckdb.connect(str(home.warehouse), read_only=True)) as con:
            for product in catalog.products.values():
                mart = catalog.marts[str(product.mart)]
                table, chosen = project(con, product, mart, ring, business_date, needs[product.id])
                rows[product.id], withheld[product.id] = table.num_rows, chosen - table.num_rows
                write_product(make_directory(staging / str(product.consumer)) / f"{product.table}.parquet", table)
            rules = write_proofs(con, catalog, ring, bank, business_date, needs, staging / PROOF)
            write_usage(catalog, staging, rules)
            made_from = provenance.describe(catalog, home, ring, business_date)
            tell_correction(catalog, home, made_from, bank, business_date, staging)
            stated = landed_through(home, dates_stated(home, business_date))
            keep_stated(con, shapes(catalog), stated, staging / STATED)
        content = describe_candidate(staging, home, bank, business_date, made_from, rows=rows, withheld=withheld)
        target = home.candidates / content.hash
        shutil.rmtree(target, ignore_errors=True)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Candidate(target, content.hash, business_date, rows, withheld)


def publishable(catalog: Catalog, home: Home) -> dict[str, Needs]:
    """What each product needs of a party, by the lineage of what was built in `home`.

    Raises Refused where a product claims more than its ancestors allow: nothing of the night is projected then.
    """
    try:
        lineage = lineage_of(catalog, home)
        check_purposes(catalog, lineage)
    except FileNotFoundError as error:
        raise Refused(
            f"dbt has not built {Path(error.filename).stem} in {home.path}: run `zhongtai nightly`"
        ) from error
    except PurposeRefused as error:
        raise Refused(str(error)) from error
    return needs_of(catalog, lineage)


def write_product(path: Path, table: pa.Table) -> None:
    """Write the rows of a product durably, in the one way that gives the same bytes for the same rows."""
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
