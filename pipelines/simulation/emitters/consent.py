"""What data protection delivers: consents given and withdrawn; and who had given which one on a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.companies import CORE, MARKETS
from pipelines.simulation.draws import codes, recent, seconds
from pipelines.simulation.frames import delivers, pick, times
from pipelines.simulation.keys import event_key, party_key
from pipelines.simulation.scenarios import Term, load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contract consent.event lists them.
ACTIONS = ("grant", "withdraw")
CHANNELS = ("branch", "app", "phone", "paper")
_YEAR = 365.0
_KEPT_TERMS = 4


@dataclass(frozen=True)
class Given:
    """Of each person or company the days of one consent: given, withdrawn, and given again; NEVER where not."""

    given: np.ndarray
    withdrawn: np.ndarray
    again: np.ndarray

    def in_force(self, day: int) -> np.ndarray:
        """Who had given it and not withdrawn it by the end of `day`."""
        return ((self.given <= day) & (day < self.withdrawn)) | (self.again <= day)


@delivers("consent.event", "consent")
def consents(world: World, day: int, source: str) -> pl.DataFrame:
    """Consents of the day; on the first day also all that were given before, with the time they were given."""
    settings = load_scenarios().consent
    log = world.cached("consent.log", lambda: _log(world))
    until = np.searchsorted(log["day"], day, side="right")
    today = slice(0 if day == 0 else np.searchsorted(log["day"], day, side="left"), until)
    number, term, when = log["number"][today], log["term"][today], log["day"][today]
    rng, count = world.streams.of("consent.times", day), len(number)
    channel = codes(rng, [settings.channels[name] for name in CHANNELS], count)
    versions = list(settings.versions)
    begins = np.array([world.calendar.day(begin) for begin in settings.versions.values()])
    partners = sorted({each.partner for each in settings.terms if each.partner})
    partner = np.array([partners.index(each.partner) if each.partner else -1 for each in settings.terms])
    return pl.DataFrame({
        "event_key": event_key("CE", day, count),
        "party_key": _parties(number, log["is_company"][today]),
        "event_time": times(world, when, seconds(rng, load_scenarios().app.hours, count)),
        "action": pick(ACTIONS, log["action"][today]),
        "purpose": _gathered([each.purpose for each in settings.terms], term),
        "data_class": _gathered([each.data_class for each in settings.terms], term),
        "partner": pick(partners, partner[term]),
        "channel": pick(CHANNELS, channel),
        "terms_version": pick(versions, np.maximum(np.searchsorted(begins, when, side="right") - 1, 0)),
    })  # fmt: skip


def in_force(world: World, name: str, day: int, is_company: bool = False) -> np.ndarray:
    """Which people (or companies) had given the consent `name` and not withdrawn it by the end of `day`."""
    return given(world, name, is_company).in_force(day)


def given(world: World, name: str, is_company: bool = False) -> Given:
    """The days of the consent `name` of every person, or of every company."""
    terms = load_scenarios().consent.terms
    (position,) = (position for position, term in enumerate(terms) if term.name == name)
    return recent(
        world, f"consent.given.{is_company}", position,
        lambda place: _draw(world, terms[place], is_company), keep=_KEPT_TERMS,
    )  # fmt: skip


def _gathered(texts: list[str], codes_of: np.ndarray) -> pl.Series:
    kinds = sorted(set(texts))
    return pick(kinds, np.array([kinds.index(text) for text in texts])[codes_of])


def _parties(number: np.ndarray, is_company: np.ndarray) -> pl.Series:
    people, companies = party_key(False, number[~is_company]), party_key(True, number[is_company])
    place = np.empty(len(number), dtype=np.int64)
    place[~is_company] = np.arange(len(people))
    place[is_company] = len(people) + np.arange(len(companies))
    return pl.concat([people.cast(pl.String), companies.cast(pl.String)]).gather(place)


def _log(world: World) -> dict[str, np.ndarray]:
    """Every event of the horizon, sorted by day: number of person or company, term, action."""
    parts = []
    for place, term in enumerate(load_scenarios().consent.terms):
        for is_company in (False, True):
            days = given(world, term.name, is_company)
            for action, when in ((0, days.given), (1, days.withdrawn), (0, days.again)):
                number = np.flatnonzero(when < world.settings.horizon_days).astype(np.int32)
                parts.append((number, place, action, is_company, when[number]))
    day = np.concatenate([part[-1] for part in parts]).astype(np.int32)
    order = np.argsort(day, kind="stable")
    sizes = [len(part[0]) for part in parts]
    return {
        "number": np.concatenate([part[0] for part in parts])[order],
        "term": np.repeat(np.array([part[1] for part in parts], dtype=np.int8), sizes)[order],
        "action": np.repeat(np.array([part[2] for part in parts], dtype=np.int8), sizes)[order],
        "is_company": np.repeat(np.array([part[3] for part in parts]), sizes)[order],
        "day": day[order],
    }


def _draw(world: World, term: Term, is_company: bool) -> Given:
    settings = load_scenarios().consent
    asked = _asked(world, term, is_company)
    rng, count = world.streams.of(f"consent.{term.name}.{is_company}"), len(asked)
    at_once, later = rng.random(count) < term.granted, _after(rng, term.later, count)
    withdrawn, again = _after(rng, term.withdrawn, count), rng.random(count) < settings.again
    pause = rng.integers(*settings.again_days, count, endpoint=True)
    given = np.where(asked < NEVER, np.where(at_once, asked, np.maximum(asked, 0) + later), NEVER)
    withdrawn = np.where(given < NEVER, given + 1 + withdrawn, NEVER)
    again = np.where(again & (withdrawn < NEVER), withdrawn + pause, NEVER)
    return Given(*(np.minimum(days, NEVER).astype(np.int32) for days in (given, withdrawn, again)))


def _after(rng: np.random.Generator, yearly: float, count: int) -> np.ndarray:
    """Days until something that happens at this yearly rate."""
    waits = rng.exponential(1.0, count)
    return np.floor(waits * _YEAR / yearly).astype(np.int64) if yearly else np.full(count, NEVER, dtype=np.int64)


def _asked(world: World, term: Term, is_company: bool) -> np.ndarray:
    """Day on which each person or company is asked for the first time, NEVER for those who are not."""
    joined = world.companies.join if is_company else world.people.join
    if term.who == "person":
        return np.full(len(joined), NEVER) if is_company else joined
    if term.who == "borrower":
        applied = np.full(len(joined), NEVER, dtype=np.int64)
        for loans in (world.loans, world.declined):
            rows = loans.is_company == is_company
            np.minimum.at(applied, loans.borrower[rows], loans.applied[rows])
        return np.where(applied < NEVER, np.maximum(applied, joined), NEVER)
    if not is_company:
        return np.full(len(joined), NEVER)
    asked = np.ones(len(joined), dtype=bool)
    if term.who == "merchant":
        stalls = world.stalls.company[world.stalls.market == MARKETS.index(str(term.partner))]
        asked = np.isin(np.arange(len(joined)), stalls)
    elif term.who == "supplier":
        asked = (world.companies.core >= 0) | (world.companies.size == CORE)
    return np.where(asked, joined, NEVER)
