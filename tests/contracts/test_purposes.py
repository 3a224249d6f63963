"""Purpose travels with lineage: a product serves what its ancestors may be used for, or names a release point."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import pytest

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.lineage.graph import Lineage
from pipelines.lineage.purpose import (
    PurposeRefused,
    check_purposes,
    claims,
    permitted,
    published,
    reach,
    released_columns,
    unsigned,
)
from pipelines.lineage.trace import ROWS as ITS_ROWS
from pipelines.lineage.trace import Origin, adds_up_deliveries

from .conftest import Compiled


@pytest.fixture(scope="module")
def lineage(compiled: Compiled, catalog: Catalog) -> Lineage:
    return Lineage(compiled.models, catalog, compiled.keys)


def wider(catalog: Catalog, lineage: Lineage, product: Contract) -> dict[str, set[str]]:
    """Columns of a product that serve more than an ancestor allows, with those purposes."""
    return {claim.column: set(claim.purposes) for claim in claims(catalog, lineage, product)}


def test_every_product_keeps_to_the_purposes_of_its_ancestors_or_names_a_release_point(
    catalog: Catalog, lineage: Lineage
) -> None:
    check_purposes(catalog, lineage)


def test_only_the_product_of_a_release_point_widens_its_purpose(catalog: Catalog, lineage: Lineage) -> None:
    widened = {p.id: wider(catalog, lineage, p) for p in catalog.products.values() if wider(catalog, lineage, p)}
    points = {point["product"]: point for point in catalog.policy.release_points.values()}
    assert widened.keys() == points.keys()
    for name, columns in widened.items():
        assert set().union(*columns.values()) == {points[name]["to_purpose"]}, name


def test_what_nobody_signed_is_refused_with_the_way_to_it(catalog: Catalog, lineage: Lineage) -> None:
    """Marketing's list takes a column of the decision that its release point does not name."""
    product = catalog.products["marketing.low_risk_list"]
    taken = catalog.marts["mart.low_risk_list"].column("debt_service_ratio")
    spoiled = replace(product, columns=(*product.columns, replace(taken, purposes=("marketing",))))
    assert [claim.column for claim in unsigned(catalog, lineage, product)] == []
    assert [claim.column for claim in unsigned(catalog, lineage, spoiled)] == ["debt_service_ratio"]
    with pytest.raises(PurposeRefused) as refused:
        check_purposes(with_product(catalog, spoiled), lineage)
    message = str(refused.value)
    assert message.startswith(f"{product.path}: debt_service_ratio: claims marketing, and descends from ")
    assert "marketing.low_risk_list.debt_service_ratio <- low_risk_list.debt_service_ratio" in message
    assert "It is not among the inputs of release point low_risk_band" in message


def test_a_python_step_that_is_made_from_more_than_its_contract_may_serve_is_refused(
    compiled: Compiled, catalog: Catalog
) -> None:
    """Households are said to be made from the bureau's reports: marketing's households do not build."""
    households = catalog.derived["relation.household"]
    inputs = ("bureau.credit_report.open_loans",)
    columns = tuple(replace(column, inputs=(*column.inputs, *inputs)) for column in households.columns)
    changed = copy(catalog)
    changed.derived = catalog.derived | {households.id: replace(households, columns=columns)}
    lineage = Lineage(compiled.models, changed, compiled.keys)
    with pytest.raises(PurposeRefused) as refused:
        check_purposes(changed, lineage)
    assert "household.household_size <- relation__household.household_size <- bureau__credit_report.open_loans" in str(
        refused.value
    )


def with_product(catalog: Catalog, product: Contract) -> Catalog:
    """The catalog with another contract of a product."""
    changed = copy(catalog)
    changed.products = catalog.products | {product.id: product}
    return changed


def test_risk_gets_of_campaigns_nothing_but_cells_of_people(catalog: Catalog, lineage: Lineage) -> None:
    """Contacts may serve risk management, to be counted; no product for risk says more of them than those counts."""
    told = {
        product.id
        for product in catalog.products.values()
        for origins in published(catalog, product).values()
        if product.consumer != "marketing"
        and any(o.table == "crm__contact" for o in reach(lineage, origins, released_columns(catalog)))
    }
    assert told == {"risk.calibration_matrix"}
    columns = {column.name for column in catalog.marts["mart.calibration_matrix"].columns}
    assert not {"party_id", "customer_key", "campaign_key"} & columns


def test_propensity_comes_of_nothing_that_measures_risk(catalog: Catalog, lineage: Lineage) -> None:
    product = catalog.products["marketing.propensity_score"]
    assert product.release_point is None
    assert wider(catalog, lineage, product) == {}


def test_what_a_release_point_lets_through_of_a_decision_is_signed(catalog: Catalog) -> None:
    """A column of a release point's product says who or when, or is among the inputs that were signed."""
    for name, point in catalog.policy.release_points.items():
        product = catalog.products[point["product"]]
        assert product.release_point == name
        signed = {column.rpartition(".")[2] for column in point["inputs"]}
        unsigned = [c for c in product.columns if c.name not in signed and not c.key and c.type != "date"]
        assert unsigned == []


def test_totals_are_of_whole_deliveries_and_serve_reconciliation_only(compiled: Compiled) -> None:
    totals = {name for name, sql in compiled.models.items() if adds_up_deliveries(sql)}
    assert totals == {"int_lake_total"}
    assert {name for name, sql in compiled.models.items() if '"int_lake_total"' in sql} == {"reconciliation"}


@pytest.mark.parametrize(
    "spoiled",
    [
        ("group by source, business_date", "group by source, business_date, account_key"),
        ("business_date", "amount"),
    ],
)
def test_a_total_by_anything_else_is_none(compiled: Compiled, spoiled: tuple[str, str]) -> None:
    sql = compiled.models["int_lake_total"]
    if spoiled[0] == "business_date":
        spoiled = ("where business_date", "where amount > 0 and business_date")
    assert spoiled[0] in sql
    assert not adds_up_deliveries(sql.replace(*spoiled, 1))


def test_every_column_of_a_mart_keeps_to_the_purposes_of_its_ancestors(catalog: Catalog, lineage: Lineage) -> None:
    may = permitted(catalog, lineage)
    for mart in catalog.marts.values():
        for column in mart.columns:
            for origin in reach(lineage, [Origin(mart.table, column.name)], released_columns(catalog)):
                purposes = may(origin)
                assert purposes is None or set(column.purposes) <= purposes, f"{mart.id}.{column.name} from {origin}"


def test_no_product_gets_medical_data(catalog: Catalog) -> None:
    medical = {c.name for c in catalog.marts["mart.customer_360"].columns if c.name.startswith("medical_")}
    assert medical == {"medical_payments_365d", "medical_completeness"}
    assert not medical & {column.name for product in catalog.products.values() for column in product.columns}


def test_no_product_is_for_evaluation(catalog: Catalog) -> None:
    for contract in (*catalog.products.values(), *catalog.marts.values()):
        assert "model_evaluation" not in contract.purposes


def test_a_wider_claim_would_be_seen(compiled: Compiled, catalog: Catalog) -> None:
    """Marketing reads the risk decision through another mart."""
    old = "parties.accounts_owned,\n    parties.accounts_disposed,"
    assert old in compiled.models["customer_360"]
    decided = (
        '(select max(band) from "warehouse"."marts"."low_risk_list") as accounts_owned,\n    parties.accounts_disposed,'
    )
    models = compiled.models | {"customer_360": compiled.models["customer_360"].replace(old, decided)}
    models["low_risk_list"] = "select '' as party_id, date '1994-03-31' as business_date, 'A' as band"
    lineage = Lineage(models, catalog, compiled.keys)
    claims = wider(catalog, lineage, catalog.products["marketing.customer_360"])
    assert claims["accounts_owned"] == {"marketing"}


MEDICAL = """left join "warehouse"."intermediate"."int_party_medical" as medical
        on
            parties.party_id = medical.party_id
            and parties.business_date = medical.business_date"""
BUREAU = MEDICAL.replace("medical", "bureau")


def test_a_row_that_is_looked_up_by_its_tested_key_decides_on_no_row(catalog: Catalog, lineage: Lineage) -> None:
    reached = reach(lineage, [Origin("customer_360", ITS_ROWS)], released_columns(catalog))
    deciding = {origin.table for origin in reached}
    assert "core__party" in deciding
    assert not deciding & {"medical__payment", "bureau__credit_report", "crm__contact", "int_party_medical"}


def test_whether_a_looked_up_row_is_there_is_part_of_every_value_taken_from_it(
    catalog: Catalog, lineage: Lineage
) -> None:
    ancestors = reach(lineage, [Origin("customer_360", "bureau_open_loans")], released_columns(catalog))
    assert Origin("bureau__credit_report", "open_loans") in ancestors
    assert Origin("bureau__credit_report", "business_date") in ancestors
    assert "medical__payment" not in {origin.table for origin in ancestors}


ROWS = {
    "an inner join": lambda sql: sql.replace(BUREAU, BUREAU.replace("left join", "inner join")),
    "a full join": lambda sql: sql.replace(BUREAU, BUREAU.replace("left join", "full join")),
    "a right join": lambda sql: sql.replace(BUREAU, BUREAU.replace("left join", "right join")),
    "a part of the key": lambda sql: sql.replace(
        BUREAU, BUREAU.replace("\n            and parties.business_date = bureau.business_date", "")
    ),
    "another column than the key": lambda sql: sql.replace(
        BUREAU, BUREAU.replace("= bureau.business_date", "= bureau.bureau_open_loans")
    ),
    "an inequality": lambda sql: sql.replace(
        BUREAU, BUREAU.replace("parties.business_date = ", "parties.business_date >= ")
    ),
    "a condition beside the key": lambda sql: sql.replace(
        BUREAU, BUREAU.replace("on\n", "on bureau.bureau_open_loans > 0 or\n")
    ),
    "a filter on a column that was looked up": lambda sql: sql + "\nwhere bureau.bureau_open_loans > 0",
    "a filter on being there": lambda sql: sql + "\nwhere bureau.party_id is not null",
}


@pytest.mark.parametrize("way", ROWS)
def test_what_decides_on_rows_counts_for_all_of_them(compiled: Compiled, catalog: Catalog, way: str) -> None:
    sql = compiled.models["customer_360"]
    assert BUREAU in sql
    changed = ROWS[way](sql)
    assert changed != sql
    lineage = Lineage(compiled.models | {"customer_360": changed}, catalog, compiled.keys)
    claims = wider(catalog, lineage, catalog.products["marketing.customer_360"])
    assert claims["(rows)"] == {"marketing"}


def test_a_key_that_no_test_holds_is_none(compiled: Compiled, catalog: Catalog) -> None:
    keys = {name: key for name, key in compiled.keys.items() if name != "int_party_bureau"}
    lineage = Lineage(compiled.models, catalog, keys)
    assert wider(catalog, lineage, catalog.products["marketing.customer_360"])["(rows)"] == {"marketing"}


def test_being_there_tells_what_a_column_may_not(compiled: Compiled, catalog: Catalog) -> None:
    """Marketing learns who has a report of the bureau, from a column that holds nothing of it."""
    old = "parties.accounts_disposed,"
    told = "case when bureau.party_id is null then 0 else 1 end as accounts_disposed,"
    sql = compiled.models["customer_360"]
    assert old in sql
    models = compiled.models | {"customer_360": told.join(sql.rsplit(old, 1))}
    claims = wider(catalog, Lineage(models, catalog, compiled.keys), catalog.products["marketing.customer_360"])
    assert claims == {"accounts_disposed": {"marketing"}}
