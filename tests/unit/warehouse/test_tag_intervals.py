"""Intervals of tags, as the macros of the project give them: against an oracle that walks through the days one by one.

The SQL is the project's own, rendered with three invented definitions, one per refresh, and run by DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import duckdb
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.settings import PROJECT

DBT = PROJECT / "dbt_project"
_NAMES = ("engine", "policy", "marts/monday_of", "marts/tag_evaluation", "marts/tag_intervals")
MACROS = [DBT / "macros" / f"{name}.sql" for name in _NAMES]
TAGS = [
    {"tag": "owns", "refresh": "daily", "expression": "case when accounts > 0 then 'true' end"},
    {"tag": "band", "refresh": "weekly", "expression": "case when age < policy_test__limit then 'low' else band end"},
    {"tag": "grown", "refresh": "monthly", "expression": "case when age >= policy_test__limit then 'true' end"},
]
LIMIT, FIRST = 2, date(2025, 1, 24)
REFRESH = {str(tag["tag"]): str(tag["refresh"]) for tag in TAGS}

# Of each party on each date: accounts, age and band, each of which may be unknown; or no party at all.
Row = tuple[int | None, int | None, str | None]
Day = dict[str, Row]
Interval = tuple[str, str, str, date, date | None]


class Bank:
    """The marts of one home: what was open before is all that a run knows of its past."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        self.con.execute(
            f"""create table control_policy as select 'test.limit' as name, {LIMIT} as value;
            create table history_customer_tag (party_id text, tag text, value text, valid_from date);
            create table history_tag_refresh (refresh text, valid_from date)"""
        )

    def run(self, days: dict[date, Day]) -> list[tuple]:
        """One run over `days`: the rows of the mart, by business date."""
        con = self.con
        con.execute("create or replace table int_as_of_date (business_date date)")
        con.executemany("insert into int_as_of_date values (?)", [[day] for day in days])
        con.execute(
            "create or replace table customer_360 (party_id text, business_date date, accounts int, age int, band text)"
        )
        rows = [[party, day, *row] for day, parties in days.items() for party, row in parties.items()]
        if rows:
            con.executemany("insert into customer_360 values (?, ?, ?, ?, ?)", rows)
        con.execute(f"create or replace table tag_refresh as {REFRESH_SQL}")
        con.execute(f"create or replace table customer_tag as {TAG_SQL}")
        told = "select party_id, business_date, tag, value, valid_from, valid_to from customer_tag order by all"
        found = con.execute(told).fetchall()
        last = max(days)
        con.execute(
            "create or replace table history_customer_tag as select party_id, tag, value, valid_from from customer_tag "
            "where business_date = ? and valid_to is null",
            [last],
        )
        con.execute(
            "create or replace table history_tag_refresh as select refresh, valid_from from tag_refresh "
            "where business_date = ?",
            [last],
        )
        return found


def rendered(sql: str) -> str:
    """A model or a call of a macro, as dbt would compile it for DuckDB."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals |= {
        "target": {"type": "duckdb"},
        "ref": lambda name: name,
        "source": lambda domain, table: f"{domain}_{table}",
        "tag_definitions": lambda: (
            [{**tag, "purposes": ["risk"], "thresholds": ["test.limit"]} for tag in TAGS]
            + [{"tag": "other", "refresh": "daily", "expression": "'true'", "purposes": ["else"], "thresholds": []}]
        ),
    }
    macros = "".join(path.read_text(encoding="utf-8") for path in MACROS)
    return environment.from_string(macros + sql).render()


TAG_SQL = rendered("{{ tag_intervals('risk', source('history', 'customer_tag')) }}")
REFRESH_SQL = rendered((DBT / "models/marts/customer/tag_refresh.sql").read_text(encoding="utf-8"))


def verdict(tag: str, row: Row) -> str | None:
    accounts, age, band = row
    if tag == "owns":
        return "true" if accounts is not None and accounts > 0 else None
    if tag == "grown":
        return "true" if age is not None and age >= LIMIT else None
    return "low" if age is not None and age < LIMIT else band


def period(refresh: str, day: date) -> date:
    return {"daily": day, "weekly": day - timedelta(day.weekday()), "monthly": day.replace(day=1)}[refresh]


def walked(days: dict[date, Day]) -> Iterator[tuple]:
    """The rows of the mart, by remembering what every party carries from one day to the next."""
    carried: dict[tuple[str, str], tuple[str, date]] = {}
    evaluated: dict[str, date] = {}
    for day, parties in days.items():
        due = {tag for tag, refresh in REFRESH.items() if evaluated.get(tag) != period(refresh, day)}
        evaluated |= {tag: period(REFRESH[tag], day) for tag in due}
        for party, tag in [(p, t) for p in {*parties, *(p for p, _ in carried)} for t in REFRESH]:
            before = carried.pop((party, tag), None)
            if party not in parties:
                now = None
            elif tag in due:
                now = verdict(tag, parties[party])
            else:
                now = before[0] if before else None
            if before and before[0] != now:
                yield party, day, tag, *before, day
            if now:
                since = before[1] if before and before[0] == now else day
                carried[party, tag] = (now, since)
                yield party, day, tag, now, since, None


unknown_or = lambda values: st.none() | st.sampled_from(values)  # noqa: E731
ROWS = st.tuples(unknown_or([0, 1]), unknown_or([1, 2, 3]), unknown_or(["mid", "high"]))
DAYS = st.lists(
    st.tuples(st.integers(1, 9), st.dictionaries(st.sampled_from(["P1", "P2", "P3"]), ROWS)), min_size=1, max_size=7
)


def dated(steps: list[tuple[int, Day]]) -> dict[date, Day]:
    days, day = {}, FIRST
    for gap, parties in steps:
        days[day] = parties
        day += timedelta(gap)
    return days


def replayed(days: dict[date, Day], runs: list[int]) -> list[tuple]:
    """The rows of all runs; `runs` says in how many dates each run takes, the last one what is left."""
    bank, dates, rows = Bank(), list(days), []
    for size in [*runs, len(dates)]:
        taken, dates = dates[:size], dates[size:]
        if taken:
            rows += bank.run({day: days[day] for day in taken})
    return sorted(rows, key=str)


@pytest.mark.slow
@settings(max_examples=40)
@given(DAYS, st.lists(st.integers(1, 4), max_size=7))
def test_however_the_nights_are_grouped_the_intervals_are_those_of_walking_through_them(
    steps: list[tuple[int, Day]], runs: list[int]
) -> None:
    days = dated(steps)
    assert replayed(days, runs) == sorted(walked(days), key=str)


def intervals(rows: list[tuple]) -> dict[tuple[str, str], list[tuple[date, date, str]]]:
    """What a reader who keeps ended and last open rows knows of each party and tag, in order."""
    last = max((row[1] for row in rows), default=FIRST)
    found: dict[tuple[str, str], list[tuple[date, date, str]]] = {}
    for party, day, tag, value, since, until in rows:
        if until or day == last:
            found.setdefault((party, tag), []).append((since, until or date.max, value))
    return {key: sorted(spans) for key, spans in found.items()}


@pytest.mark.slow
@settings(max_examples=30)
@given(DAYS)
def test_intervals_do_not_overlap_and_neighbours_differ(steps: list[tuple[int, Day]]) -> None:
    for spans in intervals(replayed(dated(steps), [1] * len(steps))).values():
        assert all(since < until for since, until, _ in spans)
        for (_, until, value), (since, _, following) in pairwise(spans):
            assert until < since or (until == since and value != following)


@settings(max_examples=20)
@given(st.dictionaries(st.sampled_from(["P1", "P2", "P3"]), ROWS), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_what_does_not_change_has_no_gap_and_ends_nothing(parties: Day, gaps: list[int]) -> None:
    days = dated([(gap, parties) for gap in gaps])
    rows = replayed(days, [1] * len(days))
    assert {(since, until) for _, _, _, _, since, until in rows} <= {(FIRST, None)}
    per_day = [{(p, t, v) for p, day, t, v, _, _ in rows if day == one} for one in days]
    assert all(held == per_day[0] for held in per_day)


def test_a_night_that_is_run_again_says_the_same() -> None:
    bank = Bank()
    bank.run({FIRST: {"P1": (1, 1, None)}})
    held = (
        bank.con.execute("from history_customer_tag").fetchall(),
        bank.con.execute("from history_tag_refresh").fetchall(),
    )
    night = {FIRST + timedelta(3): {"P1": (0, 3, "high")}}
    first = bank.run(night)
    for table, rows in zip(("history_customer_tag", "history_tag_refresh"), held, strict=True):
        bank.con.execute(f"delete from {table}")
        bank.con.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)
    assert bank.run(night) == first


@pytest.mark.parametrize(
    ("old", "new"),
    [("rows between unbounded preceding and current row", "rows between 1 preceding and current row"),
     ("place = 1 then value_before", "place = 0 then value_before"),
     ("parties.party_id is null or", "false or")],
)  # fmt: skip
def test_another_sql_would_be_seen(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    assert old in TAG_SQL
    monkeypatch.setitem(globals(), "TAG_SQL", TAG_SQL.replace(old, new))
    present, gone = {"P1": (1, 1, None), "P2": (1, 1, None)}, {"P1": (1, 3, None)}
    days = dated([(1, present), (1, present), (1, gone), (1, gone), (4, gone), (1, gone)])
    assert replayed(days, [1]) != sorted(walked(days), key=str)
