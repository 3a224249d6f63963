"""Decides, feed by feed, which dates a run has to land, and lands them.

A run for one date also lands the earlier dates that an interrupted or refused night left out, and recomputes the
date after a corrected one. Faults of one feed do not keep another from landing; at the end they are raised together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from pipelines.contracts.feed import Feed
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.ingest import lake, ledger
from pipelines.ingest.batch import Desk, land
from pipelines.ingest.deliveries import Delivery, daily_delivery, history_delivery
from pipelines.ingest.faults import DeliveryFault
from pipelines.ingest.ledger import Landing, Ledger
from pipelines.settings import Settings
from pipelines.vault.keys import KeyRing


@dataclass
class Outcome:
    """What a run did with one feed: the landings it made, or the fault that stopped it."""

    feed: Feed
    landings: list[Landing] = field(default_factory=list)
    reused: int = 0
    fault: DeliveryFault | None = None

    def total(self, of: str) -> int:
        """Sum of one field over the rows that were landed, for example `accepted`."""
        return int(sum(getattr(landing, of) for landing in self.landings if landing.measure == "rows"))


def open_desk(catalog: Catalog, settings: Settings) -> Desk:
    """Prepare the home of the bank for a run."""
    bank = catalog.bank(settings.bank_name())
    home = settings.home
    home.prepare(bank.bank)
    ring = KeyRing.open(home.vault, settings.vault_key)
    for contract in catalog.sources.values():
        lake.prepare(home, contract)
    ledger.prepare(home, catalog.derived["control.landing"])
    return Desk(catalog, settings, bank, catalog.feeds(bank.bank), ring)


def ingest(desk: Desk, first: date, last: date, contracts: Iterable[str] | None = None) -> list[Outcome]:
    """Land every readable feed through `last`; dates from `first` on are compared with their delivery again.

    With `contracts`, only those. Parents come before children, so that references can be checked.
    """
    wanted = None if contracts is None else set(contracts)
    outcomes = []
    for feed in desk.feeds:
        if feed.readable and (wanted is None or feed.contract in wanted):
            outcome = Outcome(feed)
            outcomes.append(outcome)
            try:
                _ingest_feed(desk, feed, first, last, outcome)
            except DeliveryFault as fault:
                outcome.fault = fault
    return outcomes


def _ingest_feed(desk: Desk, feed: Feed, first: date, last: date, outcome: Outcome) -> None:
    contract = desk.catalog.contract(feed.contract)
    book = Ledger(desk.home, desk.catalog.derived["control.landing"], contract, feed.source)
    if feed.history:
        _ingest_history(desk, feed, contract, book, first, last, outcome)
    if feed.daily:
        start = (
            feed.history.through + timedelta(days=1) if feed.history and feed.history.through else desk.bank.first_date
        )
        corrected = False
        for day in desk.bank.business_dates(start, last):
            entry = book.of(day)
            if entry and day < first and entry[0].status == "landed" and not corrected:
                continue
            before = [landing.landed_sha256 for landing in entry]
            delivery = daily_delivery(feed, contract, day, desk.directory)
            if entry and not corrected and _unchanged(desk, delivery, entry):
                outcome.reused += 1
                continue
            outcome.landings += _land_day(desk, delivery, book)
            corrected = bool(entry) and before != [landing.landed_sha256 for landing in book.of(day)]
        _recompute_after(desk, feed, contract, book, last, outcome, corrected)


def _ingest_history(
    desk: Desk, feed: Feed, contract: Contract, book: Ledger, first: date, last: date, outcome: Outcome
) -> None:
    assert feed.history is not None
    until = min(last, feed.history.through or last)
    landed = book.landed_dates()
    missing = [day for day in _days(desk.bank.first_date, until) if day not in landed]
    again = [day for day in _days(max(first, desk.bank.first_date), until) if day in landed]
    delivery = history_delivery(feed, contract, until, desk.directory)
    delivery.require()
    if not missing and all(_unchanged(desk, delivery, book.of(day)) for day in again):
        outcome.reused += len(again)
        return
    dates = _days(min(missing + again), until)
    outcome.landings += land(desk, delivery, book, dates[0], dates[-1], dates)


def _land_day(desk: Desk, delivery: Delivery, book: Ledger) -> list[Landing]:
    day = delivery.date
    if delivery.contract.criticality == "optional" and not delivery.path.is_file():
        return _carry(desk, delivery, book)
    delivery.require()
    for other in book.landings:
        if other.delivery_sha256 == delivery.sha256 and other.business_date != day and other.delivered > 0:
            # A full extract of a quiet day may well equal the last one; bookings never do.
            if delivery.contract.delivery != "full":
                raise delivery.fault("duplicate_delivery", f"the same bytes were landed for {other.business_date}")
    return land(desk, delivery, book, day, day, [day])


def _carry(desk: Desk, delivery: Delivery, book: Ledger) -> list[Landing]:
    """Record that an optional contract is carried forward, or refuse once that has lasted too long."""
    contract = delivery.contract
    earlier = [day for day in book.landed_dates() if day < delivery.date]
    days = (delivery.date - max(earlier)).days if earlier else None
    if days is None or days > contract.carry_forward_days:
        lasting = "was never delivered" if days is None else f"has been missing for {days} days"
        raise delivery.fault(
            "missing_delivery",
            f"optional, but it {lasting} and may be carried for {contract.carry_forward_days}",
            f"ask {contract.owner} for it, or raise carryForwardDays in {contract.path.name}",
        )
    landings = [
        Landing(
            contract.id,
            delivery.feed.source,
            delivery.date,
            measure,
            "carried",
            None,
            None,
            None,
            None,
            None,
            *(Decimal(0),) * 5,
        )  # fmt: skip
        for measure in contract.measures
    ]
    book.record(landings)
    return landings


def _recompute_after(
    desk: Desk, feed: Feed, contract: Contract, book: Ledger, last: date, outcome: Outcome, corrected: bool
) -> None:
    """After a correction of `last`, compare the next landed date with it again: its changes may be others now."""
    later = sorted(day for day in book.landed_dates() if day > last)
    if corrected and later and contract.delivery != "append":
        delivery = daily_delivery(feed, contract, later[0], desk.directory)
        outcome.landings += _land_day(desk, delivery, book)


def _unchanged(desk: Desk, delivery: Delivery, entry: list[Landing]) -> bool:
    """Whether a date was landed from these very bytes by this very recipe, and its file is still what it was."""
    if not entry or entry[0].status != "landed" or not delivery.path.is_file():
        return False
    landed = entry[0]
    if (landed.delivery_sha256, landed.recipe_sha256) != (delivery.sha256, desk.recipe(delivery.feed)):
        return False
    path = lake.partition(desk.home.lake, landed.contract, landed.source, landed.business_date)
    if landed.landed_sha256 is None:
        return not path.exists()
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == landed.landed_sha256


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
