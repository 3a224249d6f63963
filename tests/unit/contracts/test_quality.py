"""How many rows a contract promises."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from open_data_contract_standard.model import DataQuality, SchemaObject

from pipelines.contracts.model import ContractError
from pipelines.contracts.quality import row_count

BOUNDS = {
    "mustBeGreaterThan": lambda rows, n: rows > n,
    "mustBeGreaterOrEqualTo": lambda rows, n: rows >= n,
    "mustBeLessThan": lambda rows, n: rows < n,
    "mustBeLessOrEqualTo": lambda rows, n: rows <= n,
    "mustBeBetween": lambda rows, n: n[0] <= rows <= n[1],
}
numbers = st.integers(0, 12)
entries = st.one_of(
    st.tuples(st.sampled_from([name for name in BOUNDS if name != "mustBeBetween"]), numbers),
    st.tuples(st.just("mustBeBetween"), st.tuples(numbers, numbers).map(list)),
)


@given(st.lists(entries, min_size=1, max_size=4))
def test_a_number_is_within_what_is_read_where_it_meets_every_entry(stated: list) -> None:
    table = SchemaObject(quality=[DataQuality(metric="rowCount", **{name: value}) for name, value in stated])
    met = [rows for rows in range(20) if all(BOUNDS[name](rows, value) for name, value in stated)]
    try:
        found = row_count(Path("contract.yaml"), table)
    except ContractError as error:
        assert not met and "no number is" in str(error)
        return
    assert found is not None
    least, most = found
    assert [rows for rows in range(20) if least <= rows and (most is None or rows <= most)] == met


def test_a_contract_without_it_promises_nothing() -> None:
    assert row_count(Path("contract.yaml"), SchemaObject(quality=[DataQuality(name="rule", engine="zhongtai")])) is None
