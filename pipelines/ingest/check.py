"""Holds mapped rows against their contract: finds each fault of each row, and parts good rows from bad.

Checks on one row come from the contract (`contracts.checks`); here are those that need other rows: duplicate keys
and references to a parent that the lake does not know.
"""

from __future__ import annotations

from datetime import date

import duckdb

from pipelines.contracts.checks import row_checks
from pipelines.ingest import lake
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.map import describe
from pipelines.ingest.sql import literal
from pipelines.settings import Home


def find_faults(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, home: Home, first: date, last: date, window: int
) -> None:
    """Make table `checked` from `mapped`: rows readable from `first` to `last`, with `_faults`, a list of structs.

    A row of a history file whose date cannot be read belongs to the first date that is asked for. `window` is the
    number of days over which a key of an append delivery may not come again.
    """
    contract, feed = delivery.contract, delivery.feed
    faults = [_fault("unreadable", "_known", "_known is null", "from when the row may be known cannot be read")]
    for column in contract.columns:
        unreadable = f"_text_{column.name} is not null and {column.name} is null"
        faults.append(_fault("unreadable", column.name, unreadable, describe(contract, feed, column.name)))
    for check in row_checks(contract):
        # What is unreadable is not also called missing.
        text = f"_text_{check.column} is null and " if check.rule == "required" else ""
        faults.append(_fault(check.rule, check.column, f"{text}({check.violated})", check.reason))
    con.execute(
        f"create or replace temp table dated as select *, coalesce(_known, date '{first}') as business_date from mapped "
        f"where _known is null or _known between date '{first}' and date '{last}'"
    )
    con.execute(
        f"create or replace temp table checked as select *, list_filter([{', '.join(faults)}], x -> x is not null) as _faults "
        f"from dated"
    )
    _find_duplicates(con, delivery, home, first, last, window)
    _find_orphans(con, delivery, home)


def _fault(rule: str, column: str, violated: str, reason: str) -> str:
    struct = f"{{'rule': {literal(rule)}, 'column': {literal(column)}, 'reason': {literal(reason)}}}"
    return f"case when {violated} then {struct} end"


def _add(con: duckdb.DuckDBPyConnection, rule: str, column: str, reason: str, condition: str) -> None:
    fault = f"[{{'rule': {literal(rule)}, 'column': {literal(column)}, 'reason': {reason}}}]"
    con.execute(f"update checked set _faults = list_concat(_faults, {fault}) where {condition}")


def _find_duplicates(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, home: Home, first: date, last: date, window: int
) -> None:
    contract = delivery.contract
    key = ", ".join(contract.key)
    # An append contract never repeats a key; the others may bring one again on another date.
    within = key if contract.delivery == "append" else f"{key}, business_date"
    con.execute(
        f"create or replace temp table doubled as select {within}, count(*) as n from checked group by {within} having count(*) > 1"
    )
    same = " and ".join(f"checked.{name} = doubled.{name}" for name in within.split(", "))
    reason = "'the key stands ' || (select n from doubled where " + same + ") || ' times in the delivery'"
    _add(con, "duplicate_key", key, reason, f"exists (select 1 from doubled where {same})")
    if contract.delivery == "append":
        landed = lake.keys_landed(con, home, contract, delivery.feed.source, first, last, window)
        same = " and ".join(f"checked.{name} = landed.{name}" for name in contract.key)
        con.execute(f"create or replace temp table landed as {landed}")
        reason = f"'the key was landed before, on ' || (select landed.business_date from landed where {same})"
        _add(con, "duplicate_key", key, reason, f"exists (select 1 from landed where {same})")


def _find_orphans(con: duckdb.DuckDBPyConnection, delivery: Delivery, home: Home) -> None:
    for column in delivery.contract.columns:
        if column.references is None:
            continue
        parent, key = column.references
        con.execute(f"create or replace temp table parents as {lake.first_known(home, parent, key)}")
        reason = literal(f"refers to a {parent} that was not known by the business date")
        known = f"select 1 from parents where parents.key = {column.name} and parents.known <= checked.business_date"
        _add(con, "broken_reference", column.name, reason, f"{column.name} is not null and not exists ({known})")
