"""The normal distribution and the risk-weight functions in SQL, against scipy and against published figures.

The SQL is the project's own macros, rendered without dbt and run by DuckDB.
"""

from __future__ import annotations

import duckdb
import jinja2
import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from pipelines.settings import PROJECT

MACROS = [PROJECT / "dbt_project" / "macros" / name for name in ("normal.sql", "irb.sql")]
SQL = jinja2.Environment().from_string("\n".join(path.read_text(encoding="utf-8") for path in MACROS)).module
# International Convergence of Capital Measurement and Capital Standards (2006), annex 5: illustrative risk weights in
# percent at PD 1 %, maturity 2.5 years; firms with sales of at most 5 million euros are `sme`.
PUBLISHED = [
    ("corporate", 0.45, 92.32), ("sme", 0.45, 72.40), ("mortgage", 0.45, 56.40), ("mortgage", 0.25, 31.33),
    ("other_retail", 0.45, 45.77), ("other_retail", 0.85, 86.46), ("qrre", 0.45, 17.22), ("qrre", 0.85, 32.53),
]  # fmt: skip
# The same annex at other probabilities, LGD 45 %: corporate and residential mortgage.
MORE = [
    ("corporate", 0.0003, 14.44), ("corporate", 0.0005, 19.65), ("corporate", 0.001, 29.65),
    ("corporate", 0.0025, 49.47),
    ("corporate", 0.005, 69.61), ("corporate", 0.02, 114.86), ("corporate", 0.05, 149.86), ("corporate", 0.1, 193.09),
    ("corporate", 0.2, 238.23), ("mortgage", 0.0003, 4.15), ("mortgage", 0.005, 35.08), ("mortgage", 0.05, 148.22),
]  # fmt: skip


def values(sql: str, **columns: np.ndarray | list) -> np.ndarray:
    frame = pl.DataFrame(columns)
    with duckdb.connect() as con:
        con.register("given", frame)
        return con.execute(f"select {sql} as v from given").fetchnumpy()["v"]


def risk_weight(asset_class: str, pd: float, lgd: float) -> float:
    """In percent, by the steps of the mart."""
    sql = f"""
        with correlated as (
            select *, {SQL.irb_correlation("asset_class", "pd", "5e0")} as r,
                {SQL.normal_quantile("pd")} as pd_quantile, {SQL.normal_quantile("confidence")} as factor_quantile
            from (select '{asset_class}' as asset_class, {pd}e0 as pd, {lgd}e0 as lgd, 0.999e0 as confidence)
        ),
        conditional as (
            select *, {SQL.conditional_threshold("pd_quantile", "r", "factor_quantile")} as threshold from correlated
        )
        select 1250 * lgd * ({SQL.normal_cdf("threshold")} - pd) * {SQL.irb_maturity("asset_class", "pd", "2.5e0")}
        from conditional"""
    with duckdb.connect() as con:
        return con.execute(sql).fetchall()[0][0]


def test_the_normal_distribution_is_that_of_scipy() -> None:
    x = np.concatenate([np.linspace(-7, 7, 20_001), [-50.0, 50.0]])
    assert np.abs(values(SQL.normal_cdf("x"), x=x) - norm.cdf(x)).max() < 1e-11
    p = np.concatenate([np.logspace(-9, -1, 4000), np.linspace(0.05, 0.95, 4001), 1 - np.logspace(-9, -1, 4000)])
    assert np.abs(values(SQL.normal_quantile("p"), p=p) - norm.ppf(p)).max() < 1e-9


def test_what_is_not_known_stays_unknown() -> None:
    unknown = pl.Series([None], dtype=pl.Float64)
    for sql in (SQL.normal_cdf("x"), SQL.normal_quantile("x")):
        with duckdb.connect() as con:
            con.register("given", pl.DataFrame({"x": unknown}))
            assert con.execute(f"select {sql} from given").fetchall() == [(None,)]


@pytest.mark.parametrize(("asset_class", "lgd", "published"), PUBLISHED)
def test_risk_weights_at_one_percent_are_those_of_the_basel_committee(
    asset_class: str, lgd: float, published: float
) -> None:
    assert risk_weight(asset_class, 0.01, lgd) == pytest.approx(published, abs=0.01)


@pytest.mark.parametrize(("asset_class", "pd", "published"), MORE)
def test_risk_weights_at_other_probabilities_are_those_of_the_basel_committee(
    asset_class: str, pd: float, published: float
) -> None:
    assert risk_weight(asset_class, pd, 0.45) == pytest.approx(published, abs=0.01)


def test_a_worse_year_has_more_defaults_and_all_years_together_as_many_as_expected() -> None:
    """The mean over the common factor of the conditional probability is the probability itself."""
    factor = (np.arange(200_000) + 0.5) / 200_000
    found = values(
        SQL.normal_cdf("threshold"),
        threshold=(norm.ppf(0.02) + np.sqrt(0.15) * norm.ppf(factor)) / np.sqrt(0.85),
    )
    assert found.mean() == pytest.approx(0.02, abs=1e-6)
    assert (np.diff(found) >= 0).all()
