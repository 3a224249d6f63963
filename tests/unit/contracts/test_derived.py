"""What is derived from a contract: Arrow schemas, checks, dbt files, pages; each held against DuckDB or its source."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from pipelines.contracts import dbt, docs
from pipelines.contracts.arrow import LAKE_COLUMNS, arrow_schema, lake_schema
from pipelines.contracts.checks import RowCheck, row_checks
from pipelines.contracts.expectations import mentioned
from pipelines.contracts.load import Catalog, load_contract
from pipelines.contracts.model import IDENTIFIERS, Column, Contract, RowRule
from pipelines.settings import PROJECT
from pipelines.vault.normal import kinds

if TYPE_CHECKING:
    from conftest import Folder

ALL = [
    path.relative_to(PROJECT / "data_contracts").as_posix()
    for path in sorted((PROJECT / "data_contracts").rglob("*.odcs.yaml"))
]
TYPES = {"string": "VARCHAR", "timestamp": "TIMESTAMP"}


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def by_place(catalog: Catalog, place: str) -> Contract:
    return next(c for c in catalog.all().values() if c.path.as_posix().endswith(place))


@pytest.mark.parametrize("place", ALL)
def test_a_contract_survives_being_written_by_the_standard(catalog: Catalog, tmp_path: Path, place: str) -> None:
    contract = by_place(catalog, place)
    path = tmp_path / contract.path.parent.name / contract.path.name
    path.parent.mkdir()
    text = contract.path.read_text(encoding="utf-8")
    path.write_text(OpenDataContractStandard.from_string(text).to_yaml(), encoding="utf-8")
    again, before = (load_contract(one, contract.kind, catalog.marts) for one in (path, contract.path))
    assert replace(again, sha256=before.sha256) == before


@pytest.mark.parametrize("place", ALL)
def test_types_mean_the_same_to_arrow_and_to_duckdb(
    catalog: Catalog, con: duckdb.DuckDBPyConnection, place: str
) -> None:
    contract = by_place(catalog, place)
    con.register("empty_table", arrow_schema(contract).empty_table())
    described = con.execute("describe from empty_table").fetchall()
    expected = [(c.name, TYPES.get(c.type, c.type.upper())) for c in contract.columns]
    assert [row[:2] for row in described] == expected
    nullable = {field.name for field in arrow_schema(contract) if field.nullable}
    assert nullable == {c.name for c in contract.columns if not c.required}


def test_the_lake_holds_tokens_instead_of_identifiers(catalog: Catalog) -> None:
    for contract in catalog.sources.values():
        names = lake_schema(contract).names
        identifiers = [c.name for c in contract.columns if c.identifier]
        assert not set(identifiers) & set(names)
        assert {f"{name}_token" for name in identifiers} <= set(names)
        assert names[-3:] == [name for name, _ in LAKE_COLUMNS]
        assert all(field.nullable for field in lake_schema(contract)), "a tombstone has a key and nothing else"


def test_every_identifier_has_a_token() -> None:
    assert kinds() == IDENTIFIERS


def column(**given: object) -> Column:
    return Column(**{"name": "value", "type": "string", "description": "A value.", **given})


def verdicts(
    contract: Contract, column_: Column, values: list[object], rules: tuple[RowRule, ...] = ()
) -> list[set[str]]:
    """The rules that each value breaks, by DuckDB itself."""
    checks = row_checks(replace(contract, columns=(column_,), rules=rules))
    con = duckdb.connect()
    con.execute(f"create table delivered ({column_.name} {column_.type}, n integer)")
    con.executemany("insert into delivered values (?, ?)", [[value, n] for n, value in enumerate(values)])
    answers = ", ".join(f"coalesce({check.violated}, false)" for check in checks)
    rows = con.execute(
        f"select {answers} from (select *, date '2025-06-01' as business_date from delivered) order by n"
    )
    return [{c.rule for c, broken in zip(checks, row, strict=True) if broken} for row in rows.fetchall()]


@pytest.mark.parametrize(
    ("column_", "values", "expected"),
    [
        (column(required=True), ["a", None], [set(), {"required"}]),
        (column(), [None], None),
        (column(enum=("a", "it's")), ["a", "it's", "b", None], [set(), set(), {"accepted_values"}, set()]),
        (
            column(type="decimal(18,2)", minimum=0, maximum=10),
            [Decimal("-0.01"), Decimal(0), Decimal(10), Decimal("10.01"), None],
            [{"range"}, set(), set(), {"range"}, set()],
        ),
        (
            column(type="date", minimum="2000-01-01", maximum="2025-12-31"),
            [date(1999, 12, 31), date(2000, 1, 1), date(2025, 12, 31), date(2026, 1, 1), None],
            [{"range"}, set(), set(), {"range"}, set()],
        ),
        (column(type="bigint", minimum=1, required=True), [0, 1, None], [{"range"}, set(), {"required"}]),
    ],
)  # fmt: skip
def test_a_check_finds_what_its_contract_forbids(
    catalog: Catalog, column_: Column, values: list[object], expected: list[set[str]] | None
) -> None:
    if expected is None:
        assert row_checks(replace(catalog.sources["core.party"], columns=(column_,), rules=())) == []
    else:
        assert verdicts(catalog.sources["core.party"], column_, values) == expected


def test_a_rule_is_broken_where_it_is_false_and_passes_where_it_is_unknown(catalog: Catalog) -> None:
    rule = RowRule("not_later", "Not after the business date.", "value <= business_date", "timeliness")
    values = [date(2025, 6, 1), date(2025, 6, 2), None]
    found = verdicts(catalog.sources["core.party"], column(type="date"), values, (rule,))
    assert found == [set(), {"not_later"}, set()]


@pytest.mark.parametrize("place", ALL)
def test_every_check_is_sql_over_the_columns_of_its_contract(
    catalog: Catalog, con: duckdb.DuckDBPyConnection, place: str
) -> None:
    contract = by_place(catalog, place)
    rows = arrow_schema(contract).empty_table()
    if "business_date" not in rows.schema.names:
        rows = rows.append_column("business_date", pa.array([], pa.date32()))
    con.register("empty_rows", rows)
    for check in row_checks(contract):
        con.execute(f"select count(*) from empty_rows where {check.violated}")


def test_dbt_does_not_check_what_only_ingest_saw(catalog: Catalog) -> None:
    party = catalog.sources["core.party"]
    rule = RowRule("long_enough", "Eighteen characters.", "length(national_id) = 18", "validity")
    derived = dbt._meets_contract(replace(party, rules=(*party.rules, rule)))
    checked = derived["meets_contract"]["arguments"]["checks"]
    assert not [c.name for c in party.columns if c.identifier and c.name in checked]
    assert "birth_month <= business_date" in checked


@pytest.mark.parametrize("place", ALL)
def test_a_page_says_all_of_its_contract(catalog: Catalog, place: str) -> None:
    contract = by_place(catalog, place)
    text = docs.page(contract, [])
    for words in (contract.id, contract.version, contract.owner, contract.purpose, contract.grain, *contract.purposes):
        assert words in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for column_ in contract.columns:
        (row,) = [line for line in rows if line.startswith(f"| {column_.name} | {column_.type} |")]
        assert " ".join(column_.description.split()).replace("|", "\\|") in row
        assert f"| L{column_.security_level}" in row
        assert all(code in row for code in column_.enum)
    for rule in contract.rules:
        assert rule.name in text


def test_a_bar_in_sql_does_not_end_a_cell(catalog: Catalog) -> None:
    party = catalog.sources["core.party"]
    rule = RowRule("both", "Both.", "party_key || '|' || gender <> ''", "validity")
    (row,) = [line for line in docs.page(replace(party, rules=(rule,)), []).splitlines() if line.startswith("| both")]
    assert row == r"| both | Both. | `party_key \|\| '\|' \|\| gender <> ''` |"


def test_pages_are_written_for_every_contract_and_only_for_those(catalog: Catalog, tmp_path: Path) -> None:
    hand_written, gone = tmp_path / "reading.md", tmp_path / "core.gone.md"
    hand_written.write_text("How to read these pages.\n")
    docs.write_pages(catalog, tmp_path)
    gone.write_text((tmp_path / "core.party.md").read_text(encoding="utf-8"), encoding="utf-8")
    pages = docs.write_pages(catalog, tmp_path)
    assert {page.stem for page in pages} == {"index", *catalog.all()}
    assert {*tmp_path.iterdir()} == {*pages, hand_written}
    index = (tmp_path / "index.md").read_text(encoding="utf-8")
    assert all(f"[{contract_id}]({contract_id}.md)" in index for contract_id in catalog.all())
    feeds = [feed for bank in catalog.banks for feed in catalog.feeds(bank)]
    for feed in feeds:
        assert f"| {feed.bank} | {feed.source} |" in (tmp_path / f"{feed.contract}.md").read_text(encoding="utf-8")


def test_drift_is_seen_and_mended(folder: Folder, tmp_path: Path) -> None:
    project, catalog = tmp_path / "dbt", folder.load()
    files = set(dbt.dbt_files(catalog, project))
    assert set(dbt.sync(catalog, project)) == files
    assert dbt.sync(catalog, project) == []
    sources, mart = project / "models" / "sources.yml", project / "models" / "marts" / "customer" / "customer_360.yml"
    by_hand = mart.with_name("customer_360__unit_tests.yml")
    by_hand.write_text("unit_tests: []\n")
    mart.write_text(
        mart.read_text(encoding="utf-8").replace("Gender as registered, by survivorship.", "Sex."), encoding="utf-8"
    )
    sources.unlink()
    stale = mart.with_name("gone.yml")
    stale.write_text(mart.read_text(encoding="utf-8"), encoding="utf-8")
    assert set(dbt.drifted(catalog, project)) == {sources, mart, stale}
    assert set(dbt.sync(catalog, project)) == {sources, mart, stale}
    assert not stale.exists()
    assert by_hand.exists()
    folder.edit("marts/customer/customer_360.odcs.yaml", "Gender as registered, by survivorship.", "Gender.")
    assert dbt.drifted(folder.load(), project) == [mart]


def test_generated_files_are_yaml_that_says_so(catalog: Catalog) -> None:
    for path, text in dbt.dbt_files(catalog, Path()).items():
        if path.suffix == ".yml":
            assert text.startswith("# Generated from data_contracts/")
            assert yaml.safe_load(text)["version"] == 2
        else:
            assert path.suffix == ".sql"
            assert "Generated from data_contracts/" in text.splitlines()[1]


def test_the_reason_says_what_the_check_forbids(catalog: Catalog) -> None:
    transaction = catalog.sources["core.transaction"]
    found: dict[tuple[str, str], RowCheck] = {(check.rule, check.column): check for check in row_checks(transaction)}
    assert found["required", "account_key"].reason == "is empty but required"
    assert found["accepted_values", "direction"].reason == "is not one of credit, debit"
    assert found["range", "amount"].reason == "is below 0"
    rule = found["booked_by_the_business_date", ""]
    assert rule.reason.startswith("breaks the rule: No booking is dated after the business date.")
    assert mentioned(rule.violated, transaction) == ("booking_date",)
