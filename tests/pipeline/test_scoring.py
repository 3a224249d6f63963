"""Grades, losses and stress of the simulated bank, recomputed from what the release says, with scipy and in Python.

The bank of these tests has 18 days: nobody is known enough for a score, so its losses rest on the portfolio's
probabilities, and the reasons say so. Scores to the digit are held in `tests/unit/warehouse/test_scored.py`.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pytest
from project import project_catalog
from scipy.stats import norm
from simulated import Simulated

pytestmark = pytest.mark.slow
POLICY = project_catalog().policy.thresholds
TABLES = ("risk_grade", "merchant_score", "expected_loss", "stress_result")


def told(home: Path, table: str, consumer: str = "risk") -> list[dict]:
    with duckdb.connect() as con:
        path = home / "releases" / "current" / consumer / f"{table}.parquet"
        return con.execute(f"select * from read_parquet('{path}')").pl().rows(named=True)


def cents(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.01"), ROUND_HALF_UP)


def capital(row: dict) -> float:
    """Share of the exposure, by the formulas as they are written in Basel II."""
    pd, lgd, r = (float(row[name]) for name in ("pd", "lgd_downturn", "asset_correlation"))
    if row["pd_basis"] == "default":
        return lgd - float(row["lgd"])
    share = lgd * (
        norm.cdf((norm.ppf(pd) + math.sqrt(r) * norm.ppf(POLICY["loss.confidence"])) / math.sqrt(1 - r)) - pd
    )
    if row["asset_class"] in ("corporate", "sme"):
        b = (0.11852 - 0.05478 * math.log(pd)) ** 2
        share *= (1 + (POLICY["loss.maturity_years"] - 2.5) * b) / (1 - 1.5 * b)
    return share


def check_losses(rows: list[dict]) -> None:
    assert {row["facility_kind"] for row in rows} == {"loan", "card"}
    for row in rows:
        assert row["risk_weight"] == pytest.approx(Decimal(str(capital(row) * 12.5)), abs=Decimal("0.0001"))
        pooled = {POLICY["loss.person_pd"], POLICY["loss.organisation_pd"]}
        assert row["pd_basis"] != "pool" or float(row["pd"]) in pooled
        if row["ead"] is not None:
            assert row["expected_loss"] == cents(row["pd"] * row["lgd"] * row["ead"])


def check_stress(rows: list[dict], losses: list[dict]) -> None:
    known = [row for row in losses if row["ead"] is not None]
    assert rows and {row["scenario"] for row in rows} == {"mild", "severe", "extreme"}
    for row in rows:
        part = [
            one for one in known if (one["asset_class"], one["grade"] or "none") == (row["asset_class"], row["grade"])
        ]
        assert (row["facilities"], row["ead"]) == (len(part), sum(one["ead"] for one in part))
        assert row["expected_loss"] == sum(one["expected_loss"] for one in part)
        total = 0.0
        for one in part:
            pd, r = float(one["pd"]), float(one["asset_correlation"])
            bad_year = (norm.ppf(pd) + math.sqrt(r) * norm.ppf(float(row["quantile"]))) / math.sqrt(1 - r)
            stressed = 1.0 if one["pd_basis"] == "default" else norm.cdf(bad_year)
            total += stressed * float(one["lgd_downturn"]) * float(one["ead"])
        assert float(row["stressed_loss"]) == pytest.approx(total, rel=1e-4, abs=0.01 * len(part))
        assert row["stressed_loss"] >= row["expected_loss"]


def test_losses_and_stress_are_what_their_columns_say(simbank: Simulated) -> None:
    losses = told(simbank.home, "expected_loss")
    check_losses(losses)
    check_stress(told(simbank.home, "stress_result"), losses)


def test_nobody_has_a_score_who_is_hardly_known(simbank: Simulated) -> None:
    grades = told(simbank.home, "risk_grade")
    assert {row["not_evaluable"] for row in grades} == {"not_known_enough", "not_in_population"}
    assert {row["score"] for row in grades} == {None}
    assert {row["grade"] for row in grades} <= {None, "G10"}
    assert all(row["in_default"] for row in grades if row["grade"] == "G10")
    assert told(simbank.home, "merchant_score")


def test_marketing_is_told_nothing_of_it(simbank: Simulated) -> None:
    released = {path.stem for path in (simbank.home / "releases" / "current" / "marketing").glob("*.parquet")}
    assert released and not released & set(TABLES)
