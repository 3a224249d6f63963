"""Purpose travels with lineage: a product serves what its ancestors may be used for, or names a release point."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract

from .conftest import Compiled
from .lineage import Lineage, Origin

# Totals of whole deliveries are control data: of each, the ledger holds the same total, and may be used for everything.
TOTALS = {
    "int_lake_total": "select contract, source, business_date, measure, accepted + tombstones as total "
    "from read_parquet('/home/control/landing/*.parquet')"
}


@pytest.fixture(scope="module")
def lineage(compiled: Compiled, catalog: Catalog) -> Lineage:
    return Lineage(compiled.models | TOTALS, catalog, compiled.keys)


def allowed(catalog: Catalog, lineage: Lineage, origin: Origin) -> frozenset[str] | None:
    """What a column may be used for; None for a column of a model without a contract, which only passes on."""
    marts = {mart.table: mart for mart in catalog.marts.values()}
    contract: Contract | None = lineage.contracts.get(origin.table) or marts.get(origin.table)
    if contract is None:
        return None
    for column in contract.columns:
        if origin.column in (column.name, column.lake_name):
            return frozenset(column.purposes)
    return frozenset(contract.purposes)  # a column that the lake adds to every row


def ancestors(catalog: Catalog, lineage: Lineage, product: Contract) -> dict[str, frozenset[Origin]]:
    """The ancestors of each column of a product, and of its rows."""
    mart = catalog.marts[str(product.mart)].table
    names = {c.name: party_column(c.name) or c.name for c in product.columns}
    found = {name: lineage.ancestors(Origin(mart, column)) for name, column in names.items()}
    return found | {"(rows)": lineage.row_ancestors(mart)}


def wider(catalog: Catalog, lineage: Lineage, product: Contract) -> dict[str, set[str]]:
    """Columns of a product that serve more than an ancestor allows, with those purposes."""
    found: dict[str, set[str]] = {}
    for name, origins in ancestors(catalog, lineage, product).items():
        for origin in origins:
            purposes = allowed(catalog, lineage, origin)
            if purposes is not None and not set(product.purposes) <= purposes:
                found.setdefault(name, set()).update(set(product.purposes) - purposes)
    return found


def test_every_product_keeps_to_the_purposes_of_its_ancestors_or_names_a_release_point(
    catalog: Catalog, lineage: Lineage
) -> None:
    for product in catalog.products.values():
        claims = wider(catalog, lineage, product)
        if product.release_point is None:
            assert claims == {}, product.id
        else:
            point = catalog.policy.release_points[product.release_point]
            assert set().union(*claims.values()) == {point["to_purpose"]}, product.id


def test_two_products_widen_their_purpose_and_say_so(catalog: Catalog, lineage: Lineage) -> None:
    found = {p.id for p in catalog.products.values() if wider(catalog, lineage, p)}
    assert found == {"marketing.low_risk_list", "marketing.calibration_matrix"}


def test_risk_gets_of_campaigns_nothing_but_cells_of_people(catalog: Catalog, lineage: Lineage) -> None:
    """Contacts may serve risk management, to be counted; no product for risk says more of them than those counts."""
    told = {
        product.id
        for product in catalog.products.values()
        for origins in ancestors(catalog, lineage, product).values()
        if product.consumer != "marketing" and any(o.table == "crm__contact" for o in origins)
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
    branches = list(sqlglot.parse_one(compiled.models["int_lake_total"], dialect="duckdb").find_all(exp.Select))
    assert branches
    for branch in branches:
        assert [column.sql() for column in branch.args["group"].expressions] == ["source", "business_date"]
        assert {column.name for column in branch.args["where"].find_all(exp.Column)} == {"business_date"}
        assert not branch.args.get("joins")
    readers = {name for name, sql in compiled.models.items() if '"int_lake_total"' in sql}
    assert readers == {"reconciliation"}


def test_every_column_of_a_mart_keeps_to_the_purposes_of_its_ancestors(catalog: Catalog, lineage: Lineage) -> None:
    for mart in catalog.marts.values():
        for column in mart.columns:
            for origin in lineage.ancestors(Origin(mart.table, column.name)):
                purposes = allowed(catalog, lineage, origin)
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
    models = compiled.models | TOTALS | {"customer_360": compiled.models["customer_360"].replace(old, decided)}
    models["low_risk_list"] = "select '' as party_id, date '1994-03-31' as business_date, 'A' as band"
    lineage = Lineage(models, catalog, compiled.keys)
    claims = wider(catalog, lineage, catalog.products["marketing.customer_360"])
    assert claims["accounts_owned"] == {"marketing"}


MEDICAL = """left join "warehouse"."intermediate"."int_party_medical" as medical
        on
            parties.party_id = medical.party_id
            and parties.business_date = medical.business_date"""
BUREAU = MEDICAL.replace("medical", "bureau")


def test_a_row_that_is_looked_up_by_its_tested_key_decides_on_no_row(lineage: Lineage) -> None:
    deciding = {origin.table for origin in lineage.row_ancestors("customer_360")}
    assert "core__party" in deciding
    assert not deciding & {"medical__payment", "bureau__credit_report", "crm__contact", "int_party_medical"}


def test_whether_a_looked_up_row_is_there_is_part_of_every_value_taken_from_it(lineage: Lineage) -> None:
    ancestors = lineage.ancestors(Origin("customer_360", "bureau_open_loans"))
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
    lineage = Lineage(compiled.models | TOTALS | {"customer_360": changed}, catalog, compiled.keys)
    claims = wider(catalog, lineage, catalog.products["marketing.customer_360"])
    assert claims["(rows)"] == {"marketing"}


def test_a_key_that_no_test_holds_is_none(compiled: Compiled, catalog: Catalog) -> None:
    keys = {name: key for name, key in compiled.keys.items() if name != "int_party_bureau"}
    lineage = Lineage(compiled.models | TOTALS, catalog, keys)
    assert wider(catalog, lineage, catalog.products["marketing.customer_360"])["(rows)"] == {"marketing"}


def test_being_there_tells_what_a_column_may_not(compiled: Compiled, catalog: Catalog) -> None:
    """Marketing learns who has a report of the bureau, from a column that holds nothing of it."""
    old = "parties.accounts_disposed,"
    told = "case when bureau.party_id is null then 0 else 1 end as accounts_disposed,"
    sql = compiled.models["customer_360"]
    assert old in sql
    models = compiled.models | TOTALS | {"customer_360": told.join(sql.rsplit(old, 1))}
    claims = wider(catalog, Lineage(models, catalog, compiled.keys), catalog.products["marketing.customer_360"])
    assert claims == {"accounts_disposed": {"marketing"}}
