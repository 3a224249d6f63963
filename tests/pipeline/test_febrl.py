"""Febrl4, which others made, through our model, training and clusters: as good as Splink's own, without a label."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks import febrl

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def frame(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return febrl.records(tmp_path_factory.mktemp("febrl"))


@pytest.fixture(scope="module")
def pairs(frame: pl.DataFrame) -> pl.DataFrame:
    return febrl.scored(frame)[1]


def test_the_records_are_those_of_the_task(frame: pl.DataFrame) -> None:
    assert frame.height == 10_000
    assert frame.group_by("person").agg(pl.len(), pl.col("is_old").sum()).select("len", "is_old").unique().rows() == [
        (2, 1)
    ]


@pytest.mark.parametrize("threshold", febrl.THRESHOLDS.values(), ids=febrl.THRESHOLDS)
def test_a_threshold_fixed_beforehand_is_enough(frame: pl.DataFrame, pairs: pl.DataFrame, threshold: float) -> None:
    assert febrl.measured(frame, pairs, threshold).f1 >= 0.995


def test_the_best_threshold_is_no_worse_than_what_splink_publishes(frame: pl.DataFrame, pairs: pl.DataFrame) -> None:
    assert febrl.best(frame, pairs)[1].f1 >= febrl.PUBLISHED


def test_the_measure_sees_labels_that_are_wrong(frame: pl.DataFrame, pairs: pl.DataFrame) -> None:
    shuffled = frame.with_columns(person=pl.col("person").shuffle(seed=1))
    assert febrl.measured(shuffled, pairs, 0.0).f1 < 0.01
