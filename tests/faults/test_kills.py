"""A night that is killed: at every step's beginning, and at random moments; the night, dbt, or both at once."""

from __future__ import annotations

import random
import subprocess

import pytest
from nights import Night, end_at_once, processes_of, until

STEPS = (
    "landing deliveries", "writing what dbt is told", "resolving parties", "relating parties",
    "building and testing marts", "projecting products", "auditing the candidate", "publishing",
)  # fmt: skip
VICTIMS = (("the night",), ("dbt",), ("the night", "dbt"))

pytestmark = [pytest.mark.slow, pytest.mark.faults]


@pytest.mark.fault("killed as a step begins")
@pytest.mark.parametrize("step", STEPS)
def test_as_a_step_begins(night: Night, step: str) -> None:
    assert set(night.bank.steps) == set(STEPS), "the steps that a night has"
    process = night.start()
    assert until(process.stderr, f"{step} ...")
    end_at_once(list(processes_of(process).values()))
    process.wait()
    assert process.returncode < 0
    assert night.check() == night.bank.eve_release
    night.finish()


@pytest.mark.fault("killed at a random moment")
def test_at_random_moments(night: Night, kills: list[str]) -> None:
    """One night after the other is killed in the same home, until one is let be."""
    night.faults = 0
    for kill in kills:
        draws = random.Random(kill)
        process, victims = night.start(), draws.choice(VICTIMS)
        try:
            process.communicate(timeout=draws.uniform(0.0, 1.0) * night.bank.seconds)
        except subprocess.TimeoutExpired:  # it has not ended by then, as is meant
            found = processes_of(process)
            end_at_once([found[name] for name in victims if name in found] or [process.pid])
            process.communicate()
            night.faults += 1
        night.check()
    night.finish()
