"""Takes an identity event back, by decisions that every later run reads.

What belongs here: which records a decision must name so that an event is taken back exactly and stays so. What does
not: the file (`decisions`) and its effect (`assign`).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.identity import state
from pipelines.identity.decisions import APART, TOGETHER, Decision
from pipelines.settings import Home, InputError

EVENT_HINT = "take one from `zhongtai identity events`"


def event(home: Home, prefix: str) -> dict[str, Any]:
    """The event whose id begins with `prefix`. Raises InputError unless there is exactly one."""
    found = state.events(home).filter(pl.col("event_id").str.starts_with(prefix))
    if found.height != 1 or not prefix:
        raise InputError(f"{found.height} identity events begin with '{prefix}'; {EVENT_HINT}")
    return found.row(0, named=True)


def undo(home: Home, prefix: str, by: str, reason: str) -> list[Decision]:
    """The decisions that take an event back.

    Records that joined an existing party are kept apart from all that were in it then; records that left a party which
    went on are put together with its founder. Records that were new on that date are on neither side.
    Raises InputError for an event that is not there.
    """
    found = event(home, prefix)
    came = found["party_id"] if found["into_party_id"] != found["party_id"] else found["other_party_id"]
    went = found["into_party_id"]
    after = state.on(home, found["business_date"]).assignment
    earlier = state.before(home, found["business_date"]).assignment.select("record_ref", was="party_id")
    known = after.join(earlier, on="record_ref").select("record_ref", "party_id", "was", "own_party_id")
    moved = known.filter((pl.col("was") == came) & (pl.col("party_id") == went))["record_ref"].sort().to_list()
    others = known.filter((pl.col("was") != came) & (pl.col("party_id") == went))["record_ref"].sort().to_list()
    (founder,) = known.filter(pl.col("own_party_id") == came)["record_ref"].to_list()
    said = {"decided_by": by, "reason": reason, "event": found["event_id"]}
    decisions = []
    if others:
        decisions.append(Decision(verdict=APART, left=others, right=moved, **said))
    if founder not in moved:
        decisions.append(Decision(verdict=TOGETHER, left=[founder], right=moved, **said))
    return decisions
