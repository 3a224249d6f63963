"""What the benchmark of the audit counts, and where it holds a limit."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from benchmarks import audit, recorded
from benchmarks.command import Measured
from pipelines.release.catalogue import Release
from pipelines.settings import Home

ALONE = audit.Alone(seconds=7.0, imports=3.0, start=0.5, imported_mb=350, peak_mb=800, not_audited=())


@pytest.mark.parametrize(
    ("bare", "share", "limited_from", "kept"),
    [
        pytest.param(4.0, 0.3, 3, True, id="at both limits"),
        pytest.param(3.9, 0.3, 3, False, id="ratio"),
        pytest.param(4.0, 0.31, 3, False, id="share"),
        pytest.param(1.0, 0.9, 4, True, id="a small bank has no limit"),
    ],
)
def test_limits_are_held_where_they_are_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bare: float, share: float, limited_from: int, kept: bool
) -> None:
    monkeypatch.setattr(audit, "LIMITED_FROM", limited_from)
    home = Home(tmp_path)
    home.identity.mkdir(parents=True)
    pl.DataFrame({"party_id": [*"abcc"]}).write_parquet(home.identity / "party_crosswalk.parquet")
    release = Release(tmp_path / "release", {"rows": {"risk.customer_360": 3}})
    night = Measured({"seconds": {"evidence": share * 100, "total": 100}}, 100, 2000)
    text, found = audit.told(home, release, night, audit.Audit(ALONE, hashing=1.0, bare=bare, statements=9))
    assert found is kept
    assert f"| {6 / bare:.2f} |" in text, "hashing is on neither side"
    assert "imports take 3.0 s" in text and "takes 0.5 s to start" in text
    assert ("none is held" in text) is (limited_from > 3)


def test_a_question_is_asked_once() -> None:
    rows = "select 1 from risk__customer_360 where true"
    statements = [
        (rows, None),
        (rows, None),
        (f"{recorded._COUNTED}{rows}) as unexpected", None),
        ("create view risk__customer_360 as from read_parquet('x')", None),
        ("describe from read_parquet('x')", None),
        ("select * from duckdb_tables()", None),
    ]
    assert recorded.questions(statements) == [statements[2]]
