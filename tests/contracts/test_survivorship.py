"""The golden record asks exactly the contracts that survivorship of policy.yaml names, for exactly those attributes."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from pipelines.contracts.load import Catalog

from .conftest import Compiled


def stated(sql: str) -> dict[str, set[str]]:
    """Attributes by contract that the records of int_party_claim state, other than as an empty column."""
    found: dict[str, set[str]] = {}
    records = next(cte for cte in sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.CTE) if cte.alias == "records")
    for select in records.find_all(exp.Select):
        contract = next(e.expression.this for e in select.args["where"].find_all(exp.EQ) if e.this.name == "contract")
        casts = [e for e in select.expressions if isinstance(e, exp.Alias) and isinstance(e.this, exp.Cast)]
        found[contract] = {e.alias for e in casts if not isinstance(e.this.this, exp.Null)}
    return found


def asked(catalog: Catalog) -> dict[str, set[str]]:
    """Attributes by contract that the policy asks."""
    found: dict[str, set[str]] = {}
    for attribute, contracts in catalog.policy.survivorship.items():
        for contract in contracts:
            found.setdefault(contract, set()).add(attribute)
    return found


def test_the_golden_record_asks_whom_the_policy_names(compiled: Compiled, catalog: Catalog) -> None:
    assert asked(catalog)
    assert stated(compiled.models["int_party_claim"]) == asked(catalog)


def test_a_contract_that_is_not_read_would_be_seen(compiled: Compiled, catalog: Catalog) -> None:
    sql = compiled.models["int_party_claim"]
    assert "cast(stated.occupation as string)" in sql
    without = sql.replace("cast(stated.occupation as string)", "cast(null as string)", 1)
    assert stated(without) != asked(catalog)
