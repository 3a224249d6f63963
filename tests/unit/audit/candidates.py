"""Builds small candidates that meet every contract, for tests to spoil.

Rows are invented from the contracts themselves: a mart first, then its products as a release would project them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.audit.content import content_hash
from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Column, Contract

BANK, DAY = "pkdd99", date(1994, 3, 31)
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
    (directory / "candidate.json").write_text(json.dumps({"bank": BANK, "business_date": day.isoformat()}))
    return directory.rename(root / content_hash(directory))


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
        return [_row(mart, n, contract=name, source="core", measure="rows", expected=Decimal(7), actual=Decimal(7),
                     difference=Decimal(0), status="agreed")
                for n, name in enumerate(sorted(catalog.sources))]  # fmt: skip
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
    if mart.table.startswith("customer_tag"):
        return {"valid_to": None}
    if mart.table in ("risk_grade", "merchant_score", "expected_loss"):
        return {"not_evaluable": None}
    if mart.table == "propensity_score":
        return {"decile": 1, "propensity": Decimal("0.05")}
    if mart.table == "calibration_matrix":
        counts = ("contacted_180d", "responses_180d", "conversions_180d", "borrowers", "bads_180d")
        return {"is_evaluable": True, "pd_band": "low", "people": 60, "people_rounded": 50, "propensity_decile": n,
                **dict.fromkeys(counts, 50)}  # fmt: skip
    if mart.table != "low_risk_list":
        return {}
    if n % 2:
        return {"included": False, "band": None, "inclusion_reasons": None, "exclusion_reasons": "rule_history"}
    reasons = "regular_income;stable_income" if n % 3 else "regular_income"
    return {"included": True, "band": "ABC"[n % 3], "inclusion_reasons": reasons, "exclusion_reasons": None}


def _project(product: Contract, rows: Rows) -> Rows:
    kept = [row for row in rows if product.filter is None or row[product.filter]]
    names = [column.name for column in product.columns]
    return [
        {n: _hex(product.consumer, row[party]) if (party := party_column(n)) else row[n] for n in names} for row in kept
    ]


def _row(mart: Contract, n: int, **given: Any) -> dict[str, Any]:
    return {column.name: given.get(column.name, _value(column, n)) for column in mart.columns} | {
        name: value for name, value in given.items() if name in {c.name for c in mart.columns}
    }


def _value(column: Column, n: int) -> Any:
    if column.enum:
        return column.enum[n % len(column.enum)]
    if column.type == "date":
        return DAY
    if column.type == "boolean":
        return bool(n % 2)
    low = column.minimum or 0
    number = low + n % ((column.maximum or low + 5) - low + 1)
    if column.type.startswith("decimal"):
        return Decimal(number)
    return number if column.type == "bigint" else float(number) if column.type == "double" else f"{column.name} {n % 7}"


def _hex(*parts: Any) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
