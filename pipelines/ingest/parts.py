"""A history in parts: spans of its dates with so many rows each, so that memory follows a part and not the history.

Each part is landed as if the history had been asked for up to its last date. What is landed of it is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import duckdb

from pipelines.ingest import account, check
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.map import map_rows
from pipelines.ingest.read import Rows

_ROWS = 2_000_000  # of one part; a date with more is a part of its own


@dataclass(frozen=True)
class Part:
    """Dates that are landed together, and the rows that may count from them."""

    dates: list[date]
    rows: Rows


def parts(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows, dates: list[date], calendar: list[date], *,
    with_earlier: bool,
) -> Iterator[Part]:  # fmt: skip
    """The parts of `dates` in order; the rows of one that is not the only one are a view that the next one replaces.

    Rows without a date belong to the first part, and so do those of before `dates` where asked for `with_earlier`.
    What the trailer states of the whole is held against it before the first part is given. Raises DeliveryFault.
    """
    if not delivery.is_history or rows.count <= _ROWS:
        yield Part(dates, rows)
        return
    map_rows(con, delivery, rows, only=rows.declared.sums if rows.declared else ())
    account.check_trailer(con, delivery, rows)
    check.date_rows(con, delivery, calendar)
    con.execute("create or replace temp table placed as select _line, business_date from dated")
    con.execute("drop table dated")
    start = dates[0]
    for first, last in _spans(con, dates):
        within = f"business_date between date '{first}' and date '{last}'"
        if first == start:
            within += " or business_date is null" + (f" or business_date < date '{first}'" if with_earlier else "")
        count, lowest, highest = con.execute(
            f"select count(*), coalesce(min(_line), 0), coalesce(max(_line), 0) from placed where {within}"
        ).fetchall()[0]
        for left in ("part", "checked"):  # of the part before
            con.execute(f"drop table if exists {left}")
        con.execute(
            f"create temp view part as select * from {rows.name} "
            f"semi join (select _line from placed where {within}) using (_line) "
            f"where _line between {lowest} and {highest}"
        )
        unsplit = rows.unsplit if first == start else []
        of_part = replace(rows, name="part", count=count + len(unsplit), unsplit=unsplit, declared=None)
        yield Part([day for day in dates if first <= day <= last], of_part)


def _spans(con: duckdb.DuckDBPyConnection, dates: list[date]) -> list[tuple[date, date]]:
    """First and last date of each part."""
    counts = dict(con.execute("select business_date, count(*) from placed group by 1").fetchall())
    spans, rows = [[dates[0], dates[0]]], 0
    for day in dates:
        if rows and rows + counts.get(day, 0) > _ROWS:
            spans.append([day, day])
            rows = 0
        spans[-1][1] = day
        rows += counts.get(day, 0)
    return [(first, last) for first, last in spans]
