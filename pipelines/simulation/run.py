"""Simulates dates of a world: asks the emitters, day by day, and delivers what they say.

Belongs here: which delivery is written when. Does not belong here: what is in it (`emitters`), how it is written
(`delivery`), what may be asked (`book`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.contracts.feed import Feed
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.settings import PRIVATE_DIR, InputError, make_directory, write_private
from pipelines.simulation import arrival, delivery
from pipelines.simulation.book import Book, Request, open_book
from pipelines.simulation.crm import CrmDatabase
from pipelines.simulation.faults.apply import chosen, spoil
from pipelines.simulation.faults.catalogue import Fault
from pipelines.simulation.frames import EMITTERS, Emitter, Snapshots
from pipelines.simulation.lines import can_keep, dressed
from pipelines.simulation.raw import fields_of
from pipelines.simulation.settings import Settings, load_settings
from pipelines.simulation.slips import slip
from pipelines.simulation.truth import write_truth
from pipelines.simulation.world import World, build_world

BANKS = {"csv": "simbank", "postgres": "simbank_postgres"}
_THROUGH = "history/THROUGH"


@dataclass
class Summary:
    """What a run wrote; `progress` is told after each date."""

    files: int = 0
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    last: date | None = None
    dates: int = 0
    expected: list[Path] = field(default_factory=list)
    crm_url: str = ""

    def count(self, file: delivery.Delivery | CrmDatabase) -> None:
        """Add a delivery that was completed."""
        self.rows += file.rows
        if isinstance(file, delivery.Delivery):
            self.files, self.bytes = self.files + 1, self.bytes + file.bytes


Progress = Callable[[date, Summary], None]


def simulate(
    request: Request,
    catalog: Catalog,
    progress: Progress = lambda *_: None,
    *,
    settings: Settings | None = None,
    emitters: dict[tuple[str, str], Emitter] | None = None,
) -> Summary:
    """Write what was asked for. Raises InputError where that cannot be done, before anything is written."""
    started, settings = time.perf_counter(), settings or load_settings()
    request, book = open_book(request, settings)
    faults = _faults(request, book)
    feeds = catalog.feeds(BANKS[request.crm])
    run = _Run(request, book, catalog, feeds, build_world(settings, request.customers, request.seed), emitters)
    make_directory(request.out, PRIVATE_DIR)
    make_directory(request.deliveries, PRIVATE_DIR)
    run.all(progress, faults)
    run.summary.seconds = time.perf_counter() - started
    return run.summary


class _Run:
    def __init__(
        self, request: Request, book: Book, catalog: Catalog, feeds: tuple[Feed, ...], world: World,
        emitters: dict[tuple[str, str], Emitter] | None,
    ) -> None:  # fmt: skip
        self.request, self.book, self.catalog, self.world = request, book, catalog, world
        self.emitters = all_emitters() if emitters is None else emitters
        known = {(feed.contract, feed.source) for feed in feeds}
        if emitters is None and (missing := known - self.emitters.keys()):
            raise InputError(f"nobody simulates {', '.join(sorted(f'{c} of {s}' for c, s in missing))}")
        self.feeds = tuple(feed for feed in feeds if (feed.contract, feed.source) in self.emitters)
        self.zone = ZoneInfo(catalog.bank(BANKS[request.crm]).time_zone)
        self.summary = Summary()
        self.crm = CrmDatabase(request.out / "crm") if request.crm == "postgres" else None

    def all(self, progress: Progress, faults: list[Fault]) -> None:
        """The history where it was asked for, then date after date; then the last is spoiled where that was asked."""
        assert self.request.first is not None
        calendar = self.world.calendar
        first, last = calendar.day(self.request.first), calendar.day(self.request.last)
        through = calendar.day(self.request.through) if self.request.through else -1
        write_truth(self.world, self.request.truth)
        with ExitStack() as stack:
            if self.crm:
                self.summary.crm_url = stack.enter_context(self.crm).url
            if first <= through:
                self._history(range(first, through + 1), progress)
            for day in range(max(first, through + 1), last + 1):
                self._drop(day, through)
                self._done(day, progress)
            self.summary.expected = spoil(faults, self.request, self.feeds, self.catalog, self.crm)

    def _history(self, days: range, progress: Progress) -> None:
        """One file for each contract; of a full one, what there was on the last day."""
        with_history = [feed for feed in self.feeds if feed.history]
        files = {id(f): delivery.history(f, self._contract(f), self.request.deliveries) for f in with_history}
        try:
            for day in days:
                for feed in self.feeds:
                    if feed.history is None:
                        self._deliver(feed, day)
                    elif day == days[-1] or self._contract(feed).delivery != "full":
                        self._fill(files[id(feed)], feed, day)
                if day != days[-1]:
                    progress(self.world.calendar.date(day), self._so_far(files.values()))
            for file in files.values():
                file.close()
        except BaseException:
            for file in files.values():
                file.abandon()
            raise
        for file in files.values():
            self.summary.count(file)
        stated = f"{self.world.calendar.date(days[-1])}\n"
        write_private(self.request.deliveries / _THROUGH, stated.encode())
        self._done(days[-1], progress)

    def _drop(self, day: int, through: int) -> None:
        """The files of a day, and those of the days before that come with it."""
        seen = max(day, self.world.calendar.day(self.book.last) if self.book.last else day)
        for feed in self.feeds:
            if seen >= day + arrival.LATE or not arrival.is_late(self.world, feed, day):
                self._deliver(feed, day, wrong=seen < day + arrival.CORRECTED)
            late, corrected = day - arrival.LATE, day - arrival.CORRECTED
            if late > through and arrival.is_late(self.world, feed, late):
                self._deliver(feed, late)
            if corrected > through and arrival.is_corrected(self.world, feed, corrected):
                self._deliver(feed, corrected)

    def _deliver(self, feed: Feed, day: int, wrong: bool = False) -> None:
        when = self.world.calendar.date(day)
        if feed.format.type == "postgres":
            assert self.crm is not None
            self.crm.deliver(feed, self._contract(feed), when, self._emit(feed, day))
            self.summary.count(self.crm)
            return
        file = delivery.daily(feed, self._contract(feed), self.request.deliveries, when)
        try:
            self._fill(file, feed, day, wrong)
            file.close(arrival.at(self.world, feed, day, wrong, self.zone))
        except BaseException:
            file.abandon()
            raise
        self.summary.count(file)

    def _fill(self, file: delivery.Delivery, feed: Feed, day: int, wrong: bool = False) -> None:
        """Add what is delivered for a day; of records that never change, the lines that were dressed once."""
        emitter = self.emitters[feed.contract, feed.source]
        if isinstance(emitter, Snapshots) and can_keep(feed.format):
            records, rows = emitter.of(self.world, day)
            fields = fields_of(feed, self._contract(feed))
            kept = f"lines.{feed.source}.{feed.contract}"
            lines = self.world.cached(kept, lambda: dressed(feed.format, fields, records))
            file.add_lines(lines, records, rows)
            return
        frame = self._emit(feed, day)
        if wrong and arrival.is_corrected(self.world, feed, day):
            frame = arrival.wrong_at_first(self.world, day, frame)
        file.add(frame)

    def _emit(self, feed: Feed, day: int) -> pl.DataFrame:
        frame = self.emitters[feed.contract, feed.source](self.world, day, feed.source)
        # A spoiled drop has its planted fault alone, so that the expected verdict is the whole verdict.
        spoiled = self.request.faults and self.world.calendar.date(day) == self.request.last
        return frame if spoiled else slip(self.world, self._contract(feed), feed.source, day, frame)

    def _contract(self, feed: Feed) -> Contract:
        return self.catalog.contract(feed.contract)

    def _so_far(self, files: Iterable[delivery.Delivery]) -> Summary:
        return replace(self.summary, rows=self.summary.rows + sum(file.rows for file in files))

    def _done(self, day: int, progress: Progress) -> None:
        when = self.world.calendar.date(day)
        self.book = replace(self.book, last=max(when, self.book.last or when))
        self.book.write(self.request.out)
        self.summary.last, self.summary.dates = when, self.summary.dates + 1
        progress(when, self.summary)


def all_emitters() -> dict[tuple[str, str], Emitter]:
    """The emitters of every contract and source."""
    import pipelines.simulation.emitters  # noqa: F401  registers them

    return EMITTERS


def _faults(request: Request, book: Book) -> list[Fault]:
    picked = chosen(request.faults, request.crm)
    if picked and book.history and request.last <= book.history:
        raise InputError(f"--fault: {request.last} is in the history; faults spoil the files of a date after it")
    return picked
