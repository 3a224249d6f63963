"""Answers from the history: the row of any past business date, as it was published then and as it is known now.

Belongs here: questions, each one query over the files of changes. Not here: how an answer is shown (`pipelines.cli`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from pipelines.history.intervals import CHANGE, ENDED, FIRST, FOREVER, OPENED, OPENED_BY, VALID_FROM, VALID_TO
from pipelines.history.shape import DATE, Shape
from pipelines.history.store import Statement, changes_of, engine, groups_of, statements
from pipelines.settings import Home, InputError

View = Literal["published", "known"]
SEQUENCE = "_sequence"


@dataclass(frozen=True)
class Moment:
    """A point on both axes: a business date that was stated, and the last statement that counts.

    `stated` is the last of those up to it that speak of that date.
    """

    valid_on: date
    recorded: Statement
    stated: Statement


def as_of(home: Home, mart: str, day: date, view: View, key: str | None = None) -> pl.DataFrame:
    """All rows of `mart` as of `day`, or those whose first key column is `key`, with the columns of its contract.

    `published`: what the last release of `day`, or of the last published date before it, said when it was made.
    `known`: what is believed of that date now. `business_date` is the date that the row was stated for. Sorted by key.
    Raises InputError where the mart has no history, or none that goes back so far.
    """
    made = _of(home, mart)
    moment = _moment(made, mart, day, view)
    shape = made[-1].shapes[mart]
    on = f"date '{moment.valid_on}'"
    only = f" and {next(iter(shape.key))} = ?" if key is not None else ""
    held = intervals_held(changes_of(home, mart), shape, moment.recorded.sequence)
    with engine(home) as con:
        return con.execute(
            f"with groups as (select * from {groups_of(home, mart, moment.stated)} where {DATE} = {on}) "
            f"select {shape.decoded(on)} from ({held}) as held {shape.groups_joined('groups')} "
            f"where {VALID_FROM} <= {on} and {VALID_TO} > {on}{only} order by {', '.join(shape.key)}",
            [] if key is None else [key],
        ).pl()


def intervals(home: Home, mart: str, key: str) -> pl.DataFrame:
    """What was ever believed of `key`: each row with holds_from, holds_to, recorded_from and recorded_to.

    The first two are business dates, the others the releases that said so and took it back; `holds_to` and
    `recorded_to` are empty where an interval is open. Columns that count days are given as the day they count from, and
    those that are shared as the number of a group.
    """
    made = _of(home, mart)
    shape = made[-1].shapes[mart]
    by = ", ".join([*shape.key, VALID_FROM, OPENED_BY])
    content = ", ".join([*shape.key, *shape.stored])
    with engine(home) as con:
        releases = pl.DataFrame(
            {"sequence": [s.sequence for s in made], "release": [s.release for s in made]},
            schema={"sequence": pl.Int64, "release": pl.String},
        )
        con.register("releases", releases)
        return con.execute(
            f"""
            with changes as (
                select * replace (coalesce({OPENED_BY}, {SEQUENCE}) as {OPENED_BY})
                from {changes_of(home, mart)} where {next(iter(shape.key))} = ?
            ),
            versions as (
                select {by}, {VALID_TO}, {SEQUENCE} as recorded_from,
                    lead({SEQUENCE}) over (partition by {by} order by {SEQUENCE}) as recorded_to
                from changes
            )
            select {VALID_FROM} as holds_from, nullif(versions.{VALID_TO}, date '{FOREVER}') as holds_to,
                since.release as recorded_from, until.release as recorded_to, {content}
            from versions
            inner join (select {content}, {VALID_FROM}, {OPENED_BY} from changes where {CHANGE} = '{OPENED}') as opened
                using ({by})
            inner join releases as since on versions.recorded_from = since.sequence
            left join releases as until on versions.recorded_to = until.sequence
            where versions.{VALID_TO} > {VALID_FROM}
            order by {", ".join(shape.key)}, versions.recorded_from, {VALID_FROM}
            """,
            [key],
        ).pl()


def find_key(home: Home, mart: str, prefix: str) -> str:
    """The first key column's one value that begins with `prefix`. Raises InputError where there is none, or several."""
    shape = _of(home, mart)[-1].shapes[mart]
    name = next(iter(shape.key))
    with engine(home) as con:
        found = con.execute(
            f"select distinct {name} from {changes_of(home, mart)} where starts_with({name}, ?) limit 2", [prefix]
        ).fetchall()
    if len(found) != 1:
        raise InputError(f"{'several rows' if found else 'no row'} of {mart} in {home.path} begin with '{prefix}'")
    return str(found[0][0])


def intervals_held(
    changes: str, shape: Shape, sequence: int, since: date = FIRST, *, stored: Sequence[str] | None = None
) -> str:
    """SQL for what was believed after statement `sequence`: key, `stored` columns and the interval of each row.

    `changes` is a relation as `changes_of` gives; of it only what ends on or after `since` is looked at.
    """
    by = ", ".join([*shape.key, VALID_FROM, OPENED_BY])
    content = ", ".join([*shape.key, *(shape.stored if stored is None else stored), VALID_FROM])
    return f"""
        with changes as (select * from {changes} where {SEQUENCE} <= {sequence}),
        ended as (
            select {by}, arg_max({VALID_TO}, {SEQUENCE}) as ends_on
            from changes where {CHANGE} = '{ENDED}' group by {by}
        ),
        opened as (
            select {content}, {SEQUENCE} as {OPENED_BY}, {VALID_TO} as opened_to
            from changes where {CHANGE} = '{OPENED}'
        )
        select * exclude (opened_to, ends_on), coalesce(ends_on, opened_to) as {VALID_TO}
        from opened left join ended using ({by})
        where coalesce(ends_on, opened_to) > {VALID_FROM} and coalesce(ends_on, opened_to) >= date '{since}'
    """


def stated_dates(made: Sequence[Statement], mart: str) -> list[date]:
    """Business dates that were ever stated of `mart`."""
    return sorted({day for statement in made if mart in statement.shapes for day in statement.stated})


def _of(home: Home, mart: str) -> list[Statement]:
    made = [statement for statement in statements(home) if mart in statement.shapes]
    if not made:
        raise InputError(f"{mart} has no history in {home.path}: its contract asks for none, or nothing is published")
    return made


def _moment(made: Sequence[Statement], mart: str, day: date, view: View) -> Moment:
    published = [statement for statement in made if statement.business_date <= day]
    if view == "published" and published:
        last = max(published, key=lambda statement: (statement.business_date, statement.sequence))
        return Moment(last.business_date, last, last)
    stated = [one for one in stated_dates(made, mart) if one <= day]
    if view == "published" or not stated:
        first = min(statement.business_date for statement in made)
        raise InputError(f"nothing of {mart} was published as of {day}: its history begins with {first}")
    return Moment(stated[-1], made[-1], [statement for statement in made if stated[-1] in statement.stated][-1])
