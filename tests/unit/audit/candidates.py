"""Builds small candidates that meet every contract, for tests to spoil.

Rows are invented from the contracts themselves: a mart first, then its products as a release would project them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.audit.content import PROOF, RULES, canonical_json, content_hash
from pipelines.audit.lawful import FACTS, PURPOSES, refusals
from pipelines.audit.usage import SHARED
from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Column, Contract
from pipelines.lineage.needs import Needs
from pipelines.release.proof import decisions, refusal_column, rules
from pipelines.release.usage import write_usage

BANK, DAY = "pkdd99", date(1994, 3, 31)
NO_SHELF = Path("nowhere")  # nothing was published before
Rows = list[dict[str, Any]]
Spoil = Callable[[dict[str, pa.Table]], None]


def party_ids(parties: int) -> list[str]:
    """Internal ids of invented parties."""
    return [_hex("party", n) for n in range(parties)]


def write_crosswalk(path: Path, parties: int) -> Path:
    """The party crosswalk of the home the candidate comes from."""
    pq.write_table(pa.table({"party_id": party_ids(parties)}), path)
    return path


def product_tables(catalog: Catalog, parties: int) -> dict[str, pa.Table]:
    """A good table for each product, by product id."""
    marts = {mart.id: _mart_rows(catalog, mart, parties) for mart in catalog.marts.values()}
    return {p.id: pa.Table.from_pylist(_project(p, marts[p.mart]), arrow_schema(p)) for p in catalog.products.values()}


def write_candidate(
    root: Path, catalog: Catalog, parties: int = 40, spoil: Spoil | None = None, day: date = DAY
) -> Path:
    """Write a candidate below `root`, in a directory named by its hash; `spoil` may change its tables first."""
    tables = product_tables(catalog, parties)
    if spoil:
        spoil(tables)
    directory = root / "unnamed"
    for product_id, table in tables.items():
        product = catalog.products[product_id]
        path = directory / product.consumer / f"{product.table}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    write_usage(catalog, directory, write_proofs(directory / PROOF, catalog, parties))
    described = {"bank": BANK, "business_date": day.isoformat(), "withheld": {}}
    (directory / "candidate.json").write_text(json.dumps(described))
    return directory.rename(root / content_hash(directory))


def write_proofs(directory: Path, catalog: Catalog, parties: int) -> dict[str, Any]:
    """Proofs that whoever a row can name may be known to the consumer, and their rules."""
    directory.mkdir(parents=True)
    named = [*party_ids(parties), *(_hex("other", n) for n in range(parties))]
    needs = {
        product.id: Needs(frozenset({f"{product.consumer}_basic"}))
        for product in catalog.products.values()
        if any(party_column(column.name) for column in product.columns)
    }
    said = rules(catalog, BANK, needs)
    (directory / RULES).write_bytes(canonical_json(said))
    facts = dict(zip(FACTS, ("person", False, False, None), strict=True))
    for consumer in PURPOSES:
        why = refusals(consumer, tuple(facts.values()), said)
        refused = {one.partition(":")[0] for one in why}
        decided = {name: name.removeprefix(f"{consumer}_") not in refused for name in decisions(catalog, consumer)}
        told = {"business_date": DAY, **facts, SHARED: None, **decided, refusal_column(consumer): ";".join(why) or None}
        rows = [{"pseudonym": _hex(consumer, party), **told} for party in sorted(named)]
        frame = pl.DataFrame(rows, schema_overrides={SHARED: pl.String})
        frame.write_parquet(directory / f"{consumer}.parquet")
    return said


def with_values(table: pa.Table, column: str, values: list[Any], type_: pa.DataType | None = None) -> pa.Table:
    """`table` with the first values of a column replaced."""
    rest = table.column(column).to_pylist()[len(values) :]
    field = table.schema.field(column)
    return table.set_column(
        table.schema.names.index(column), field.name, pa.array([*values, *rest], type_ or field.type)
    )


def _mart_rows(catalog: Catalog, mart: Contract, parties: int) -> Rows:
    if mart.table == "coverage":
        return [_row(mart, n, contract=name, status="delivered", delivered_through=DAY, carried_days=None)
                for n, name in enumerate(sorted(catalog.sources))]  # fmt: skip
    if mart.table == "reconciliation":
        return [_row(mart, n, contract=name, source="core", step=step, measure="rows", expected=Decimal(7),
                     actual=Decimal(7), difference=Decimal(0), status="agreed")
                for n, name in enumerate(sorted(catalog.sources)) for step in ("ingest", "lake")]  # fmt: skip
    rows = [
        _row(mart, n, **_decision(mart, n), party_id=party, from_party_id=party, to_party_id=_hex("other", n))
        for n, party in enumerate(party_ids(parties))
    ]
    return list({tuple(row[name] for name in mart.key): row for row in rows}.values())


def _decision(mart: Contract, n: int) -> dict[str, Any]:
    if mart.table == "customer_portrait":
        known = Decimal("0.5")
        return {"need_category": "saving", "need_score": known, "life_category": "family", "life_score": known,
                "risk_category": "balanced", "risk_score": known}  # fmt: skip
    if mart.table in _RULED:
        return _RULED[mart.table](n)
    if not mart.table.startswith("low_risk_list"):
        return {}
    if n % 2:
        return {"included": False, "segment": None, "band": None, "product_families": None, "inclusion_reasons": None,
                "exclusion_reasons": "history", "in_since": None, "last_out_on": None}  # fmt: skip
    families = {"A": "deposit;wealth;card;loan", "B": "deposit;wealth;card", "C": "deposit;wealth"}
    band, reasons = "ABC"[n % 3], "meets_requirements;stable_income" if n % 3 else "meets_requirements"
    return {"included": True, "segment": "single_account", "band": band, "product_families": families[band],
            "inclusion_reasons": reasons, "exclusion_reasons": None, "last_out_on": None}  # fmt: skip


# What the columns of a mart must agree on, by its rules.
_RULED: dict[str, Callable[[int], dict[str, Any]]] = {
    "customer_tag": lambda n: {"valid_to": None},
    "customer_tag_marketing": lambda n: {"valid_to": None},
    "risk_grade": lambda n: {"not_evaluable": None},
    "merchant_score": lambda n: {"not_evaluable": None},
    "expected_loss": lambda n: {"not_evaluable": None},
    "propensity_score": lambda n: {"decile": 1, "propensity": Decimal("0.05")},
    "calibration_matrix": lambda n: {
        "is_evaluable": True, "pd_band": "low", "people": 60, "people_rounded": 50, "propensity_decile": n,
        **dict.fromkeys(("contacted_180d", "responses_180d", "conversions_180d", "borrowers", "bads_180d"), 50),
    },
    "consent_state": lambda n: {"valid_to": None, "known_to": None},
    "authorisation_rate": lambda n: {"parties_asked": 20},
    "complaint_hotspot": lambda n: {"complaints_30d": 5},
    "complaint_sla": lambda n: {
        "is_open": False, "is_complex": False, "response_state": "in_time", "response_hours_left": None,
        "resolution_state": "in_time", "resolution_working_days_left": None, "statutory_state": "in_time",
        "statutory_days_left": None, "statutory_extended_days_allowed": None, "statutory_extended_state": None,
    },
    "fraud_ring": lambda n: {"score": n, "reasons": "shared_device" if n else None},
    "npl_ratio": lambda n: dict.fromkeys(
        ("facilities", "facilities_not_evaluable", "facilities_normal", "facilities_special_mention",
         "facilities_substandard", "facilities_doubtful", "facilities_loss"), 0,
    ) | dict.fromkeys(
        ("balance", "balance_normal", "balance_special_mention", "balance_substandard", "balance_doubtful",
         "balance_loss"), Decimal(0),
    ),
    "review_queue": lambda n: {"reviewer_key": None, "reviewer_role": None, "assigned_by": "nobody"},
    "sme_whitelist": lambda n: {"listed": True, "failed_rules": None},
    "refused_use": lambda n: {"contracts": n, "rows_delivered": n or None, "rows_delivered_365d": n or None},
}  # fmt: skip


def _project(product: Contract, rows: Rows) -> Rows:
    kept = _chosen(rows, product.filter) if product.filter else rows
    names = [column.name for column in product.columns]
    return [
        {n: _hex(product.consumer, row[party]) if (party := party_column(n)) else row[n] for n in names} for row in kept
    ]


def _chosen(rows: Rows, predicate: str) -> Rows:
    """The rows of which a predicate holds, as a release asks for it."""
    with duckdb.connect(":memory:") as con:
        con.register("mart", pa.Table.from_pylist(rows))
        held = con.execute(f"select coalesce({predicate}, false) from mart").fetchall()
    return [row for row, (holds,) in zip(rows, held, strict=True) if holds]


def _row(mart: Contract, n: int, **given: Any) -> dict[str, Any]:
    return {column.name: given.get(column.name, _value(column, n)) for column in mart.columns} | {
        name: value for name, value in given.items() if name in {c.name for c in mart.columns}
    }


def _value(column: Column, n: int) -> Any:
    if column.enum:
        return column.enum[n % len(column.enum)]
    if column.type == "date":
        return DAY
    if column.type == "timestamp":
        return datetime.combine(DAY, time(n % 24))
    if column.type == "boolean":
        return bool(n % 2)
    low = column.minimum or 0
    number = low + n % ((column.maximum or low + 5) - low + 1)
    if column.type.startswith("decimal"):
        return Decimal(number)
    return number if column.type == "bigint" else float(number) if column.type == "double" else f"{column.name} {n % 7}"


def _hex(*parts: Any) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
