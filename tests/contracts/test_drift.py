"""Columns, types and rules are written in data_contracts/ alone; whatever else says them is derived from there."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from pipelines.audit.gates import expected_checks
from pipelines.contracts import dbt, docs
from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.bank import LegalBasis
from pipelines.contracts.checks import row_checks
from pipelines.contracts.load import Catalog, load_catalog
from pipelines.contracts.model import IDENTIFIERS
from pipelines.ingest.ledger import Landing
from pipelines.settings import PROJECT

from .conftest import DBT

MODELS = DBT / "models"
# The simulation stands for the systems that deliver: like them, it knows the columns it writes.
SIMULATION = PROJECT / "pipelines" / "simulation"
CODE = sorted(path for path in (PROJECT / "pipelines").rglob("*.py") if not path.is_relative_to(SIMULATION))
ENOUGH = 3  # column names beside each other that make a list
# Code that reads or shows rows of one table by name, and why it must.
BY_NAME = {
    "admission/decisions.py": "writes people's decisions as control.admission_decision has them",
    "audit/lawful.py": "decides again from the facts of mart.lawful_use",
    "cli/admission.py": "shows the cases that wait for somebody",
    "release/usage_history.py": "tells a customer which consents the bank holds",
    "relations/asof.py": "reads who consented to what",
}


def test_generated_files_say_what_the_contracts_say(catalog: Catalog) -> None:
    assert dbt.drifted(catalog, DBT) == []


def test_every_mart_has_a_model_and_every_model_of_a_mart_a_contract(catalog: Catalog) -> None:
    models = {path.relative_to(MODELS / "marts") for path in (MODELS / "marts").rglob("*.sql")}
    contracts = {Path(mart.path.parent.name) / f"{mart.table}.sql" for mart in catalog.marts.values()}
    assert models == contracts


def test_no_yaml_written_by_hand_describes_a_source_or_a_mart(catalog: Catalog) -> None:
    generated = dbt.dbt_files(catalog, DBT)
    marts = {mart.table for mart in catalog.marts.values()}
    for path in MODELS.rglob("*.yml"):
        if path in generated:
            continue
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert "sources" not in document, path
        assert not {model["name"] for model in document.get("models", [])} & marts, path


def test_dbt_enforces_the_contract_of_every_mart() -> None:
    project = yaml.safe_load((DBT / "dbt_project.yml").read_text(encoding="utf-8"))
    assert project["models"]["zhongtai"]["marts"]["+contract"] == {"enforced": True}
    for path in (MODELS / "marts").rglob("*.sql"):
        assert "enforced" not in path.read_text(encoding="utf-8"), path


def named_together(tree: ast.AST) -> Iterator[tuple[int, list[str]]]:
    """Names beside each other in code: of a literal, of the keys of a dict, of the fields of a class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            yield node.lineno, [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        elif isinstance(node, ast.Dict):
            yield node.lineno, [e.value for e in node.keys if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        elif isinstance(node, ast.ClassDef):
            yield node.lineno, [e.target.id for e in node.body if isinstance(e, ast.AnnAssign)]


def test_no_code_lists_columns_of_delivered_or_party_data(catalog: Catalog) -> None:
    """Marts about the release itself are excepted: the audit reads them by name, as dbt writes them.

    So are kinds of identifier, which are called like the columns that hold them, and the code of BY_NAME.
    """
    of_parties = [c for c in (catalog.marts | catalog.products).values() if {"party_id", "pseudonym"} & set(c.key)]
    contracts = [*catalog.sources.values(), *of_parties]
    assert len(contracts) > len(catalog.sources)
    found = []
    for path in (path for path in CODE if path.relative_to(PROJECT / "pipelines").as_posix() not in BY_NAME):
        for line, names in named_together(ast.parse(path.read_text(encoding="utf-8"))):
            for contract in contracts:
                listed = set(names) & {column.name for column in contract.columns} - {"business_date", *IDENTIFIERS}
                if len(listed) >= ENOUGH:
                    found.append(f"{path.relative_to(PROJECT)}:{line} lists {sorted(listed)} of {contract.id}")
    assert found == []


def test_a_list_of_columns_in_code_would_be_seen(catalog: Catalog) -> None:
    code = "WANTED = ['party_key', 'gender', 'birth_month']"
    ((_, names),) = named_together(ast.parse(code))
    assert len(set(names) & {column.name for column in catalog.sources["core.party"].columns}) >= ENOUGH


@pytest.mark.parametrize(
    ("contract_id", "module"),
    [
        ("control.policy", "warehouse/control.py"), ("control.legal_basis", "warehouse/control.py"),
        ("control.business_date", "warehouse/control.py"), ("control.quarantine", "ingest/quarantine.py"),
    ],
)  # fmt: skip
def test_what_code_writes_has_the_columns_of_its_contract(catalog: Catalog, contract_id: str, module: str) -> None:
    columns = [column.name for column in catalog.derived[contract_id].columns]
    tree = ast.parse((PROJECT / "pipelines" / module).read_text(encoding="utf-8"))
    assert columns in [names for _, names in named_together(tree)]


def test_records_in_code_have_the_columns_of_their_contract(catalog: Catalog) -> None:
    landing, basis = catalog.derived["control.landing"], catalog.derived["control.legal_basis"]
    assert [field.name for field in fields(Landing)] == [column.name for column in landing.columns]
    assert list(LegalBasis.model_fields) == [column.name for column in basis.columns]


def test_the_macro_of_landed_contracts_names_every_source_that_marts_may_read(catalog: Catalog) -> None:
    macro = (DBT / "macros" / "landed_contracts.sql").read_text(encoding="utf-8")
    for contract in catalog.sources.values():
        named = f"('{contract.domain}', '{contract.table}')" in macro
        assert named is (set(contract.purposes) != {"model_evaluation"}), contract.id


def test_exposures_name_the_marts_that_each_consumer_gets(catalog: Catalog) -> None:
    document = yaml.safe_load((MODELS / "exposures.yml").read_text(encoding="utf-8"))
    declared = {exposure["name"]: set(exposure["depends_on"]) for exposure in document["exposures"]}
    products = catalog.products.values()
    for consumer in ("marketing", "risk"):
        marts = {catalog.marts[str(p.mart)].table for p in products if p.consumer in (consumer, "shared")}
        assert declared[consumer] == {f"ref('{mart}')" for mart in marts}
    assert declared.keys() == {"marketing", "risk"}


def test_one_change_of_a_contract_reaches_everything_derived(catalog: Catalog, tmp_path: Path) -> None:
    root = Path(shutil.copytree(PROJECT / "data_contracts", tmp_path / "data_contracts"))
    mart, product = root / "marts/customer/customer_360.odcs.yaml", root / "products/risk/customer_360.odcs.yaml"
    new = (
        "      - name: channel_preferred\n        description: Channel used most.\n        logicalType: string\n"
        "        physicalType: string\n        required: true\n        classification: L2\n"
        "        enum:\n          - {value: branch}\n          - {value: app}\n"
    )
    mart.write_text(mart.read_text(encoding="utf-8") + new, encoding="utf-8")
    product.write_text(product.read_text(encoding="utf-8") + "      - name: channel_preferred\n", encoding="utf-8")
    changed = load_catalog(root)
    after = changed.products["risk.customer_360"]
    assert after.columns[-1].enum == ("branch", "app")
    assert arrow_schema(after).names[-1] == "channel_preferred"
    rules = {
        check.rule for check in row_checks(changed.marts["mart.customer_360"]) if check.column == "channel_preferred"
    }
    assert rules == {"required", "accepted_values"}
    assert expected_checks(changed) - expected_checks(catalog) == {
        f"contract.{kind}/risk.customer_360/channel_preferred" for kind in ("required", "values")
    }
    assert [path.name for path in dbt.drifted(changed, DBT)] == ["customer_360.yml"]
    assert "| channel_preferred | string | yes | L2 | Channel used most. | one of branch, app |" in docs.page(after, [])
    assert "channel_preferred" not in [column.name for column in changed.products["marketing.customer_360"].columns]
