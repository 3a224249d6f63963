"""What works in one home at the same time: two nights, readers beside publications, a reader beside the collector."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from nights import Night, command, environment, until

from pipelines.release.catalogue import current
from pipelines.settings import PROJECT, Home

HOLDER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.read()
"""
LEAVES_ONE = {"releases: 35 ": "releases: 1 ", "month_ends: 36 ": "month_ends: 0 "}

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@pytest.mark.fault("two nights at once")
@pytest.mark.parametrize("step", ["landing deliveries", "building and testing marts", "auditing the candidate"])
def test_a_night_beside_a_night(night: Night, step: str) -> None:
    """The second says who works there, and the first does not notice."""
    first = night.start()
    assert until(first.stderr, f"{step} ...")
    os.kill(first.pid, signal.SIGSTOP)  # or it might have ended before the second is there
    code, said = night.run()
    assert (code, "Traceback" in said) == (2, False), said
    assert f"another run works in {night.home} (process {first.pid})" in said
    assert night.check() == night.bank.eve_release
    os.kill(first.pid, signal.SIGCONT)
    _, said = first.communicate()
    assert first.returncode == 0, said
    assert night.check() == night.bank.release
    night.finish()


@pytest.mark.fault("two nights begun at once")
def test_two_nights_that_begin_at_once(night: Night) -> None:
    """One is the night, whichever came first."""
    both = [night.start(), night.start()]
    said = [process.communicate()[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], said
    assert night.check() == night.bank.release
    night.finish()


@pytest.mark.fault("read by many while published, over and over")
def test_readers_beside_publications(night: Night, at_once: int) -> None:
    """As many programs as publications read what is current; each publication goes back to the release before.

    The last goes back to the night's: a night that is run again does not undo what somebody went back to.
    """
    night.faults = at_once
    night.finish()
    ends = night.bank.eve_release, night.bank.release
    with night.read_by(at_once):
        for number in range(at_once + at_once % 2):
            done = subprocess.run(
                command(night.home, "releases", "rollback", ends[number % 2], "--reason", "the drill"),
                env=environment(), capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
    assert len(night.read) > at_once // 2, "nothing was published meanwhile"
    night.complete()
    night.check(current(Home(night.home)).id)


@pytest.mark.fault("a reader while releases are removed")
def test_a_reader_beside_the_collector(night: Night, tmp_path: Path) -> None:
    """A release that somebody reads stays, and says who; once nobody does it is removed."""
    night.finish()
    contracts = _contracts_that_keep_one(tmp_path / "contracts")
    old = night.home / "releases" / night.bank.eve_release
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(old / "risk" / "risk.duckdb")],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:  # fmt: skip
        assert until(holder.stdout, "open")
        said = _removed(night.home, contracts)
        assert night.bank.eve_release in said and str(holder.pid) in said, said
        assert (old / "manifest.json").is_file()
        assert holder.communicate()[0] == ""
    _removed(night.home, contracts)
    assert not old.exists()
    night.complete()  # with other evidence: what it is held against is less
    night.check(current(Home(night.home)).id)


def _contracts_that_keep_one(place: Path) -> Path:
    """The contracts of the project, under a policy that keeps one release."""
    shutil.copytree(PROJECT / "data_contracts", place)
    policy = (place / "policy.yaml").read_text("utf-8")
    for now, then in LEAVES_ONE.items():
        assert now in policy
        policy = policy.replace(now, then)
    (place / "policy.yaml").write_text(policy, "utf-8")
    return place


def _removed(home: Path, contracts: Path) -> str:
    done = subprocess.run(
        command(home, "releases", "gc", "--yes"), env=environment() | {"ZHONGTAI_CONTRACTS": str(contracts)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
