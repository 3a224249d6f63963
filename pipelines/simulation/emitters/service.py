"""What customer service and the survey deliver: complaints on their two clocks, and answers to the NPS question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.draws import codes, cumulated, picks, recent, seconds, strain
from pipelines.simulation.frames import dates, delivers, pick, times
from pipelines.simulation.keys import event_key, party_key, text_key
from pipelines.simulation.known import known, rows_of
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: As the contracts service.complaint and survey.nps list them.
CATEGORIES = ("fees", "service", "collection", "privacy", "fraud", "product")
CHANNELS = ("phone", "app", "branch", "regulator")
TOUCHPOINTS = ("branch", "app", "call_centre", "loan", "wealth")
FEES, COLLECTION, PRIVACY = 0, 2, 3
_DAY, _HOUR, _YEAR = 86_400, 3_600, 365.0
_MONTHS_BACK = 100  # months before the world that keys leave room for
#: Weight of each hour of service by phone and at the counter.
_HOURS = (0, 0, 0, 0, 0, 0, 0, 1, 5, 9, 9, 7, 4, 5, 8, 8, 7, 5, 3, 2, 1, 1, 0, 0)
#: Assumption: complaints of people with such a cause that are about it, and complaints that name a product.
_OF_FEES, _OF_CONTACT, _OF_COLLECTION, _NAMES_PRODUCT = 0.3, 0.5, 0.5, 0.5
#: The shortest month, in days.
_SHORTEST = 28


@dataclass(frozen=True)
class Complaints:
    """The complaints of a month; moments are seconds since the first day of the world; `deleted` is a day."""

    person: np.ndarray
    received: np.ndarray
    responded: np.ndarray
    resolved: np.ndarray
    category: np.ndarray
    channel: np.ndarray
    severity: np.ndarray
    is_complex: np.ndarray
    product: np.ndarray
    is_known: np.ndarray
    deleted: np.ndarray

    def changed_on(self, day: int) -> np.ndarray:
        """Rows received, answered, resolved or deleted on `day`; nothing changes after a deletion."""
        moments = (self.received, self.responded, self.resolved)
        touched = np.logical_or.reduce([moment // _DAY == day for moment in moments])
        return np.flatnonzero((touched & (self.deleted > day)) | (self.deleted == day))

    def open_on(self, day: int) -> np.ndarray:
        """Rows on record at the end of `day`."""
        return np.flatnonzero((self.received // _DAY <= day) & (self.deleted > day))


@delivers("service.complaint", "service")
def complaints(world: World, day: int, source: str) -> pl.DataFrame:
    """Complaints received, answered, resolved or removed as recorded twice on `day`."""
    settings, this = load_scenarios().complaints, world.calendar.month(day)
    back = max(settings.history_months, settings.longest_days // _SHORTEST + 1)
    frames = [_of_month(world, day, month) for month in range(this - back, this + 1)]
    return pl.concat(frames)


@delivers("survey.nps", "survey")
def answers(world: World, day: int, source: str) -> pl.DataFrame:
    """Answers of the day from customers with a record in the CRM."""
    settings, people = load_scenarios().nps, world.people
    rng, month = world.streams.of("nps", day), world.calendar.month(day)
    rows = rows_of(world, "crm", "person")
    asked = (rows >= 0) & (people.join < day) & (people.dormant > day)
    person = picks(rng, cumulated(asked * (settings.yearly / _YEAR)))
    score = rng.normal(settings.mean, settings.sigma, len(person))
    complained = np.isin(person, _month(world, month).person)
    score += settings.complained * complained + settings.distressed * strain(world, day)[person]
    return pl.DataFrame({
        "response_key": event_key("NPS", day, len(person)),
        "customer_key": known(world, "crm")["key"].gather(rows[person]),
        "answered_on": dates(world, np.full(len(person), day)),
        "score": np.clip(np.rint(score), 0, 10).astype(np.int64),
        "touchpoint": pick(TOUCHPOINTS, codes(rng, [settings.touchpoints[name] for name in TOUCHPOINTS], len(person))),
    })  # fmt: skip


def _month(world: World, month: int) -> Complaints:
    keep = load_scenarios().complaints.longest_days // _SHORTEST + 4
    return recent(world, "complaints", month, lambda number: _draw(world, number), keep=keep)


def _of_month(world: World, day: int, month: int) -> pl.DataFrame:
    """What `day` delivers of the complaints received in a month."""
    all_of = _month(world, month)
    row = all_of.open_on(day) if day == 0 else all_of.changed_on(day)
    person = all_of.person[row]
    keys = pl.DataFrame({"party": party_key(False, person).cast(pl.String), "found": all_of.is_known[row]})
    return pl.DataFrame({
        "complaint_key": text_key(f"CPL{month + _MONTHS_BACK:03d}", row, 7),
        "phone": known(world, "core")["phone"].gather(rows_of(world, "core", "person")[person]),
        "party_key": keys.select(pl.when("found").then("party")).to_series(),
        "received_at": times(world, 0, all_of.received[row]),
        "category": pick(CATEGORIES, all_of.category[row]),
        "channel": pick(CHANNELS, all_of.channel[row]),
        "severity": all_of.severity[row],
        "is_complex": all_of.is_complex[row],
        "product_key": pick([product.key for product in world.products], all_of.product[row]),
        "responded_at": _until(times(world, 0, all_of.responded[row]), all_of.responded[row] // _DAY <= day),
        "resolved_at": _until(times(world, 0, all_of.resolved[row]), all_of.resolved[row] // _DAY <= day),
        "updatedOn": dates(world, np.full(len(row), day)),
        "op": pick(("U", "D"), (all_of.deleted[row] == day).astype(np.int64)),
    })  # fmt: skip


def _until(moments: pl.Series, happened: np.ndarray) -> pl.Series:
    return pl.select(pl.when(pl.Series(happened)).then(moments)).to_series()


def _draw(world: World, month: int) -> Complaints:
    settings, people, first = load_scenarios().complaints, world.people, world.calendar.first_of_month(month)
    rng = world.streams.of("complaints", month)
    annoyed, strained = _annoyed(world, first), strain(world, first)
    low = world.cached("complaint.low", lambda: people.value < np.quantile(people.value, settings.fee_value))
    rate = settings.monthly * np.where(low, settings.fee_factor, 1.0) * (1 + settings.distress_factor * strained)
    rate *= np.where(annoyed, settings.bad_contact_factor, 1.0)
    caller = picks(rng, cumulated(np.where((people.join < first) & (people.dormant > first), rate, 0.0)))
    count, days = len(caller), world.calendar.first_of_month(month + 1) - first
    category = codes(rng, [settings.categories[name] for name in CATEGORIES], count)
    cause = rng.random(count)
    category = np.where(low[caller] & (cause < _OF_FEES), FEES, category)
    category = np.where(annoyed[caller] & (cause < _OF_CONTACT), PRIVACY, category)
    category = np.where(cause < strained[caller] * _OF_COLLECTION, COLLECTION, category)
    is_complex = rng.random(count) < settings.complex
    received = (first + rng.integers(0, days, count)) * _DAY + seconds(rng, _HOURS, count)
    waited = _HOUR * settings.respond_hours * np.exp(settings.respond_sigma * rng.standard_normal(count))
    median = np.where(is_complex, settings.resolve_days[1], settings.resolve_days[0])
    took = np.minimum(median * np.exp(settings.resolve_sigma * rng.standard_normal(count)), settings.longest_days)
    product = np.where(rng.random(count) < _NAMES_PRODUCT, rng.integers(0, len(world.products), count), -1)
    channel = codes(rng, [settings.channels[name] for name in CHANNELS], count)
    severity, is_known = codes(rng, settings.severity, count) + 1, rng.random(count) >= settings.unknown_party
    twice = np.flatnonzero(rng.random(count) < settings.duplicate)
    removed = rng.exponential(settings.duplicate_days, len(twice)).astype(np.int64)
    # The second record of the same call comes after all others, and goes when somebody notices.
    of = np.concatenate([np.arange(count), twice])
    deleted = np.concatenate([np.full(count, NEVER, dtype=np.int64), received[twice] // _DAY + 1 + removed])
    return Complaints(
        person=caller[of], received=received[of],
        responded=(received + np.minimum(waited, _DAY * took)).astype(np.int64)[of],
        resolved=(received + _DAY * took).astype(np.int64)[of], category=category[of], channel=channel[of],
        severity=severity[of], is_complex=is_complex[of], product=product[of], is_known=is_known[of], deleted=deleted,
    )  # fmt: skip


def _annoyed(world: World, first: int) -> np.ndarray:
    """Whom a contact of the month before put off: members of campaigns for whom its effect is negative."""
    annoyed = np.zeros(len(world.people), dtype=bool)
    for campaign in world.campaigns:
        if first - 31 <= campaign.starts < first:
            members = world.members(campaign)
            annoyed[members.person[~members.held_out & (members.effect < 0)]] = True
    return annoyed
