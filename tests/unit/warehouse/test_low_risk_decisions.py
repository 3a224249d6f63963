"""Who is on a low-risk list from night to night: the macro of the project against an oracle that walks day by day.

The SQL is the project's own, rendered with its own rules and run by DuckDB; `facts` are invented.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import jinja2
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.settings import PROJECT

DBT = PROJECT / "dbt_project"
_NAMES = ("engine", "policy", "verdict", "marts/low_risk_rules", "marts/low_risk_decisions", "marts/low_risk_told")
POLICY = yaml.safe_load((PROJECT / "data_contracts" / "policy.yaml").read_text("utf-8"))["thresholds"]
LIMITS = POLICY["low_risk"] | {"reentry_days": 3}
FIRST = date(2025, 1, 1)
GOOD = {
    "party_kind": "person", "age_years": 40, "accounts_owned": 1, "has_history": True, "penalty_interest_count_365d": 0,
    "balance_min_365d": 0.0, "income_periods": 6, "debt_service_ratio": 0.0, "payments_180d": 0.0, "pd": 0.01,
    "class_level": 0, "class_is_evaluable": True, "worst_class": "normal", "days_past_due": 0, "warning_level": 0,
    "warning_severity": "none", "applications_declined_365d": 0, "admission": "admit",
    "bureau_worst_days_past_due_24m": 0, "bureau_inquiries_6m": 0,
}  # fmt: skip
# What a night may say of a party: fit to enter, between the limits, beyond them, and against a rule that nobody stays
# against; each with the column that says so.
NIGHTS = {
    "fit": {"income_variation": 0.1, "may_be_marketed": True},
    "between": {"income_variation": 1.1, "may_be_marketed": True},
    "beyond": {"income_variation": 1.3, "may_be_marketed": True},
    "hard": {"income_variation": 0.1, "may_be_marketed": False},
}


@dataclass
class State:
    """What is carried of a party from one night to the next."""

    included: bool = False
    in_since: date | None = None
    last_out_on: date | None = None

    def after(self, day: date, night: str) -> State:
        """By the rules as they are told in the contract, one night at a time."""
        was_ever_in = self.included or self.last_out_on is not None
        stays = night in ("fit", "between")
        out_on = day if was_ever_in and not stays else self.last_out_on
        waits = out_on is not None and day < out_on + timedelta(days=LIMITS["reentry_days"])
        included = stays if self.included else night == "fit" and not waits
        return State(included, (self.in_since if self.included else day) if included else None, out_on)


class Bank:
    """The list of one home: the last night of a run is all that the next one knows."""

    def __init__(self) -> None:
        self.con = duckdb.connect()
        values = LIMITS | {"default_days": POLICY["grade"]["default_days"]}
        names = [("grade." if name == "default_days" else "low_risk.") + name for name in values]
        self.con.execute("create table control_policy (name text, value double)")
        self.con.executemany("insert into control_policy values (?, ?)", list(zip(names, values.values(), strict=True)))
        self.con.execute("create table before (party_id text, included boolean, in_since date, last_out_on date)")

    def run(self, days: dict[date, dict[str, str]]) -> list[tuple]:
        """One run over `days`: party, date, included, in_since, last_out_on, reasons."""
        rows = [
            {"party_id": party, "business_date": day, **GOOD, **NIGHTS[night]}
            for day, parties in days.items()
            for party, night in parties.items()
        ]
        columns = ", ".join(f"{name} {_type(value)}" for name, value in rows[0].items())
        self.con.execute(f"create or replace table facts_told ({columns})")
        marks = ", ".join("?" * len(rows[0]))
        self.con.executemany(f"insert into facts_told values ({marks})", [list(row.values()) for row in rows])
        self.con.execute(f"create or replace table decided as {SQL}")
        self.con.execute(
            "create or replace table before as select party_id, included, in_since, last_out_on from decided "
            "where business_date = ?",
            [max(days)],
        )
        told = "party_id, business_date, was_included, included, in_since, last_out_on, exclusion_reasons"
        return self.con.execute(f"select {told} from decided order by party_id, business_date").fetchall()


def _type(value: object) -> str:
    kinds = {bool: "boolean", int: "bigint", float: "decimal(18, 6)", str: "text", date: "date"}
    return kinds[type(value)]


def rendered(sql: str) -> str:
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    returned: list[object] = []
    environment.globals |= {"target": {"type": "duckdb"}, "source": lambda domain, table: f"{domain}_{table}"}

    # As dbt has it: what a macro returns is what its call is worth.
    class Called:
        def __init__(self, name: str) -> None:
            self.name = name

        def __call__(self, *arguments: object) -> object:
            returned.clear()
            text = getattr(module, self.name)(*arguments)
            return returned.pop() if returned else text

    environment.globals["return"] = lambda value: returned.append(value) or ""
    sources = [(DBT / "macros" / f"{name}.sql").read_text(encoding="utf-8") for name in _NAMES]
    text = "".join(sources)
    for name in ("low_risk_rules", "low_risk_families", "low_risk_reason_codes"):
        environment.globals[f"call_{name}"] = Called(name)
        text = text.replace(f"= {name}(", f"= call_{name}(").replace(f"by_band({name}(", f"by_band(call_{name}(")
    module = environment.from_string(text).module
    return str(module.low_risk_decisions(*sql.split()))


SQL = "with facts as (select * from facts_told),\n" + rendered("with_bureau before")

parties = st.dictionaries(st.sampled_from("PQR"), st.lists(st.sampled_from(sorted(NIGHTS)), min_size=9, max_size=9),
                          min_size=1)  # fmt: skip


def nights(told: dict[str, list[str]]) -> dict[date, dict[str, str]]:
    return {
        FIRST + timedelta(days=n): {party: said[n] for party, said in told.items()}
        for n in range(len(next(iter(told.values()))))
    }


def oracle(days: dict[date, dict[str, str]]) -> list[tuple]:
    found, states = [], {}
    for day, told in days.items():
        for party, night in told.items():
            before = states.get(party, State())
            states[party] = before.after(day, night)
            after = states[party]
            found.append((party, day, before.included, after.included, after.in_since, after.last_out_on))
    return sorted(found)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(parties, st.sets(st.integers(1, 8)))
def test_runs_of_any_length_say_what_walking_through_the_nights_says(told: dict, cuts: set[int]) -> None:
    days, bank, found = nights(told), Bank(), []
    dates = sorted(days)
    for first, after in zip([0, *sorted(cuts)], [*sorted(cuts), len(dates)], strict=True):
        found += bank.run({day: days[day] for day in dates[first:after]})
    assert [row[:-1] for row in sorted(found, key=lambda row: row[:2])] == oracle(days)
    for _, _, _, included, _, _, reasons in found:
        assert included == (reasons is None)


@pytest.fixture
def bank() -> Iterator[Bank]:
    yield Bank()


def walk(bank: Bank, *said: str) -> list[tuple[bool, str | None]]:
    days = nights({"P": list(said)})
    return [(row[3], row[-1]) for day in sorted(days) for row in bank.run({day: days[day]})]


def test_whoever_flaps_around_the_limit_stays(bank: Bank) -> None:
    assert walk(bank, "between", "fit", "between", "fit", "between") == [
        (False, "income_stability"), (True, None), (True, None), (True, None), (True, None)
    ]  # fmt: skip


def test_a_hard_rule_removes_at_once_and_the_way_back_is_waited_for(bank: Bank) -> None:
    assert walk(bank, "fit", "hard", "fit", "between", "fit", "fit") == [
        (True, None), (False, "lawful_use"), (False, "reentry"), (False, "income_stability;reentry"), (True, None),
        (True, None),
    ]  # fmt: skip


def test_the_same_night_again_says_the_same(bank: Bank) -> None:
    before = bank.con.execute("from before").fetchall()
    first = bank.run(nights({"P": ["fit"], "Q": ["between"]}))
    bank.con.execute("delete from before")
    assert before == [] and bank.run(nights({"P": ["fit"], "Q": ["between"]})) == first
