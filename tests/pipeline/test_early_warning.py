"""Early warnings on the simulated bank, before it has a history to judge by."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest

pytestmark = pytest.mark.slow


def test_of_two_weeks_no_flow_is_abnormal_and_that_is_told_apart_from_no_warning(simbank):
    with closing(duckdb.connect(str(simbank.home / "warehouse" / "warehouse.duckdb"), read_only=True)) as con:
        signals = con.execute("select count(*) from marts.early_warning where signal = 'abnormal_flow'").fetchone()
        counted = con.execute(
            "select count(*), count(*) filter (where signals_evaluable < signals_in_all) "
            "from intermediate.int_party_warning"
        ).fetchone()
    assert signals == (0,)
    assert counted[0] == counted[1] > 0
