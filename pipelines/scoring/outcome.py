"""Who defaulted when: the first day on which a loan or card is so many days past due, from the bank's own records.

What belongs here: queries over the histories of loans, cards and holdings in the warehouse. What does not: features,
and anything the simulated bank knows of itself. A write-off is no event of any contract; whoever is written off has
been past due before.

Payments settle the oldest instalment first, as in int_loan_arrears; what was paid for a card statement, the next one
says, as in int_card_arrears.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import duckdb
import polars as pl

from pipelines.settings import Home, InputError
from pipelines.warehouse.state import processed_dates

# Days on which a loan became `past` days past due: an instalment was not settled that long after it fell due.
_LOANS = """
with first_due as (
    select loan_key, min(instalment_no) filter (where event = 'due') as first_no
    from staging.stg_loan__repayment group by loan_key
),
due as (
    select loan_key, event_date, sum(amount) over (
        partition by loan_key order by event_date, instalment_no, repayment_key rows unbounded preceding) as due_so_far
    from staging.stg_loan__repayment where event = 'due'
),
paid as (
    select p.loan_key, p.business_date, sum(p.amount) over (
        partition by p.loan_key order by p.business_date, p.repayment_key rows unbounded preceding) as paid_so_far
    from staging.stg_loan__repayment as p inner join first_due as f using (loan_key)
    where p.event = 'paid' and p.instalment_no >= f.first_no
),
settled as (
    select due.loan_key, due.event_date, due.due_so_far, min(paid.business_date) as settled_on
    from due left join paid on due.loan_key = paid.loan_key and paid.paid_so_far >= due.due_so_far
    group by due.loan_key, due.event_date, due.due_so_far
)
select loan_key, cast(event_date + $past as date) as defaulted_on
from settled
qualify coalesce(settled_on, date '9999-12-31') > event_date + $past
    -- of several that are unpaid, the oldest one counts
    and coalesce(lag(coalesce(settled_on, date '9999-12-31')) over (
        partition by loan_key order by event_date, due_so_far), date '0001-01-01') <= event_date + $past
"""
_CARDS = """
with bills as (
    select card_key, due_date, minimum_due,
        lead(paid_amount) over w as paid_next, lead(business_date) over w as told_on,
        row_number() over w as no, lag(minimum_due) over w > paid_amount as follows_unpaid
    from staging.stg_card__statement window w as (partition by card_key order by statement_date, statement_key)
),
paid as (select card_key, no, told_on from bills where paid_next >= minimum_due)
select bills.card_key, cast(bills.due_date + $past as date) as defaulted_on
from bills left join paid on bills.card_key = paid.card_key and paid.no >= bills.no
where bills.paid_next < bills.minimum_due and not coalesce(bills.follows_unpaid, false)
group by bills.card_key, bills.due_date
having coalesce(min(paid.told_on), date '9999-12-31') > bills.due_date + $past
"""
# Facilities that stand on a day, with whoever owns the account that a loan is paid from, or holds the card.
_FACILITIES = """
select distinct h.party_id, 'loan' as kind, l.loan_key as facility
from staging.stg_loan__contract as l inner join intermediate.int_holding as h using (account_key)
where $day between l.valid_from and l.valid_to - 1 and $day between h.valid_from and h.valid_to - 1
    and h.role = 'owner' and h.party_id is not null
union all
select distinct h.party_id, 'card', c.card_key
from staging.stg_card__account as c inner join intermediate.int_holding as h using (holding_key)
where c.card_kind = 'credit' and h.party_id is not null
    and $day between c.valid_from and c.valid_to - 1 and $day between h.valid_from and h.valid_to - 1
"""


def outcomes(home: Home, day: date, performance_days: int, past_due: int) -> pl.DataFrame:
    """Whoever had a loan or a credit card on `day`: party_id and whether any of them defaulted within the days after.

    Raises InputError where the warehouse does not reach the end of these days.
    """
    end = day + timedelta(days=performance_days)
    last = max(processed_dates(home), default=None)
    if last is None or last < end:
        raise InputError(
            f"what came of {day} is known on {end}, and {home.path} was built through {last}: run it further"
        )
    with _reading(home) as con:
        con.execute(f"create temp table loans as {_LOANS.replace('$past', str(past_due))}")
        con.execute(f"create temp table cards as {_CARDS.replace('$past', str(past_due))}")
        return con.execute(
            f"""
            with facilities as ({_FACILITIES.replace("$day", f"date '{day}'")}),
            defaults as (
                select 'loan' as kind, loan_key as facility, defaulted_on from loans
                union all
                select 'card', card_key, defaulted_on from cards
            )
            select party_id,
                bool_or(coalesce(defaulted_on > date '{day}' and defaulted_on <= date '{end}', false)) as bad
            from facilities left join defaults using (kind, facility)
            group by party_id order by party_id
            """
        ).pl()


@contextmanager
def _reading(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    con = duckdb.connect(str(home.warehouse), read_only=True)
    try:
        yield con
    finally:
        con.close()
