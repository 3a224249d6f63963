"""Which business dates a run states anew beside those it publishes, and what held before them.

A published date is stated anew where what was landed up to it is not what its last statement rests on: a delivery was
corrected, or came late. A change of code is no correction: it speaks from the next release on; nor are other keys.
Belongs here: what dbt is told of history. Not here: what came of it (`recording`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.history.intervals import VALID_FROM, VALID_TO
from pipelines.history.reading import intervals_held, stated_dates
from pipelines.history.store import changes_of, engine, statements
from pipelines.ingest import lake, ledger
from pipelines.settings import Home


def restated_dates(home: Home, business_date: date) -> list[date]:
    """Published dates before `business_date` that its run has to state anew."""
    bases: dict[date, str] = {}
    for statement in statements(home):
        bases |= statement.stated
    now = ledger.landed_through(home, [day for day in bases if day < business_date])
    return [day for day, basis in sorted(now.items()) if basis != bases[day]]


def dates_stated(home: Home, business_date: date) -> list[date]:
    """The dates that a candidate of `business_date` states: itself, and what the run that built the marts restates."""
    path = home.control / "business_date.parquet"
    rows = pq.read_table(path).to_pylist() if path.exists() else []
    return [*(row["business_date"] for row in rows if row.get("is_restated")), business_date]


def write_open(catalog: Catalog, home: Home, dates: Sequence[date]) -> None:
    """Write for dbt, of each mart that is built on its own past, the rows that were open before the first of `dates`.

    By what is known now. Open is a row without `valid_to` where the mart's history keeps one, else every row of the
    last date that was stated. Empty where nothing was stated before.
    """
    for contract in catalog.derived.values():
        if contract.domain == "history":
            lake.write_parquet(home.history / f"{contract.table}.parquet", _open(home, contract, min(dates)))


def _open(home: Home, contract: Contract, day: date) -> pa.Table:
    schema, mart = arrow_schema(contract), contract.table
    made = [statement for statement in statements(home) if mart in statement.shapes]
    earlier = [stated for stated in stated_dates(made, mart) if stated < day]
    if not earlier:
        return schema.empty_table()
    shape = made[-1].shapes[mart]
    held = intervals_held(changes_of(home, mart), shape, made[-1].sequence, earlier[-1])
    ended = " and valid_to is null" if "valid_to" in shape.names else ""
    with engine(home) as con:
        return (
            con.execute(
                f"select {', '.join(schema.names)} from ({held}) where {VALID_FROM} <= ? and {VALID_TO} > ?{ended} "
                f"order by {', '.join(contract.key)}",
                [earlier[-1], earlier[-1]],
            )
            .to_arrow_table()
            .cast(schema)
        )
