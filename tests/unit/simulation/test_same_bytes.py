"""The whole simulated bank: the same bytes twice, and ten days at once as ten days one by one."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path

import pytest
from project import project_catalog

from pipelines.simulation.book import Request
from pipelines.simulation.run import simulate

CATALOG = project_catalog()
START, DAYS = date(2025, 1, 1), 10


def run(out: Path, last: int, seed: int = 9) -> None:
    simulate(Request(out=out, customers=500, seed=seed, last=START + timedelta(days=last)), CATALOG)


def hashes(out: Path) -> dict[str, str]:
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*") if path.is_file()
    }  # fmt: skip


@pytest.mark.slow
def test_ten_days_at_once_are_ten_days_one_by_one_and_another_seed_is_another_bank(tmp_path: Path) -> None:
    run(tmp_path / "once", DAYS - 1)
    run(tmp_path / "again", DAYS - 1)
    for last in range(DAYS):
        run(tmp_path / "steps", last)
    run(tmp_path / "other", DAYS - 1, seed=10)
    once = hashes(tmp_path / "once")
    assert once == hashes(tmp_path / "again") == hashes(tmp_path / "steps")
    assert len(once) > 40 * DAYS
    other, drawn = hashes(tmp_path / "other"), ("core/party.txt", "core/transaction.txt")
    assert not [name for name in once if name.endswith(drawn) and once[name] == other.get(name)]
