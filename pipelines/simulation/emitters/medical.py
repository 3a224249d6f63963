"""What the partner hospital delivers: payments of its patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.draws import cents, codes, cumulated, picks, recent
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.keys import event_key
from pipelines.simulation.known import known, whose
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contract medical.payment lists them.
DEPARTMENTS = ("internal", "surgery", "paediatrics", "obstetrics", "emergency", "dental", "other")
INTERNAL, PAEDIATRICS, OBSTETRICS = 0, 2, 3
#: Age below which children see paediatrics, and between which women see obstetrics.
_CHILD, _MOTHERS = 14, (20, 44)
_CHILD_SHARE = 0.7  # assumption: the other children see a dentist, an emergency room and so on


@delivers("medical.payment", "hospital")
def payments(world: World, day: int, source: str) -> pl.DataFrame:
    """Payments of the day."""
    settings, people = load_scenarios().medical, world.people
    patients, rng = known(world, source), world.streams.of("medical", day)
    month = world.calendar.month(day)
    ends = recent(world, "medical.rates", month, lambda number: _rates(world, world.calendar.first_of_month(number)))
    row = picks(rng, ends, settings.daily * settings.weekday[world.calendar.weekday(day)])
    count, person = len(row), whose(world, source)[row]
    age = (day - people.birth[person]) / 365.25
    child = age < _CHILD
    department = codes(rng, [settings.departments[name][0] for name in DEPARTMENTS], count)
    department = np.where(child & (rng.random(count) < _CHILD_SHARE), PAEDIATRICS, department)
    mother = people.female[person] & (age >= _MOTHERS[0]) & (age <= _MOTHERS[1])
    misplaced = ((department == PAEDIATRICS) & ~child) | ((department == OBSTETRICS) & ~mother)
    department = np.where(misplaced, INTERNAL, department)
    kinds = [settings.departments[name] for name in DEPARTMENTS]
    amount = cents(rng, np.array([median for _, median, _ in kinds])[department], settings.sigma, count)
    covered = np.array([share for *_, share in kinds])[department] * (rng.random(count) < settings.insured)
    site = rng.integers(0, settings.hospitals, count)
    return pl.DataFrame({
        "payment_key": event_key("MP", day, count),
        "patient_national_id": patients["national_id"].gather(row),
        "patient_name": patients["name"].gather(row),
        "paid_on": dates(world, np.full(count, day)),
        "hospital_key": pick([f"HOSP{number + 1:02d}" for number in range(settings.hospitals)], site),
        "department": pick(DEPARTMENTS, department),
        "amount": amount,
        "insured_amount": np.rint(amount * covered).astype(np.int64),
    })  # fmt: skip


def _rates(world: World, day: int) -> np.ndarray:
    """Running sum of the pull of age on the patients on record; who is not born yet is none."""
    pulls = np.array(load_scenarios().medical.age_pull)
    age = (day - world.people.birth[whose(world, "hospital")]) / 365.25
    return cumulated(np.where(age >= 0, pulls[np.clip(age // 10, 0, len(pulls) - 1).astype(np.int64)], 0.0))
