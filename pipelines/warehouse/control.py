"""What Python tells dbt about a run, as Parquet relations: policy, legal bases, dates, calendars, people's decisions.

A changed relation does not touch dbt's parsed project, as a changed variable would.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.admission import decisions
from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.bank import Bank
from pipelines.contracts.lawful import sharing_rules
from pipelines.contracts.load import Catalog
from pipelines.ingest import lake, ledger
from pipelines.settings import PROJECT, Home
from pipelines.warehouse.state import processed_dates
from pipelines.warehouse.unfinished import unfinished_since

_YEARS_BEFORE = 3  # a complaint that waits for longer is late by any deadline


def write_control(
    catalog: Catalog, home: Home, bank: Bank, release_date: date, restated: Collection[date] = ()
) -> dict[date, str]:
    """Write what dbt is told of a run that builds marts as of `release_date`; returns the digest of each date.

    As of the dates of `restated`, published before, marts are built as well.
    """
    digests = date_digests(catalog, home)
    policy = [{"name": n, "value": v, "text": f"{v:g}"} for n, v in sorted(catalog.policy.thresholds.items())]
    bases = [{"purpose": b.purpose, "basis": b.basis, "article": b.article} for b in bank.legal_basis]
    survivorship = [
        {"attribute": attribute, "contract": contract, "priority": priority}
        for attribute, contracts in sorted(catalog.policy.survivorship.items())
        for priority, contract in enumerate(contracts, start=1)
    ]
    lawful = catalog.policy.lawful_use
    uses = [
        {"purpose": purpose, "data_class": data_class, "minors_refused": purpose in lawful.minors.refused}
        | need.model_dump()
        for purpose, needs in sorted(lawful.purposes.items())
        for data_class, need in sorted(needs.items())
    ]
    shared = [asdict(rule) for rule in sharing_rules(catalog.sources, lawful)]
    dates = [
        {
            "business_date": day,
            "digest": digests.get(day, ""),
            "is_release_date": day == release_date,
            "is_restated": day in restated,
        }
        for day in sorted({*digests, release_date, *restated})
    ]
    relations = {
        "policy": policy, "survivorship": survivorship, "legal_basis": bases, "lawful_use": uses,
        "sharing_rule": shared, "refusal": _refusals(catalog), "policy_control": _controls(catalog),
        "business_date": dates, "bank": [{"bank": bank.bank}],
        "working_day": _working_days(bank, release_date), "admission_decision": decisions.rows(home),
    }  # fmt: skip
    for name, rows in relations.items():
        _write(catalog, home, name, rows)
    return digests


def built_as_of(home: Home) -> date | None:
    """The date of the run that dbt was last told of; None before the first."""
    path = home.control / "business_date.parquet"
    rows = pq.read_table(path).to_pylist() if path.exists() else []
    return next((row["business_date"] for row in rows if row["is_release_date"]), None)


def fact_dates(home: Home, release_date: date) -> tuple[date, date]:
    """First and last business date whose facts a run has to write.

    From the first date that was landed, or was built otherwise, since the facts were last written, or from that of a
    build that did not end well: what follows it may follow from it, as an account that changed hands then. The dates
    that marts are built as of are always among them: they are reconciled again.
    """
    rows = pq.read_table(home.control / "business_date.parquet").to_pylist()
    landed = {row["business_date"]: row["digest"] for row in rows if row["digest"]}
    processed = processed_dates(home)
    changed = [day for day, digest in landed.items() if processed.get(day) != digest]
    restated = [row["business_date"] for row in rows if row.get("is_restated")]
    doubtful = [since] if (since := unfinished_since(home)) else []
    return min([release_date, *restated, *changed, *doubtful]), max([release_date, *landed])


def _refusals(catalog: Catalog) -> list[dict[str, Any]]:
    return [
        {
            "refusal": refusal.id,
            "contract": contract,
            "subject": refusal.subject,
            "use_refused": refusal.use,
            "article": refusal.article,
            "reason_zh": refusal.reason.zh,
            "reason_en": refusal.reason.en,
            "stopped_by": ";".join(refusal.enforced_by),
        }
        for refusal in sorted(catalog.refusals, key=lambda refusal: refusal.id)
        for contract in sorted(refusal.concerns(catalog.sources))
    ]


def _controls(catalog: Catalog) -> list[dict[str, Any]]:
    """One row per article, check and test; an article that nothing enforces yet has one row, with dashes."""
    laws = catalog.policy_map.laws
    return [
        {
            "article": control.article,
            "check_id": check,
            "test": test,
            "law_zh": laws[control.law].zh,
            "law_en": laws[control.law].en,
            "rule_zh": control.rule.zh,
            "rule_en": control.rule.en,
            "to_be_confirmed": control.to_be_confirmed,
            "gap_zh": control.gap and control.gap.zh,
            "gap_en": control.gap and control.gap.en,
        }
        for control in sorted(catalog.policy_map.controls, key=lambda control: control.article)
        for check, test in sorted((link.check, link.test) for link in control.links) or [("-", "-")]
    ]


def _working_days(bank: Bank, last: date) -> list[dict[str, Any]]:
    """The days through `last`, from some years before, so that whatever waits can be counted."""
    rows, through = [], 0
    day = date(last.year - _YEARS_BEFORE, 1, 1)
    while day <= last:
        through += bank.is_working_day(day)
        rows.append({"calendar_day": day, "is_working_day": bank.is_working_day(day), "working_days_through": through})
        day += timedelta(days=1)
    return rows


def date_digests(catalog: Catalog, home: Home) -> dict[date, str]:
    """A digest per landed date over all that its facts follow from: landed files, and the models that build them."""
    recipe = _recipe(catalog)
    landed: dict[date, list[str]] = defaultdict(list)
    for landing in ledger.read_all(home):
        if landing.measure == "rows":
            parts = (
                landing.contract,
                landing.source,
                landing.status,
                str(landing.landed_sha256),
                str(landing.delivery_sha256),
            )
            landed[landing.business_date].append("|".join(parts))
    return {
        day: hashlib.sha256("\n".join([recipe, *sorted(lines)]).encode()).hexdigest() for day, lines in landed.items()
    }


def _recipe(catalog: Catalog) -> str:
    """Hash of what turns landed rows into facts; another recipe rebuilds every date."""
    digest = hashlib.sha256()
    for path in sorted((PROJECT / "dbt_project").rglob("*.sql")):
        # What marts alone are built by, makes no facts.
        if {"intermediate", "staging", "macros"} & set(path.parts) and not {"target", "marts"} & set(path.parts):
            digest.update(path.read_bytes())
    for contract in catalog.sources.values():
        digest.update(f"{contract.id}@{contract.major}".encode())
    return digest.hexdigest()


def _write(catalog: Catalog, home: Home, name: str, rows: list[dict[str, Any]]) -> None:
    schema = arrow_schema(catalog.derived[f"control.{name}"])
    lake.write_parquet(home.control / f"{name}.parquet", pa.Table.from_pylist(rows, schema=schema))
