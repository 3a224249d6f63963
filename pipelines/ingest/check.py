"""Holds mapped rows against their contract: says of each row from which date it counts, and each of its faults.

Checks on one row come from the contract (`contracts.checks`); here are those that need other rows: duplicate keys
and references to a parent that the lake does not know.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from pipelines.contracts.checks import row_checks
from pipelines.contracts.feed import Mapping
from pipelines.contracts.model import Contract
from pipelines.ingest import lake
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.map import describe, text_of
from pipelines.ingest.sql import literal
from pipelines.settings import Home


def date_rows(con: duckdb.DuckDBPyConnection, delivery: Delivery, calendar: list[date]) -> None:
    """Make `dated` of `mapped`, in its place: with `business_date`, null where it cannot be read.

    Rows of a history file count from the first date of `calendar` on which they are known, and are left out where
    that lies after its end; rows of a daily file count from its date.
    """
    con.execute("alter table mapped rename to dated")
    if not delivery.is_history:
        return
    # Every day with the date that it counts from: equal days are found faster than the next one.
    days = [calendar[0] + timedelta(days=n) for n in range((calendar[-1] - calendar[0]).days + 1)]
    counts_from = [calendar[bisect_left(calendar, day)] for day in days]
    con.register("_calendar", pa.table({"known": days, "day": counts_from}))
    con.execute("alter table dated add column business_date date")
    con.execute(
        f"update dated set business_date = day from _calendar where known = greatest(_known, date '{calendar[0]}') "
        f"and _known is not null"
    )
    con.execute("delete from dated where _known is not null and business_date is null")
    con.unregister("_calendar")


def find_faults(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, home: Home, dates: list[date], apart: set[int], window: int
) -> None:
    """Make table `checked` of `dated` and in its place: the rows of `dates`, with `_faults`, a list of structs.

    A row whose date cannot be read belongs to the first of `dates`, unless it is in quarantine already (`apart`).
    `window` is the number of days over which a key of an append delivery may not come again.
    """
    contract, first, last = delivery.contract, dates[0], dates[-1]
    con.execute("alter table dated rename to checked")
    if delivery.is_history:
        read_before = ", ".join(map(str, apart)) or "null"
        con.execute(
            f"delete from checked where not business_date between date '{first}' and date '{last}' "
            f"or (business_date is null and _line in ({read_before}))"
        )
        con.execute(f"update checked set business_date = date '{first}' where business_date is null")
    violated = " or ".join(f"coalesce({condition}, false)" for condition, _ in _row_faults(delivery))
    faults = ", ".join(f"case when {condition} then {fault} end" for condition, fault in _row_faults(delivery))
    # In place: few rows have faults, and a second table would take as much room again.
    con.execute(f"update checked set _faults = list_filter([{faults}], x -> x is not null) where {violated}")
    _find_duplicates(con, delivery, home, first, last, window)
    _find_orphans(con, contract, home)


def _row_faults(delivery: Delivery) -> list[tuple[str, str]]:
    """Condition and fault of each check on one row. Of a deletion, only the key counts."""
    contract, feed = delivery.contract, delivery.feed
    undated = "_known is null"
    if not delivery.is_history:
        undated += " and (_text__known is not null or list_contains(_failed, '_known'))"
    undeleted = "list_contains(_failed, '_deleted')"
    faults = [
        (undated, _fault("unreadable", "known_from", "is not the date from which the row is known")),
        (undeleted, _fault("unreadable", "deleted", "does not say whether the row is deleted")),
    ]
    if isinstance(feed.known_from, Mapping) and not delivery.is_history:
        faults.append(
            ("_known > business_date", _fault("not_yet_known", "known_from", "is later than the business date"))
        )
    for column in contract.columns:
        name, scope = column.name, "" if column.key or not feed.deleted else "not _deleted and "
        failed = f"list_contains(_failed, {literal(name)})"
        unreadable = f"{scope}{name} is null and ({text_of(contract, feed, name)} is not null or {failed})"
        faults.append((unreadable, _fault("unreadable", name, describe(contract, feed, name))))
    for check in row_checks(contract):
        scope = "not _deleted and " if feed.deleted and check.column not in contract.key else ""
        if check.rule == "required":  # what is unreadable is not also called missing
            text, failed = text_of(contract, feed, check.column), f"list_contains(_failed, {literal(check.column)})"
            scope += f"{text} is null and not {failed} and "
        faults.append((f"{scope}({check.violated})", _fault(check.rule, check.column, check.reason)))
    return faults


def _fault(rule: str, column: str, reason: str) -> str:
    return f"{{'rule': {literal(rule)}, 'column': {literal(column)}, 'reason': {literal(reason)}}}"


def _add(con: duckdb.DuckDBPyConnection, rule: str, column: str, bad: str) -> None:
    """Add a fault to the rows that `bad` names, an SQL query of `_line` and `reason`."""
    found = con.execute(bad).to_arrow_table()
    if not found.num_rows:  # as nearly always: an update takes longer to plan than the question to answer
        return
    fault = f"{{'rule': {literal(rule)}, 'column': {literal(column)}, 'reason': bad.reason}}"
    con.register("_bad", found)
    con.execute(
        f"update checked set _faults = list_append(_faults, {fault}) from _bad as bad where checked._line = bad._line"
    )
    con.unregister("_bad")


def _find_duplicates(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, home: Home, first: date, last: date, window: int
) -> None:
    contract = delivery.contract
    key = ", ".join(contract.key)
    known = " and ".join(f"{name} is not null" for name in contract.key)
    # An append contract never repeats a key; the others may bring one again on another date.
    within = key if contract.delivery == "append" else f"{key}, business_date"
    _add(
        con, "duplicate_key", key,
        f"select _line, 'stands ' || n || ' times in the delivery' as reason from checked join ("
        f"select {within}, count(*) as n from checked where {known} group by all having n > 1) using ({within})",
    )  # fmt: skip
    if contract.delivery == "append":
        landed = lake.keys_landed(home, contract, delivery.feed.source, first, last, window)
        if landed is None:
            return
        _add(
            con, "duplicate_key", key,
            f"select _line, 'was landed before, on ' || landed.business_date as reason "
            f"from checked join ({landed}) as landed using ({key})",
        )  # fmt: skip


def _find_orphans(con: duckdb.DuckDBPyConnection, contract: Contract, home: Home) -> None:
    for column in contract.columns:
        if column.references is None:
            continue
        parent, key = column.references
        known = lake.first_known(home, parent, key)
        if parent == contract.id:
            known += f" union all select {key} as key, business_date as known from checked where len(_faults) = 0"
        reason = literal(f"refers to no {parent} that was known by the business date")
        _add(
            con, "broken_reference", column.name,
            f"select _line, {reason} as reason from checked left join (select key, min(known) as known from ({known}) "
            f"group by key) as parent on parent.key = {column.name} "
            f"where {column.name} is not null and not _deleted and not coalesce(known <= business_date, false)",
        )  # fmt: skip
