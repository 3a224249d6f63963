"""What a contract of a Python step says that its columns are made from, held against the step itself.

Every landed column that is not declared is changed at once: what the step writes stays the same, byte for byte. A step
that reads more than its contract says would carry data past its purposes.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from homes import linked
from known_parties import write_known_parties
from project import project_catalog
from simulated import NIGHT, Simulated

from pipelines.contracts.arrow import LAKE_COLUMNS
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.relations.build import TABLES, build_relations
from pipelines.settings import Settings

pytestmark = pytest.mark.slow
_OF_THE_LAKE = {name for name, _ in LAKE_COLUMNS} | {"source", "business_date"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return project_catalog()


def another(column: pl.Expr, type_: pl.DataType) -> pl.Expr:
    """Another value of the same type for everything that is there."""
    if type_ == pl.String:
        return column + "~"
    if type_ == pl.Boolean:
        return ~column
    if type_ in (pl.Date, pl.Datetime):
        return column.dt.offset_by("1d")
    return (column + 1).cast(type_)


def change(home: Path, contract: Contract, names: set[str]) -> int:
    """Give `names` of every landed file of a contract other values; returns the rows that were changed."""
    rows = 0
    for path in sorted((home / "lake" / contract.id).glob("source=*/business_date=*/part.parquet")):
        frame = pl.read_parquet(path, hive_partitioning=False)
        changed = frame.with_columns(another(pl.col(name), frame.schema[name]) for name in sorted(names))
        path.unlink()  # the file is shared with the home that this one is a copy of
        changed.write_parquet(path)
        rows += changed.height
    return rows


def inputs(catalog: Catalog, table: str) -> dict[str, set[str]]:
    """The landed columns, by contract, that any column of a relation table is declared to be made from."""
    found: dict[str, set[str]] = {}
    for column in catalog.derived[f"relation.{table}"].columns:
        for one in column.inputs:
            contract, _, name = one.rpartition(".")
            if contract in catalog.sources:
                found.setdefault(contract, set()).add(catalog.sources[contract].column(name).lake_name)
    return found


@pytest.fixture(scope="module")
def banks(simbank: Simulated, tmp_path_factory):
    """Makes copies of the bank's home in which identity is that of the truth, and builds their relations."""

    def build(catalog: Catalog, changed: dict[str, set[str]]) -> dict[str, pl.DataFrame]:
        place = tmp_path_factory.mktemp("declared") / "home"
        home = linked(simbank.home, place, "warehouse", "releases", "candidates", "identity", "relation")
        settings = Settings(home_dir=home)
        write_known_parties(settings.home, simbank.home / "simulated" / "truth")
        rows = sum(change(home, catalog.sources[name], names) for name, names in changed.items())
        assert rows or not changed
        build_relations(catalog, settings, date.fromisoformat(str(NIGHT)))
        return {name: pl.read_parquet(home / "relation" / f"{name}.parquet") for name in TABLES}

    return build


@pytest.fixture(scope="module")
def untouched(banks, catalog: Catalog) -> dict[str, pl.DataFrame]:
    built = banks(catalog, {})
    assert all(frame.height for frame in built.values())
    return built


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_relations_is_made_from_nothing_but_what_its_contract_declares(
    banks, untouched, catalog: Catalog, table: str
) -> None:
    declared = inputs(catalog, table)
    undeclared = {
        contract.id: {column.lake_name for column in contract.columns} - declared.get(contract.id, set()) - _OF_THE_LAKE
        for contract in catalog.sources.values()
        # Whose record is whose is found by key; identity is an input of its own.
        if not contract.subjects or contract.id in declared
    }
    keys = {c.id: {c.column(name).lake_name for name in c.key} for c in catalog.sources.values() if c.subjects}
    changed = {name: columns - keys.get(name, set()) for name, columns in undeclared.items()}
    assert banks(catalog, {name: columns for name, columns in changed.items() if columns})[table].equals(
        untouched[table]
    )


@pytest.mark.parametrize(
    ("table", "contract", "column"),
    [
        ("household", "core.party", "address_token"),
        ("party_network", "loan.guarantee", "guarantor_national_id_token"),
        ("supply_chain_position", "supply_chain.invoice", "amount"),
        ("party_relation", "core.account_holder", "role"),
    ],
)
def test_what_is_declared_is_read(banks, untouched, catalog: Catalog, table: str, contract: str, column: str) -> None:
    """Shows that the test above could fail: every value of a declared column is another one, and so is the table."""
    assert column in inputs(catalog, table)[contract]
    assert not banks(catalog, {contract: {column}})[table].equals(untouched[table])
