"""What the early warnings are worth: how many of the warned fall into arrears later, and how long before.

Belongs here: the comparison of a home's warnings with what the simulated world knows. Does not belong here: the
thresholds, which are policy and were set on seed 1; whoever reports figures takes another seed.

A warning speaks of borrowers: owners of a loan or of a credit card who are not in arrears yet. It was right where the
first missed instalment comes within `horizon` days after the business date. Lead is counted from the business date; the
warning may be older (`first_seen_on`), so it is a lower bound. Everybody is followed for the whole horizon or left out.

    .venv/bin/python -m benchmarks.early_warning HOME [--horizon 120]
"""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.simulated_bank.effects import wilson
from pipelines.settings import Home

HORIZON = 120

_LOOKED_AT = """
create temp table looked_at as
with borrowers as (
    select party_id, business_date from intermediate.int_party_loan
    union
    select party_id, business_date from intermediate.int_party_card_change
),

truth as (
    select
        record.party_id,
        record.business_date,
        min(distress.first_missed_on) filter (where distress.first_missed_on > record.business_date) as missed_on,
        min(distress.default_on) filter (where distress.first_missed_on > record.business_date) as default_on,
        coalesce(bool_or(
            distress.first_missed_on <= record.business_date
            and coalesce(distress.cured_on > record.business_date, true)
        ), false) as is_in_arrears
    from intermediate.int_party_record as record
    inner join read_parquet(?) as distress
        on record.party_key = distress.party_key
    group by record.party_id, record.business_date
)

select
    warned.party_id,
    warned.severity,
    warned.signals,
    coalesce(date_diff('day', warned.business_date, truth.missed_on) <= ?, false) as missed,
    coalesce(
        date_diff('day', warned.business_date, truth.missed_on) <= ? and truth.default_on is not null, false
    ) as defaults,
    date_diff('day', warned.business_date, truth.missed_on) as lead_days
from intermediate.int_party_warning as warned
inner join borrowers using (party_id, business_date)
left join truth using (party_id, business_date)
where warned.business_date = ? and not coalesce(truth.is_in_arrears, false)
"""


@dataclass(frozen=True)
class Share:
    """A share with its Wilson interval of 95 %."""

    count: int
    of: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Level:
    """Warnings of one kind: how many of the warned missed (precision), and how many who missed were warned (recall)."""

    name: str
    precision: Share
    recall: Share
    recall_of_defaults: Share
    median_lead_days: float | None
    lift: float | None


@dataclass(frozen=True)
class Outcome:
    """All of one home as of one business date. `levels` are parties warned at all, and red ones; then each signal."""

    business_date: date
    horizon: int
    base: Share
    levels: tuple[Level, ...]
    signals: tuple[Level, ...]


def evaluate(home: Path, truth: Path, horizon: int = HORIZON, business_date: date | None = None) -> Outcome:
    """Judge the warnings in the warehouse of `home` by the tables of the world in `truth` (…/simulated/truth).

    As of `business_date`, or else the last one that the warehouse has warnings as of.
    """
    with closing(duckdb.connect(str(Home(home).warehouse), read_only=True)) as con:
        if business_date is None:
            (business_date,) = con.execute("select max(business_date) from intermediate.int_party_warning").fetchone()
        con.execute(_LOOKED_AT, [str(truth / "default.parquet"), horizon, horizon, business_date])
        everybody, missed = con.execute("select count(*), count(*) filter (where missed) from looked_at").fetchone()
        base = share(missed, everybody)
        levels = {"yellow or red": "severity in ('yellow', 'red')", "red": "severity = 'red'"}
        names = (
            "select distinct split_part(s, ':', 1) from (select unnest(string_split(signals, ';')) as s from looked_at)"
        )
        signals = sorted(name for (name,) in con.execute(names).fetchall() if name)
        return Outcome(
            business_date,
            horizon,
            base,
            tuple(_level(con, name, condition, base) for name, condition in levels.items()),
            tuple(_level(con, s, f"contains(';' || signals, ';{s}:')", base) for s in signals),
        )


def share(count: int, of: int) -> Share:
    """A share and its interval; nothing is known of nobody."""
    return Share(count, of, count / of, *wilson(count, of)) if of else Share(0, 0, None, None, None)


def _level(con: duckdb.DuckDBPyConnection, name: str, condition: str, base: Share) -> Level:
    warned, right, missed, of_defaults, defaults, lead = con.execute(
        f"""
        select
            count(*) filter (where {condition}),
            count(*) filter (where missed and {condition}),
            count(*) filter (where missed),
            count(*) filter (where defaults and {condition}),
            count(*) filter (where defaults),
            median(lead_days) filter (where missed and {condition})
        from looked_at
        """
    ).fetchone()
    precision = share(right, warned)
    lift = precision.value / base.value if precision.value is not None and base.value else None
    return Level(name, precision, share(right, missed), share(of_defaults, defaults), lead, lift)


def main() -> None:
    """Print the figures of a home, and the same as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--truth", type=Path, help="default <home>/simulated/truth")
    parser.add_argument("--horizon", type=int, default=HORIZON)
    parser.add_argument("--date", type=date.fromisoformat)
    given = parser.parse_args()
    found = evaluate(given.home, given.truth or given.home / "simulated" / "truth", given.horizon, given.date)
    print(f"as of {found.business_date}, {found.horizon} days: {_said(found.base)} of borrowers miss an instalment")
    for level in (*found.levels, *found.signals):
        lead = "-" if level.median_lead_days is None else f"{level.median_lead_days:.0f}"
        print(
            f"{level.name:24} precision {_said(level.precision):34} recall {_said(level.recall):32} "
            f"lead {lead:>4} days  lift {level.lift or 0:.1f}"
        )
    print(json.dumps(asdict(found), default=str))


def _said(found: Share) -> str:
    if found.value is None:
        return "- (0/0)"
    return f"{found.value:.1%} ({found.count}/{found.of}; {found.low:.1%} to {found.high:.1%})"


if __name__ == "__main__":
    main()
