"""Homes of whole runs, made once per session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Published:
    """A home, and what each run of it printed."""

    home: Path
    runs: dict[str, dict[str, Any]]


def ran(call: Any) -> dict[str, Any]:
    """The outcome of a run that must have published."""
    assert call.code == 0, call.err + call.out
    return call.json


@pytest.fixture(scope="session")
def xiaocheng(zhongtai, tmp_path_factory) -> Published:
    """The invented bank: a backfill through the day before its last, then its last night."""
    home = tmp_path_factory.mktemp("xiaocheng") / "home"
    backfill = ran(zhongtai("backfill", "--bank", "xiaocheng", "--to", "2025-12-30", "--json", home=home))
    nightly = ran(zhongtai("nightly", "--date", "2025-12-31", "--json", home=home))
    return Published(home, {"backfill": backfill, "nightly": nightly})


@pytest.fixture(scope="session")
def pkdd99_home(zhongtai, tmp_path_factory) -> Path:
    """The PKDD'99 bank with one release for each date that the oracle recomputes."""
    from oracle_pkdd99 import DATES

    home = tmp_path_factory.mktemp("pkdd99") / "home"
    for day in DATES:
        assert isinstance(day, date)
        ran(zhongtai("nightly", "--bank", "pkdd99", "--date", day.isoformat(), "--json", home=home))
    return home
