"""What internal audit delivers: the operations of staff, ordinary ones and bursts of abnormal editing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.draws import codes, seconds
from pipelines.simulation.frames import delivers, pick, times
from pipelines.simulation.keys import event_key, party_key, staff_key
from pipelines.simulation.scenarios import load_scenarios
from pipelines.simulation.world import ROLES

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contract ops.audit_log lists them.
ACTIONS = ("view_customer", "edit_customer", "export_list", "approve_loan", "reset_password")
VIEW, EDIT, EXPORT = 0, 1, 2
#: Weight of each hour: work from eight to seven, and the rest of the day.
_AT_WORK = (0, 0, 0, 0, 0, 0, 0, 0, 4, 9, 10, 8, 3, 5, 9, 9, 8, 5, 2, 0, 0, 0, 0, 0)
_OFF = (1, 1, 0.5, 0.5, 0.3, 0.3, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 6, 5, 3)
_OPENS, _CLOSES = 8 * 3600, 19 * 3600


@delivers("ops.audit_log", "ops")
def audit_log(world: World, day: int, source: str) -> pl.DataFrame:
    """Operations of the day in the order of time."""
    settings, staff = load_scenarios().audit, world.staff
    rng = world.streams.of("audit", day)
    serves = (staff.hired <= day) & (staff.left > day)
    usual = np.array([settings.operations[role] for role in ROLES])[staff.role]
    works = world.calendar.is_working_day(day)
    done = rng.poisson(np.where(serves, usual * (1.0 if works else settings.closed_day), 0.0))
    edits = rng.poisson(np.where(serves & _bursts(world, day), settings.burst_edits, 0.0))
    who = np.concatenate([np.repeat(np.arange(len(staff)), done), np.repeat(np.arange(len(staff)), edits)])
    ordinary, count = int(done.sum()), len(who)
    action = np.full(count, EDIT)
    for role, name in enumerate(ROLES):
        rows = np.flatnonzero(staff.role[who[:ordinary]] == role)
        action[rows] = codes(rng, settings.mix[name], len(rows))
    off = rng.random(count) < np.where(np.arange(count) < ordinary, settings.overtime, settings.burst_off_hours)
    moment = np.where(off, seconds(rng, _OFF, count), seconds(rng, _AT_WORK, count))
    exported = np.ceil(settings.export_median * np.exp(settings.export_sigma * rng.standard_normal(count)))
    customers = np.flatnonzero(world.people.join <= day)
    party = party_key(False, customers[rng.integers(0, len(customers), count)])
    order = np.argsort(moment, kind="stable")
    columns = pl.DataFrame({
        "staff_key": staff_key(who).cast(pl.String),
        "event_time": times(world, day, moment),
        "action": pick(ACTIONS, action),
        "party_key": party.cast(pl.String),
        "record_count": np.where(action == EXPORT, exported, 1).astype(np.int64),
        "is_off_hours": (moment < _OPENS) | (moment >= _CLOSES) | (not works),
    })  # fmt: skip
    # An export concerns a list, not one customer.
    listed = pl.when(pl.col("action") != "export_list").then("party_key").alias("party_key")
    return columns[order].with_columns(listed).insert_column(0, event_key("OP", day, count).alias("event_key"))


def _bursts(world: World, day: int) -> np.ndarray:
    """Which abnormal staff are in a burst: some days of a month, from a day drawn for the month."""
    settings, staff, month = load_scenarios().audit, world.staff, world.calendar.month(day)
    rng, length = world.streams.of("audit.bursts", month), settings.burst_days
    first = world.calendar.first_of_month(month)
    happens = staff.abnormal & (rng.random(len(staff)) < settings.burst_monthly)
    begins = first + rng.integers(0, world.calendar.first_of_month(month + 1) - first - length, len(staff))
    return happens & (begins <= day) & (day < begins + length)
