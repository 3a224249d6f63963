"""What a fault is tried on, how many are tried, and the table of what came of them."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from nights import Bank, Disk, Night, Place, made, read_back, small_disk

from benchmarks.command import machine

_COUNTS = ("tried", "survived", "lost", "torn")
_HEAD = ["| fault | tried | survived | releases lost | torn reads | measured |", "|---|---:|---:|---:|---:|---|"]
_PAGE = """# Faults that were tried

A bank publishes one release, and something happens to its next night, or to the home it runs in: real processes, real
signals, a real disk that is full. After each fault the release before it is current still and verifies whole, nothing
that is half done can be read, and the next plain `zhongtai nightly` finishes with the same bytes as a night that
nothing happened to. A fault survived is one after which all of that held. A release is lost where the current one is
not found or does not verify; a read is torn where a reader saw anything but one whole release.

Random moments are drawn from the time of an undisturbed night, and are reached by the steps that a night says it
begins, so that a slower one is killed as far on; the night, dbt, or both at once are killed. *Again and again* are four
nights in one home, each killed, of which only the one after them is let be. *Within publication* it is killed before
each name that it makes, moves, links or removes, while programs of both consumers read: what is read in between is held
against the manifest, file by file and table by table, as it is where many read over and over.

{machine}
The seed gives the same moments and victims again; a run of some faults (`FAULTS=tests/faults/test_kills.py`) renews
their rows.

{table}
"""
_IN_A_ROW = 4  # nights that are killed in one home, before one is let be
_OF_KILLS = 40  # random kills, for each such row


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--kills", type=int, default=20, help="how many nights are killed at a random moment")
    group.addoption("--at-once", type=int, default=10, help="how many read, while so many releases are published")
    group.addoption("--sample", type=int, help="how many of the other faults are tried, drawn by the seed: else all")
    group.addoption("--seed", type=int, default=1, help="which moments, and which processes")
    group.addoption("--table", type=Path, help="file to write the table of faults to")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    seed, kills = metafunc.config.getoption("--seed"), metafunc.config.getoption("--kills")
    if "kill" in metafunc.fixturenames:
        metafunc.parametrize("kill", [f"{seed}-{number}" for number in range(kills)])
    if "kills" in metafunc.fixturenames:
        rows = range(-(-kills // _OF_KILLS))
        each = [[f"{seed}-{row}-{number}" for number in range(_IN_A_ROW)] for row in rows]
        metafunc.parametrize("kills", each, ids=[f"{seed}-{row}" for row in rows])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    sample = config.getoption("--sample")
    others = [item.nodeid for item in items if item.get_closest_marker("fault") and not _is_random(item)]
    if sample is None or sample >= len(others):
        return
    drawn = random.Random(config.getoption("--seed")).sample(others, sample)
    left_out = [item for item in items if item.nodeid in others and item.nodeid not in drawn]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_random(item: pytest.Item) -> bool:
    return bool({"kill", "kills"} & set(getattr(item, "fixturenames", ())))


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


@pytest.fixture(scope="session")
def place(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where the nights of this worker find a home."""
    return Place.like(bank, tmp_path_factory.getbasetemp() / "of-nights")


@pytest.fixture
def night(bank: Bank, place: Place, request: pytest.FixtureRequest) -> Iterator[Night]:
    """The last night, not yet run, in a home that was made anew."""
    with _told(request, Night(bank, place.fresh())) as of_test:
        yield of_test


@pytest.fixture
def disk(bank: Bank, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Night, Disk]]:
    """The last night, not yet run, in a home on a disk of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a disk needs root")
    with small_disk(tmp_path / "disk") as disk:
        home = Path(shutil.copytree(bank.eve, disk.place / "home", symlinks=True))
        with _told(request, Night(bank, home)) as of_test:
            yield of_test, disk


@contextmanager
def _told(request: pytest.FixtureRequest, night: Night) -> Iterator[Night]:
    try:
        yield night
    finally:
        night.end()
        told = {"fault": request.node.get_closest_marker("fault").args[0], "during": night.during}
        counts = {"tried": night.faults, "lost": night.lost, "torn": night.torn}
        request.node.user_properties.append(("faults", told | counts))


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # of a part of the faults; the process that hears of all writes the table
    told: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_COUNTS, 0))
    tried = set()
    bodies = {report.nodeid: report.outcome == "passed" for outcome in ("passed", "failed")
              for report in terminalreporter.stats.get(outcome, ()) if report.when == "call"}  # fmt: skip
    for report in (each for reports in terminalreporter.stats.values() for each in reports):
        found = dict(getattr(report, "user_properties", ()) or ()).get("faults")
        if found is None or getattr(report, "when", None) != "teardown":
            continue
        tried.add(found["fault"])
        row = told[": ".join(filter(None, (found["fault"], found["during"])))]
        row["survived"] += found["tried"] * bodies.get(report.nodeid, False)
        for name in ("tried", "lost", "torn"):
            row[name] += found[name]
    if not told:
        return
    seed, kills, at_once = (config.getoption(name) for name in ("--seed", "--kills", "--at-once"))
    with_seed = f"{date.today()}, seed {seed}"
    rows = {name: (*row.values(), with_seed) for name, row in sorted(told.items())}
    terminalreporter.write_sep("=", f"faults: seed {seed}, {kills} random kills")
    for line in _table(rows):
        terminalreporter.write_line(line)
    if place := config.getoption("--table"):
        others = {name: row for name, row in _rows(place).items() if name.partition(":")[0] not in tried}
        command = f"make faults KILLS={kills} AT_ONCE={at_once} SEED={seed}"
        page = _PAGE.format(machine=machine(command), table="\n".join(_table(dict(sorted((others | rows).items())))))
        place.write_text(page, "utf-8")


def _table(rows: dict[str, tuple[Any, ...]]) -> list[str]:
    every = *(sum(row[number] for row in rows.values()) for number in range(len(_COUNTS))), ""
    return [*_HEAD, *(f"| {' | '.join(map(str, (name, *row)))} |" for name, row in (rows | {"all": every}).items())]


def _rows(page: Path) -> dict[str, tuple[Any, ...]]:
    """Of the table in `page`, where there is one."""
    lines = page.read_text("utf-8").splitlines() if page.is_file() else []
    cells = [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines if line.startswith("| ")]
    return {
        name: (*map(int, counts), measured)
        for name, *counts, measured in (row for row in cells if len(row) == len(_COUNTS) + 2)
        if counts[0].isdigit() and name != "all"
    }
