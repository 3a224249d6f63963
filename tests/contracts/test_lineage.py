"""How loans ended must not be known to what is decided about them: nothing descends from an evaluation contract.

Shown on the SQL that dbt compiles, for every column, for every filter and join, and for every table read; and shown
to be able to fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from pipelines.contracts.load import Catalog
from pipelines.lineage.graph import Lineage
from pipelines.lineage.purpose import reach, released_columns
from pipelines.lineage.trace import ROWS, Origin, named

from .conftest import DBT, Compiled

EVALUATION = "model_evaluation"


def leaks(lineage: Lineage, forbidden: frozenset[str]) -> list[str]:
    """Every way in which a table of `forbidden` reaches a model: as value, as row, or by being read at all."""
    found = []
    for model, trace in lineage.traces.items():
        for column in trace.columns:
            if touched := {o.table for o in lineage.ancestors(Origin(model, column))} & forbidden:
                found.append(f"value {model}.{column} descends from {', '.join(sorted(touched))}")
        if touched := {o.table for o in lineage.row_ancestors(model)} & forbidden:
            found.append(f"rows of {model} depend on {', '.join(sorted(touched))}")
        if touched := lineage.tables(model) & forbidden:
            found.append(f"table {model} reads {', '.join(sorted(touched))}")
    return found


@pytest.fixture(scope="module")
def lineage(compiled: Compiled, catalog: Catalog) -> Lineage:
    return Lineage(compiled.models, catalog, compiled.keys)


@pytest.fixture(scope="module")
def forbidden(catalog: Catalog) -> frozenset[str]:
    """Tables of contracts whose one purpose is evaluation."""
    return frozenset(named(c.id) for c in catalog.sources.values() if set(c.purposes) == {EVALUATION})


def test_there_is_something_to_keep_out(forbidden: frozenset[str]) -> None:
    assert forbidden == {"evaluation__loan_outcome"}


def test_nothing_descends_from_an_evaluation_contract(lineage: Lineage, forbidden: frozenset[str]) -> None:
    assert leaks(lineage, forbidden) == []


def test_every_model_and_every_mart_column_was_traced(lineage: Lineage, catalog: Catalog) -> None:
    assert lineage.traces.keys() == {path.stem for path in (DBT / "models").rglob("*.sql")}
    for mart in catalog.marts.values():
        assert list(lineage.traces[mart.table].columns) == [column.name for column in mart.columns]


def test_every_table_read_is_a_model_or_has_a_contract(lineage: Lineage) -> None:
    for model, trace in lineage.traces.items():
        assert trace.tables <= lineage.traces.keys() | lineage.contracts.keys(), model


def test_no_macro_reads_an_evaluation_contract(catalog: Catalog) -> None:
    ids = [c.id for c in catalog.sources.values() if set(c.purposes) == {EVALUATION}]
    for path in [*(DBT / "models").rglob("*.sql"), *(DBT / "macros").rglob("*.sql"), *(DBT / "tests").rglob("*.sql")]:
        text = path.read_text(encoding="utf-8")
        for domain, table in (contract_id.split(".") for contract_id in ids):
            assert not re.search(rf"\(\s*'{domain}'\s*,\s*'{table}'", text), path
            assert table not in text, path


@pytest.mark.parametrize(
    ("column", "ancestor"),
    [
        ("customer_360.age_years", "core__party.birth_month"),
        ("customer_360.contact_known", "core__party.phone_token"),
        ("customer_360.balance", "core__transaction.amount"),
        ("customer_360.income_amount_90d", "core__transaction.purpose"),
        ("customer_360.loan_monthly_payment", "loan__contract.monthly_payment"),
        ("customer_360.loans_active", "loan__contract.term_months"),
        ("customer_360.party_id", "identity__party_crosswalk.party_id"),
        ("low_risk_list.band", "control__policy.value"),
        ("low_risk_list.band", "core__transaction.amount"),
        ("low_risk_list.exclusion_reasons", "core__party.birth_month"),
        ("low_risk_list.rule_lawful_use", "control__legal_basis.purpose"),
        ("scenario_feature.value", "core__transaction.channel"),
        ("reconciliation.actual", "control__landing.delivered"),
        ("coverage.delivered_through", "control__landing.business_date"),
    ],
)
def test_a_column_is_traced_to_what_it_comes_from(lineage: Lineage, column: str, ancestor: str) -> None:
    assert Origin(*ancestor.split(".")) in lineage.ancestors(Origin(*column.split(".")))


@pytest.mark.parametrize(
    ("column", "stranger"),
    [("gender", "core__transaction"), ("age_years", "core__transaction"), ("gender", "loan__contract")],
)
def test_a_column_is_not_traced_to_everything(lineage: Lineage, column: str, stranger: str) -> None:
    assert stranger not in {origin.table for origin in lineage.ancestors(Origin("customer_360", column))}


def test_what_decides_on_rows_is_traced_too(lineage: Lineage, catalog: Catalog) -> None:
    looked_at = reach(lineage, [Origin("customer_360", ROWS)], released_columns(catalog))
    assert {
        Origin("control__business_date", "is_release_date"), Origin("crm__customer", "_change"),
        Origin("core__party", "_row_hash"),
    } <= looked_at  # fmt: skip
    assert Origin("core__party", "full_name_token") not in looked_at


Change = Callable[[dict[str, str], str], dict[str, str]]


def in_model(model: str, old: str, new: str) -> Change:
    def change(models: dict[str, str], outcome: str) -> dict[str, str]:
        assert old in models[model], f"{model} does not say {old!r}"
        return models | {model: models[model].replace(old, new.replace("OUTCOME", outcome), 1)}

    return change


def another_model(name: str, sql: str, then: Change) -> Change:
    def change(models: dict[str, str], outcome: str) -> dict[str, str]:
        return then(models | {name: sql.replace("OUTCOME", outcome)}, outcome)

    return change


SELECTED = "select\n    source,\n    loan_key,\n    account_key,\n    granted_on,\n    principal,"
HIDDEN = another_model(
    "stg_harmless",
    "with renamed as (select loan_key as account, outcome as grade from OUTCOME) select account, grade from renamed",
    in_model(
        "stg_loan__contract", SELECTED,
        SELECTED.replace("principal,", "principal * (select count(grade) from (select * from "
                         '"warehouse"."staging"."stg_harmless") as h where h.account = loan_key) as principal,'),
    ),
)  # fmt: skip
WAYS = {
    "a value": (
        in_model("stg_loan__contract", SELECTED, SELECTED.replace(
            "principal,", "case when (select max(outcome) from OUTCOME as o where o.loan_key = history.loan_key) = 'x' "
            "then principal end as principal,",
        )),
        ["value customer_360.loan_principal_active", "value stg_loan__contract.principal", "table low_risk_list"],
    ),
    "a value through another model": (
        HIDDEN, ["value customer_360.loan_principal_active", "value stg_harmless.grade", "table scenario_feature"],
    ),
    "a filter": (
        in_model("stg_loan__contract", "from history",
                 "from history where loan_key in (select loan_key from OUTCOME where outcome = 'finished_paid')"),
        ["rows of stg_loan__contract", "value customer_360.loan_principal_active", "value low_risk_list.included",
         "table reconciliation"],
    ),
    "a filter by existence": (
        in_model("stg_loan__contract", "from history",
                 "from history where exists (select 1 from OUTCOME as o where o.loan_key = history.loan_key)"),
        ["value customer_360.loan_principal_active", "table customer_360"],
    ),
    "a join": (
        in_model("stg_card__account", "from history",
                 "from history inner join (select loan_key as k from OUTCOME) as o on k = card_key"),
        ["value customer_360.cards_held", "table customer_360"],
    ),
    "a join of everything": (
        in_model("int_as_of_date", "where ", "cross join (select max(1) as one from OUTCOME) as o\nwhere "),
        ["table customer_360", "table coverage"],
    ),
    "rows that are added": (
        in_model("coverage", "from ", "from (select outcome from OUTCOME where false) as o, "), ["table coverage"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_reads_it_is_caught(
    compiled: Compiled, catalog: Catalog, forbidden: frozenset[str], way: str
) -> None:
    change, expected = WAYS[way]
    outcome = (
        f"read_parquet('{compiled.home}/lake/evaluation.loan_outcome/*/*/part.parquet', hive_partitioning=true, "
        f"union_by_name=true, hive_types={{'business_date': date, 'source': varchar}})"
    )
    found = leaks(Lineage(change(compiled.models, outcome), catalog, compiled.keys), forbidden)
    for words in expected:
        assert [leak for leak in found if leak.startswith(words)], f"{words} not in {found}"


def test_a_file_of_nobody_is_caught(compiled: Compiled, catalog: Catalog) -> None:
    models = compiled.models | {"int_party": "select * from read_parquet('/elsewhere/outcome.parquet')"}
    with pytest.raises(ValueError, match="reads a file that no contract describes"):
        Lineage(models, catalog, compiled.keys)


def test_a_table_outside_the_project_is_caught(compiled: Compiled, catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="reads a table outside the project"):
        Lineage(compiled.models | {"int_party": "select * from other.main.outcome"}, catalog, compiled.keys)
