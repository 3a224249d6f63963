"""A candidate that brings an earlier release back, without what may no longer be used of its parties.

Rows and values are those of the earlier release; none is added. What is left out follows from how parties stand today
(`standing`). Proofs and ledger are made anew: today's decisions on the parties of then. Belongs here: building that
candidate. Does not belong here: auditing and publishing it (`rollback`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from pipelines.audit.content import PROOF, RULES, STATED, canonical_json
from pipelines.audit.usage import BY_RECORD, SHARED, ledger_name
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.history.recording import nothing_stated
from pipelines.release import provenance
from pipelines.release.candidate import write_product
from pipelines.release.catalogue import CONSUMERS, Release
from pipelines.release.description import describe_candidate
from pipelines.release.left_out import LOST, lawful_part
from pipelines.release.refused import Refused
from pipelines.release.standing import Standing
from pipelines.release.superseding import write_supersession
from pipelines.release.usage import write_usage
from pipelines.settings import PRIVATE_FILE, Home, make_directory, write_private
from pipelines.vault.keys import KeyRing


def restore(
    catalog: Catalog, home: Home, ring: KeyRing, restored: Release, superseded: Release, stands: Standing, reason: str
) -> Path:
    """Build the candidate that supersedes one release by the content of another; returns its directory."""
    _check(catalog, restored)
    staging = home.candidates / f".building-{os.getpid()}-{restored.id}"
    shutil.rmtree(staging, ignore_errors=True)
    make_directory(staging)
    try:
        then = json.loads((restored.path / PROOF / RULES).read_bytes())
        rules = _rules(then, stands.rules)
        write_private(make_directory(staging / PROOF) / RULES, canonical_json(rules))
        decisions = {name: _proofs(restored, stands, name, staging) for name in CONSUMERS}
        rows, withheld, left_out = {}, {}, {}
        for product in catalog.products.values():
            kept, out = _product(staging, restored, product, rules, decisions)
            rows[product.id], left_out[product.id] = kept, out
            withheld[product.id] = out["rows"] + _withheld_then(restored, product, then)
        write_usage(catalog, staging, rules)
        write_supersession(
            home, staging, superseded, restored.id, reason,
            decided={"release": stands.decided_by.id, "business_date": stands.decided_by.business_date.isoformat(),
                     "spoke_since": stands.spoke_since, "parted_since": stands.parted_since},
            left_out={name: out for name, out in sorted(left_out.items()) if any(out.values())},
        )  # fmt: skip
        nothing_stated(staging / STATED)
        bank, day = restored.manifest["bank"], restored.business_date
        now = provenance.describe(catalog, home, ring, day)
        content = describe_candidate(staging, home, bank, day, now, rows=rows, withheld=withheld)
        target = home.candidates / content.hash
        shutil.rmtree(target, ignore_errors=True)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return target


def _check(catalog: Catalog, restored: Release) -> None:
    there = restored.manifest["files"]
    names = {product.id: f"{product.consumer}/{product.table}.parquet" for product in catalog.products.values()}
    if absent := sorted(name for name, file in names.items() if file not in there):
        raise Refused(
            f"{restored.id} has no {', '.join(absent)}, which consumers are promised since: "
            f"go back to a later release, or mend the night and publish it again"
        )
    needed = [f"{PROOF}/{RULES}", *(f"{PROOF}/{ledger_name(name)}" for name in CONSUMERS)]
    if any(name not in there for name in needed):
        raise Refused(f"{restored.id} has no proofs, so nobody can say what may still be used of it: name a later one")


def _rules(then: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Policy and legal bases of today; what products were made of then; what they need, of then and of today."""
    said = {name: now[name] for name in ("policy", "legal_basis", "articles")}
    needs = {name: _needs(needed, now["needs"].get(name, {})) for name, needed in then["needs"].items()}
    return {**then, **said, "needs": {**{n: one for n, one in now["needs"].items() if n not in needs}, **needs}}


def _needs(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    rows = sorted({*then["rows"], *now.get("rows", ())})
    return {"rows": rows} | {
        part: {
            name: sorted({*then[part].get(name, ()), *now.get(part, {}).get(name, ())} - set(rows))
            for name in sorted({*then[part], *now.get(part, {})})
        }
        for part in ("columns", "tags")
    }


def _proofs(restored: Release, stands: Standing, consumer: str, staging: Path) -> pl.DataFrame:
    """Write the proofs of a consumer: parties of then that are known today, with the facts and decisions of today.

    Returns the decisions, each with the classes of data that the party shares no more.
    """
    file = f"{consumer}.parquet"
    then = pl.read_parquet(restored.path / PROOF / file, columns=["pseudonym", "business_date", SHARED])
    now = stands.proofs[consumer]
    taken = stands.taken_back[consumer].group_by("pseudonym").agg(pl.col("data_class").alias("taken"))
    before, today = (pl.col(name).fill_null("").str.split(";") for name in (SHARED, "today"))
    none = pl.lit([], dtype=pl.List(pl.String))
    both = (
        then.join(now.drop("business_date").rename({SHARED: "today"}), on="pseudonym")
        .join(taken, on="pseudonym", how="left")
        .with_columns(
            before.list.set_intersection(today).list.set_difference(pl.col("taken").fill_null(none)).alias("kept")
        )
        .with_columns(before.list.set_difference("kept").alias(LOST))
        .with_columns(_joined("kept").alias(SHARED))
        .sort("pseudonym")
    )
    both.select(now.columns).write_parquet(staging / PROOF / file, compression="zstd", statistics=False)
    (staging / PROOF / file).chmod(PRIVATE_FILE)
    return both.select(
        "pseudonym", LOST, *(n for n in now.columns if n.startswith(f"{consumer}_") and both[n].dtype == pl.Boolean)
    )


def _joined(name: str) -> pl.Expr:
    """Classes by semicolons as proofs have them; empty where there is none."""
    said = pl.concat_str(
        [pl.when(pl.col(name).list.contains(one)).then(pl.lit(one)) for one in BY_RECORD],
        separator=";", ignore_nulls=True,
    )  # fmt: skip
    return pl.when(said != "").then(said)


def _product(
    staging: Path, restored: Release, product: Contract, rules: dict[str, Any], decisions: Mapping[str, pl.DataFrame]
) -> tuple[int, dict[str, int]]:
    """Write a product as it was, without what is left out; how many rows it has, and how much was left out of it."""
    name = f"{product.consumer}/{product.table}.parquet"
    source, target = restored.path / name, make_directory(staging / str(product.consumer)) / f"{product.table}.parquet"
    needs, classes = (rules[part].get(product.id, {}) for part in ("needs", "classes"))
    found = (
        lawful_part(source, needs, classes, decisions[str(product.consumer)]) if product.consumer != "shared" else None
    )
    if found is None or not any(found[1].values()):
        shutil.copyfile(source, target)
        target.chmod(PRIVATE_FILE)
        return pq.read_metadata(target).num_rows, {"rows": 0, "values": 0}
    table, out = found
    write_product(target, table)
    return table.num_rows, out


def _withheld_then(restored: Release, product: Contract, rules: dict[str, Any]) -> int:
    """How many parties of then could not be in a product, by the rules of then: at least as many as were withheld."""
    needed = rules["needs"].get(product.id, {}).get("rows", [])
    if not needed:
        return 0
    proofs = pl.scan_parquet(restored.path / PROOF / f"{product.consumer}.parquet")
    return int(proofs.filter(~pl.all_horizontal(*map(pl.col, needed))).select(pl.len()).collect().item())
