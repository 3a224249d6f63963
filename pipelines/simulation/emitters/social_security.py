"""What social security delivers: monthly contributions of insured people who authorised the bank to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.draws import company_strain, recent
from pipelines.simulation.emitters.consent import given
from pipelines.simulation.frames import dates, delivers
from pipelines.simulation.keys import text_key
from pipelines.simulation.known import known, rows_of
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_MONTHS_BACK = 100  # months before the world that keys leave room for
_NOTICE_DAYS = 60  # assumption: who loses the job does so within these days of the shock
_YUAN = 100


@delivers("social_security.contribution", "social_security")
def contributions(world: World, day: int, source: str) -> pl.DataFrame:
    """Contributions paid on `day`, for this month or late for the month before."""
    this = world.calendar.month(day)
    return pl.concat([_paid(world, day, month) for month in (this - 1, this)])


def _paid(world: World, day: int, month: int) -> pl.DataFrame:
    first = world.calendar.first_of_month(month)
    insured = recent(world, "social_security", month, lambda number: _insured(world, number), keep=3)
    pays = recent(world, "social_security.days", month, lambda number: _pay_days(world, number), keep=3)
    person = insured[pays[world.employer[insured]] == day]
    records = known(world, "social_security")
    row = rows_of(world, "social_security", "person")[person]
    base = world.cached("social_security.base", lambda: _base(world))
    return pl.DataFrame({
        "contribution_key": text_key(f"SS{month + _MONTHS_BACK:03d}", person, 8).cast(pl.String),
        "national_id": records["national_id"].gather(row),
        "employer_uscc": records["employer_uscc"].gather(row),
        "period": dates(world, np.full(len(person), first)),
        "base_amount": base[person],
        "paid_on": dates(world, np.full(len(person), day)),
    })  # fmt: skip


def _insured(world: World, month: int) -> np.ndarray:
    """People whose employer contributes for a month, and who authorised the bank."""
    settings, people, first = load_scenarios().social_security, world.people, world.calendar.first_of_month(month)
    gap = world.streams.of("social_security.gaps", month).random(len(people)) < settings.gap_share
    rng = world.streams.of("social_security.job_loss")
    loses, notice = rng.random(len(people)) < settings.job_loss, rng.integers(0, _NOTICE_DAYS, len(people))
    jobless = loses & (people.shock + notice <= first) & (people.cure > first)
    works = (world.employer >= 0) & (people.join <= first) & (rows_of(world, "social_security", "person") >= 0)
    return np.flatnonzero(works & given(world, "social_security").in_force(first) & ~gap & ~jobless)


def _pay_days(world: World, month: int) -> np.ndarray:
    """Day on which each employer pays for a month: its own day of the month, or late."""
    settings, count = load_scenarios().social_security, len(world.companies)
    first = world.calendar.first_of_month(month)
    usual = world.streams.of("social_security.days").integers(settings.pay_from, settings.pay_until + 1, count)
    rng = world.streams.of("social_security.late", month)
    late = rng.random(count) < settings.late + settings.late_rise * company_strain(world, first)
    delay = rng.integers(1, settings.late_days + 1, count)
    return first - 1 + np.where(late, settings.pay_until + delay, usual)


def _base(world: World) -> np.ndarray:
    """Assessed monthly income of each person, in cents: what the employer declares, within floor and ceiling."""
    settings = load_scenarios().social_security
    honest = world.streams.of("social_security.base").uniform(*settings.base_share, len(world.companies))
    declared = world.people.income / _YUAN * honest[np.maximum(world.employer, 0)]
    return np.rint(np.clip(declared, settings.floor, settings.ceiling)).astype(np.int64) * _YUAN
