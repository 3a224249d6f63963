"""The bank's own records of people and companies: in core and in the app (the CRM: `customers`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import identifiers
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.keys import party_key, spread, text_key
from pipelines.simulation.records import citizens
from pipelines.simulation.records.mistakes import (
    hits,
    lost,
    mistyped_ids,
    padded_names,
    phones,
    replaced,
    variants,
    without,
)
from pipelines.simulation.records.noise import load_noise

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_APP_AGE = 12  # assumption: nobody younger uses the app
_APP_SALT = 21  # of the permutation of keys (`keys.spread`)


def core_records(world: World) -> pl.DataFrame:
    """Core: people, second records of some of them (`is_second`), and companies, in the order in which they come.

    `phone` is what core has from its day `phone_corrected` on (NEVER where it stays), `phone_before` until then.
    """
    people, seconds, companies = _people(world), _seconds(world), _companies(world)
    return pl.concat([people, seconds, companies]).sort("since", maintain_order=True)


def _people(world: World) -> pl.DataFrame:
    rates, person = load_noise().core, np.flatnonzero(world.people.join < NEVER)
    count = len(person)
    names = citizens.full_names(world).gather(person)
    padded = np.flatnonzero(hits(world, "core.padded_name", count, rates.padded_name))
    ids = mistyped_ids(world, "core.national_id_wrong", citizens.national_ids(world).gather(person),
                       rates.national_id_wrong)  # fmt: skip
    before = phones(world, "core", person, rates.old_phone, rates.phone_missing)
    employed = world.employer[person]
    employer = without(citizens.company_names(world).gather(np.maximum(employed, 0)), employed < 0)
    homes = citizens.homes(world).gather(world.people.address[person])
    return _frame(
        person=person, company=np.full(count, -1), key=party_key(False, person), since=world.people.join[person],
        is_second=np.zeros(count, dtype=bool), name=replaced(names, padded, padded_names(names.gather(padded))),
        national_id=lost(world, "core.national_id_missing", ids, rates.national_id_missing),
        phone_before=before, phone=identifiers.phones(citizens.phones(world)[person]),
        phone_corrected=_corrected(world, before, person), uscc=_nothing(count),
        address=lost(world, "core.address_missing", homes, rates.address_missing),
        employer_name=lost(world, "core.employer_missing", employer, rates.employer_missing),
    )  # fmt: skip


def _corrected(world: World, before: pl.Series, person: np.ndarray) -> np.ndarray:
    rate = load_noise().core.phone_corrected_yearly
    wait = np.ceil(world.streams.of("records.core.phone_corrected").exponential(365 / rate, len(person)))
    day = np.maximum(world.people.join[person], 0) + wait
    now = identifiers.phones(citizens.phones(world)[person])
    wrong = (before.fill_null("") != now).to_numpy()
    return np.where(wrong & (day < world.settings.horizon_days), day, NEVER)


def _seconds(world: World) -> pl.DataFrame:
    """Second records: opened later, at another branch, by somebody who did not look for the first."""
    rates = load_noise().core
    person = np.flatnonzero(world.people.is_duplicate & (world.people.join < NEVER))
    since = np.minimum(world.people.join[person] + _second_after(world, len(person)), _first_account(world)[person])
    person, since = (column[since < world.settings.horizon_days] for column in (person, since))
    count = len(person)
    names, ids = (texts.gather(person) for texts in (citizens.full_names(world), citizens.national_ids(world)))
    spoilt = np.flatnonzero(hits(world, "core.duplicate_name", count, rates.duplicate_name))
    phone = phones(world, "core.duplicate", person, rates.duplicate_phone)
    return _frame(
        person=person, company=np.full(count, -1), key=party_key(False, person, duplicate=True),
        since=since,
        is_second=np.ones(count, dtype=bool),
        name=replaced(names, spoilt, variants(world, "core.duplicate_name.kind", person[spoilt])),
        national_id=lost(world, "core.duplicate_id", ids, rates.duplicate_national_id_missing),
        phone_before=phone, phone=phone, phone_corrected=np.full(count, NEVER), uscc=_nothing(count),
        address=citizens.homes(world).gather(world.people.address[person]), employer_name=_nothing(count),
    )  # fmt: skip


def _second_after(world: World, count: int) -> np.ndarray:
    days = world.streams.of("records.core.duplicate_after").exponential(load_noise().core.duplicate_after_days, count)
    return np.ceil(days).astype(np.int64) + 1


def _first_account(world: World) -> np.ndarray:
    """Day of the first account that each person opens through the second record: it must be there by then."""
    first, accounts = np.full(len(world.people), NEVER), world.accounts
    via = np.flatnonzero(accounts.via_duplicate)
    np.minimum.at(first, accounts.holder[via], accounts.opened[via])
    return first


def _companies(world: World) -> pl.DataFrame:
    rates, company = load_noise().core, np.flatnonzero(world.companies.join < NEVER)
    count = len(company)
    phone = identifiers.phones(citizens.phones(world)[world.companies.legal_rep[company]])
    codes, offices = (texts.gather(company) for texts in (citizens.credit_codes(world), citizens.offices(world)))
    return _frame(
        person=np.full(count, -1), company=company, key=party_key(True, company), since=world.companies.join[company],
        is_second=np.zeros(count, dtype=bool), name=citizens.company_names(world).gather(company),
        national_id=_nothing(count), phone_before=phone, phone=phone, phone_corrected=np.full(count, NEVER),
        uscc=lost(world, "core.uscc_missing", codes, rates.uscc_missing),
        address=lost(world, "core.company_address_missing", offices, rates.company_address_missing),
        employer_name=_nothing(count),
    )  # fmt: skip


def app_records(world: World) -> pl.DataFrame:
    """App: one record per user, with the phone and device the app knows; families and rings share both."""
    rates, people = load_noise().app, world.people
    taste = people.digital / people.digital[people.join < NEVER].mean()
    uses = (people.join < NEVER) & (people.age(0) >= _APP_AGE)
    uses &= world.streams.of("records.app.taste").random(len(people)) < rates.share * taste
    person = np.flatnonzero(uses)
    return pl.DataFrame({
        "person": person.astype(np.int32),
        "company": np.full(len(person), -1, dtype=np.int32),
        "key": text_key("U", spread(person, _APP_SALT)),
        "since": people.join[person].astype(np.int32),
        "phone": phones(world, "app", person, rates.old_phone, rates.phone_missing),
        "device": identifiers.devices(people.device[person]),
    })  # fmt: skip


def _nothing(count: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, count)


def _frame(**columns: np.ndarray | pl.Series) -> pl.DataFrame:
    whole = {"person", "company", "since", "phone_corrected"}
    return pl.DataFrame({
        name: values.astype(np.int32) if name in whole and isinstance(values, np.ndarray) else values
        for name, values in columns.items()
    })  # fmt: skip
