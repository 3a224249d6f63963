"""What a fault is tried on, how many are tried, and the table of what came of them."""

from __future__ import annotations

import fcntl
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nights import Bank, Disk, Night, made, read_back, small_disk

from benchmarks.command import machine

_COUNTS = ("lost", "torn")
_PAGE = """# Faults that were tried

A bank publishes one release, and something happens to its next night, or to the home it runs in: real processes, real
signals, a real disk that is full. After each fault the release before it is current still and verifies whole, nothing
that is half done can be read, and the next plain `zhongtai nightly` finishes with the same bytes as a night that
nothing happened to. Random kills come four in a row in one home: after each the release is verified and the next night
goes on from what is left, and the one after the fourth is let be, and compared. A fault survived is one after which all
of that held. A release is lost where the current one is
not found or does not verify; a read is torn where a reader saw anything but one whole release.

{machine}
The seed gives the same moments (as shares of a night) and victims again.

{table}
"""
_IN_A_ROW = 4  # nights that are killed in one home, before one is let be


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--kills", type=int, default=20, help="how many nights are killed at a random moment")
    group.addoption("--at-once", type=int, default=10, help="how many read, while so many releases are published")
    group.addoption("--seed", type=int, default=1, help="which moments, and which processes")
    group.addoption("--table", type=Path, help="file to write the table of faults to")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kills" in metafunc.fixturenames:
        seed, kills = metafunc.config.getoption("--seed"), metafunc.config.getoption("--kills")
        names = [f"{seed}-{number}" for number in range(kills)]
        rows = [names[first : first + _IN_A_ROW] for first in range(0, kills, _IN_A_ROW)]
        metafunc.parametrize("kills", rows, ids=lambda row: f"{row[0]}..{row[-1]}")


@pytest.fixture
def at_once(request: pytest.FixtureRequest) -> int:
    """How many programs read while so many releases are published."""
    return int(request.config.getoption("--at-once"))


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """A home before its last night, and what an undisturbed last night comes to. Made once, also under `-n`."""
    root = tmp_path_factory.getbasetemp()
    shared = root.parent if os.environ.get("PYTEST_XDIST_WORKER") else root
    descriptor = os.open(shared / "faults.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        book = shared / "faults.json"
        if not book.exists():
            book.write_text(json.dumps(made(shared / "faults")))
        return read_back(json.loads(book.read_text()))
    finally:
        os.close(descriptor)


@pytest.fixture
def night(bank: Bank, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Night]:
    """The last night, not yet run, in a home of its own."""
    with _told(request, Night(bank, tmp_path / "home")) as of_test:
        yield of_test


@pytest.fixture
def disk(bank: Bank, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Night, Disk]]:
    """The last night, not yet run, in a home on a disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a disk needs root")
    with small_disk(tmp_path / "disk") as disk, _told(request, Night(bank, disk.place / "home")) as of_test:
        yield of_test, disk


@contextmanager
def _told(request: pytest.FixtureRequest, night: Night) -> Iterator[Night]:
    try:
        yield night
    finally:
        night.end()
        fault = request.node.get_closest_marker("fault").args[0]
        told = {"fault": fault, "tried": night.faults, "lost": night.lost, "torn": night.torn}
        request.node.user_properties.append(("faults", told))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    told: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("tried", "survived", *_COUNTS), 0))
    bodies = {report.nodeid: report.outcome == "passed" for outcome in ("passed", "failed")
              for report in terminalreporter.stats.get(outcome, ()) if report.when == "call"}  # fmt: skip
    for report in (each for reports in terminalreporter.stats.values() for each in reports):
        found = dict(getattr(report, "user_properties", ()) or ()).get("faults")
        if found is None or getattr(report, "when", None) != "teardown":
            continue
        row = told[found["fault"]]
        row["tried"] += found["tried"]
        row["survived"] += found["tried"] * bodies.get(report.nodeid, False)
        for name in _COUNTS:
            row[name] += found[name]
    if not told:
        return
    total = {name: sum(row[name] for row in told.values()) for name in ("tried", "survived", *_COUNTS)}
    lines = ["| fault | tried | survived | releases lost | torn reads |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {name} | {' | '.join(str(n) for n in row.values())} |" for name, row in {**told, "all": total}.items()
    ]
    seed, kills = config.getoption("--seed"), config.getoption("--kills")
    terminalreporter.write_sep("=", f"faults: seed {seed}, {kills} random kills")
    for line in lines:
        terminalreporter.write_line(line)
    if place := config.getoption("--table"):
        command = f"make faults KILLS={kills} AT_ONCE={config.getoption('--at-once')} SEED={seed}"
        place.write_text(_PAGE.format(machine=machine(command), table="\n".join(lines)), "utf-8")
