"""What a release says of the marts with a history: kept with its candidate, put down as changes when it is published.

A candidate holds every row that it states, since what that changes is known only when it is published: other candidates
may be published before it. Belongs here: the way from a mart to a statement. Not here: when it counts (`store`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.arrow import arrow_type
from pipelines.history.groups import put_in_groups
from pipelines.history.intervals import CHANGE, OPENED_BY, VALID_FROM, VALID_TO, changes, spans
from pipelines.history.reading import SEQUENCE, intervals_held, stated_dates
from pipelines.history.shape import DATE, Shape, read_shape
from pipelines.history.store import Statement, changes_of, engine, statements, write
from pipelines.ingest.sql import literal
from pipelines.settings import PRIVATE_FILE, Home, make_directory, write_private

_TOLD = "stated.json"
_BATCH = 100_000  # rows that are written at a time


def keep_stated(con: duckdb.DuckDBPyConnection, shapes: Iterable[Shape], bases: dict[date, str], folder: Path) -> None:
    """Write the rows of each mart as of the dates of `bases` to `folder`; `con` is open on the warehouse.

    `bases` has of each date the hash of the landings that it rests on. Raises duckdb.Error where a mart is not as its
    contract says.
    """
    make_directory(folder)
    days = ", ".join(f"date '{day}'" for day in sorted(bases))
    told: dict[str, Any] = {}
    for shape in shapes:
        path = folder / f"{shape.table}.parquet"
        order = ", ".join([*shape.key, DATE])
        rows = f"select {shape.encoded()} from marts.{shape.table} where {DATE} in ({days}) order by {order}"
        found = con.execute(rows).to_arrow_reader(_BATCH)
        with pq.ParquetWriter(path, found.schema, compression="lz4") as file:
            for batch in found:
                file.write_batch(batch)
        path.chmod(PRIVATE_FILE)
        told[shape.table] = shape.as_json()
    stated = {day.isoformat(): basis for day, basis in bases.items()}
    write_private(folder / _TOLD, json.dumps({"dates": stated, "shapes": told}, sort_keys=True).encode())


def nothing_stated(folder: Path) -> None:
    """Write to `folder` that a candidate has nothing to say to the history: it brings back what was said before."""
    write_private(make_directory(folder) / _TOLD, json.dumps({"dates": {}, "shapes": {}}, sort_keys=True).encode())


def put_down(home: Home, folder: Path, release: str, business_date: date) -> Path | None:
    """Put down what `folder`, written by `keep_stated`, changes as of now; counts once `store.count` is called with it.

    Returns None where the last statement of `business_date` is of the same release and there is nothing new to say.
    """
    told = json.loads((folder / _TOLD).read_bytes())
    bases = {date.fromisoformat(day): basis for day, basis in told["dates"].items()}
    shapes = {table: read_shape(table, shape) for table, shape in told["shapes"].items()}
    if not shapes:
        return None
    made = statements(home)
    sequence = made[-1].sequence + 1 if made else 1
    statement = Statement(sequence, release, business_date, bases, shapes)
    found = {
        table: _changes(home, folder / f"{table}.parquet", shape, made, sorted(bases), sequence)
        for table, shape in shapes.items()
    }
    if not any(rows.num_rows for rows, _ in found.values()) and _said_before(statement, made):
        return None
    return write(home, statement, found)


def _changes(
    home: Home, stated: Path, shape: Shape, made: list[Statement], days: list[date], sequence: int
) -> tuple[pa.Table, pa.Table]:
    """The rows of the file of changes of one mart, and what its groups are worth; both sorted."""
    spoken = spans(days, stated_dates(made, shape.table))
    schema = _schema(shape)
    with engine(home) as con:
        con.register("_blank", schema.empty_table())
        # A column that is new is empty in what was believed so far.
        earlier = any(shape.table in statement.shapes for statement in made)
        told = f"select * from {changes_of(home, shape.table)} union all by name " if earlier else ""
        before = intervals_held(f"({told}select * from _blank)", shape, sequence - 1, spoken[0][0])
        con.execute(f"create temp table held as {before}")
        con.execute(f"create temp table stated as from read_parquet({literal(str(stated))})")
        worth = put_in_groups(con, list(shape.key), shape.shared)
        groups = worth.project(f"cast({sequence} as bigint) as {SEQUENCE}, *").to_arrow_table()
        found = changes(con, "held", "stated", spoken, list(shape.key), list(shape.stored))
        rows = found.project(f"*, cast({sequence} as bigint) as {SEQUENCE}").to_arrow_table()
        return rows.select(schema.names).cast(schema), groups


def _said_before(statement: Statement, made: list[Statement]) -> bool:
    """Whether the last word on the business date was the same release, and rests on the same landings."""
    before = [earlier for earlier in made if earlier.business_date == statement.business_date]
    if not before or before[-1].release != statement.release:
        return False
    bases: dict[date, str] = {}
    for earlier in made:
        bases |= earlier.stated
    return all(bases.get(day) == basis for day, basis in statement.stated.items()) and all(
        before[-1].shapes.get(table) == shape for table, shape in statement.shapes.items()
    )


def _schema(shape: Shape) -> pa.Schema:
    """Columns of a file of changes: what happened, key and interval, then what the row says."""
    return pa.schema(
        [
            (CHANGE, pa.string()),
            (SEQUENCE, pa.int64()),
            *((name, arrow_type(type_)) for name, type_ in shape.key.items()),
            (VALID_FROM, pa.date32()),
            (VALID_TO, pa.date32()),
            (OPENED_BY, pa.int64()),
            *((name, arrow_type(type_)) for name, type_ in shape.stored.items()),
        ]
    )
