"""When deliveries arrived, and whether that was by the hour that their contract states.

What belongs here: what each run saw and what places state, kept below `arrivals/` of the home, and what follows. What
does not: for which dates a delivery is due (`pipelines.contracts.frequency`). Times are of the clock: they are told to
whoever runs the night, land and block nothing, and are in no release and no evidence.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pipelines.contracts.bank import Bank
from pipelines.contracts.feed import Feed
from pipelines.contracts.form import Stamps
from pipelines.contracts.frequency import Schedule, days
from pipelines.contracts.model import Contract
from pipelines.settings import Home, write_private

State = Literal["in_time", "late", "missing", "unknown"]
WORDS: dict[str, str] = {"in_time": "in time", "late": "late", "missing": "not there", "unknown": "not known"}


@dataclass(frozen=True)
class Sighting:
    """What is known of one delivery: when a run last found none, first found it, and what its place stated then."""

    missing: datetime | None = None
    found: datetime | None = None
    stated: datetime | None = None

    def state(self, deadline: datetime) -> State | None:
        """Whether it came by `deadline`; None where it did not come, and is not to be there yet.

        What a run saw counts more than what a place states: a sender's time may come with the file.
        """
        if self.found is None:
            return "missing" if self.missing is not None and self.missing >= deadline else None
        if self.found <= deadline:
            return "in_time"
        if self.missing is not None and self.missing >= deadline:
            return "late"
        if self.stated is None or (self.missing is not None and self.stated < self.missing):
            return "unknown"
        return "in_time" if self.stated <= deadline else "late"

    def came(self) -> datetime | None:
        """When it came: as stated, unless a run saw that it was not so."""
        if self.stated is None or self.found is None:
            return self.found
        return self.found if self.missing is not None and self.stated < self.missing else min(self.stated, self.found)


@dataclass
class Arrivals:
    """The sightings of one feed, by business date."""

    path: Path
    seen: dict[date, Sighting] = field(default_factory=dict)
    _written: dict[date, Sighting] = field(default_factory=dict)

    def note_missing(self, day: date, now: datetime) -> None:
        """A run looked for the delivery of `day`, and it was not there."""
        known = self.seen.get(day, Sighting())
        if known.found is None:
            self.seen[day] = replace(known, missing=now)

    def note_found(self, day: date, now: datetime, stated: datetime | None) -> None:
        """A run found it. Only the first time counts: a corrected file comes when something was wrong."""
        known = self.seen.get(day, Sighting())
        if known.found is None:
            self.seen[day] = replace(known, found=now, stated=stated)

    def write(self) -> None:
        """Keep what was noted. What cannot be kept is not known later; it hides no fault of a delivery."""
        if self.seen == self._written:
            return
        told = {
            day.isoformat(): {name: at.astimezone(UTC).isoformat() for name, at in vars(one).items() if at is not None}
            for day, one in sorted(self.seen.items())
        }
        with suppress(OSError):
            write_private(self.path, json.dumps(told, indent=0).encode())
            self._written = dict(self.seen)


def arrivals(home: Home, feed: Feed) -> Arrivals:
    """What is known of the deliveries of a feed. What cannot be read is not known: it is no reason to stop a night."""
    path = home.arrivals / f"{feed.contract}.{feed.source}.json"
    try:
        told: dict[str, dict[str, str]] = json.loads(path.read_bytes())
        seen = {
            date.fromisoformat(day): Sighting(**{name: datetime.fromisoformat(at) for name, at in one.items()})
            for day, one in told.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        seen = {}
    return Arrivals(path, seen, dict(seen))


@dataclass(frozen=True)
class Arrival:
    """One delivery that was due: by when, when it came, and in a line what is to be said of it."""

    state: State
    deadline: datetime
    came: datetime | None
    line: str


def judged(contract: Contract, feed: Feed, bank: Bank, day: date, seen: dict[date, Sighting]) -> Arrival | None:
    """What is to be said of the delivery of `day`; None where no run looked for it, or it is not to be there yet."""
    schedule, zone = Schedule(contract.frequency, bank, contract.available_at), ZoneInfo(bank.time_zone)
    deadline, sighting = schedule.deadline(day), seen.get(day)
    state = sighting.state(deadline) if sighting else None
    if sighting is None or state is None:
        return None
    came, due = sighting.came(), f"due by {deadline:%Y-%m-%d %H:%M} bank time ({contract.frequency})"
    about = f"{contract.id} from {feed.source}, {day}"
    if state == "missing":
        last = max((one for one, what in seen.items() if what.found is not None and one < day), default=None)
        looked = f"{sighting.missing.astimezone(zone):%Y-%m-%d %H:%M}" if sighting.missing else ""
        before = f"the last before it that a run found is for {last}" if last else "no run found one before it"
        line = f"{about}: was not there on {looked}, {due}; {before}; ask {contract.owner} for it, run the night again"
        return Arrival(state, deadline, None, line)
    at = came and f"{came.astimezone(zone):%Y-%m-%d %H:%M}"
    if state == "late":
        assert came is not None
        line = f"{about}: came on {at}, {due}: {_long(came - deadline)} late; ask {contract.owner} what kept it"
    elif state == "unknown":
        why = "its place states none" if sighting.stated is None else "a run had looked later than its file states"
        if times(feed, bank) == "unknown":
            why = "the time of its file is not that of its arrival (arrival_times)"
        line = f"{about}: when it came is not known, since {why}; a run first saw it on {at}, {due}"
    else:
        line = f"{about}: came on {at}, {due}"
    return Arrival(state, deadline, came if state != "unknown" else None, line)


def clock() -> datetime:
    """When a run looks for a delivery: now."""
    return datetime.now(UTC)


def times(feed: Feed, bank: Bank) -> Stamps:
    """What the times are worth that the place of a feed states."""
    return feed.arrival_times or bank.arrival_times


def awaited(contract: Contract, feed: Feed, bank: Bank, day: date, newest: date | None) -> Arrival | None:
    """What is to be said of a date that was carried, the last delivery before it being for `newest`; None if not due.

    That nothing came is known without any clock.
    """
    schedule = Schedule(contract.frequency, bank, contract.available_at)
    if not schedule.is_owed(newest, day):
        return None
    line = (
        f"{contract.id} from {feed.source}, {day}: nothing came: {schedule.said(newest, day)}: "
        f"{days(schedule.behind(newest, day))} behind, and may be carried for {contract.carry_forward_days}; "
        f"ask {contract.owner} for it, it is landed by the next run"
    )
    return Arrival("missing", schedule.deadline(day), None, line)


def instant(stated: Any) -> datetime | None:
    """The time that a store states of a file, in whatever form; None where it is none, or of no time zone."""
    if isinstance(stated, int | float) and not isinstance(stated, bool):
        return datetime.fromtimestamp(stated, UTC)
    if isinstance(stated, str):
        from email.utils import parsedate_to_datetime

        for read in (datetime.fromisoformat, parsedate_to_datetime):
            try:
                stated = read(stated)
                break
            except ValueError:
                continue
    return stated if isinstance(stated, datetime) and stated.tzinfo is not None else None


def _long(span: timedelta) -> str:
    minutes = -(-int(span.total_seconds()) // 60)
    days, hours = minutes // 1440, minutes // 60
    for number, noun in ((days, "day"), (hours, "hour"), (max(minutes, 1), "minute")):
        if number:
            return f"{number} {noun}{'s' if number > 1 else ''}"
    return ""
