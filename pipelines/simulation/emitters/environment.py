"""What the environmental authority publishes: penalties, most of them against companies that pollute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.draws import cents, codes, cumulated, picks
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.keys import event_key
from pipelines.simulation.known import known, rows_of
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contract environment.penalty lists them.
VIOLATIONS = ("air", "water", "waste", "noise", "permit")
_YEAR = 365.0


@delivers("environment.penalty", "environment")
def penalties(world: World, day: int, source: str) -> pl.DataFrame:
    """Penalties decided on `day`; there are none on days off."""
    settings, records = load_scenarios().environment, known(world, source)
    rng, companies = world.streams.of("environment", day), world.companies
    rows = rows_of(world, source, "company")
    rate = np.where(companies.polluter, settings.polluter, settings.others) / _YEAR * (companies.founded < day)
    works = world.calendar.is_working_day(day)
    company = picks(rng, cumulated(rate * (rows >= 0)), float(works))
    violation = codes(rng, [settings.violations[name][0] for name in VIOLATIONS], len(company))
    median = np.array([settings.violations[name][1] for name in VIOLATIONS])[violation]
    return pl.DataFrame({
        "penalty_key": event_key("ENV", day, len(company)),
        "uscc": records["uscc"].gather(rows[company]),
        "penalised_on": dates(world, np.full(len(company), day)),
        "violation": pick(VIOLATIONS, violation),
        "amount": cents(rng, median, settings.sigma, len(company)),
    })  # fmt: skip
