"""Homes of whole runs, made once per session."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from homes import copied
from simulated import BEFORE, LATE, NEXT, NIGHT, START, Simulated, world


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
def simbank(zhongtai, tmp_path_factory) -> Simulated:
    """The simulated bank night by night: what is late and what is corrected comes as it would."""
    place = tmp_path_factory.mktemp("simbank")
    home, runs = place / "home", {}

    def night(name: str, *arguments: str, first: date | None = None, last: date) -> None:
        simulated = zhongtai(*world(last, first), home=home)
        assert simulated.code == 0, simulated.err
        runs[name] = ran(zhongtai(*arguments, "--bank", "simbank", "--json", home=home))

    night("late", "backfill", "--to", f"{LATE}", first=START, last=LATE)
    night("next", "nightly", "--date", f"{NEXT}", last=NEXT)
    night("corrected", "backfill", "--from", f"{LATE}", "--to", f"{BEFORE}", last=BEFORE)
    before = copied(home, place / "before")
    night("last", "nightly", "--date", f"{NIGHT}", last=NIGHT)
    return Simulated(home, before, runs)


@pytest.fixture(scope="session")
def matured(zhongtai, tmp_path_factory) -> Path:
    """The simulated bank after seven months, in which income and arrears have a history: two backfills.

    Published at the end of May and of July: what marketing keeps of the one can be joined with the other.
    """
    home = tmp_path_factory.mktemp("matured") / "home"
    through = "2025-07-31"
    simulated = zhongtai("simulate", "--customers", "3000", "--seed", "5", "--from", "2025-01-01", "--to", through,
                         "--history-to", through, home=home)  # fmt: skip
    assert simulated.code == 0, simulated.err
    for last in ("2025-05-31", through):
        ran(zhongtai("backfill", "--bank", "simbank", "--to", last, "--json", home=home))
    return home


@pytest.fixture(scope="session")
def simbank_postgres(zhongtai) -> Iterator[tuple[Path, str]]:
    """The same bank through the first night, with its CRM in a PostgreSQL server: the home, and where the server is."""
    # Not below pytest's own folder, which every session closes to others; run by root, the server is another user.
    with tempfile.TemporaryDirectory() as place:
        home = Path(place) / "home"
        try:
            simulated = zhongtai(*world(LATE, START, "--crm", "postgres"), home=home)
            assert simulated.code == 0, simulated.err
            (url,) = re.findall(r"SIMBANK_CRM_URL='([^']+)'", simulated.out)
            bank = ("--bank", "simbank_postgres", "--to", f"{LATE}", "--json")
            ran(zhongtai("backfill", *bank, home=home, SIMBANK_CRM_URL=url))
            yield home, url
        finally:
            if (pid := home / "simulated/crm/postmaster.pid").exists():
                os.kill(int(pid.read_text().split()[0]), signal.SIGINT)


@pytest.fixture(scope="session")
def pkdd99_home(zhongtai, tmp_path_factory) -> Path:
    """The PKDD'99 bank with one release for each date that the oracle recomputes."""
    from oracle_pkdd99 import DATES

    home = tmp_path_factory.mktemp("pkdd99") / "home"
    for day in DATES:
        assert isinstance(day, date)
        ran(zhongtai("nightly", "--bank", "pkdd99", "--date", day.isoformat(), "--json", home=home))
    return home
