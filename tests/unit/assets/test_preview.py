"""What the catalogue shows of rows: none of a person."""

import polars as pl
import pytest
from project import project_catalog

from pipelines.assets.preview import is_personal, preview

CATALOG = project_catalog()


def test_no_value_of_a_row_about_somebody_is_shown(tmp_path):
    path = tmp_path / "part.parquet"
    held = {
        "holding_key": ["H7", "H8"],
        "party_key": ["P42", "P43"],
        "account_key": ["A1", None],
        "role": ["owner"] * 2,
    }
    pl.DataFrame(held | {"_change": ["upsert", "upsert"]}).write_parquet(path)
    shown = preview(CATALOG.sources["core.account_holder"], [path], where="_change = 'upsert'").value
    assert "| party_key | 2 | 2 |" in shown and "| account_key | 1 | 1 |" in shown
    assert not [value for value in ("H7", "P42", "A1", "owner") if value in shown]


def test_rows_about_nobody_are_shown_in_order(tmp_path):
    path = tmp_path / "part.parquet"
    pl.DataFrame({"purpose": ["risk", "marketing"], "basis": ["law", None], "article": ["6", "7"]}).write_parquet(path)
    shown = preview(CATALOG.derived["control.legal_basis"], [path]).value
    assert shown.splitlines()[2:] == ["| marketing |  | 7 |", "| risk | law | 6 |"]


def test_nothing_landed(tmp_path):
    assert preview(CATALOG.sources["core.party"], tmp_path.glob("*")).value == "nothing new or changed on this date"


@pytest.mark.parametrize("contract", [*CATALOG.sources.values(), *CATALOG.derived.values(), *CATALOG.marts.values()])
def test_a_contract_with_parties_or_accounts_is_personal(contract):
    keys = {"party_key", "party_id", "account_key", "holding_key", "loan_key", "card_key"}
    about = keys & {column.name for column in contract.columns}
    assert is_personal(contract) or not about, contract.id
