"""What the simulation writes is what ingest reads: for every feed of the simulated bank, value by value."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest
from project import project_catalog

from pipelines.ingest.deliveries import Delivery as Delivered
from pipelines.ingest.map import map_rows
from pipelines.ingest.read import read_delivery
from pipelines.simulation import delivery
from pipelines.simulation.lines import dressed
from pipelines.simulation.raw import fields_of
from pipelines.simulation.text import SEPARATOR, csv_of, json_columns

from .invented import DAY, frame_of

CATALOG = project_catalog()
FEEDS = {f"{feed.source}/{feed.contract}": feed for feed in CATALOG.feeds("simbank")}


def written(feed, deliveries: Path, *frames: pl.DataFrame) -> delivery.Delivery:
    file = delivery.daily(feed, CATALOG.contract(feed.contract), deliveries, DAY)
    for frame in frames:
        file.add(frame)
    file.close()
    return file


def read_back(feed, deliveries: Path) -> tuple[pl.DataFrame, object]:
    flag = deliveries / feed.daily.flag.format(date=DAY) if feed.daily.flag else None
    path = deliveries / feed.daily.path.format(date=DAY)
    delivered = Delivered(feed, CATALOG.contract(feed.contract), DAY, path, flag)
    with duckdb.connect() as con:
        rows = read_delivery(con, delivered, "delivery")
        assert rows.unsplit == []
        map_rows(con, delivered, rows)
        return con.execute("select * exclude (_failed) from mapped order by _line").pl(), rows.declared


def expected(feed, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame as the contract's types have it."""
    contract, columns = CATALOG.contract(feed.contract), {}
    for field in fields_of(feed, contract):
        if field.column in {column.name for column in contract.columns}:
            values = frame[field.column]
            values = values.cast(pl.String) if isinstance(values.dtype, pl.Enum) else values
            if field.places is not None:
                values = pl.Series([None if v is None else v / 10**field.places for v in values], dtype=pl.Float64)
            columns[field.column] = values
    return pl.DataFrame(columns)


@pytest.mark.parametrize("name", FEEDS)
@pytest.mark.parametrize("rows", [0, 41])
def test_ingest_reads_what_was_written(name, rows, tmp_path):
    feed = FEEDS[name]
    frame = frame_of(feed, CATALOG.contract(feed.contract), rows)
    file = written(feed, tmp_path, frame.head(17), frame.slice(17))
    assert file.rows == rows and file.path.stat().st_mode & 0o777 == 0o600
    mapped, declared = read_back(feed, tmp_path)
    wanted = expected(feed, frame)
    for column in wanted.columns:
        got = mapped[column]
        got = got.cast(pl.Float64) if got.dtype.is_decimal() else got
        assert got.to_list() == wanted[column].to_list(), column
    assert mapped["_known"].null_count() == 0 and not mapped["_deleted"].any()
    if feed.format.trailer:
        assert declared.rows == rows
        for column, total in declared.sums.items():
            assert float(total) == pytest.approx(frame[column].sum() / 100)


@pytest.mark.parametrize("name", ["core/core.party", "lending/loan.guarantee", "taobu/ecommerce.order"])
def test_many_rows_are_written_like_few(name, tmp_path):
    feed = FEEDS[name]
    frame = frame_of(feed, CATALOG.contract(feed.contract), 300)
    written(feed, tmp_path / "whole", frame)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.simulation.writers._ROWS", 7)
        patch.setattr("pipelines.simulation.raw._MANY", 5)
        written(feed, tmp_path / "parts", *frame.iter_slices(100))
    path = feed.daily.path.format(date=DAY)
    assert (tmp_path / "whole" / path).read_bytes() == (tmp_path / "parts" / path).read_bytes()


def test_the_bytes_are_those_of_the_agreed_format(tmp_path):
    feed = FEEDS["cards/card.statement"]
    frame = frame_of(feed, CATALOG.contract(feed.contract), 2).with_columns(statement_balance=pl.Series([5, 123_456]))
    lines = written(feed, tmp_path, frame).path.read_bytes().decode("gb18030").split("\n")
    assert lines[0].split("|")[4] == "0.05" and lines[1].split("|")[4] == "1234.56"
    assert len(lines[0].split("|")[2]) == 8 and lines[2:] == ["T|2|1234.61", ""]
    feed = FEEDS["crm/crm.customer"]
    raw = written(feed, tmp_path, frame_of(feed, CATALOG.contract(feed.contract), 2)).path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfCUSTOMER_KEY,PARTY_KEY,") and b",CREATED_ON,UPDATED_ON,OP\n" in raw
    feed = FEEDS["market_west/market.daily_turnover"]
    frame = frame_of(feed, CATALOG.contract(feed.contract), 1).with_columns(turnover=pl.Series([-250]))
    row, trailer, _ = written(feed, tmp_path, frame).path.read_bytes().split(b"\n")
    assert len(row) == sum(feed.format.widths.values()) and b"             -2.50" in row
    assert trailer == b"T000000000001               -2.50"
    feed = FEEDS["social_security/social_security.contribution"]
    raw = written(feed, tmp_path, frame_of(feed, CATALOG.contract(feed.contract), 2)).path.read_bytes()
    assert raw[4:8] == bytes(4) and gzip.decompress(raw).startswith(b"contribution_key,national_id,")


def test_a_value_that_would_split_otherwise_is_refused(tmp_path):
    feed = FEEDS["core/core.party"]
    frame = frame_of(feed, CATALOG.contract(feed.contract), 3)
    with pytest.raises(ValueError, match="holds"):
        written(feed, tmp_path, frame.with_columns(address=pl.lit("a|b")))
    feed = FEEDS["lending/loan.guarantee"]
    frame = frame_of(feed, CATALOG.contract(feed.contract), 3)
    with pytest.raises(ValueError, match="GUAR_NAME: a value is longer than 60 bytes"):
        written(feed, tmp_path, frame.with_columns(guarantor_name=pl.lit("王" * 31)))


def test_a_file_that_is_not_completed_is_not_there(tmp_path):
    feed = FEEDS["core/core.party"]
    file = delivery.daily(feed, CATALOG.contract(feed.contract), tmp_path, DAY)
    file.add(frame_of(feed, CATALOG.contract(feed.contract), 3))
    assert not file.path.exists()
    file.abandon()
    assert list(file.path.parent.iterdir()) == []


@pytest.mark.parametrize("name", ["core/core.party", "core/core.standing_order", "lending/loan.contract"])
def test_lines_that_were_kept_are_the_lines_of_the_rows(name, tmp_path):
    feed = FEEDS[name]
    contract, rows = CATALOG.contract(feed.contract), np.array([0, 3, 4, 40, 2])
    frame = frame_of(feed, contract, 41)
    anew = written(feed, tmp_path / "anew", frame[rows])
    kept = delivery.daily(feed, contract, tmp_path / "kept", DAY)
    kept.add_lines(dressed(feed.format, fields_of(feed, contract), frame), frame, rows)
    kept.close()
    assert kept.path.read_bytes() == anew.path.read_bytes() and kept.rows == anew.rows


def test_json_is_what_it_says_with_missing_values_and_marks_in_text():
    codes = pl.Enum(["a", 'b"'])
    rows = pl.DataFrame({
        "text": ['x"y', "z\\", "城"], "none": [None, "q", None], "code": pl.Series(["a", 'b"', "a"], dtype=codes),
        "gap": pl.Series([None, "a", 'b"'], dtype=codes), "number": [1, None, 3], "truth": [True, None, False],
    })  # fmt: skip
    lines = csv_of(json_columns(rows.columns, rows), SEPARATOR).decode().splitlines()
    assert [json.loads(line) for line in lines] == rows.to_dicts()
