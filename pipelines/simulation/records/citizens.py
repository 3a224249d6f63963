"""Who people and companies really are: their right names, identifiers, phones and addresses, drawn once per world.

What belongs here: the truth that every system has its own version of. What does not: any of these versions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import addresses, identifiers, trade_names
from pipelines.simulation.names import Names, draw_names
from pipelines.simulation.records.noise import load_noise

if TYPE_CHECKING:
    from pipelines.simulation.world import World

# Numbers of phones and dwellings: a person's present one is below these, given up or taken later are beyond.
_OLD, _LATER = 20_000_000, 40_000_000


def names(world: World) -> Names:
    """Names of all people, as numbers."""
    return world.cached("citizens.names", lambda: draw_names(world.people, _birth_years(world), world.streams))


def _birth_years(world: World) -> np.ndarray:
    return birth_dates(world).astype("datetime64[Y]").astype(np.int64) + 1970


def birth_dates(world: World) -> np.ndarray:
    """Dates of birth as numpy dates."""
    return np.datetime64(world.calendar.start, "D") + world.people.birth


def full_names(world: World) -> pl.Series:
    """Names of all people as their identity cards have them."""
    return world.cached("citizens.full_names", lambda: names(world).text())


def national_ids(world: World) -> pl.Series:
    """Resident ids of all people."""
    return world.cached("citizens.national_ids", lambda: _national_ids(world))


def _national_ids(world: World) -> pl.Series:
    rng, count, rates = world.streams.of("citizens.origin"), len(world.people), load_noise().people
    here, districts = world.people.district.astype(np.int64), len(world.districts)
    moved = rng.random(count) < rates.origin_other_district
    area = np.where(moved, rng.integers(0, districts, count), here) % 12
    away = rng.random(count) < rates.origin_elsewhere
    origin = np.where(away, rng.integers(1, len(identifiers.PREFECTURES), count), 0)
    return identifiers.resident_ids(origin, area, birth_dates(world), world.people.female)


def phones(world: World) -> np.ndarray:
    """Number of the phone that each person has now."""
    return world.people.phone.astype(np.int64)


def old_phones(world: World) -> np.ndarray:
    """Number of the phone that each person had before; somebody else has some of them by now."""
    return world.cached("citizens.old_phones", lambda: _old_phones(world))


def _old_phones(world: World) -> np.ndarray:
    rng, count = world.streams.of("citizens.old_phones"), len(world.people)
    recycled = rng.random(count) < load_noise().people.recycled_phone
    return np.where(recycled, phones(world)[rng.integers(0, count, count)], _OLD + np.arange(count))


def later_phones(world: World) -> np.ndarray:
    """Number of the phone that each person takes when the present one is given up."""
    return _LATER + np.arange(len(world.people))


def homes(world: World) -> pl.Series:
    """Full address of each dwelling; people carry its number."""
    return world.cached("citizens.homes", lambda: _of_dwellings(world, addresses.dwellings))


def short_homes(world: World) -> pl.Series:
    """The same without city and street."""
    return world.cached("citizens.short_homes", lambda: _of_dwellings(world, addresses.shortened))


def later_homes(world: World, person: np.ndarray, district: np.ndarray) -> pl.Series:
    """Full address that people move to."""
    return addresses.dwellings(_LATER + person, district, world.districts)


def _of_dwellings(world: World, write: Callable[..., pl.Series]) -> pl.Series:
    first = np.flatnonzero(np.diff(world.people.household, prepend=-1))  # a dwelling has its household's number
    return write(np.arange(len(first)), world.people.district[first], world.districts)


def individuals(world: World) -> np.ndarray:
    """Which companies are individual businesses."""
    return world.cached(
        "citizens.individuals", lambda: trade_names.is_individual(world.companies, world.stalls, world.streams)
    )


def company_names(world: World) -> pl.Series:
    """Registered names of all companies."""
    return world.cached(
        "citizens.company_names",
        lambda: trade_names.company_names(world.companies, world.stalls, individuals(world),
                                          names(world).take(world.companies.owner), world.districts, world.streams),
    )  # fmt: skip


def credit_codes(world: World) -> pl.Series:
    """Unified social credit codes of all companies."""
    companies = world.companies
    return world.cached(
        "citizens.credit_codes",
        lambda: identifiers.credit_codes(np.arange(len(companies)), companies.district, individuals(world)),
    )


def offices(world: World) -> pl.Series:
    """Addresses of all companies."""
    companies = world.companies
    return world.cached(
        "citizens.offices",
        lambda: addresses.offices(np.arange(len(companies)), companies.district, world.districts),
    )
