"""The low-risk lists on the simulated bank: what marketing's rows tell of the probability of default, and who is there.

The figures themselves, and what membership and band tell, are `benchmarks.mutual_information`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from benchmarks.mutual_information import beyond_band, told_by_list
from pipelines.release.catalogue import current
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

pytestmark = pytest.mark.slow
VARIANTS = {"low_risk_list": "low_risk_decision", "low_risk_list_with_bureau": "low_risk_decision_with_bureau"}
MARKETING = ["pseudonym", "business_date", "variant", "segment", "band", "product_families", "inclusion_reasons",
             "valid_from", "valid_to"]  # fmt: skip
SEED = 2026


@pytest.fixture(scope="module")
def home(matured: Path) -> Path:
    return matured


def release(home: Path) -> Path:
    found = current(Home(home))
    assert found is not None
    return found.path


def of_marketing(home: Path, vault_key: str, name: str) -> pl.DataFrame:
    """Marketing's list, with the party and the probability of default that risk has of it."""
    with duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True) as con:
        known = con.execute("select party_id, pd from marts.risk_grade where pd is not null").pl()
    key = KeyRing.open(home / "vault", vault_key).pseudonym_key("marketing")
    known = known.with_columns(pseudonym=hmac_sha256(pl.col("party_id"), key))
    return pl.read_parquet(release(home) / "marketing" / f"{name}.parquet").join(known, on="pseudonym", how="inner")


def columns_told(listed: pl.DataFrame) -> dict[str, list[object]]:
    """Every column that marketing sees beside the pseudonym, which is another one in every row, and all in one."""
    names = [name for name in MARKETING if name not in ("pseudonym", "band")]
    return {name: listed[name].to_list() for name in names} | {"(row)": listed.select(names).rows()}


@pytest.mark.parametrize("name", VARIANTS)
def test_marketing_learns_nothing_of_the_probability_of_default_beyond_the_band(home, vault_key, name) -> None:
    listed = of_marketing(home, vault_key, name)
    assert pl.read_parquet(release(home) / "marketing" / f"{name}.parquet").columns == MARKETING
    assert listed.height > 0
    found = beyond_band(columns_told(listed), listed["band"].to_list(), listed["pd"].cast(float).to_list(), SEED)
    assert not [leak for leak in found if leak.leaks]


def test_a_column_that_tells_of_it_is_caught(home, vault_key) -> None:
    listed = of_marketing(home, vault_key, "low_risk_list")
    pd = listed["pd"].cast(float)
    with duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True) as con:
        tier = con.execute("select party_id, asset_tier from marts.customer_segment").pl()
    planted = listed.join(tier, on="party_id", how="left", maintain_order="left")["asset_tier"].to_list()
    columns = columns_told(listed) | {"upper_half": (pd > pd.median()).to_list(), "asset_tier": planted}
    caught = {leak.column for leak in beyond_band(columns, listed["band"].to_list(), pd.to_list(), SEED) if leak.leaks}
    assert "upper_half" in caught and caught <= {"upper_half", "asset_tier"}


@pytest.mark.parametrize("name", VARIANTS)
def test_membership_and_band_tell_what_they_must_and_are_measured(home, name) -> None:
    with duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True) as con:
        rows = con.execute(
            f"select included, band, grade.pd from marts.{name} inner join marts.risk_grade as grade "
            f"using (party_id, business_date) where grade.pd is not null"
        ).fetchall()
    included, band, pd = zip(*rows, strict=True)
    told = told_by_list(included, band, [float(one) for one in pd], SEED)
    assert told["membership"].bits > 0 and told["membership"].low <= told["membership"].high < 1


@pytest.mark.parametrize(("name", "decision"), VARIANTS.items())
def test_both_consumers_hold_the_same_list_of_the_same_day(home, name, decision) -> None:
    marketing, risk = (
        pl.read_parquet(release(home) / consumer / f"{table}.parquet")
        for consumer, table in (("marketing", name), ("risk", decision))
    )
    shared = [name for name in MARKETING if name != "pseudonym"]
    counted = [frame.group_by(shared).len().sort(shared) for frame in (marketing, risk.filter("included"))]
    assert counted[0].equals(counted[1]), "who is on the list may be known to marketing, so nothing is withheld"


def test_each_variant_lists_only_whom_marketing_may_know_by_its_data(home) -> None:
    permissions = {"low_risk_list": "marketing_transaction", "low_risk_list_with_bureau": "marketing_bureau"}
    with duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True) as con:
        for name, permission in permissions.items():
            listed, unlawful, hard = con.execute(
                f"select count(*) filter (included), count(*) filter (included and not "
                f"(lawful.{permission} and lawful.marketing_automated)), count(*) filter (included and "
                f"'fail' in (rule_class, rule_default, rule_lawful_use, rule_refusal)) from marts.{name} "
                f"inner join marts.lawful_use as lawful using (party_id, business_date)"
            ).fetchone()  # fmt: skip
            assert listed and not unlawful and not hard, name
