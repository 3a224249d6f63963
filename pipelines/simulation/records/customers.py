"""The CRM's records of customers: how well it knows them, and what changes in it from day to day.

What belongs here: the rows of the CRM and the days on which they change. What does not: their delivery
(`emitters.customers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import identifiers
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.frames import pick
from pipelines.simulation.keys import party_key, spread, staff_key, text_key
from pipelines.simulation.names import chosen
from pipelines.simulation.people import CHANNELS, EDUCATIONS, OCCUPATIONS
from pipelines.simulation.records import citizens
from pipelines.simulation.records.mistakes import hits, lost, mistyped_ids, phones, replaced, varied_names, without
from pipelines.simulation.records.noise import load_noise

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contract crm.customer lists them.
MARITAL = ("single", "married", "divorced", "widowed")
_OLD_AGE, _MANAGER, _SALT = 70, 0, 22
_SECOND_AFTER = (20, 900)  # assumption: days from a first to a second record
_FIRST_ASSESSMENT = 60  # assumption: days from the first day as a customer until investor risk is assessed, at most
_DIGITS = 500  # the last of a mistyped customer number belong to somebody else


@dataclass(frozen=True)
class Changes:
    """Day on which each record moves, takes a new phone, is deleted; its risk is assessed on `assessed`, then every."""

    moved: np.ndarray
    phone: np.ndarray
    deleted: np.ndarray
    assessed: np.ndarray
    every: np.ndarray

    def assessments(self, day: int) -> np.ndarray:
        """How many assessments each record has seen by `day`."""
        return np.where(self.assessed < NEVER, np.maximum((day - self.assessed) // self.every + 1, 0), 0)


def crm_records(world: World) -> pl.DataFrame:
    """CRM: one record per customer that it knows, then second records of a few; columns as of the first day."""
    return world.cached("records.crm", lambda: _records(world))


def _records(world: World) -> pl.DataFrame:
    rates, people = load_noise().crm, world.people
    known = hits(world, "crm.coverage", len(people), rates.coverage) & (people.join < NEVER)
    twice = known & hits(world, "crm.duplicates", len(people), rates.duplicates)
    after = people.join + world.streams.of("records.crm.duplicate_after").integers(*_SECOND_AFTER, len(people))
    twice &= after < world.settings.horizon_days
    person = np.concatenate([np.flatnonzero(known), np.flatnonzero(twice)])
    count, first = len(person), int(known.sum())
    is_second = np.arange(count) >= first
    number = np.where(is_second, len(people) + person, person)
    ids = mistyped_ids(world, "crm.national_id_wrong", citizens.national_ids(world).gather(person),
                       rates.national_id_wrong)  # fmt: skip
    mails = identifiers.emails(citizens.names(world).take(person).pinyin(), person)
    home = people.address[person]
    short = hits(world, "crm.address_short", count, rates.address_short)
    address = chosen(short, [citizens.homes(world).gather(home), citizens.short_homes(world).gather(home)])
    employed = world.employer[person]
    employer = without(citizens.company_names(world).gather(np.maximum(employed, 0)), employed < 0)
    return pl.DataFrame({
        "person": person.astype(np.int32),
        "company": np.full(count, -1, dtype=np.int32),
        "key": text_key("R", spread(number, _SALT)),
        "since": np.where(is_second, after[person], people.join[person]).astype(np.int32),
        "is_second": is_second,
        "party_key": _typed_party_keys(world, person),
        "name": varied_names(world, "crm.name_variant", person, rates.name_variant),
        "national_id": lost(world, "crm.national_id_missing", ids, rates.national_id_missing),
        "phone": phones(world, "crm", person, rates.old_phone, rates.phone_missing),
        "email": lost(world, "crm.email", mails, 1 - rates.email),
        "address": lost(world, "crm.address_missing", address, rates.address_missing),
        "employer_name": lost(world, "crm.employer_missing", employer, rates.field_missing),
        **_statements(world, person),
    })  # fmt: skip


def _typed_party_keys(world: World, person: np.ndarray) -> pl.Series:
    """Customer numbers as somebody typed them."""
    rates, rng = load_noise().crm, world.streams.of("records.crm.party_key_wrong")
    rows = np.flatnonzero(rng.random(len(person)) < rates.party_key_wrong)
    others = person[(rows + rng.integers(1, _DIGITS, len(rows))) % len(person)]
    keys = replaced(party_key(False, person), rows, party_key(False, others))
    return lost(world, "crm.party_key_missing", keys, rates.party_key_missing)


def _statements(world: World, person: np.ndarray) -> dict[str, pl.Series]:
    """What customers said of themselves, where they were asked; null where not."""
    rates, people, rng = load_noise().crm, world.people, world.streams.of("records.crm.statements")
    count, age = len(person), people.age(0)[person]
    apart = np.where((age > _OLD_AGE) & (rng.random(count) < rates.widowed), 3,
                     np.where((age > _OLD_AGE // 3) & (rng.random(count) < rates.divorced), 2, 0))  # fmt: skip
    size = np.bincount(people.household)[people.household[person]]
    income = people.income[person] * 12 * np.exp(rates.income_sigma * rng.standard_normal(count))
    managers = np.flatnonzero((world.staff.role == _MANAGER) & (world.staff.hired <= 0))
    lists = {"occupation": OCCUPATIONS, "education": EDUCATIONS, "marital_status": MARITAL}
    stated = {
        "occupation": people.occupation[person].astype(np.int64),
        "education": people.education[person].astype(np.int64),
        "marital_status": np.where(people.spouse[person] >= 0, 1, apart),
        "household_size": size,
        # In thousands of yuan, as people say it.
        "annual_income": np.round(income / 100_000).astype(np.int64) * 100_000,
    }
    columns = {}
    for name, values in stated.items():
        gone = hits(world, f"crm.{name}", count, rates.field_missing)
        words = lists.get(name)
        columns[name] = pick(words, np.where(gone, -1, values)) if words else without(pl.Series(values), gone)
    manager = staff_key(managers[rng.integers(0, len(managers), count)])
    columns["manager_key"] = lost(world, "crm.manager", manager, rates.field_missing)
    silent = hits(world, "crm.channel", count, rates.channel_missing)
    columns["channel_preference"] = pick(CHANNELS, np.where(silent, -1, people.channel[person]))
    return columns


def crm_changes(world: World) -> Changes:
    """The days on which records of the CRM change."""
    return world.cached("records.crm.changes", lambda: _changes(world))


def _changes(world: World) -> Changes:
    rates, rows = load_noise().crm, crm_records(world)
    rng, count, since = world.streams.of("records.crm.changes"), rows.height, rows["since"].to_numpy()
    begins, horizon = np.maximum(since, 0), world.settings.horizon_days

    def next_day(yearly: float) -> np.ndarray:
        day = begins + np.ceil(rng.exponential(365 / yearly, count))
        return np.where(day < horizon, day, NEVER).astype(np.int32)

    moved, phone, deleted = next_day(rates.moved_yearly), next_day(rates.phone_yearly), next_day(rates.deleted_yearly)
    every = rng.integers(*rates.reassessed_days, count)
    back = np.where(since <= 0, -rng.integers(0, every), since + rng.integers(0, _FIRST_ASSESSMENT, count))
    level = world.people.investor_level[rows["person"].to_numpy()]
    first = np.where(level > 0, np.maximum(back, since), NEVER)
    return Changes(
        moved=moved, phone=phone, deleted=np.where(rows["is_second"].to_numpy(), deleted, NEVER).astype(np.int32),
        assessed=first.astype(np.int32), every=every.astype(np.int32),
    )  # fmt: skip


def investor_levels(world: World, rows: np.ndarray, assessments: np.ndarray) -> np.ndarray:
    """Investor risk level of records (rows) after so many assessments of each; 0 where there was none."""
    person = crm_records(world)["person"].to_numpy()[rows]
    first = world.people.investor_level[person].astype(np.int64)
    levels = np.where(assessments > 0, first, 0)
    shares = np.cumsum(load_noise().crm.level_changes)
    for number in np.unique(assessments[assessments > 1]):
        draw = world.streams.of("records.crm.level", int(number)).random(len(world.people))
        change = np.searchsorted(shares, draw, side="right").clip(0, 2) - 1
        here = assessments == number
        levels[here] = np.clip(first[here] + change[person[here]], 1, 5)
    return levels
