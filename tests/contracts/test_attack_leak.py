"""An attack: a model is edited so that a column under an innocent name tells what its consumer may not have.

Stopped by lineage, which follows values, filters, joins and cases through all models, and shows the way. Belongs here:
edits of models. Does not belong here: contracts that claim too much (`tests/unit/contracts/messages`), scorecards and
features that name what nobody is judged by (`tests/unit/contracts`), outcomes of loans (`test_lineage`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.contracts.load import Catalog
from pipelines.lineage.compiled import compiled_models
from pipelines.lineage.graph import Lineage
from pipelines.lineage.purpose import PurposeRefused, check_purposes

from .conftest import DBT, Compiled, compile_project

MODEL, INNOCENT = "customer_360", "accounts_disposed"
COLUMN = f"parties.{INNOCENT},"
Models = dict[str, str]


def instead(sql: str, expression: str) -> str:
    """The model with another expression under the innocent name."""
    assert sql.count(COLUMN) >= 1
    return f"{expression} as {INNOCENT},".join(sql.rsplit(COLUMN, 1))


def joined(sql: str, block: str) -> str:
    """The model with only the parties that the block knows."""
    old = f'left join "warehouse"."intermediate"."int_party_{block}" as {block}'
    assert old in sql
    return sql.replace(old, old.replace("left join", "inner join"))


def through_another_model(models: Models, block: str, figure: str) -> Models:
    """The figure is renamed in a model of its own, and read from there."""
    hidden = f"""with renamed as (select party_id as who, business_date as day, {figure} as tidiness
        from "warehouse"."intermediate"."int_party_{block}") select who, day, tidiness from renamed"""
    read = """(select max(t.tidiness) from "warehouse"."intermediate"."int_tidy" as t
        where t.who = parties.party_id and t.day = parties.business_date)"""
    return models | {"int_tidy": hidden, MODEL: instead(models[MODEL], read)}


WAYS: dict[str, Callable[[Models, str, str], Models]] = {
    "a value": lambda models, block, figure: models | {MODEL: instead(models[MODEL], f"{block}.{figure}")},
    "a case": lambda models, block, figure: models | {
        MODEL: instead(models[MODEL], f"case when {block}.{figure} > 2 then parties.{INNOCENT} else 0 end")
    },
    "a sum with noise": lambda models, block, figure: models | {
        MODEL: instead(models[MODEL], f"coalesce(parties.{INNOCENT}, 0) + 1000 * coalesce({block}.{figure}, 0)")
    },
    "a window": lambda models, block, figure: models | {
        MODEL: instead(models[MODEL], f"rank() over (order by {block}.{figure})")
    },
    "another model": through_another_model,
    "a filter": lambda models, block, figure: models | {MODEL: f"{models[MODEL]}\nwhere {block}.{figure} > 0"},
    "a join": lambda models, block, figure: models | {MODEL: joined(models[MODEL], block)},
}  # fmt: skip


# Every way is tried; these few in the quick run as well.
QUICK = ("a value", "a case", "a filter")
EACH_WAY = [pytest.param(way, id=way, marks=() if way in QUICK else pytest.mark.slow) for way in WAYS]


def refused(models: Models, catalog: Catalog, compiled: Compiled) -> str:
    """What is said of the models."""
    with pytest.raises(PurposeRefused) as said:
        check_purposes(catalog, Lineage(models, catalog, compiled.keys))
    return str(said.value)


@pytest.mark.parametrize("way", EACH_WAY)
def test_a_leak_under_an_innocent_name_is_refused_with_the_way_to_it(
    compiled: Compiled, catalog: Catalog, way: str
) -> None:
    """Marketing is to learn what the bureau reports."""
    said = refused(WAYS[way](compiled.models, "bureau", "bureau_open_loans"), catalog, compiled)
    column = "(rows)" if way in ("a filter", "a join") else INNOCENT
    assert f"marketing.customer_360.{column} <- customer_360.{column}" in said
    assert f"{column}: claims marketing, and descends from bureau.credit_report." in said


@pytest.mark.parametrize("way", EACH_WAY)
def test_a_medical_input_of_credit_is_refused_with_the_way_to_it(
    compiled: Compiled, catalog: Catalog, way: str
) -> None:
    """Risk is to judge by medical payments."""
    said = refused(WAYS[way](compiled.models, "medical", "medical_payments_365d"), catalog, compiled)
    column = "(rows)" if way in ("a filter", "a join") else INNOCENT
    assert f"risk.customer_360.{column} <- customer_360.{column}" in said
    assert f"{column}: claims risk_management, and descends from medical.payment." in said


@pytest.mark.parametrize(
    ("table", "figure"), [("low_risk_list", "pd"), ("low_risk_list_with_bureau", "warning_severity = 'yellow'")]
)
def test_a_date_of_a_list_that_moves_with_a_figure_of_risk_is_refused(
    compiled: Compiled, catalog: Catalog, table: str, figure: str
) -> None:
    """Marketing joins its lists of all nights: how a date moves is to tell how the figure does."""
    sql, names = compiled.models[table], "business_date as valid_from"
    assert sql.count(names) == 1
    moving = f"case when {figure} is null then business_date else business_date - 1 end as valid_from"
    said = refused(compiled.models | {table: sql.replace(names, moving)}, catalog, compiled)
    assert f"marketing.{table}.valid_from <- {table}.valid_from" in said
    assert "valid_from: claims marketing, and descends from " in said


def test_the_models_as_they_are_leak_nothing(compiled: Compiled, catalog: Catalog) -> None:
    check_purposes(catalog, Lineage(compiled.models, catalog, compiled.keys))


@pytest.mark.slow
def test_a_file_of_the_project_that_was_edited_is_refused(compiled: Compiled, catalog: Catalog, tmp_path: Path) -> None:
    """The same in a copy of the dbt project, compiled by dbt."""
    project = tmp_path / "dbt_project"
    shutil.copytree(DBT, project, ignore=shutil.ignore_patterns("target", "logs"))
    file = project / "models" / "marts" / "customer" / f"{MODEL}.sql"
    file.write_text(instead(file.read_text(encoding="utf-8"), "bureau.bureau_open_loans"), encoding="utf-8")
    compile_project(project, tmp_path / "target", tmp_path / "home")
    said = refused(compiled_models(tmp_path / "target", project), catalog, compiled)
    assert f"marketing.customer_360.{INNOCENT} <- customer_360.{INNOCENT}" in said
