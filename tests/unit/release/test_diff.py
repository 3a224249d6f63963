"""What a comparison of two releases says, against the same counted row by row."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.load import Catalog
from pipelines.release.diff import ProductDiff, compare

from .lawful_nights import NIGHTS
from .warehouse import Office

LIST = "risk.low_risk_decision"
ROWS = st.dictionaries(
    st.sampled_from([f"p{n}" for n in range(12)]),
    st.fixed_dictionaries({
        "included": st.booleans(), "income_periods": st.none() | st.integers(0, 6),
        "pd": st.none() | st.floats(0, 1, width=32),
    }),
)  # fmt: skip
SCHEMA = {"pseudonym": pl.String, "variant": pl.String, "included": pl.Boolean, "income_periods": pl.Int64,
          "pd": pl.Float64, "business_date": pl.Date}  # fmt: skip


def write(folder: Path, rows: dict[str, dict[str, Any]], day: int) -> Path:
    """A release with one product of these rows."""
    (folder / "risk").mkdir(parents=True)
    told = [{"pseudonym": name, "variant": "internal", **row, "business_date": None} for name, row in rows.items()]
    frame = pl.DataFrame(told, SCHEMA).with_columns(business_date=pl.date(2025, 1, day))
    frame.write_parquet(folder / "risk" / "low_risk_decision.parquet")
    return folder


@settings(max_examples=15)
@given(before=ROWS, after=ROWS)
def test_rows_and_members_are_counted_as_by_hand(before: dict, after: dict, whole_catalog: Catalog) -> None:
    with tempfile.TemporaryDirectory() as place:
        one, other = write(Path(place) / "one", before, 1), write(Path(place) / "other", after, 2)
        (found,) = compare(one, other, whole_catalog)
    assert found.product == LIST
    assert (found.rows_before, found.rows_after) == (len(before), len(after))
    assert found.added == len(after.keys() - before.keys())
    assert found.removed == len(before.keys() - after.keys())
    assert found.changed == sum(before[name] != after[name] for name in before.keys() & after.keys())
    on, now = ({name for name, row in rows.items() if row["included"]} for rows in (before, after))
    told = found.members
    assert told is not None
    assert (told.before, told.after) == (len(on), len(now))
    assert [entry["pseudonym"] for entry in told.entries] == sorted(now - on)
    assert [entry["pseudonym"] for entry in told.exits] == sorted(on - now)
    assert (told.entered, told.left) == (len(now - on), len(on - now))
    moved = {movement.column: movement for movement in found.movements}
    for name in ("included", "income_periods", "pd"):
        sides = [[float(row[name]) for row in rows.values() if row[name] is not None] for rows in (before, after)]
        means = [sum(side) / len(side) if side else None for side in sides]
        if name in moved:
            assert [moved[name].filled_before, moved[name].filled_after] == [len(side) for side in sides]
            assert [moved[name].before, moved[name].after] == pytest.approx(means)
        else:
            assert means[0] == pytest.approx(means[1])
            assert len(sides[0]) == len(sides[1])


@settings(max_examples=15)
@given(rows=ROWS)
def test_the_same_rows_differ_in_nothing(rows: dict, whole_catalog: Catalog) -> None:
    with tempfile.TemporaryDirectory() as place:
        one, other = write(Path(place) / "one", rows, 1), write(Path(place) / "other", rows, 2)
        (found,) = compare(one, other, whole_catalog)
    assert not found.differs
    assert found.movements == ()


def test_columns_that_came_went_or_changed_their_type_are_named(tmp_path: Path, whole_catalog: Catalog) -> None:
    rows = {"p1": {"included": True, "income_periods": 1, "pd": 0.5}}
    one, other = write(tmp_path / "one", rows, 1), write(tmp_path / "other", rows, 1)
    path = other / "risk" / "low_risk_decision.parquet"
    frame = pl.read_parquet(path).drop("pd").with_columns(pl.col("income_periods").cast(pl.String), band=pl.lit("A"))
    frame.write_parquet(path)
    (found,) = compare(one, other, whole_catalog)
    assert set(found.columns) == {"without pd", "with band", "income_periods is large_string, was int64"}
    assert found.differs


def test_a_product_of_one_release_alone(tmp_path: Path, whole_catalog: Catalog) -> None:
    one = write(tmp_path / "one", {"p1": {"included": True, "income_periods": 1, "pd": 0.5}}, 1)
    (found,) = compare(one, tmp_path / "nothing", whole_catalog)
    assert found == ProductDiff(LIST, 1, None, ("only in the first",))
    (found,) = compare(tmp_path / "nothing", one, whole_catalog)
    assert found == ProductDiff(LIST, None, 1, ("only in the second",))


@pytest.mark.slow
def test_under_another_key_rows_of_parties_match_nobody_and_others_do(two_nights: Office) -> None:
    first, second = (next(two_nights.home.releases.glob(f"{night}-*")) for night in NIGHTS)
    found = {one.product: one for one in compare(first, second, two_nights.catalog, same_names=False)}
    assert found[LIST].added is None
    assert found["shared.coverage"].changed is not None
    same = {one.product: one for one in compare(first, second, two_nights.catalog)}
    assert same.keys() == two_nights.catalog.products.keys()
    assert same[LIST].members is not None
    assert same[LIST].members.entered > 0
