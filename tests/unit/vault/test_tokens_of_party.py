"""Which tokens are a party's: those of each of its records, by whatever the record is known, and of nobody else."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from project import project_catalog

from pipelines.cli.vault import tokens_of
from pipelines.contracts.arrow import lake_schema
from pipelines.contracts.model import Contract
from pipelines.contracts.subjects import Subject
from pipelines.identity import explain, state
from pipelines.ingest import lake
from pipelines.settings import Home, InputError

DAYS = MONDAY, TUESDAY = date(2025, 3, 3), date(2025, 3, 4)
CATALOG = project_catalog()
SUBJECTS = [(one, subject) for one in CATALOG.sources.values() for subject in one.subjects]
# Of rows that name two, what is told of which.
OF_TWO = {
    "market.stall_lease merchant": {"merchant_name", "merchant_uscc", "owner_phone", "owner_name"},
    "market.stall_lease owner": {"owner_name", "owner_phone"},
    "registry.company company": {"company_name", "uscc", "legal_representative"},
    "registry.company legal_representative": {"legal_representative"},
    "social_security.contribution insured": {"national_id"},
    "social_security.contribution employer": {"employer_uscc"},
    "supply_chain.invoice seller": {"seller_uscc"},
    "supply_chain.invoice buyer": {"buyer_uscc"},
}


def text(*of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()


def told(contract: Contract, number: int, day: date, key: str) -> dict[str, str]:
    """The identifiers of a row: those of `key` are a record's, and the same on all days."""
    names = [column for column in contract.columns if column.identifier]
    return {each.name: text(contract.id, number, each.name == key or day, each.name) for each in names}


def landed(home: Home, contract: Contract, key: str, source: str, day: date, numbers: range) -> None:
    """A row of each of `numbers`, with nothing but its identifiers and key."""
    shape = pa.schema([field.with_nullable(True) for field in lake_schema(contract)])
    rows = [
        {contract.column(name).lake_name: value for name, value in told(contract, number, day, key).items()}
        | ({} if contract.column(key).identifier else {key: f"record {number}"})
        for number in numbers
    ]
    lake.write_parquet(lake.partition(home.lake, contract.id, source, day), pa.Table.from_pylist(rows, shape))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home that knows of one party, whose records a test links."""
    monkeypatch.setattr(state, "latest", lambda _: state.Prior.nothing())
    monkeypatch.setattr(explain, "find", lambda _, name: text(name))
    return Home(tmp_path)


def linked(home: Home, *records: tuple[str, str, str, str, str]) -> None:
    names = ["party_id", "contract", "role", "source", "record_key"]
    home.identity.mkdir(parents=True)
    pl.DataFrame(records, dict.fromkeys(names, pl.String), orient="row").write_parquet(
        home.identity / "party_crosswalk.parquet"
    )


@pytest.mark.parametrize(
    ("contract", "subject"), SUBJECTS, ids=lambda one: getattr(one, "role", getattr(one, "id", ""))
)
def test_a_record_is_found_by_what_it_is_known_by(home: Home, contract: Contract, subject: Subject) -> None:
    for source in ("one", "other"):
        for day in DAYS:
            landed(home, contract, subject.key, source, day, range(3))
    key = contract.column(subject.key)
    record = [told(contract, n, MONDAY, subject.key)[subject.key] if key.identifier else f"record {n}" for n in (0, 1)]
    linked(
        home, (text("P"), contract.id, subject.role, "one", record[0]),
        (text("Q"), contract.id, subject.role, "one", record[1]),
    )  # fmt: skip
    wanted = OF_TWO.get(f"{contract.id} {subject.role}") or {one.name for one in contract.columns if one.identifier}
    said = [told(contract, 0, day, subject.key) for day in DAYS]
    assert tokens_of(CATALOG, home, "P") == sorted({row[name] for row in said for name in wanted})
    assert tokens_of(CATALOG, home, "R") == []


def test_every_contract_that_names_two_is_thought_of() -> None:
    two = {f"{one.id} {subject.role}" for one, subject in SUBJECTS if len({each.role for each in one.subjects}) > 1}
    assert two == OF_TWO.keys()


def test_a_record_known_by_an_identifier_is_told_by_that_after_a_rotation_too(home: Home) -> None:
    contract = CATALOG.sources["tax.filing"]
    landed(home, contract, "uscc", "one", MONDAY, range(2))  # the crosswalk has the token of the keys before
    linked(home, (text("P"), contract.id, "taxpayer", "one", text("before")))
    assert tokens_of(CATALOG, home, "P") == [text("before")]


def test_nobody_is_known_before_the_first_night(home: Home) -> None:
    with pytest.raises(InputError, match="run a night first"):
        tokens_of(CATALOG, home, "P")
