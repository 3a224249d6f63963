"""What a statement changes in what was believed so far: the bitemporal algorithm, and nothing of files.

A belief is a set of intervals per key, half open `[_valid_from, _valid_to)` over business dates, that never overlap and
of which no two neighbours say the same. A statement gives all rows of a few business dates; each holds from its date to
the next date that was ever stated. What it says of that span replaces what was believed of it, also where it says
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import duckdb
import polars as pl

FIRST, FOREVER = date(1, 1, 1), date(9999, 12, 31)
# An interval is known by its key, the day it begins and the release that opened it.
VALID_FROM, VALID_TO, OPENED_BY = "_valid_from", "_valid_to", "_opened_by"
CHANGE = "_change"
OPENED, ENDED = "opened", "ended"


def spans(stated: Sequence[date], known: Sequence[date]) -> list[tuple[date, date]]:
    """For each date of `stated`, from when to when it speaks: up to the next date of `stated` or `known`."""
    dates = [*sorted({*stated, *known}), FOREVER]
    wanted = set(stated)
    return [(first, after) for first, after in pairwise(dates) if first in wanted]


def changes(
    con: duckdb.DuckDBPyConnection,
    held: str,
    stated: str,
    spoken: Sequence[tuple[date, date]],
    key: Sequence[str],
    columns: Sequence[str],
) -> duckdb.DuckDBPyRelation:
    """The intervals to open and to end, so that of `spoken` is believed what `stated` says.

    `held` is a relation of intervals (key, columns, `_valid_from`, `_valid_to`, `_opened_by`): all that end on or after
    the first span begins. `stated` has key, columns and `business_date`, the first day of a span. The result has
    `_change`, key, `_valid_from`, `_valid_to`, `_opened_by` and columns: `opened` rows are new (`_opened_by` is empty),
    `ended` rows give an interval another end, which is its beginning where it is not believed any more. Columns
    must have the same types in both.
    """
    con.register("_span", _frame(spoken, "span_from", "span_to"))
    con.register("_gap", _frame(_gaps(spoken), "gap_from", "gap_to"))
    by_key = ", ".join(key)
    # Rows are wide: what they say is compared as one number, which is forgotten again, and only what is opened is read.
    said = f"hash({', '.join(columns)})"
    steps = {
        "_held": f"select {by_key}, {VALID_FROM}, {VALID_TO}, {OPENED_BY}, {said} as said from {held}",
        "_stated": f"select {by_key}, span_from, span_to, {said} as said "
        f"from {stated} inner join _span on business_date = span_from",
        "_touched": f"""
            select {named("new", key)}
            from _stated as new
            left join _held as old
                on {_equal("new", "old", key)} and old.{VALID_FROM} <= span_from and old.{VALID_TO} >= span_to
            where old.said is null or new.said <> old.said
            union
            select {named("old", key)}
            from _held as old
            inner join _span on old.{VALID_FROM} < _span.span_to and old.{VALID_TO} > _span.span_from
            anti join _stated as new on {_equal("new", "old", key)} and new.span_from = _span.span_from""",
        "_known": f"select _held.* from _held semi join _touched on {_equal('_held', '_touched', key)}",
        # What was believed of the days that are not spoken of, and what is said of the others.
        "_piece": f"""
            select {by_key}, greatest({VALID_FROM}, gap_from) as {VALID_FROM}, least({VALID_TO}, gap_to) as {VALID_TO},
                said, {VALID_FROM} as origin, {OPENED_BY}
            from _known inner join _gap on {VALID_FROM} < gap_to and {VALID_TO} > gap_from
            union all
            select {named("new", key)}, span_from, span_to, said, span_from, null
            from _stated as new semi join _touched on {_equal("new", "_touched", key)}""",
        # Neighbours that say the same are one interval.
        "_run": f"""
            select *, coalesce(
                {VALID_FROM} > lag({VALID_TO}) over following or said <> lag(said) over following, true
            ) as begins
            from _piece
            window following as (partition by {by_key} order by {VALID_FROM})""",
        "_numbered": f"""
            select *, count(*) filter (where begins) over (partition by {by_key} order by {VALID_FROM}) as run
            from _run""",
        "_believed": f"""
            select {by_key}, min({VALID_FROM}) as {VALID_FROM}, max({VALID_TO}) as {VALID_TO},
                max(said) as said, min(origin) filter (where begins) as origin,
                min({OPENED_BY}) filter (where begins) as {OPENED_BY}
            from _numbered group by {by_key}, run""",
        "_kept": f"""
            select {named("old", [*key, VALID_FROM, OPENED_BY])}, old.{VALID_TO} as ended_on, new.{VALID_TO} as ends_on
            from _known as old
            inner join _believed as new
                on {_equal("old", "new", [*key, VALID_FROM])} and old.said = new.said""",
        "_new": f"from _believed anti join _kept using ({by_key}, {VALID_FROM})",
    }
    ctes = ", ".join(f"{name} as materialized ({sql})" for name, sql in steps.items())
    nothing = ", ".join(f"null as {column}" for column in columns)
    opened = f"select '{OPENED}' as {CHANGE}, {named('new', [*key, VALID_FROM, VALID_TO])}"
    return con.sql(f"""
        with {ctes}
        {opened}, cast(null as bigint) as {OPENED_BY}, {named("source", columns)}
        from _new as new
        inner join {stated} as source on {_equal("new", "source", key)} and new.origin = source.business_date
        where new.{OPENED_BY} is null
        union all by name
        {opened}, cast(null as bigint) as {OPENED_BY}, {named("source", columns)}
        from _new as new
        inner join {held} as source
            on {_equal("new", "source", [*key, OPENED_BY])} and new.origin = source.{VALID_FROM}
        union all by name
        select '{ENDED}' as {CHANGE}, {by_key}, {VALID_FROM}, ends_on as {VALID_TO}, {OPENED_BY}, {nothing}
        from _kept where ends_on <> ended_on
        union all by name
        select '{ENDED}' as {CHANGE}, {by_key}, {VALID_FROM}, {VALID_FROM} as {VALID_TO}, {OPENED_BY}, {nothing}
        from _known anti join _kept using ({by_key}, {VALID_FROM})
        order by {CHANGE}, {by_key}, {VALID_FROM}, {OPENED_BY}
    """)


def _gaps(spoken: Sequence[tuple[date, date]]) -> list[tuple[date, date]]:
    """The days that no span holds."""
    edges = [FIRST, *(day for span in sorted(spoken) for day in span), FOREVER]
    return [(edges[n], edges[n + 1]) for n in range(0, len(edges), 2) if edges[n] < edges[n + 1]]


def _frame(rows: Sequence[tuple[date, date]], first: str, last: str) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema={first: pl.Date, last: pl.Date}, orient="row")


def named(relation: str, names: Sequence[str]) -> str:
    """Select list of columns, each by the name of its relation."""
    return ", ".join(f"{relation}.{name}" for name in names)


def _equal(left: str, right: str, names: Sequence[str]) -> str:
    return " and ".join(f"{left}.{name} = {right}.{name}" for name in names)
