"""A simulated world as a resolved home: only what says who is who is delivered and landed, no warehouse is built.

What belongs here: making such a home, with the noise of the world or harder noise. What does not: comparing it with the
truth (`judge`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from unittest.mock import patch

from pipelines.contracts.feed import Feed
from pipelines.contracts.load import Catalog, load_catalog
from pipelines.identity.run import resolve
from pipelines.ingest.batch import Desk
from pipelines.ingest.night import ingest, open_desk
from pipelines.settings import Settings
from pipelines.simulation.book import Request
from pipelines.simulation.records import noise
from pipelines.simulation.records.noise import Noise, load_noise
from pipelines.simulation.run import all_emitters, simulate

BANK = "simbank"
HISTORY, LAST = date(2025, 1, 30), date(2025, 1, 31)
#: What makes records harder to match; the rest of noise.yaml says how many records there are, or is no identifier.
ERRORS = frozenset({
    "recycled_phone", "national_id_missing", "national_id_wrong", "old_phone", "phone_missing", "padded_name",
    "address_missing", "address_short", "address_office", "uscc_missing", "uscc_wrong", "company_address_missing",
    "duplicate_name", "duplicate_phone", "duplicate_national_id_missing", "party_key_missing", "party_key_wrong",
    "name_variant", "owner_variant", "name_missing", "name_nickname", "name_courtesy", "name_padded", "short_name",
})  # fmt: skip
_STATED = frozenset({"national_id", "uscc", "email"})  # shares of records that have one: the error is to lack it


@dataclass(frozen=True)
class World:
    """Which world: `factor` multiplies the odds of every error, which for a rare error multiplies its rate."""

    seed: int
    customers: int
    factor: float = 1.0


def resolved(world: World, directory: Path) -> Settings:
    """31 days of `world` landed in `directory` and resolved once; the settings of the home. Raises RuntimeError."""
    desk = landed(world, directory)
    resolve(desk.catalog, desk.settings, desk.feeds, desk.ring, LAST)
    return desk.settings


def landed(world: World, directory: Path, last: date = LAST) -> Desk:
    """Simulate `world` through `last` in `directory`, or go on there, and land what identity reads.

    Raises RuntimeError where a delivery is refused.
    """
    settings = Settings(ZHONGTAI_HOME=str(directory), bank=BANK, deliveries=directory / "simulated" / "deliveries")
    catalog = load_catalog(settings.contracts)
    wanted = needed(catalog, catalog.feeds(BANK))
    emitters = {named: emitter for named, emitter in all_emitters().items() if named[0] in wanted}
    request = Request(directory / "simulated", world.customers, world.seed, last, through=HISTORY)
    with _harder(world.factor):
        simulate(request, catalog, emitters=emitters)
    return land(catalog, settings, last)


def land(catalog: Catalog, settings: Settings, last: date = LAST, without: Collection[str] = ()) -> Desk:
    """Land through `last` what identity reads of what was delivered, but for what the sources `without` deliver.

    Raises RuntimeError where a delivery is refused.
    """
    desk = open_desk(catalog, settings)
    given = replace(desk, feeds=tuple(feed for feed in desk.feeds if feed.source not in without))
    with given.fetching() as fetching:
        outcomes = ingest(fetching, last, last, needed(catalog, desk.feeds))
    if faults := [str(outcome.fault) for outcome in outcomes if outcome.fault]:
        raise RuntimeError("; ".join(faults))
    return desk


def needed(catalog: Catalog, feeds: tuple[Feed, ...]) -> set[str]:
    """Contracts that have subjects, and what has to be landed with them: what they refer to, what a feed reads."""
    found: set[str] = set()
    ahead = [contract.id for contract in catalog.sources.values() if contract.subjects]
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found.add(name)
        ahead += [column.references[0] for column in catalog.contract(name).columns if column.references]
        ahead += [other for feed in feeds if feed.contract == name for other in feed.reads.values()]
    return found


@contextmanager
def _harder(factor: float) -> Iterator[None]:
    """Every record drawn within has errors of so many times the odds."""
    scaled = harder(load_noise(), factor)
    load_noise.cache_clear()
    try:
        with patch.object(noise, "read_section", return_value=scaled):
            yield
    finally:
        load_noise.cache_clear()


def harder(known: Noise, factor: float) -> Noise:
    """`known` with `factor` times the odds of every error; what is no error stays."""
    if factor == 1:
        return known
    given = known.model_dump()
    for section in given.values():
        for name, rate in section.items():
            if name in ERRORS:
                section[name] = _odds(rate, factor)
            elif name in _STATED:
                section[name] = 1 - _odds(1 - rate, factor)
    return Noise.model_validate(given)


def _odds(rate: float, factor: float) -> float:
    return factor * rate / (1 - rate + factor * rate)
