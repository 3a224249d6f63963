"""A night that is killed: at every step's beginning, and at random moments; the night, dbt, or both at once."""

from __future__ import annotations

import random

import pytest
from nights import Night, end_at_once, processes_of, until

from pipelines.release.documents import documents_of
from pipelines.settings import Home

STEPS = (
    "landing deliveries", "writing what dbt is told", "resolving parties", "relating parties",
    "building and testing marts", "projecting products", "auditing the candidate", "publishing",
)  # fmt: skip
AFTERWARDS = "writing what people read of it"  # the release is current by then
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


def _kill(night: Night, kill: str) -> bool:
    draws = random.Random(kill)
    return night.kill_at(draws.uniform(0.0, 1.0) * night.bank.seconds, draws.choice(VICTIMS))
