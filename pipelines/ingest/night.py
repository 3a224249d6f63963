"""Decides, feed by feed, which dates a run has to land, and lands them.

A run for one date also lands the earlier dates that an interrupted or refused night left out, and lands again what a
correction has put in doubt. Faults of one feed do not keep another from landing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from pipelines.contracts.feed import Feed
from pipelines.contracts.frequency import Schedule, days
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.ingest import lake, ledger, rotation
from pipelines.ingest.arrival import Arrivals, arrivals, clock, times
from pipelines.ingest.batch import Desk, land
from pipelines.ingest.correction import Correction
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.faults import DeliveryFault
from pipelines.ingest.ledger import Landing, Ledger
from pipelines.ingest.together import together
from pipelines.settings import Settings
from pipelines.vault.keys import KeyRing


@dataclass
class Outcome:
    """What a run did with one feed, or the fault that stopped it.

    `landings` are those of the dates asked for, made now or found as they should be, and of every other date that was
    landed on the way; `reused` counts the dates found.
    """

    feed: Feed
    landings: list[Landing] = field(default_factory=list)
    reused: int = 0
    fault: DeliveryFault | None = None

    def total(self, of: str) -> int:
        """Sum of one field over the rows of `landings`, for example `accepted`."""
        return int(sum(getattr(landing, of) for landing in self.landings if landing.measure == "rows"))


def open_desk(catalog: Catalog, settings: Settings) -> Desk:
    """Prepare the home of the bank for a run."""
    bank = catalog.bank(settings.bank_name())
    home = settings.home
    home.prepare(bank.bank)
    rotation.recover(home)
    ring = KeyRing.of_home(home.vault, settings.vault_key)
    for contract in catalog.sources.values():
        lake.prepare(home, contract)
    ledger.prepare(home, catalog.derived["control.landing"])
    return Desk(catalog, settings, bank, catalog.feeds(bank.bank), ring)


def ingest(desk: Desk, first: date, last: date, contracts: Iterable[str] | None = None) -> list[Outcome]:
    """Land every readable feed through `last`; dates from `first` on are compared with their delivery again.

    With `contracts`, only those. Parents come before children, so that references can be checked.
    """
    wanted = None if contracts is None else set(contracts)
    feeds = [feed for feed in desk.feeds if feed.readable and (wanted is None or feed.contract in wanted)]
    outcomes = [Outcome(feed) for feed in feeds]
    with desk.running() as running:

        def work(number: int) -> None:
            try:
                _ingest_feed(running, feeds[number], first, last, outcomes[number])
            except DeliveryFault as fault:
                outcomes[number].fault = fault

        together(running, feeds, work)
    return outcomes


def _ingest_feed(desk: Desk, feed: Feed, first: date, last: date, outcome: Outcome) -> None:
    correction = Correction(desk.catalog, desk.home, desk.feeds, feed)
    with desk.fetching() as fetching:
        through = fetching.office.through(feed, correction.contract, last)
        if through:
            _ingest_history(fetching, feed, correction, first, last, through, outcome)
    if feed.daily:
        start = through + timedelta(days=1) if through else desk.bank.first_date
        seen = arrivals(desk.home, feed)
        try:
            _ingest_days(desk, feed, correction, start, first, last, outcome, seen)
        finally:
            seen.write()
    made = {landing.business_date for landing in outcome.landings}
    asked = (landing for landing in correction.ledger.landings if first <= landing.business_date <= last)
    outcome.landings += [landing for landing in asked if landing.business_date not in made]


def _ingest_history(
    desk: Desk, feed: Feed, correction: Correction, first: date, last: date, end: date, outcome: Outcome
) -> None:
    """Land the dates of the history file up to `end` that are missing, in doubt, or landed from other bytes."""
    assert feed.history is not None
    book = correction.ledger
    days = desk.bank.business_dates(desk.bank.first_date, min(last, end))
    if last >= end and end not in days:
        # What became known on the closed days before `end` would count from a date that the file no longer has.
        stated = feed.history.through_file or feed.path
        raise desk.office.history(feed, correction.contract, end).fault(
            "bad_mapping", f"history.through is {end}, a closed day", f"name the business date before it in {stated}"
        )
    known = book.landed_dates() - book.doubtful_dates() - book.lost_dates(desk.home)
    again = [day for day in days if day in known and day >= first]
    if again:
        delivery = desk.office.history(feed, correction.contract, days[-1])
        delivery.require()
        recipe = desk.recipe(delivery)
        again = [day for day in again if not _unchanged(desk, delivery, recipe, book.of(day))]
        outcome.reused += sum(day in known and day >= first for day in days) - len(again)
    due = [day for day in days if day not in known] + again
    while due:
        # A history file says of a date what it is only together with the dates after it.
        until = max([*days, *due])
        delivery = desk.office.history(feed, correction.contract, until)
        outcome.landings += land(desk, delivery, correction, desk.bank.business_dates(min(due), until))
        due = [day for day in book.doubtful_dates() if day <= end]


def _ingest_days(
    desk: Desk, feed: Feed, correction: Correction, start: date, first: date, last: date, outcome: Outcome,
    seen: Arrivals,
) -> None:  # fmt: skip
    """Land the daily files from `start` on that are missing, late, in doubt, or others than those landed."""
    book = correction.ledger
    lost = book.lost_dates(desk.home)
    for day in desk.bank.business_dates(start, max([last, *book.landed_dates()])):
        entry, doubtful = book.of(day), day in book.doubtful_dates()
        landed = bool(entry) and entry[0].status == "landed"
        if not doubtful and (day > last or (landed and day < first and day not in lost)):
            continue
        with desk.fetching() as fetching:  # for one date at a time: a long way back needs no room for all of it
            delivery = fetching.office.daily(feed, correction.contract, day)
            if not doubtful:
                there = delivery.is_there()
                if landed and there and _unchanged(fetching, delivery, fetching.recipe(delivery), entry):
                    outcome.reused += 1
                    continue
                if entry and not landed and not there:  # carried, and still not here
                    _note(seen, desk, delivery, clock(), "carried")
                    outcome.reused += day >= first
                    continue
            outcome.landings += _land_and_note(fetching, delivery, correction, seen, known=landed)


def _land_and_note(
    desk: Desk, delivery: Delivery, correction: Correction, seen: Arrivals, *, known: bool
) -> list[Landing]:
    looked = clock()
    try:
        made = _land_day(desk, delivery, correction)
    except DeliveryFault as fault:
        if not known:
            _note(seen, desk, delivery, looked, fault.rule)
        raise
    if not known:
        _note(seen, desk, delivery, looked, made[0].status)
    return made


def _note(seen: Arrivals, desk: Desk, delivery: Delivery, looked: datetime, came: str) -> None:
    """Note when a run looked for a delivery and what `came` of it: told to people, and nothing that is landed."""
    worth = times(delivery.feed, desk.bank)
    if came in ("carried", "missing_delivery", "missing_flag"):
        due = _schedule(desk, delivery.contract).due_date(delivery.date)
        if due == delivery.date and worth != "simulated":
            seen.note_missing(delivery.date, looked)
    elif came != "unreadable":  # where the place does not answer nobody knows
        stated = None if worth == "unknown" else delivery.arrived()
        seen.note_found(delivery.date, stated if worth == "simulated" and stated else looked, stated)


def _schedule(desk: Desk, contract: Contract) -> Schedule:
    return Schedule(contract.frequency, desk.bank, contract.available_at)


def _land_day(desk: Desk, delivery: Delivery, correction: Correction) -> list[Landing]:
    book, day = correction.ledger, delivery.date
    if not delivery.is_there():
        if day in book.landed_dates():
            doubtful = day in book.doubtful_dates()
            again = "what it stands on was corrected" if doubtful else "the night is run again"
            raise delivery.fault(
                "missing_delivery", f"no such file any more, but {again}",
                "put back the file that was landed, or a corrected one, and run the night again",
            )  # fmt: skip
        return _carry(delivery, book, _schedule(desk, delivery.contract))
    delivery.require()
    # A full extract of a quiet day may well equal the last one; bookings never do.
    for other in book.landings if delivery.contract.delivery != "full" else ():
        if other.delivery_sha256 == delivery.sha256 and other.business_date != day and other.delivered > 0:
            raise delivery.fault("duplicate_delivery", f"the same bytes were landed for {other.business_date}")
    return land(desk, delivery, correction, [day])


def _carry(delivery: Delivery, book: Ledger, schedule: Schedule) -> list[Landing]:
    """Record that the last state is carried forward, or refuse: what is due is missing, or has been for too long.

    A required contract may be carried only while nothing is owed; it has to have come once.
    """
    contract = delivery.contract
    newest = max((day for day in book.landed_dates() if day < delivery.date), default=None)
    behind, said = schedule.behind(newest, delivery.date), schedule.said(newest, delivery.date)
    if contract.criticality == "required":
        if newest is None or behind:
            again = f"ask {contract.owner} for it and run the night again"
            raise delivery.fault("missing_delivery", f"no such file of a required contract: {said}", again)
    elif behind and (newest is None or behind > contract.carry_forward_days):
        raise delivery.fault(
            "missing_delivery",
            f"no such file of an optional contract: {said}: {days(behind)} behind, and may be carried for "
            f"{contract.carry_forward_days}",
            f"ask {contract.owner} for it, or raise carryForwardDays in {contract.path}",
        )
    place, unknown, nothing = (contract.id, delivery.feed.source, delivery.date), (None,) * 5, (Decimal(0),) * 5
    landings = [Landing(*place, measure, "carried", *unknown, *nothing) for measure in contract.measures]
    book.record(landings)
    return landings


def _unchanged(desk: Desk, delivery: Delivery, recipe: str, entry: list[Landing]) -> bool:
    """Whether a date was landed from these very bytes by this very recipe, and its file is still what it was."""
    landed = entry[0]
    if (landed.delivery_sha256, landed.recipe_sha256) != (delivery.sha256, recipe):
        return False
    path = lake.partition(desk.home.lake, landed.contract, landed.source, landed.business_date)
    if landed.landed_sha256 is None:
        return not path.exists()
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == landed.landed_sha256
