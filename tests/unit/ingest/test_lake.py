"""Questions to the lake open what they ask for."""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa
import pytest
from project import project_catalog

from pipelines.contracts.arrow import lake_schema
from pipelines.ingest import lake
from pipelines.settings import Home

DAYS = [date(2025, 1, day) for day in (1, 2, 3)]


@pytest.fixture
def home(tmp_path) -> Home:
    """Three landed dates of core.party, of which the second cannot be read."""
    home, contract = Home(tmp_path), project_catalog().sources["core.party"]
    lake.prepare(home, contract)
    schema = lake_schema(contract)
    for day in DAYS:
        row = {name: pa.nulls(1, schema.field(name).type) for name in schema.names} | {
            "party_key": pa.array([f"{day}"])
        }
        path = lake.partition(home.lake, contract.id, "core", day)
        lake.write_parquet(path, pa.table(row, schema=schema))
    lake.partition(home.lake, contract.id, "core", DAYS[1]).write_bytes(b"spoiled")
    return home


def keys(sql: str) -> list[str]:
    with duckdb.connect() as con:
        return [key for (key,) in con.execute(f"select party_key from {sql} order by 1").fetchall()]


def test_a_date_that_is_not_asked_for_is_not_opened(home):
    assert keys(lake.scan(home, "core.party", [DAYS[0], DAYS[2], date(2030, 1, 1)])) == [f"{DAYS[0]}", f"{DAYS[2]}"]
    assert keys(lake.scan(home, "core.party", [])) == []
    with pytest.raises(duckdb.Error):
        keys(lake.scan(home, "core.party"))
