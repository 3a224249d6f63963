"""What the public register knows of companies and of the people in them, and how it changes.

What belongs here: entries and the days on which they change. What does not: their delivery (`emitters.register`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.keys import spread, text_key
from pipelines.simulation.records import citizens
from pipelines.simulation.records.mistakes import hits, padded_names, replaced, without
from pipelines.simulation.records.noise import load_noise

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contract registry.role lists them.
ROLES = ("legal_representative", "shareholder", "director", "supervisor")
LEGAL, SHAREHOLDER, DIRECTOR, SUPERVISOR = range(4)
#: As the contract registry.company lists them.
STATUSES = ("active", "abnormal", "revoked", "deregistered")
_SALT, _ROLE_SALT = 32, 33
_ADULT = 22  # assumption: nobody younger holds a role in a company
_REPORT_DAYS = 180  # annual reports are due from 1 January to 30 June (Interim Regulation on enterprise information)


@dataclass(frozen=True)
class Entries:
    """Of each company: the next legal representative and the day, the days it becomes abnormal or is struck off."""

    next_rep: np.ndarray
    changed: np.ndarray
    abnormal: np.ndarray
    struck: np.ndarray
    report_day: np.ndarray  # day of the year on which the annual report comes in

    def status(self, day: int) -> np.ndarray:
        """Number of each company's status on `day`."""
        return np.where(self.struck <= day, 3, np.where(self.abnormal <= day, 1, 0))


def entries(world: World) -> Entries:
    """The register's changes."""
    return world.cached("records.registry.entries", lambda: _entries(world))


def _entries(world: World) -> Entries:
    rates, rng, companies = load_noise().registry, world.streams.of("records.registry.entries"), world.companies
    count, horizon, people = len(companies), world.settings.horizon_days, world.people
    adults = np.flatnonzero((people.age(0) >= _ADULT) & (people.age(0) < _OLDEST))
    spouse = people.spouse[companies.legal_rep]
    stranger = adults[rng.integers(0, len(adults), count)]
    next_rep = np.where((spouse >= 0) & (rng.random(count) < 0.5), spouse, stranger)

    def next_day(yearly: float) -> np.ndarray:
        day = np.ceil(rng.exponential(365 / yearly, count))
        return np.where(day < horizon, day, NEVER).astype(np.int32)

    changed, struck = next_day(rates.changed_yearly), next_day(rates.deregistered_yearly)
    # Whom the bank serves or employs people stays: a struck company has no business left.
    free = (companies.shock == NEVER) & (companies.employees == 0) & (companies.join == NEVER)
    listed = (rng.random(count) < rates.abnormal_after_default) & (companies.default < horizon)
    abnormal = np.where(listed, companies.default + rates.abnormal_days, NEVER)
    return Entries(
        next_rep=next_rep.astype(np.int32), changed=np.where(next_rep == companies.legal_rep, NEVER, changed),
        abnormal=abnormal.astype(np.int32), struck=np.where(free, struck, NEVER).astype(np.int32),
        report_day=rng.integers(0, _REPORT_DAYS, count).astype(np.int32),
    )  # fmt: skip


_OLDEST = 75  # assumption: nobody older takes a role over


def registry_records(world: World) -> pl.DataFrame:
    """One entry per company, founded or not; `person` is the legal representative of the first day."""
    companies, count = world.companies, len(world.companies)
    names = citizens.company_names(world)
    padded = np.flatnonzero(hits(world, "registry.name_padded", count, load_noise().registry.name_padded))
    return pl.DataFrame({
        "person": companies.legal_rep.astype(np.int32),
        "company": np.arange(count, dtype=np.int32),
        "key": text_key("REG", spread(np.arange(count), _SALT)),
        "since": companies.founded.astype(np.int32),
        "name": replaced(names, padded, padded_names(names.gather(padded))),
        "uscc": citizens.credit_codes(world),
        "legal_representative": citizens.full_names(world).gather(companies.legal_rep),
    })  # fmt: skip


def role_records(world: World) -> pl.DataFrame:
    """One entry per role: `role` a number of ROLES, `share` in ten-thousandths (-1 for none), since and until."""
    companies, rates, rng = world.companies, load_noise().registry, world.streams.of("records.registry.roles")
    count, change = len(companies), entries(world)
    every = np.arange(count)
    adults = np.flatnonzero((world.people.age(0) >= _ADULT) & (world.people.age(0) < _OLDEST))
    limited = ~citizens.individuals(world)
    partner = np.flatnonzero(limited & (rng.random(count) < rates.shareholders))
    spouse = world.people.spouse[companies.owner[partner]]
    other = np.where((spouse >= 0) & (rng.random(len(partner)) < 0.5), spouse, _some(rng, adults, len(partner)))
    part = np.zeros(count, dtype=np.int64)
    part[partner] = rng.integers(1, 10, len(partner)) * 500
    watched = np.flatnonzero(limited & (rng.random(count) < rates.supervisor))
    follows = np.flatnonzero(change.changed < NEVER)
    never = np.full(count, NEVER)
    parts = (
        (every, companies.legal_rep, LEGAL, never - 1, companies.founded, change.changed),
        (follows, change.next_rep[follows], LEGAL, never, change.changed[follows], never),
        (every, companies.owner, SHAREHOLDER, 10_000 - part, companies.founded, never),
        (partner, other, SHAREHOLDER, part[partner], companies.founded[partner], never),
        (np.flatnonzero(limited), companies.owner[limited], DIRECTOR, never, companies.founded[limited], never),
        (watched, _some(rng, adults, len(watched)), SUPERVISOR, never, companies.founded[watched], never),
    )
    company = np.concatenate([rows for rows, *_ in parts]).astype(np.int32)
    person = np.concatenate([who for _, who, *_ in parts]).astype(np.int32)
    role = np.concatenate([np.full(len(rows), number) for rows, _, number, *_ in parts])
    share = np.concatenate([shares[: len(rows)] for rows, _, _, shares, *_ in parts])
    hidden = ~hits(world, "registry.national_id", len(company), rates.national_id)
    return pl.DataFrame({
        "person": person,
        "company": company,
        "key": text_key("ROLE", spread(np.arange(len(company)), _ROLE_SALT)),
        "since": np.concatenate([since for *_, since, _ in parts]).astype(np.int32),
        "until": np.concatenate([until[: len(rows)] for rows, *_, until in parts]).astype(np.int32),
        "role": role.astype(np.int8),
        "share": np.where(role == SHAREHOLDER, share, -1),
        "name": citizens.full_names(world).gather(person),
        "national_id": without(citizens.national_ids(world).gather(person), hidden),
    })  # fmt: skip


def _some(rng: np.random.Generator, people: np.ndarray, count: int) -> np.ndarray:
    return people[rng.integers(0, len(people), count)]
