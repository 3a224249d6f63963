"""What the public register delivers: companies and roles at first, then annual reports and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.companies import INDUSTRIES
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.records import citizens, records_of
from pipelines.simulation.records.mistakes import replaced
from pipelines.simulation.records.noise import load_noise
from pipelines.simulation.records.register import ROLES, STATUSES, Entries, entries

if TYPE_CHECKING:
    from pipelines.simulation.world import World


@delivers("registry.company", "registry")
def companies(world: World, day: int, source: str) -> pl.DataFrame:
    """Entries with an annual report or a change on `day`; on the first day all entries."""
    change, records = entries(world), records_of(world, "registry")
    status = change.status(day)
    reported = (change.report_day == _day_of_year(world, day)) & (status == STATUSES.index("active"))
    changed = (change.changed == day) | (status != change.status(day - 1)) | reported
    rows = np.flatnonzero((change.struck >= day) & changed) if day else np.arange(records.height)
    new = np.flatnonzero(change.changed[rows] <= day)
    names = citizens.full_names(world).gather(change.next_rep[rows[new]])
    firms = world.companies
    return pl.DataFrame({
        "registration_key": records["key"].gather(rows),
        "uscc": records["uscc"].gather(rows),
        "company_name": records["name"].gather(rows),
        "legal_representative": replaced(records["legal_representative"].gather(rows), new, names),
        "industry_code": pick(INDUSTRIES, firms.industry[rows]),
        "registered_capital": firms.capital[rows],
        "employees": _employees(world, change, day, rows),
        "founded_on": dates(world, firms.founded[rows]),
        "status": pick(STATUSES, status[rows]),
        "is_srdi": firms.srdi[rows],
        "district_key": pick([district.key for district in world.districts], firms.district[rows]),
        "updatedOn": dates(world, np.full(len(rows), day)),
        "op": pick(("U", "D"), np.zeros(len(rows))),
    })  # fmt: skip


def _day_of_year(world: World, day: int) -> int:
    return world.calendar.date(day).timetuple().tm_yday - 1


def _employees(world: World, change: Entries, day: int, rows: np.ndarray) -> np.ndarray:
    """Employees by the last annual report: of this year where it is in, else of the last."""
    year, sigma = world.calendar.date(day).year, load_noise().registry.employees_sigma
    this, last = (
        world.streams.of("records.registry.employees", number).standard_normal(len(world.companies))[rows]
        for number in (year, year - 1)
    )
    drawn = np.where(change.report_day[rows] <= _day_of_year(world, day), this, last)
    return np.rint((world.companies.employees[rows] + 1) * np.exp(sigma * drawn)).astype(np.int64)


@delivers("registry.role", "registry")
def roles(world: World, day: int, source: str) -> pl.DataFrame:
    """Roles that begin or end on `day`; on the first day all roles that there are."""
    records = records_of(world, "registry_roles")
    since, until = records["since"].to_numpy(), records["until"].to_numpy()
    struck = entries(world).struck[records["company"].to_numpy()]  # nothing changes once a company is struck off
    rows = np.flatnonzero(((since == day) | (until == day)) & (struck >= day) if day else since <= 0)
    company = records["company"].gather(rows)
    share = records["share"].gather(rows)
    return pl.DataFrame({
        "role_key": records["key"].gather(rows),
        "registration_key": records_of(world, "registry")["key"].gather(company),
        "person_name": records["name"].gather(rows),
        "person_national_id": records["national_id"].gather(rows),
        "role": pick(ROLES, records["role"].to_numpy()[rows]),
        "share": pl.select(pl.when(share >= 0).then(share)).to_series(),
        "since": dates(world, since[rows]),
        "until": dates(world, np.where(until[rows] <= day, until[rows], NEVER)),
        "updatedOn": dates(world, np.full(len(rows), day)),
        "op": pick(("U", "D"), np.zeros(len(rows))),
    })  # fmt: skip
