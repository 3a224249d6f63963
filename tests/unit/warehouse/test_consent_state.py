"""Consents on two axes: of every day as known on every other, the models say what a replay of the events says.

The SQL is that of the models, with tables in place of what they refer to; the replay shares nothing with it.
"""

from __future__ import annotations

import itertools
import re
from datetime import date, datetime, timedelta

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.settings import PROJECT

MODELS = PROJECT / "dbt_project" / "models" / "intermediate"
FIRST, DAYS = date(2025, 1, 1), 6
AS_OF = FIRST + timedelta(days=DAYS - 1)
GRID = [FIRST + timedelta(days=n) for n in range(DAYS)]
# party, day and hour of the event, day on which it is known, action, partner
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(("P1", "P2")), st.integers(0, DAYS), st.sampled_from((9, 9, 17)), st.integers(0, DAYS),
        st.sampled_from(("grant", "withdraw")), st.sampled_from(("", "taobu", "pinhao")),
    ),
    max_size=7,
)  # fmt: skip
Event = tuple[str, int, int, int, str, str]


def sql(model: str) -> str:
    """The text of a model, reading tables that are called like what it refers to."""
    return re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"\1", (MODELS / f"{model}.sql").read_text(encoding="utf-8"))


def states(events: list[Event]) -> list[tuple[str, str, date, date, date | None, date | None, bool]]:
    """Party, partner, the days on both axes and what holds, by the models."""
    with duckdb.connect() as con:
        con.execute("create table int_party_record (party_id varchar, party_key varchar, business_date date)")
        con.executemany("insert into int_party_record values (?, ?, ?)", [(p, p.lower(), AS_OF) for p in ("P1", "P2")])
        con.execute(
            "create table stg_consent__event (event_key varchar, party_key varchar, event_time timestamp, "
            "action varchar, purpose varchar, data_class varchar, partner varchar, business_date date)"
        )
        for n, (party, day, hour, known, action, partner) in enumerate(events):
            when = datetime(2025, 1, 1, hour) + timedelta(days=day)
            con.execute(
                "insert into stg_consent__event values (?, ?, ?, ?, 'data_sharing', 'partner', nullif(?, ''), ?)",
                [f"e{n}", party.lower(), when, action, partner, FIRST + timedelta(days=known)],
            )
        con.execute(f"create table int_consent_event as {sql('int_consent_event')}")
        columns = "party_id, partner, valid_from, known_from, valid_to, known_to, is_given"
        return con.execute(f"select {columns} from ({sql('int_consent_state')})").fetchall()


def replayed(events: list[Event], party: str, partner: str, day: int, known: int) -> bool | None:
    """What holds of a partner on a day, as known on another."""
    mine = [e for e in events if e[0] == party and e[1] <= day and e[3] <= known and e[5] in ("", partner)]
    last = max(mine, key=lambda e: (e[1], e[2], e[4] == "withdraw"), default=None)
    return last and last[4] == "grant"


@given(EVENTS)
@settings(max_examples=25)
def test_every_question_has_the_answer_of_a_replay_and_no_other(events: list[Event]) -> None:
    found = states(events)
    # A partner that no event known by the business date names, is spoken of with all of them.
    scopes = {(e[0], e[5]) for e in events if e[3] < DAYS}
    assert {row[:2] for row in found} == scopes
    for party, partner in scopes:
        mine = [row for row in found if row[:2] == (party, partner)]
        for day, valid in enumerate(GRID):
            for known, asked in enumerate(GRID):
                answers = [
                    row[6] for row in mine
                    if row[2] <= valid and (row[4] is None or valid < row[4])
                    and row[3] <= asked and (row[5] is None or asked < row[5])
                ]  # fmt: skip
                expected = replayed(events, party, partner, day, known)
                assert answers == ([] if expected is None else [expected]), (party, partner, valid, asked)


@given(EVENTS)
@settings(max_examples=20)
def test_what_is_known_now_says_one_thing_of_each_day(events: list[Event]) -> None:
    now = sorted(row for row in states(events) if row[5] is None)
    for one, following in itertools.pairwise(now):
        if one[:2] == following[:2]:
            assert one[4] is not None
            assert one[4] <= following[2]
