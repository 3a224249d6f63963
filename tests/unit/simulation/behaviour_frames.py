"""Frames of the banking emitters for the tests beside it: worlds, days, and what every frame has to be.

What belongs here: making and checking frames. What does not: what a kind of behaviour is about.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import polars as pl

from pipelines.simulation import keys
from pipelines.simulation.raw import fields_of
from pipelines.simulation.settings import load_settings
from pipelines.simulation.world import World, build_world

from .scenario_frames import contract_of, feed_of, frame, frames, violations, world

#: Dates that may lie ahead of the business date.
AHEAD = ("due_date", "matures_on")
DAYS = (0, 1, 5, 20, 31, 59, 79, 120, 365, 730, 1095)
SMALL = 2000
__all__ = ["AHEAD", "DAYS", "SMALL", "check", "contract_of", "frame", "frames", "fresh", "known", "same", "small"]


@cache
def small() -> World:
    return world(SMALL)


def fresh() -> World:
    """The same world built again: nothing kept from other tests."""
    return build_world(load_settings(), SMALL, 5)


def check(contract: str, source: str, day: int) -> pl.DataFrame:
    """Assert that a day's frame has the columns of its feed, valid rows, single keys, and nothing of the future."""
    found, stated = frame(small(), contract, source, day), contract_of(contract)
    fields = fields_of(feed_of(contract, source), stated)
    assert set(found.columns) == {field.column for field in fields}
    assert not found.select(stated.key).is_duplicated().any()
    for name in found.columns:
        if found.schema[name] == pl.Date and name not in AHEAD and len(found):
            assert found[name].max() <= small().calendar.date(day), (contract, name)
    violations(stated, found.with_columns(business_date=pl.lit(small().calendar.date(day))))
    return found


def known(kind: str, day: int) -> set[str]:
    """Keys that another delivery of `day` or before has named."""
    of = small()
    if kind == "person":
        return set(keys.party_key(False, np.flatnonzero(of.people.join <= day)))
    if kind == "party":
        return known("person", day) | set(keys.party_key(True, np.flatnonzero(of.companies.join <= day)))
    rows = np.flatnonzero(of.accounts.opened <= day)
    return set(keys.account_key(rows) if kind == "account" else keys.holding_key(rows))


def same(contract: str, source: str, day: int) -> None:
    """Assert that `day` alone is what it is after the days before it, and in a world built again."""
    alone = frame(fresh(), contract, source, day)
    other = fresh()
    for each in range(max(day - 6, 0), day):
        frame(other, contract, source, each)
    after = frame(other, contract, source, day)
    assert alone.equals(after, null_equal=True)
    assert _digest(alone) == _digest(after) == _digest(frame(small(), contract, source, day))


def _digest(found: pl.DataFrame) -> str:
    return hashlib.sha256(found.write_csv().encode()).hexdigest()
