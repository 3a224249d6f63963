"""Columns that move for everybody at once: how complete a block is follows the deliveries, and not the party.

Parties with the same value one day mostly have the same value the next. So a row holds the number of a group, and a
statement says what value each group has on each of its dates. A party changes only where it leaves its group. Belongs
here: who is in which group. Not here: how rows become intervals.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from pipelines.history.intervals import named

NUMBER = "_group_{}"
# Of a statement: what each group is worth on each date. The value is text, whatever the type of the column.
COLUMNS = "business_date, name, number, value"


def put_in_groups(con: duckdb.DuckDBPyConnection, key: Sequence[str], shared: Sequence[str]) -> duckdb.DuckDBPyRelation:
    """Replace in table `stated` the columns of `shared` by the number of a group; returns `COLUMNS` of each group.

    `held` says in which group a row was so far. A group keeps the value that most of it has; who has another joins the
    group with that value, or a new one.
    """
    same_key = " and ".join(f"stated.{name} = held.{name}" for name in key)
    by_key = ", ".join([*key, "business_date"])
    of_row = " and ".join(f"stated.{name} = placed.{name}" for name in [*key, "business_date"])
    con.execute("create temp table groups (business_date date, name varchar, number bigint, value varchar)")
    for n, name in enumerate(shared):
        column = NUMBER.format(name)
        con.execute(f"""
            create temp table so_far as
            select
                {named("stated", key)}, stated.business_date, held.{column} as number, cast({name} as varchar) as value
            from (select {by_key}, {name} from stated) as stated
            left join (select {", ".join(key)}, _valid_from, _valid_to, {column} from held) as held
                on {same_key} and held._valid_from <= stated.business_date and held._valid_to > stated.business_date
        """)
        con.execute("""
            create temp table told as
            with votes as (select business_date, number, value, count(*) as n from so_far group by all),
            kept as (
                select distinct on (business_date, number) business_date, number, value
                from votes where number is not null
                order by business_date, number, n desc, value nulls last
            ),
            used as (select business_date, max(number) as last from votes group by all),
            homeless as (
                select distinct votes.business_date, votes.value
                from votes anti join kept
                    on votes.business_date = kept.business_date and votes.value is not distinct from kept.value
            )
            from kept
            union all
            select business_date,
                coalesce(last, 0) + row_number() over (partition by business_date order by value nulls last), value
            from homeless inner join used using (business_date)
        """)
        con.execute(f"insert into groups select business_date, '{name}', number, value from told")
        con.execute(f"""
            create temp table placed_{n} as
            select {named("so_far", key)}, so_far.business_date, coalesce(own.number, first.number) as number
            from so_far
            left join told as own
                on so_far.business_date = own.business_date and so_far.number = own.number
                and so_far.value is not distinct from own.value
            left join (select business_date, value, min(number) as number from told group by all) as first
                on so_far.business_date = first.business_date and so_far.value is not distinct from first.value
        """)
        con.execute("drop table told; drop table so_far")
    if shared:
        numbers = ", ".join(f"placed_{n}.number as {NUMBER.format(name)}" for n, name in enumerate(shared))
        joins = " ".join(
            f"inner join placed_{n} on {of_row.replace('placed', f'placed_{n}')}" for n in range(len(shared))
        )
        con.execute(
            f"create or replace temp table stated as "
            f"select stated.* exclude ({', '.join(shared)}), {numbers} from stated {joins}"
        )
    return con.sql(f"select {COLUMNS} from groups order by {COLUMNS}")
