"""Median and robust deviation in SQL are those of numpy and scipy."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import duckdb
import jinja2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation

from pipelines.settings import PROJECT

MACROS = (
    jinja2.Environment().from_string((PROJECT / "dbt_project/macros/robust_deviation.sql").read_text("utf-8")).module
)
AMOUNTS = st.lists(st.integers(-(10**11), 10**11), min_size=1, max_size=40)
SMALL = st.lists(st.integers(-3, 3), min_size=1, max_size=40)
LIMIT = 99999


def computed(cents: list[int], latest: int) -> tuple[Decimal, int, Decimal | None]:
    """Twice the median, how many, and the deviation of `latest`, as the models compute them."""
    with closing(duckdb.connect()) as con:
        con.execute("create table amounts (party text, amount decimal(18, 2))")
        con.executemany("insert into amounts values ('P', ?), ('Q', 7)", [[Decimal(c) / 100] for c in cents])
        sql = f"""
        with medians as ({MACROS.twice_median("amounts", "amount", ["party"])}),
        deviations as (
            select amounts.party, abs(2 * amounts.amount - medians.twice_median) as deviation
            from amounts inner join medians on amounts.party = medians.party
        ),
        spreads as ({MACROS.twice_median("deviations", "deviation", ["party"])})
        select medians.twice_median, medians.observations,
            {MACROS.robust_z("2 * cast(? as decimal(18, 2)) - medians.twice_median", "spreads.twice_median")}
        from medians inner join spreads on medians.party = spreads.party
        where medians.party = 'P'
        """
        # The macro names the deviation twice.
        value = Decimal(latest) / 100
        (row,) = con.execute(sql, [value] * sql.count("?")).fetchall()
        return row


@settings(max_examples=60, deadline=None)
@given(cents=st.one_of(AMOUNTS, SMALL), latest=st.integers(-(10**11), 10**11))
def test_they_agree_with_numpy_and_scipy(cents, latest):
    twice, observations, z = computed(cents, latest)
    assert observations == len(cents)
    assert twice == 2 * Decimal(float(np.median(cents))) / 100
    spread = median_abs_deviation(cents)
    if spread == 0:
        assert z is None
    else:
        expected = (latest - np.median(cents)) / median_abs_deviation(cents, scale="normal")
        assert float(z) == pytest.approx(min(max(expected, -LIMIT), LIMIT), rel=1e-5, abs=1e-4)


@settings(max_examples=20, deadline=None)
@given(cents=SMALL, latest=st.integers(-9, 9), seed=st.randoms())
def test_the_order_of_rows_does_not_show(cents, latest, seed):
    shuffled = list(cents)
    seed.shuffle(shuffled)
    assert computed(cents, latest) == computed(shuffled, latest)


def test_most_of_the_same_value_has_no_deviation():
    assert computed([5, 5, 5, 900], 900) == (Decimal("0.1"), 4, None)
