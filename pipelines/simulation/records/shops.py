"""What the two partner shops know of their buyers: people of the city, customers of the bank or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import identifiers
from pipelines.simulation.keys import spread, text_key
from pipelines.simulation.names import chosen, joined, tables
from pipelines.simulation.records import citizens
from pipelines.simulation.records.mistakes import hits, lost, phones, variants
from pipelines.simulation.records.noise import Taobu, load_noise

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_BUYER_AGE = 14  # assumption: nobody younger has an account at a shop
_SALTS = {"taobu": 23, "pinhao": 24}
_PREFIX = {"taobu": "tb_", "pinhao": "ph"}
_LONG_BEFORE = -1


def taobu_records(world: World) -> pl.DataFrame:
    """Taobu hands over an unsalted SHA-256 of the phone, and the address of the parcel."""
    rates = load_noise().taobu
    buyers = _buyers(world, "taobu", rates)
    phone = phones(world, "taobu", buyers["person"].to_numpy(), rates.old_phone, rates.phone_missing)
    return buyers.with_columns(phone_hash=identifiers.sha256(phone))


def pinhao_records(world: World) -> pl.DataFrame:
    """Pinhao hands over the phone, and the name that is on the parcel."""
    rates = load_noise().pinhao
    buyers = _buyers(world, "pinhao", rates)
    person = buyers["person"].to_numpy()
    return buyers.with_columns(
        phone=phones(world, "pinhao", person, rates.old_phone, rates.phone_missing), name=_parcel_names(world, person)
    )


def _parcel_names(world: World, person: np.ndarray) -> pl.Series:
    rates, rng, count = load_noise().pinhao, world.streams.of("records.pinhao.name"), len(person)
    shares = np.cumsum([rates.name_nickname, rates.name_courtesy, rates.name_variant])
    kind = np.searchsorted(shares, rng.random(count), side="right")
    surname = citizens.names(world).take(person).surname_text()
    nicknames = pl.Series(list(tables().nicknames))
    title = pl.Series(["先生", "女士"]).gather(world.people.female[person].astype(np.int64))
    named = chosen(kind, [
        nicknames.gather(rng.integers(0, len(nicknames), count)),
        joined(surname, title),
        variants(world, "pinhao.variant", person),
        citizens.full_names(world).gather(person),
    ])  # fmt: skip
    return lost(world, "pinhao.name_missing", named, rates.name_missing)


def _buyers(world: World, shop: str, rates: Taobu) -> pl.DataFrame:
    """Buyers by their taste for apps and shops, with the address they have parcels sent to."""
    people = world.people
    adult = people.age(0) >= _BUYER_AGE
    taste = people.digital / people.digital[adult].mean() * len(people) / adult.sum()
    person = np.flatnonzero(
        adult & (world.streams.of(f"records.{shop}.buyers").random(len(people)) < rates.share * taste)
    )
    count, home, employer = len(person), people.address[person], world.employer[person]
    at_work = hits(world, f"{shop}.address_office", count, rates.address_office) & (employer >= 0)
    short = hits(world, f"{shop}.address_short", count, rates.address_short)
    address = chosen(np.where(at_work, 2, short), [
        citizens.homes(world).gather(home),
        citizens.short_homes(world).gather(home),
        citizens.offices(world).gather(np.maximum(employer, 0)),
    ])  # fmt: skip
    return pl.DataFrame({
        "person": person.astype(np.int32),
        "company": np.full(count, -1, dtype=np.int32),
        "key": text_key(_PREFIX[shop], spread(person, _SALTS[shop])),
        "since": np.full(count, _LONG_BEFORE, dtype=np.int32),
        "address": address,
    })  # fmt: skip
