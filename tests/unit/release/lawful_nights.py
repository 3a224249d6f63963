"""Two nights of a small bank of whose customers some may be used, some may not, and one takes a consent back.

Belongs here: what is so of whom, by the number of a party. Does not belong here: what must follow from it
(`test_explain`, `test_usage`).
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import polars as pl

from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.identity.events import EVENTS
from pipelines.lineage.needs import Classes, Needs
from pipelines.release.candidate import build_candidate
from pipelines.release.catalogue import Release
from pipelines.settings import Home

from .warehouse import BANK, DAY, Office, Rows, approve, evidence, party_id, write_warehouse

NIGHTS, PARTIES = (DAY, DAY + timedelta(days=1)), 24
WITHDRAWS = 6  # the party that takes its consent to marketing with transactions back on the second night
CHILDREN, SILENT = {5, 12}, {1, 9, 17, 21}  # who may not be marketed to: for being a child, for want of a consent
RULES = {"rule_history": "fail", "rule_regular_inflow": "not_evaluable", "rule_lawful_use": "fail"}
SHARED = {2: "partner", 3: "partner;bureau", 6: "partner"}


def needs(catalog: Catalog) -> dict[str, Needs]:
    """What products need and use; some of what lineage finds, in a form that can be read."""
    found = {}
    for product in catalog.products.values():
        parties = any(party_column(column.name) for column in product.columns)
        found[product.id] = Needs(frozenset({f"{product.consumer}_basic"})) if parties else Needs()
    rows = frozenset({"basic"})
    columns = {"balance": frozenset({"transaction"}), "orders_90d": frozenset({"transaction", "partner"})}
    for consumer in ("marketing", "risk"):
        masked = frozenset({f"{consumer}_transaction"})
        found[f"{consumer}.customer_360"] = Needs(
            frozenset({f"{consumer}_basic"}), dict.fromkeys(columns, masked), {}, Classes(rows, columns)
        )
    listed = frozenset({"marketing_basic", "marketing_transaction"})
    found["marketing.low_risk_list"] = Needs(listed, {}, {}, Classes(rows | {"transaction"}))
    found["risk.early_warning"] = Needs(frozenset({"risk_basic"}), {}, {}, Classes(rows | {"bureau", "partner"}))
    return found


def included(n: int, night: date) -> bool:
    """Whether risk puts a party on the list: who is not, is not for one rule or for two; more are on the next day."""
    return n % 3 == 0 or night != DAY


def failing(n: int) -> set[str]:
    """The rules that a party does not pass where it is not included."""
    return set(RULES) if n % 3 == 2 else {"rule_history"}


def refused(n: int, night: date) -> dict[str, str]:
    """What marketing may not use of a party, and why."""
    if n in CHILDREN:
        return {"basic": "minor", "transaction": "minor"}
    if n in SILENT:
        return {"basic": "no_consent", "transaction": "no_consent"}
    return {"transaction": "withdrawn"} if n == WITHDRAWS and night != DAY else {}


def publish(office: Office, night: date) -> Release:
    """The release of one of the nights."""
    write_warehouse(office.home, office.catalog, {night: PARTIES}, lambda table, rows: _told(table, rows, night))
    pl.DataFrame({"party_id": [party_id(n) for n in range(PARTIES)]}).write_parquet(
        office.home.identity / "party.parquet"
    )
    resolved(office.home, night)
    built = build_candidate(office.catalog, office.home, office.ring, BANK, night, needs(office.catalog))
    approve(built.directory, evidence(built.directory, office.catalog))
    return office.publish(built.directory)


def resolved(home: Home, night: date, *went: tuple[str, int, int]) -> None:
    """Let a home have who is who as of a night, on which records `went` between parties: kind, and their numbers."""
    folder = home.identity / "state" / night.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(night, kind, party_id(one), party_id(other)) for kind, one, other in went]
    told = pl.DataFrame(rows, ["business_date", "kind", "party_id", "other_party_id"], orient="row")
    pl.concat([pl.DataFrame(schema=EVENTS), told], how="diagonal_relaxed").write_parquet(folder / "events.parquet")
    said = {"complete": True, "rows": 0, "made_from": {"decisions": "c" * 64}}
    (folder / "finished.json").write_text(json.dumps(said))


def _told(table: str, rows: Rows, night: date) -> Rows:
    # Rows come in no order that says whose they are, but backwards.
    changed = {"lawful_use": _lawful, "low_risk_list": _decided, "customer_360": _known, "coverage": _covered}.get(
        table
    )
    for n, row in enumerate(rows[::-1]) if changed else ():
        row.update(_verdicts(row), **changed(n, night))
    return rows


def _verdicts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: "pass" for name in row if name.startswith("rule_")}


def _lawful(n: int, night: date) -> dict[str, Any]:
    why = refused(n, night)
    classes = ("basic", "transaction", "bureau", "medical", "public")
    return {
        "party_kind": "person", "is_minor": n in CHILDREN, "consents_known": True,
        "consents": "marketing=given;marketing.basic=given" if not why else None,
        "shared_classes": SHARED.get(n),
        **{f"marketing_{name}": name not in why for name in classes},
        **{f"risk_{name}": True for name in classes},
        "marketing_automated": "basic" not in why,
        "marketing_refusals": ";".join(f"{name}:{code}" for name, code in why.items()) or None,
        "risk_refusals": None,
    }  # fmt: skip


def _decided(n: int, night: date) -> dict[str, Any]:
    said = included(n, night)
    return {
        **({} if said else {name: RULES[name] for name in failing(n)}),
        "included": said, "band": "ABC"[n % 3] if said else None, "segment": "single_account" if said else None,
        "inclusion_reasons": "stable_income" if said else None,
        "exclusion_reasons": None if said else ";".join(sorted(failing(n))), "income_periods": n % 7,
    }  # fmt: skip


def _known(n: int, night: date) -> dict[str, Any]:
    return {"orders_90d": n if n % 2 == 0 else None}


def _covered(n: int, night: date) -> dict[str, Any]:
    """Of a bank that has a contract of every class but the published one."""
    names = ("core.party", "core.transaction", "ecommerce.order", "bureau.credit_report", "medical.payment")
    return {"contract": names[n], "delivered_through": night} if n < len(names) else {"delivered_through": None}
