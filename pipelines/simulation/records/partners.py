"""What markets, the hospital, courts and authorities know of people and companies: one function per system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.companies import MARKETS
from pipelines.simulation.keys import lease_key, spread, text_key
from pipelines.simulation.names import chosen
from pipelines.simulation.records import citizens
from pipelines.simulation.records.mistakes import (
    hits,
    lost,
    mistyped_codes,
    mistyped_ids,
    phones,
    varied_names,
    without,
)
from pipelines.simulation.records.noise import load_noise

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_LONG_BEFORE = -1
_SUED_AGE = 18
_SALTS = {"hospital": 25, "court": 26, "tax": 27, "supply_chain": 28, "environment": 29, "social_security": 30,
          "bureau": 31}  # fmt: skip
_PATIENT_AGES = np.array([1.3, 0.8, 0.7, 0.9, 1.0, 1.1, 1.3, 1.4])  # assumption: by decades of age, 70 and older last


def market_records(world: World, market: str) -> pl.DataFrame:
    """Leaseholders of a market: a record is of the company and of its owner; east knows codes, west knows phones."""
    stall = np.flatnonzero(world.stalls.market == MARKETS.index(market))
    company = world.stalls.company[stall]
    owner, east, west = world.companies.owner[company], load_noise().market_east, load_noise().market_west
    rates = east if market == MARKETS[0] else west
    registered = citizens.company_names(world).gather(company)
    district = pl.Series([len(district.name) for district in world.districts])
    short = registered.to_frame("name").with_columns(start=district.gather(world.companies.district[company]))
    called = short.select(pl.col("name").str.slice(pl.col("start"))).to_series()
    shortens = hits(world, f"{market}.short_name", len(stall), rates.short_name)
    shortens &= citizens.individuals(world)[company]
    columns = {
        **_entities(owner, company, lease_key(stall, market), world.stalls.leased_from[stall]),
        "name": chosen(shortens, [registered, called]),
        "owner_name": varied_names(world, f"{market}.owner", owner, rates.owner_variant),
    }
    if market == MARKETS[0]:
        codes = mistyped_codes(
            world, f"{market}.uscc_wrong", citizens.credit_codes(world).gather(company), east.uscc_wrong
        )
        columns["uscc"] = lost(world, f"{market}.uscc_missing", codes, east.uscc_missing)
    else:
        columns["phone"] = phones(world, market, owner, west.old_phone, west.phone_missing)
    return pl.DataFrame(columns)


def hospital_records(world: World) -> pl.DataFrame:
    """Patients: more of the very young and the old; the resident id mostly."""
    rates, people = load_noise().hospital, world.people
    pull = _PATIENT_AGES[np.clip(people.age(0) // 10, 0, len(_PATIENT_AGES) - 1)]
    draw = world.streams.of("records.hospital.patients").random(len(people))
    person = np.flatnonzero(draw < rates.share * pull / pull.mean())
    ids = mistyped_ids(world, "hospital.national_id_wrong", citizens.national_ids(world).gather(person),
                       rates.national_id_wrong)  # fmt: skip
    return pl.DataFrame({
        **_of_people(person, "H", "hospital"),
        "name": varied_names(world, "hospital.name", person, rates.name_variant),
        "national_id": lost(world, "hospital.national_id_missing", ids, rates.national_id_missing),
    })  # fmt: skip


def court_records(world: World) -> pl.DataFrame:
    """Everybody who could be sued, as courts would publish it: the name always, an identifier for some."""
    rates = load_noise().court
    person, company = np.flatnonzero(world.people.age(0) >= _SUED_AGE), np.arange(len(world.companies))
    hidden = ~hits(world, "court.national_id", len(person), rates.national_id)
    secret = ~hits(world, "court.uscc", len(company), rates.uscc)
    people = pl.DataFrame({
        **_of_people(person, "DP", "court"),
        "name": citizens.full_names(world).gather(person),
        "national_id": without(citizens.national_ids(world).gather(person), hidden),
        "uscc": pl.Series([None] * len(person), dtype=pl.String),
    })  # fmt: skip
    companies = pl.DataFrame({
        **_of_companies(company, "DC", "court"),
        "name": citizens.company_names(world),
        "national_id": pl.Series([None] * len(company), dtype=pl.String),
        "uscc": without(citizens.credit_codes(world), secret),
    })  # fmt: skip
    return pl.concat([people, companies])


def coded_records(world: World, system: str) -> pl.DataFrame:
    """Tax, supply chain and environment know companies by their credit code, with few typing errors."""
    rate = {"tax": load_noise().tax, "supply_chain": load_noise().supply_chain,
            "environment": load_noise().environment}[system].uscc_wrong  # fmt: skip
    company = np.arange(len(world.companies))
    codes = mistyped_codes(world, f"{system}.uscc_wrong", citizens.credit_codes(world), rate)
    return pl.DataFrame({**_of_companies(company, "T", system), "uscc": codes})


def social_security_records(world: World) -> pl.DataFrame:
    """Insured people with the credit code of their employer, customer of the bank or not."""
    rates, person = load_noise().social_security, np.flatnonzero(world.employer >= 0)
    ids = citizens.national_ids(world).gather(person)
    codes = citizens.credit_codes(world).gather(world.employer[person])
    return pl.DataFrame({
        **_of_people(person, "SI", "social_security"),
        "national_id": mistyped_ids(world, "social_security.national_id_wrong", ids, rates.national_id_wrong),
        "employer_uscc": lost(world, "social_security.employer", codes, rates.employer_missing),
    })  # fmt: skip


def bureau_records(world: World) -> pl.DataFrame:
    """Customers of the bank, people and companies, as the credit bureau answers about them."""
    person = np.flatnonzero(world.people.join < NEVER)
    company = np.flatnonzero(world.companies.join < NEVER)
    ids = mistyped_ids(world, "bureau.national_id_wrong", citizens.national_ids(world).gather(person),
                       load_noise().bureau.national_id_wrong)  # fmt: skip
    none = [pl.Series([None] * count, dtype=pl.String) for count in (len(person), len(company))]
    people = pl.DataFrame({**_of_people(person, "BP", "bureau"), "national_id": ids, "uscc": none[0]})
    companies = pl.DataFrame({
        **_of_companies(company, "BC", "bureau"), "national_id": none[1],
        "uscc": citizens.credit_codes(world).gather(company),
    })  # fmt: skip
    return pl.concat([people, companies])


def _of_people(person: np.ndarray, prefix: str, system: str) -> dict[str, np.ndarray | pl.Series]:
    since = np.full(len(person), _LONG_BEFORE)
    return _entities(person, np.full(len(person), -1), text_key(prefix, spread(person, _SALTS[system])), since)


def _of_companies(company: np.ndarray, prefix: str, system: str) -> dict[str, np.ndarray | pl.Series]:
    since = np.full(len(company), _LONG_BEFORE)
    return _entities(np.full(len(company), -1), company, text_key(prefix, spread(company, _SALTS[system])), since)


def _entities(
    person: np.ndarray, company: np.ndarray, key: pl.Series, since: np.ndarray
) -> dict[str, np.ndarray | pl.Series]:
    return {"person": person.astype(np.int32), "company": company.astype(np.int32), "key": key,
            "since": since.astype(np.int32)}  # fmt: skip
