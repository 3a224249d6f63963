"""One pass of one delivery: read, map, check, quarantine, tokenise, reduce to changes, land, record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from pipelines.contracts.arrow import lake_schema
from pipelines.contracts.bank import Bank
from pipelines.contracts.feed import Feed
from pipelines.contracts.load import Catalog
from pipelines.ingest import changes, check, deliveries, lake, quarantine
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.ledger import Landing, Ledger
from pipelines.ingest.map import check_header, map_rows
from pipelines.ingest.read import Rows, read_delivery
from pipelines.settings import Home, Settings, make_directory
from pipelines.vault.keys import KeyRing


@dataclass(frozen=True)
class Desk:
    """What every batch of a run works with."""

    catalog: Catalog
    settings: Settings
    bank: Bank
    feeds: tuple[Feed, ...]
    ring: KeyRing

    @property
    def home(self) -> Home:
        """The home that is written."""
        return self.settings.home

    @property
    def directory(self) -> Path:
        """Where the bank delivers."""
        return deliveries.place(self.bank, self.settings)

    def recipe(self, feed: Feed) -> str:
        """Hash of all that decides, beside the delivery, what is landed."""
        parts = [self.catalog.contract(feed.contract).sha256, feed.sha256, self.ring.fingerprint()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def land(desk: Desk, delivery: Delivery, ledger: Ledger, first: date, last: date, dates: list[date]) -> list[Landing]:
    """Land what `delivery` says of the dates `first` to `last`, and record every date of `dates`.

    Raises DeliveryFault, with nothing landed, for a fault of the whole delivery.
    """
    with _workbench(desk) as (con, scratch):
        rows = read_delivery(con, delivery, "delivery", scratch)
        check_header(con, delivery, rows)
        _read_companions(con, desk, delivery, scratch)
        map_rows(con, delivery, rows)
        window = int(desk.catalog.policy.thresholds["ingest.duplicate_key_days"])
        check.find_faults(con, delivery, desk.home, first, last, window)
        quarantine.collect(con, delivery, rows, first)
        _check_trailer(con, delivery, rows)
        _check_history(con, delivery, ledger, first)
        _check_rejects(con, delivery, rows)
        changes.tokenise_good(con, delivery.contract, desk.ring)
        changes.find_changes(con, delivery, desk.home, first)
        _check_vanished(con, delivery, desk)
        landed = _write(con, desk, delivery, dates)
        landings = _landings(con, desk, delivery, rows, first, dates, landed)
        shape = desk.catalog.derived["control.quarantine"]
        quarantine.write(con, delivery, rows, desk.home, desk.ring, shape, dates)
    ledger.record(landings)
    return landings


@contextmanager
def _workbench(desk: Desk) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """An in-memory database whose spill and scratch files stay in the vault zone."""
    scratch = make_directory(desk.home.vault / "tmp")
    con = duckdb.connect(config={"temp_directory": str(scratch / "spill"), "threads": desk.settings.threads})
    try:
        con.execute(f"set memory_limit = '{desk.settings.memory_limit}'")
        yield con, scratch
    finally:
        con.close()


def _read_companions(con: duckdb.DuckDBPyConnection, desk: Desk, delivery: Delivery, scratch: Path) -> None:
    for alias, contract_id in delivery.feed.reads.items():
        others = [feed for feed in desk.feeds if feed.contract == contract_id and feed.source == delivery.feed.source]
        others = others or [feed for feed in desk.feeds if feed.contract == contract_id]
        if not others:
            raise delivery.fault(
                "bad_mapping", f"no feed delivers {contract_id}", f"correct reads in {delivery.feed.path}"
            )
        read_delivery(
            con, deliveries.companion(delivery, others[0], desk.catalog.contract, desk.directory), alias, scratch
        )


def _check_trailer(con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows) -> None:
    if rows.declared is None:
        return
    if rows.declared.rows is not None and rows.declared.rows != rows.count:
        raise delivery.fault(
            "trailer_count", f"the trailer states {rows.declared.rows} rows, the file has {rows.count}"
        )
    for name, declared in rows.declared.sums.items():
        total, unreadable = con.execute(
            f"select coalesce(sum({name}), 0), count(*) filter (where _text_{name} is not null and {name} is null) from mapped"
        ).fetchall()[0]
        # A sum over values that cannot all be read proves nothing; the rows themselves go to quarantine.
        if declared != total and not unreadable and not rows.unsplit:
            raise delivery.fault("trailer_sum", f"the trailer states {name} {declared}, the rows add up to {total}")


def _check_history(con: duckdb.DuckDBPyConnection, delivery: Delivery, ledger: Ledger, first: date) -> None:
    """A history file must still say of landed dates what it said when they were landed."""
    if not delivery.is_history:
        return
    before = [landing for landing in ledger.landings if landing.business_date < first and landing.measure == "rows"]
    if not before:
        return
    landed = sum(landing.delivered for landing in before)
    now = con.execute(f"select count(*) from mapped where _known < date '{first}'").fetchall()[0][0]
    read_apart = sum(landing.quarantined for landing in before)
    if not landed - read_apart <= now <= landed:
        raise delivery.fault(
            "history_changed",
            f"{now} rows lie before {first}, but {landed} were landed from it",
            f"run `zhongtai backfill` from {ledger.landings[0].business_date} if the new history is the right one",
        )


def _check_rejects(con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows) -> None:
    bad = con.execute("select count(distinct line) from quarantined").fetchall()[0][0]
    read = con.table("checked").count("*").fetchall()[0][0] + len(rows.unsplit)
    limit = delivery.contract.reject_limit
    if bad > limit * read:
        rule, column, count = con.execute(
            "select rule, column_name, count(*) as n from quarantined group by all order by n desc, 1, 2 limit 1"
        ).fetchall()[0]
        examples = con.execute(
            "select line, reason from quarantined where rule = ? order by line limit 3", [rule]
        ).fetchall()
        shown = "; ".join(f"line {line}: {column or 'row'} {reason}" for line, reason in examples)
        raise delivery.fault(
            "reject_limit", f"{bad} of {read} rows are bad, more than {limit:.1%}; most often {rule} ({count}): {shown}"
        )


def _check_vanished(con: duckdb.DuckDBPyConnection, delivery: Delivery, desk: Desk) -> None:
    if delivery.contract.delivery != "full" or delivery.is_history:
        return
    share, limit = changes.vanished_share(con), desk.catalog.policy.thresholds["ingest.max_vanished_share"]
    if share > limit:
        raise delivery.fault(
            "vanished_keys",
            f"{share:.1%} of the known keys are not in this full delivery, more than {limit:.1%}: cut off?",
        )


def _write(con: duckdb.DuckDBPyConnection, desk: Desk, delivery: Delivery, dates: list[date]) -> dict[date, str]:
    """Write the lake file of each date; returns its hash. A date without changes keeps no file."""
    contract, source = delivery.contract, delivery.feed.source
    schema, frames, landed = lake_schema(contract), changes.by_date(con, contract), {}
    for day in dates:
        path = lake.partition(desk.home.lake, contract.id, source, day)
        if day in frames:
            lake.write_parquet(path, frames[day].to_arrow().cast(schema))
            landed[day] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            path.unlink(missing_ok=True)
    return landed


def _landings(
    con: duckdb.DuckDBPyConnection, desk: Desk, delivery: Delivery, rows: Rows, first: date, dates: list[date],
    landed: dict[date, str],
) -> list[Landing]:  # fmt: skip
    contract = delivery.contract
    totals: dict[tuple[date, str], list[Decimal]] = {}
    for measure in contract.measures:
        of = "count(*)" if measure == "rows" else f"coalesce(sum({measure}), 0)"
        for position, table in enumerate(
            (
                "checked",
                "changed where _line is not null",
                "checked where len(_faults) > 0",
                "changed where _line is null",
            )
        ):
            for day, value in con.execute(f"select business_date, {of} from {table} group by 1").fetchall():
                totals.setdefault((day, measure), [Decimal(0)] * 4)[position] = Decimal(value)
    landings = []
    for day in dates:
        for measure in contract.measures:
            delivered, accepted, quarantined, tombstones = totals.get((day, measure), [Decimal(0)] * 4)
            if measure == "rows" and day == first:
                delivered, quarantined = delivered + len(rows.unsplit), quarantined + len(rows.unsplit)
            declared = None
            # The trailer of a history file speaks of all its dates at once: it was compared when the file was read.
            if rows.declared is not None and not delivery.is_history:
                declared = rows.declared.rows if measure == "rows" else rows.declared.sums.get(measure)
            landings.append(
                Landing(
                    contract.id,
                    delivery.feed.source,
                    day,
                    measure,
                    "landed",
                    delivery.path.name,
                    delivery.sha256,
                    desk.recipe(delivery.feed),
                    landed.get(day),
                    None if declared is None else Decimal(declared),
                    delivered,
                    accepted,
                    delivered - accepted - quarantined,
                    quarantined,
                    tombstones,
                )  # fmt: skip
            )
    return landings
