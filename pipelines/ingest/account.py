"""Accounts for a delivery: what the trailer states, what was read, and what became of it, per date and measure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import duckdb

from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.ledger import Landing
from pipelines.ingest.map import text_of
from pipelines.ingest.read import Rows

_NOTHING = Decimal(0)
# Where a row of each part lies. Of a deletion that was delivered, only the row counts.
_DELIVERED = ("delivered", "quarantined")
_PARTS = {
    "delivered": "checked",
    "quarantined": "checked where len(_faults) > 0",
    "accepted": "good semi join changed using (_line)",
    "unchanged": "good anti join changed using (_line)",
    "tombstones": "changed where _line is null",
}


def check_trailer(con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows) -> dict[str, Decimal]:
    """What the trailer states, by measure, as far as it can be held against the rows. Raises DeliveryFault."""
    if rows.declared is None:
        return {}
    stated = {}
    if rows.declared.rows is not None:
        if rows.declared.rows != rows.count:
            message = f"the trailer states {rows.declared.rows} rows, the file has {rows.count}"
            raise delivery.fault("trailer_count", message)
        stated["rows"] = Decimal(rows.declared.rows)
    for name, sum_ in rows.declared.sums.items():
        # A sum over values that cannot all be read, or count for nothing, proves nothing.
        text = text_of(delivery.contract, delivery.feed, name)
        total, apart = con.execute(
            f"select coalesce(sum({name}), 0), count(*) filter (where _deleted or ({name} is null and "
            f"({text} is not null or list_contains(_failed, '{name}')))) from mapped"
        ).fetchall()[0]
        if apart or rows.unsplit:
            continue
        if sum_ != total:
            raise delivery.fault("trailer_sum", f"the trailer states {name} {sum_}, the rows add up to {total}")
        stated[name] = sum_
    return stated


def landings(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, recipe: str, unsplit: int, dates: list[date],
    landed: dict[date, str], stated: dict[str, Decimal],
) -> list[Landing]:  # fmt: skip
    """The landings of `dates`. `landed` are the hashes of what was written; `unsplit` records belong to the first date.

    Raises RuntimeError, a defect of ingest, where a row that was delivered is not accounted for.
    """
    made, place = [], (delivery.contract.id, delivery.feed.source)
    measures = delivery.contract.measures
    found = {name: _by_date(con, measures, name) for name in _PARTS}
    for measure in measures:
        parts = {name: values[measure] for name, values in found.items()}
        if measure == "rows":
            parts["delivered"][dates[0]] += unsplit
            parts["quarantined"][dates[0]] += unsplit
        for day in dates:
            of_day = {name: values[day] for name, values in parts.items()}
            known = of_day["accepted"] + of_day["unchanged"] + of_day["quarantined"]
            if of_day["delivered"] != known:
                raise RuntimeError(
                    f"{delivery.contract.id}, {day}: {of_day['delivered']} {measure} delivered, {known} accounted for"
                )
            # The trailer of a history file speaks of all its dates at once.
            declared = None if delivery.is_history else stated.get(measure)
            name, sha256 = delivery.path.name, delivery.sha256
            made.append(
                Landing(*place, day, measure, "landed", name, sha256, recipe, landed.get(day), declared, **of_day)
            )
    return made


def _by_date(con: duckdb.DuckDBPyConnection, measures: Iterable[str], part: str) -> dict[str, dict[date, Decimal]]:
    """The measures of one part, by measure and date."""
    counted = " filter (where not _deleted)" if part in _DELIVERED else ""
    sums = ["count(*)" if name == "rows" else f"coalesce(sum({name}){counted}, 0)" for name in measures]
    values: dict[str, dict[date, Decimal]] = {name: defaultdict(lambda: _NOTHING) for name in measures}
    rows = con.execute(f"select business_date, {', '.join(sums)} from {_PARTS[part]} group by 1").fetchall()
    for day, *totals in rows:
        for name, total in zip(measures, totals, strict=True):
            values[name][day] = Decimal(total)
    return values
