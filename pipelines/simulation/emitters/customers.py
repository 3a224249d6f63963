"""What the CRM delivers: its customers at first, then those who are new, changed or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import identifiers
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.records import citizens, records_of
from pipelines.simulation.records.customers import Changes, crm_changes, investor_levels
from pipelines.simulation.records.mistakes import replaced

if TYPE_CHECKING:
    from pipelines.simulation.world import World


@delivers("crm.customer", "crm")
def customers(world: World, day: int, source: str) -> pl.DataFrame:
    """Records created, changed or deleted on `day`; on the first day all that there are."""
    records, changes = records_of(world, "crm"), crm_changes(world)
    since = records["since"].to_numpy()
    there = (since <= day) & (changes.deleted > day)
    if day == 0:
        touched = there
    else:
        touched = there & ((since == day) | _changed(changes, day)) | ((changes.deleted == day) & (since < day))
    rows = np.flatnonzero(touched)
    return _as_of(world, day, rows).with_columns(
        UPDATED_ON=dates(world, np.full(len(rows), day)),
        OP=pick(("U", "D"), changes.deleted[rows] == day),
    )


def _changed(changes: Changes, day: int) -> np.ndarray:
    assessed = changes.assessments(day) > changes.assessments(day - 1)
    return (changes.moved == day) | (changes.phone == day) | assessed


def _as_of(world: World, day: int, rows: np.ndarray) -> pl.DataFrame:
    """Records (rows) as they are on `day`."""
    records, changes, people = records_of(world, "crm")[rows], crm_changes(world), world.people
    person = records["person"].to_numpy()
    moved = np.flatnonzero(changes.moved[rows] <= day)
    district = people.district[person].astype(np.int64)
    district[moved] = world.streams.of("records.crm.new_district").integers(0, len(world.districts), len(people))[
        person[moved]
    ]
    called = np.flatnonzero(changes.phone[rows] <= day)
    new = _new_phones(world, records["phone"].gather(called), person[called])
    number = changes.assessments(day)[rows]
    last = np.where(number > 0, changes.assessed[rows] + (number - 1) * changes.every[rows].astype(np.int64), NEVER)
    return pl.DataFrame({
        "customer_key": records["key"],
        "party_key": records["party_key"],
        "full_name": records["name"],
        "national_id": records["national_id"],
        "phone": replaced(records["phone"], called, new),
        "email": records["email"],
        "address": replaced(records["address"], moved, citizens.later_homes(world, person[moved], district[moved])),
        "district_key": pick([each.key for each in world.districts], district),
        "occupation": records["occupation"],
        "employer_name": records["employer_name"],
        "education": records["education"],
        "marital_status": records["marital_status"],
        "household_size": records["household_size"],
        "annual_income": records["annual_income"],
        "channel_preference": records["channel_preference"],
        "investor_risk_level": _or_null(investor_levels(world, rows, number)),
        "risk_assessed_on": dates(world, last),
        "manager_key": records["manager_key"],
        "created_on": dates(world, records["since"].to_numpy()),
    })  # fmt: skip


def _new_phones(world: World, before: pl.Series, person: np.ndarray) -> pl.Series:
    """Phones after a change: the present one where the record had an old one or none, a later one otherwise."""
    now = identifiers.phones(citizens.phones(world)[person])
    right = (before.fill_null("") == now).to_numpy()
    return replaced(now, np.flatnonzero(right), identifiers.phones(citizens.later_phones(world)[person[right]]))


def _or_null(levels: np.ndarray) -> pl.Series:
    series = pl.Series(levels.astype(np.int64))
    return pl.select(pl.when(series > 0).then(series)).to_series()
