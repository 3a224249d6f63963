"""One pass of one delivery: read, map, check, quarantine, tokenise, reduce to changes, land, record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from threading import Lock

import duckdb

from pipelines.contracts.bank import Bank
from pipelines.contracts.feed import Feed
from pipelines.contracts.load import Catalog
from pipelines.ingest import account, changes, check, lake, quarantine
from pipelines.ingest.correction import Correction
from pipelines.ingest.deliveries import Delivery, Office
from pipelines.ingest.engine import open_engine, workbench
from pipelines.ingest.history import check_history, is_changed
from pipelines.ingest.ledger import Landing
from pipelines.ingest.map import map_rows
from pipelines.ingest.origin import Staging
from pipelines.ingest.parts import Part, parts
from pipelines.ingest.places import place_of
from pipelines.ingest.read import read_delivery
from pipelines.settings import Home, Settings
from pipelines.vault import normal, store
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import Tokenised

_EXAMPLES = 3


@dataclass(frozen=True)
class Desk:
    """What every batch of a run works with."""

    catalog: Catalog
    settings: Settings
    bank: Bank
    feeds: tuple[Feed, ...]
    ring: KeyRing
    staging: Staging | None = None  # copies of what is delivered elsewhere; None where nothing is fetched yet
    engine: duckdb.DuckDBPyConnection | None = None  # None where no run is under way: a batch then opens its own
    doubting: Lock = field(default_factory=Lock)  # held while the landings of another feed are in doubt

    @property
    def home(self) -> Home:
        """The home that is written."""
        return self.settings.home

    @property
    def office(self) -> Office:
        """Where deliveries come in."""
        staging = self.staging or Staging(self.home.vault)
        return Office(lambda feed: place_of(feed, self.bank, self.settings), staging)

    @contextmanager
    def fetching(self) -> Iterator[Desk]:
        """A desk that keeps what it fetches until the `with` ends."""
        with Staging(self.home.vault) as staging:
            yield replace(self, staging=staging)

    @contextmanager
    def running(self) -> Iterator[Desk]:
        """A desk whose batches share an engine until the `with` ends."""
        with open_engine(self.settings) as engine:
            yield replace(self, engine=engine)

    def companions(self, delivery: Delivery) -> dict[str, Delivery]:
        """The deliveries that `delivery` is read together with, by the name its feed gives them."""
        found = {}
        for alias, contract_id in delivery.feed.reads.items():
            others = [feed for feed in self.feeds if feed.contract == contract_id]
            others.sort(key=lambda feed: feed.source != delivery.feed.source)
            if not others:
                raise delivery.fault(
                    "bad_mapping", f"no feed delivers {contract_id}", f"correct reads in {delivery.feed.path}"
                )
            found[alias] = self.office.companion(delivery, others[0], self.catalog.contract)
        return found

    def recipe(self, delivery: Delivery) -> str:
        """Hash of all that decides, beside the delivery itself, what is landed from it."""
        parts = [delivery.contract.sha256, delivery.feed.sha256, self.ring.fingerprint(), f"normal {normal.VERSION}"]
        for other in self.companions(delivery).values():
            parts += [other.feed.sha256, other.sha256]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def land(desk: Desk, delivery: Delivery, correction: Correction, dates: list[date]) -> list[Landing]:
    """Land what `delivery` says of `dates`, and record each of them.

    Raises DeliveryFault for a fault of the whole delivery, with nothing landed; of a history in parts, with nothing of
    the part that has the fault.
    """
    recipe, calendar = desk.recipe(delivery), desk.bank.business_dates(desk.bank.first_date, dates[-1])
    changed = is_changed(delivery, correction.ledger, recipe, dates[0])
    landings: list[Landing] = []
    with _workbench(desk) as con:
        for alias, companion in desk.companions(delivery).items():
            read_delivery(con, companion, alias)
        rows = read_delivery(con, delivery, "delivery")
        for part in parts(con, delivery, rows, dates, calendar, with_earlier=changed):
            check_earlier = changed and part.dates[0] == dates[0]
            landings += _land_part(con, desk, delivery, correction, part, recipe, calendar, check_earlier=check_earlier)
    return landings


def _land_part(
    con: duckdb.DuckDBPyConnection, desk: Desk, delivery: Delivery, correction: Correction, part: Part, recipe: str,
    calendar: list[date], *, check_earlier: bool,
) -> list[Landing]:  # fmt: skip
    rows, dates, first = part.rows, part.dates, part.dates[0]
    map_rows(con, delivery, rows)
    stated = account.check_trailer(con, delivery, rows)
    check.date_rows(con, delivery, calendar)
    apart = quarantine.lines_before(con, delivery, desk.home, first)
    if check_earlier:
        check_history(con, delivery, rows, correction.ledger, desk.home, desk.ring, first, apart)
    window = int(desk.catalog.policy.thresholds["ingest.duplicate_key_days"])
    check.find_faults(con, delivery, desk.home, dates, apart, window)
    unsplit = [record for record in rows.unsplit if record.line not in apart]
    shape = desk.catalog.derived["control.quarantine"]
    quarantine.collect(con, delivery, rows, unsplit, first, shape)
    _check_rejects(con, delivery, len(unsplit))
    good = "(select * from checked where len(_faults) = 0)"
    tokenised = changes.tokenise_rows(con, good, "good", delivery.contract, desk.ring)
    changes.find_changes(con, delivery, desk.home, first)
    _check_vanished(con, delivery, desk.catalog.policy.thresholds["ingest.max_vanished_share"])
    with correction.alone(dates, desk.doubting):
        correction.begin(con, dates)
        landed = _write(con, desk, delivery, dates, tokenised)
        landings = account.landings(con, delivery, recipe, len(unsplit), dates, landed, stated)
        quarantine.write(con, delivery, rows, desk.home, desk.ring, shape, dates)
        correction.ledger.record(landings)
        correction.end(con, dates)
    return landings


@contextmanager
def _workbench(desk: Desk) -> Iterator[duckdb.DuckDBPyConnection]:
    with ExitStack() as stack:
        engine = desk.engine or stack.enter_context(open_engine(desk.settings))
        yield stack.enter_context(workbench(engine))


def _check_rejects(con: duckdb.DuckDBPyConnection, delivery: Delivery, unsplit: int) -> None:
    bad = con.execute("select count(distinct line) from quarantined").fetchall()[0][0]
    read = con.table("checked").count("*").fetchall()[0][0] + unsplit
    limit = Decimal(str(delivery.contract.reject_limit))
    if bad <= limit * read:
        return
    rule, column, count = con.execute(
        "select rule, column_name, count(*) as n from quarantined group by all order by n desc, 1, 2 limit 1"
    ).fetchall()[0]
    examples = con.execute(
        f"select line, reason from quarantined where rule = ? and column_name = ? order by line limit {_EXAMPLES}",
        [rule, column],
    ).fetchall()
    shown = "; ".join(f"line {line}: {column or 'the row'} {reason}" for line, reason in examples)
    raise delivery.fault(
        "reject_limit", f"{bad} of {read} rows are bad, more than {limit:.1%}; most often {rule} ({count}): {shown}"
    )


def _check_vanished(con: duckdb.DuckDBPyConnection, delivery: Delivery, limit: float) -> None:
    if delivery.contract.delivery != "full" or delivery.is_history:
        return
    gone, alive = changes.vanished(con, delivery.contract)
    if gone > Decimal(str(limit)) * alive:
        message = f"{gone} of the {alive} keys known before are not in this full delivery, more than {limit:.0%}"
        raise delivery.fault("vanished_keys", f"{message}; it may be cut off")


def _write(
    con: duckdb.DuckDBPyConnection, desk: Desk, delivery: Delivery, dates: list[date], tokenised: Tokenised | None
) -> dict[date, str]:
    """Write the lake file of each date; returns its hash. A date without changes keeps no file.

    What its tokens stand for is sealed first: the lake has no token that nobody could rotate or explain.
    """
    landed, place = {}, (delivery.contract.id, delivery.feed.source)
    held = changes.landed_values(con, tokenised) if tokenised is not None else {}
    for day, rows in changes.by_date(con, delivery.contract):
        if tokenised is not None:
            values = tokenised.values[held[day]] if day in held else tokenised.values.clear()
            store.keep(store.path_of(desk.home, *place, day), values, desk.ring)
        path = lake.partition(desk.home.lake, *place, day)
        lake.write_parquet(path, rows)
        landed[day] = hashlib.sha256(path.read_bytes()).hexdigest()
    for day in dates:
        if day not in landed:
            lake.partition(desk.home.lake, *place, day).unlink(missing_ok=True)
            store.path_of(desk.home, *place, day).unlink(missing_ok=True)
    return landed
