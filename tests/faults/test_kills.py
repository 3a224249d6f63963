"""A night that is killed: at every step's beginning, and at random moments; the night, dbt, or both at once."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from nights import Night, end_at_once, environment, processes_of, until

from pipelines.audit.content import SEAL
from pipelines.release.documents import documents_of
from pipelines.settings import Home

STEPS = (
    "landing deliveries", "writing what dbt is told", "resolving parties", "relating parties",
    "building and testing marts", "projecting products", "auditing the candidate", "publishing",
)  # fmt: skip
AFTERWARDS = "writing what people read of it"  # the release is current by then
PAGE = "data-docs/."  # how the name of one begins that is being written
PARTS = 4  # of what a publication changes, so that several workers share it
VICTIMS = (("the night",), ("dbt",), ("the night", "dbt"))

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@pytest.mark.fault("killed as a step begins")
@pytest.mark.parametrize("step", [*STEPS, AFTERWARDS])
def test_as_a_step_begins(night: Night, step: str) -> None:
    assert set(night.bank.steps) == {*STEPS, AFTERWARDS}, "the steps that a night has"
    process = night.start()
    assert until(process.stderr, f"{step} ...")
    end_at_once(list(processes_of(process).values()))
    process.wait()
    assert process.returncode < 0
    assert night.check() == (night.bank.release if step == AFTERWARDS else night.bank.eve_release)
    night.finish()
    assert documents_of(Home(night.home), night.bank.release) is not None


@pytest.mark.fault("killed within publication")
@pytest.mark.parametrize("part", range(PARTS))
def test_before_each_change_of_a_name(night: Night, tmp_path: Path, part: int) -> None:
    """Publication is killed before everything that it makes, moves, links or removes, while both consumers read.

    Of the pages for people, which it writes by the dozen once the release is current, one stands for all.
    """
    night.faults = 0
    candidate = _audited(night)
    kept = shutil.copytree(night.home, tmp_path / "audited", symlinks=True)
    _, changes = _publish_killed(night, candidate, 0, tmp_path / "all")
    assert any("releases/current" in change for change in changes)
    pages = [number for number, change in enumerate(changes, 1) if PAGE in change]
    for number in [n for n in range(1, len(changes) + 1) if n not in pages[1:]][part::PARTS]:
        shutil.rmtree(night.home)
        shutil.copytree(kept, night.home, symlinks=True)
        with night.read_by(2):
            code, told = _publish_killed(night, candidate, number, tmp_path / str(number))
            assert (code, len(told)) == (-signal.SIGKILL, number)
            night.faults += 1
            night.check()
            night.finish()
        assert night.bank.release in night.read


@pytest.mark.fault("killed at a random moment")
def test_at_a_random_moment(night: Night, kill: str) -> None:
    night.faults = int(_kill(night, kill))
    night.check()
    night.finish()


@pytest.mark.fault("killed again and again")
def test_again_and_again(night: Night, kills: list[str]) -> None:
    """One night after the other is killed in the same home, and begins with what the others left."""
    night.faults = 0
    for kill in kills:
        night.faults += _kill(night, kill)
        night.check()
    night.during = None
    night.finish()


def _audited(night: Night) -> str:
    """Run the night until its candidate is audited; the candidate's hash."""
    process = night.start()
    assert until(process.stderr, f"{STEPS[-1]} ...")
    end_at_once([process.pid])
    process.wait()
    (seal,) = night.home.glob(f"candidates/*/{SEAL}")
    return seal.parent.name


def _publish_killed(night: Night, candidate: str, number: int, book: Path) -> tuple[int, list[str]]:
    """Publish, killed before the change of that number: the exit code, and the changes until then."""
    program = [sys.executable, str(Path(__file__).with_name("dies.py")), str(night.home), str(number), str(book)]
    done = subprocess.run([*program, "releases", "publish", candidate], env=environment(), capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == (-signal.SIGKILL if number else 0), done.stderr
    return done.returncode, book.read_text().splitlines()


def _kill(night: Night, kill: str) -> bool:
    draws = random.Random(kill)
    return night.kill_at(draws.uniform(0.0, 1.0) * night.bank.seconds, draws.choice(VICTIMS))
