"""A night that was refused leaves nothing to the next one: neither what it built, nor the belief that it is right."""

from __future__ import annotations

import shutil

import polars as pl
import pytest
from homes import copied, published_bytes

from pipelines.settings import Home
from pipelines.warehouse.unfinished import unfinished_since

LAST, SPOILED = "2025-12-31", "2025-11-11"


@pytest.mark.slow
def test_what_a_spoiled_past_made_is_published_by_no_later_night(xiaocheng, zhongtai, tmp_path):
    home = copied(xiaocheng.home, tmp_path / "home")
    before = published_bytes(home)
    path = next((home / "lake" / "core.transaction").glob(f"*/business_date={SPOILED}/part.parquet"))
    landed = path.read_bytes()
    pl.read_parquet(path, hive_partitioning=False).head(3).write_parquet(path)
    shutil.rmtree(home / "warehouse")  # every fact is written anew, and its digest with it, before it is reconciled

    for _ in range(2):
        night = zhongtai("nightly", "--date", LAST, "--json", home=home)
        assert (night.code, night.json["status"]) == (3, "refused"), "the facts of a past that is spoiled"
        assert "reconciliation" in night.err and published_bytes(home) == before

    path.write_bytes(landed)
    night = zhongtai("nightly", "--date", LAST, "--json", home=home)
    assert night.code == 0, night.err
    assert published_bytes(home) == before
    assert night.json["release"] == xiaocheng.runs["nightly"]["release"]
    assert unfinished_since(Home(home)) is None
