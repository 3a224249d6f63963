"""What the variants of the low-risk list rest on, by lineage, and what their policy and contracts must agree on."""

from __future__ import annotations

import re

import pytest

from pipelines.contracts.load import Catalog
from pipelines.lineage.graph import Lineage
from pipelines.lineage.needs import needs_of
from pipelines.lineage.purpose import data_classes, reach, released_columns
from pipelines.lineage.trace import ROWS, Origin

from .conftest import DBT, Compiled

OWN = {"basic", "transaction", "public"}  # public: whom a register names as who a party is, not what courts say of it
LISTS = ("low_risk_list", "low_risk_list_with_bureau")


@pytest.fixture(scope="module")
def lineage(compiled: Compiled, catalog: Catalog) -> Lineage:
    return Lineage(compiled.models, catalog, compiled.keys)


def classes(catalog: Catalog, lineage: Lineage, table: str, column: str) -> frozenset[str]:
    return data_classes(catalog, lineage, [Origin(table, column)])


def test_the_internal_list_rests_on_the_banks_own_data(catalog: Catalog, lineage: Lineage) -> None:
    for column in (ROWS, *lineage.traces["low_risk_list"].columns):
        assert classes(catalog, lineage, "low_risk_list", column) <= OWN, column
        origins = reach(lineage, [Origin("low_risk_list", column)], released_columns(catalog))
        assert "judicial__case" not in {origin.table for origin in origins}, column


def test_the_other_list_rests_on_the_bureau_as_well_and_not_on_medical_data(catalog: Catalog, lineage: Lineage) -> None:
    table = "low_risk_list_with_bureau"
    for column in ("included", "band"):
        assert classes(catalog, lineage, table, column) == OWN | {"bureau", "partner"}
    assert {"bureau", "partner"}.isdisjoint(classes(catalog, lineage, table, ROWS))


def test_own_warnings_look_at_own_data_alone_and_at_all_of_it(catalog: Catalog, lineage: Lineage) -> None:
    assert classes(catalog, lineage, "int_party_own_warning", "severity") <= OWN
    macros = {
        name: (DBT / "macros" / f"{name}.sql").read_text("utf-8") for name in ("party_warning", "warning_signals")
    }
    listed = re.search(r"return\(\[(.*?)\]\)", macros["party_warning"], re.DOTALL)
    assert listed is not None
    own = set(re.findall(r"'(\w+)'", listed[1]))
    columns = dict(re.findall(r"^ +'(\w+)': \('(\w+)', '(?:high|low)'", macros["warning_signals"], re.MULTILINE))
    assert own < columns.keys()
    foreign = {"bureau", "partner"}
    for signal, column in columns.items():
        found = classes(catalog, lineage, "int_party_signal", column)
        of_the_bank = not found & foreign and "transaction" in found
        assert (signal in own) == of_the_bank, (signal, sorted(found))


@pytest.mark.parametrize("table", LISTS)
def test_whoever_is_on_a_list_may_be_known_to_marketing_by_all_that_it_rests_on(
    compiled: Compiled, catalog: Catalog, lineage: Lineage, table: str
) -> None:
    """So that nothing is withheld from marketing's list, and both consumers hold the same one."""
    needs = needs_of(catalog, lineage)
    asked = set(re.findall(r"lawful\.(marketing_\w+)", compiled.models[table]))
    marketing = needs[f"marketing.{table}"]
    assert marketing.rows | {"marketing_automated"} == asked
    assert marketing.columns == {}
    assert ("marketing_bureau" in asked) == table.endswith("with_bureau")
    risk = needs["risk." + table.replace("list", "decision")]
    assert ("risk_bureau" in risk.rows) == table.endswith("with_bureau")


def test_limits_for_staying_are_wider_than_those_for_entry(catalog: Catalog) -> None:
    policy = {n.removeprefix("low_risk."): v for n, v in catalog.policy.thresholds.items() if n.startswith("low_risk.")}
    stays = {name: value for name, value in policy.items() if name.startswith("stay_")}
    assert stays
    for name, value in stays.items():
        entry = policy[name.removeprefix("stay_")]
        assert value > entry if "_max_" in name else value < entry, name


@pytest.mark.parametrize("table", LISTS)
def test_marketing_sees_no_more_of_a_list_than_membership_its_segment_and_what_follows_from_the_band(
    catalog: Catalog, table: str
) -> None:
    columns = [column.name for column in catalog.products[f"marketing.{table}"].columns]
    assert columns == ["pseudonym", "business_date", "variant", "segment", "band", "product_families",
                       "inclusion_reasons", "valid_from", "valid_to"]  # fmt: skip
    text = (DBT / "macros" / "marts" / "low_risk_told.sql").read_text("utf-8")
    assert "by_band(low_risk_families(), 'band') }} as product_families" in text
    assert "by_band(low_risk_reason_codes(), 'band') }} as inclusion_reasons" in text


def test_families_are_those_of_the_catalogue_of_products_and_codes_those_of_policy(catalog: Catalog) -> None:
    families = set(catalog.sources["reference.product"].column("product_family").enum)
    mart = catalog.marts["mart.low_risk_list"]
    assert {one for value in mart.column("product_families").enum for one in str(value).split(";")} <= families
    text = (DBT / "macros" / "marts" / "low_risk_rules.sql").read_text("utf-8")
    codes = text[text.index("macro low_risk_reason_codes") : text.index("macro by_band")]
    told = [code for value in re.findall(r"'[ABC]': '([\w;]+)'", codes) for code in value.split(";")]
    assert set(told) == set(catalog.policy.marketing_reason_codes)
