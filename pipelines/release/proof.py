"""Proof of what a consumer was given of whom: decisions on each party, with facts and rules that they follow from.

Belongs here: writing proofs into a candidate. Does not belong here: the decisions (`mart.lawful_use`), handing data
over (`projection`), and checking one against the other (`pipelines.audit.lawful`).

A proof is kept for whoever answers for data protection. It lies beside the consumers' directories, and no group may
open it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from pipelines.audit.content import RULES, canonical_json
from pipelines.audit.lawful import FACTS
from pipelines.audit.usage import SHARED
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import DATA_CLASSES, Contract
from pipelines.lineage.needs import LAWFUL_USE, Needs
from pipelines.release.catalogue import CONSUMERS
from pipelines.settings import PRIVATE_FILE, make_directory, write_private
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

COVERAGE = "mart.coverage"
RULE = "rule_"  # how the columns of a mart that hold the outcome of one rule begin


def write_proofs(
    con: duckdb.DuckDBPyConnection, catalog: Catalog, ring: KeyRing, bank: str, day: date, needs: Mapping[str, Needs],
    directory: Path,
) -> dict[str, Any]:  # fmt: skip
    """Write decisions on every party as of `day`, under each consumer's pseudonym, and the rules; return the rules."""
    make_directory(directory)
    for consumer in CONSUMERS:
        names = ["business_date", *FACTS, SHARED, *decisions(catalog, consumer), refusal_column(consumer)]
        frame = con.execute(
            f"select party_id, {', '.join(names)} from marts.{catalog.marts[LAWFUL_USE].table} where business_date = ?",
            [day],
        ).pl()
        pseudonym = hmac_sha256(pl.col("party_id"), ring.pseudonym_key(consumer)).alias("pseudonym")
        told = frame.select(pseudonym, *names).sort("pseudonym")
        path = directory / f"{consumer}.parquet"
        told.write_parquet(path, compression="zstd", statistics=False)
        path.chmod(PRIVATE_FILE)
    said = rules(catalog, bank, needs, delivered_classes(con, catalog, day))
    write_private(directory / RULES, canonical_json(said))
    return said


def delivered_classes(con: duckdb.DuckDBPyConnection, catalog: Catalog, day: date) -> frozenset[str]:
    """The classes of data of which the bank had anything by a date."""
    found = con.execute(
        f"select contract from marts.{catalog.marts[COVERAGE].table} "
        "where business_date = ? and delivered_through is not null",
        [day],
    ).fetchall()
    return frozenset(catalog.sources[name].data_class for (name,) in found if name in catalog.sources)


def rules(
    catalog: Catalog, bank: str, needs: Mapping[str, Needs], delivered: frozenset[str] = frozenset(DATA_CLASSES)
) -> dict[str, Any]:
    """What decisions follow from beside facts: policy, the bank's legal bases, what each product needs and uses.

    Whatever a product can descend from, a class of data of which nothing was ever `delivered` was used of nobody.
    And what the rules of marts mean, with the limits of that day: whoever asks later why somebody is in or out of a
    product is answered by what held then.
    """
    return {
        "policy": catalog.policy.lawful_use.model_dump(mode="json"),
        "legal_basis": {basis.purpose: basis.basis for basis in catalog.bank(bank).legal_basis},
        "articles": {basis.purpose: basis.article for basis in catalog.bank(bank).legal_basis},
        "needs": {
            name: {
                "rows": sorted(need.rows),
                "columns": _sorted(need.columns),
                "tags": _sorted(need.tags),
            }
            for name, need in sorted(needs.items())
            if need.rows
        },
        "classes": {
            name: {
                "rows": sorted({"basic", *(needs.get(name, Needs()).classes.rows & delivered)}),
                "columns": _sorted(needs.get(name, Needs()).classes.columns, delivered),
                "tags": _sorted(needs.get(name, Needs()).classes.tags, delivered),
            }
            for name, product in sorted(catalog.products.items())
            if any(party_column(column.name) for column in product.columns)
        },
        "rules": {mart.id: found for mart in catalog.marts.values() if (found := _meant(mart, catalog))},
    }


def _meant(mart: Contract, catalog: Catalog) -> dict[str, Any]:
    """What each rule of a mart means, and the limits that its words name."""
    return {
        column.name: {"words": column.description, "limits": _limits(column.description, catalog.policy.thresholds)}
        for column in mart.columns
        if column.name.startswith(RULE)
    }


def _limits(words: str, thresholds: Mapping[str, float]) -> dict[str, float]:
    """Thresholds named in a text: the first one in full, others of its section by their last name."""
    named = [name for name in re.findall(r"[a-z_0-9]+\.[a-z_0-9]+", words) if name in thresholds]
    sections = {name.partition(".")[0] for name in named}
    named += [f"{section}.{word}" for section in sorted(sections) for word in re.findall(r"[a-z_0-9]+", words)]
    return {name: thresholds[name] for name in dict.fromkeys(named) if name in thresholds}


def _sorted(named: Mapping[str, frozenset[str]], known: frozenset[str] | None = None) -> dict[str, list[str]]:
    return {name: sorted(some if known is None else some & known) for name, some in sorted(named.items())}


def decisions(catalog: Catalog, consumer: str) -> list[str]:
    """The columns of the mart that say what is lawful for a consumer."""
    mart = catalog.marts[LAWFUL_USE]
    return [c.name for c in mart.columns if c.name.startswith(f"{consumer}_") and c.type == "boolean"]


def refusal_column(consumer: str) -> str:
    """The column of the mart that says why something is not lawful for a consumer."""
    return f"{consumer}_refusals"
