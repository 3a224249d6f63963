"""Every number of mart.customer_360, of every party of the simulated bank, against an independent recomputation.

Belongs here: the comparison with `customer_360_oracle` on two nights, and what shows that it compares something. Does
not belong here: how a column is computed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import closing
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import customer_360_oracle
import duckdb
import pytest
from customer_360_oracle import Bank, contracted_columns, recompute
from simulated import BEFORE, NIGHT, Simulated

Values = dict[str, Any]
Rows = dict[str, Values]
ORACLE = Path(customer_360_oracle.__file__).parent
SHOWN = 5


@cache
def oracle(home: Path, day: date) -> Rows:
    """What the rows should be."""
    return recompute(Bank(home, day))


def mart(home: Path, day: date) -> Rows:
    """What the rows are."""
    with closing(duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True)) as con:
        rows = con.execute("select * from marts.customer_360 where business_date = ?", [day])
        names = [column[0] for column in rows.description]
        return {row[names.index("party_id")]: dict(zip(names, row, strict=True)) for row in rows.fetchall()}


@pytest.fixture(scope="module", params=["before", "home"])
def night(request, simbank: Simulated) -> tuple[Path, date]:
    """A home and the night that it stands on."""
    return (simbank.home, NIGHT) if request.param == "home" else (simbank.before, BEFORE)


def differences(expected: Rows, actual: Rows) -> list[str]:
    """Party, column and both values of what differs; the first of each column."""
    report = [f"{party[:12]}: no row" for party in sorted(expected.keys() - actual.keys())[:SHOWN]]
    report += [f"{party[:12]}: a row of nobody" for party in sorted(actual.keys() - expected.keys())[:SHOWN]]
    both = sorted(expected.keys() & actual.keys())
    for column in contracted_columns():
        pairs = ((party, expected[party][column], actual[party][column]) for party in both)
        wrong = [(party, *two) for party, *two in pairs if two[0] != two[1] or type(two[0]) is not type(two[1])]
        report += [f"{party[:12]} {column}: oracle {right!r}, mart {found!r}" for party, right, found in wrong[:SHOWN]]
        if len(wrong) > SHOWN:
            report.append(f"{column}: {len(wrong)} parties differ")
    return report


@pytest.mark.slow
def test_every_column_of_every_party_agrees(night: tuple[Path, date]) -> None:
    report = differences(oracle(*night), mart(*night))
    assert report == [], "\n".join(report)


@pytest.mark.slow
def test_every_column_of_the_contract_has_an_oracle_and_the_mart_has_no_other(night: tuple[Path, date]) -> None:
    promised = sorted(contracted_columns())
    assert {tuple(sorted(row)) for row in oracle(*night).values()} == {tuple(promised)}
    assert {tuple(sorted(row)) for row in mart(*night).values()} == {tuple(promised)}


def filled(column: str) -> Callable[[Values], bool]:
    """Whether a figure is known and is not zero."""
    return lambda row: bool(row[column])


def both(*conditions: Callable[[Values], bool]) -> Callable[[Values], bool]:
    """Whether all conditions hold."""
    return lambda row: all(condition(row) for condition in conditions)


def has(column: str, value: Any) -> Callable[[Values], bool]:
    """Whether a column has a value."""
    return lambda row: row[column] == value


# What a bank must have for the comparison to mean something: without one of these, whole blocks compare empty columns.
STRATA: dict[str, Callable[[Values], bool]] = {
    "prospect": has("customer_status", "prospect"),
    "person who is a merchant": both(has("party_kind", "person"), has("party_type", "merchant")),
    "organisation that is a merchant": both(has("party_kind", "organisation"), has("party_type", "merchant")),
    "company with a core record": both(has("party_type", "company"), has("customer_status", "customer")),
    "company without one": both(has("party_type", "company"), has("customer_status", "prospect")),
    "new": has("lifecycle_stage", "new"),
    "active": has("lifecycle_stage", "active"),
    "disponent": filled("accounts_disposed"),
    "standing order": filled("standing_orders"),
    "overdrawn within the window": lambda row: (row["balance_min_90d"] or 0) < 0,
    "salary": filled("income_amount_30d"),
    "spending": filled("grocery_amount_90d"),
    "loan": filled("loans_active"),
    "mortgage": filled("collateral_value"),
    "guaranteed loan": filled("guaranteed_by_others_amount"),
    "application": filled("applications_90d"),
    "credit card": filled("card_limit"),
    "wealth": filled("wealth_positions"),
    "app": filled("app_logins_30d"),
    "CRM record": filled("occupation"),
    "campaign": filled("contacts_30d"),
    "complaint": filled("complaints_365d"),
    "answer to a survey": filled("survey_completeness"),
    "consent": filled("consent_marketing"),
    "taken back": filled("marketing_opt_out"),
    "may be contacted": filled("may_be_contacted"),
    "employer": filled("has_payroll_agreement"),
    "shop": filled("order_amount_90d"),
    "sent back": filled("order_return_share_90d"),
    "stall": filled("turnover_30d"),
    "seller": filled("invoiced_90d"),
    "overdue": filled("overdue_invoice_share_365d"),
    "shipment": filled("shipments_90d"),
    "patient": filled("medical_payments_365d"),
    "taxpayer": filled("tax_completeness"),
    "registered company": filled("company_status"),
    "role in a company": filled("roles_held"),
    "defendant": filled("judicial_cases_365d"),
    "credit report": filled("bureau_completeness"),
    "insured": filled("months_contributed_365d"),
    "penalty": filled("penalties_365d"),
}


@pytest.mark.slow
def test_of_every_kind_of_party_there_is_one_and_some_have_several_records(simbank: Simulated) -> None:
    rows = oracle(simbank.home, NIGHT)
    assert [name for name, holds in STRATA.items() if not any(map(holds, rows.values()))] == []
    records = [row["party_id"] for row in Bank(simbank.home, NIGHT).crosswalk]
    assert {records.count(party) > 1 for party in rows} == {True, False}


@pytest.mark.slow
def test_a_wrong_value_is_reported_in_every_column(simbank: Simulated) -> None:
    expected = oracle(simbank.home, NIGHT)
    party = min(expected)
    for column in contracted_columns():
        wrong = expected | {party: expected[party] | {column: object()}}
        (line,) = differences(expected, wrong)
        assert line.startswith(f"{party[:12]} {column}: oracle {expected[party][column]!r}, mart <object")
    unlike = expected | {party: expected[party] | {"accounts_owned": Decimal(expected[party]["accounts_owned"])}}
    assert len(differences(expected, unlike)) == 1
    assert len(differences(expected, {})) == SHOWN and len(differences({}, expected)) == SHOWN


def test_the_oracle_shares_no_code_with_the_pipeline() -> None:
    nodes = [node for path in ORACLE.glob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in modules} == {
        "__future__", "collections", "customer_360_oracle", "dataclasses", "datetime", "decimal", "fractions",
        "functools", "itertools", "pathlib", "polars", "typing", "yaml",
    }  # fmt: skip
