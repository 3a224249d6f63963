"""How far the last month is from the usual ones, computed again with numpy from the daily movements; of a bank of seven
months, since six must come before the one that is judged.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy.stats import median_abs_deviation

pytestmark = pytest.mark.slow
DAY, BEGAN = date(2025, 7, 31), date(2025, 1, 1)
PERIODS, MIN_PERIODS, SAMPLE = 12, 6, 200


def flow_deviations(home: Path, day: date, began: date) -> tuple[list[tuple[str, float | None, float | None]], int]:
    """Of sampled parties the deviation of the last 30 days as published and as numpy has it; and how many are known."""
    found, known = [], 0
    with closing(duckdb.connect(str(home / "warehouse" / "warehouse.duckdb"), read_only=True)) as con:
        parties = con.execute(
            "select signal.party_id, cast(flow_z as double), min(account.opened_on) "
            "from intermediate.int_party_signal as signal "
            "inner join intermediate.int_party_account as account using (party_id, business_date) "
            "where signal.business_date = ? and account.is_owned group by signal.party_id, flow_z "
            "order by md5(signal.party_id) limit ?",
            [day, SAMPLE],
        ).fetchall()
        for party, published, opened in parties:
            periods = min(PERIODS, ((day - max(opened, began)).days + 1) // 30)
            net = np.zeros(max(periods, 1))
            for booked, amount in con.execute(
                "select business_date, credit_amount - debit_amount from intermediate.int_party_account_day "
                "where party_id = ? and business_date <= ?", [party, day],
            ).fetchall():  # fmt: skip
                if (period := (day - booked).days // 30) < len(net):
                    net[period] += float(amount)
            spread = median_abs_deviation(net[1:], scale="normal") if periods > MIN_PERIODS else 0
            expected = (net[0] - np.median(net[1:])) / spread if spread else None
            known += expected is not None
            found.append((party, published, expected))
    return found, known


def test_flow_deviations_are_those_of_numpy(matured):
    found, known = flow_deviations(matured, DAY, BEGAN)
    assert len(found) == SAMPLE
    assert known > SAMPLE // 2, "or nothing was compared"
    for party, published, expected in found:
        assert (published is None) == (expected is None), party
        assert published is None or published == pytest.approx(expected, rel=1e-5, abs=2e-4), party
