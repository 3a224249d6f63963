"""Invented rows of any contract, for tests of what writes them: every type, empty values, text that needs care.

Rows of different contracts and days fit together: keys follow from row numbers, references from the keys they name.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from pipelines.contracts.feed import Feed, Mapping
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Column, Contract
from pipelines.simulation.frames import Emitter
from pipelines.simulation.raw import Field, fields_of
from pipelines.simulation.world import World

DAY = date(2025, 3, 4)
START = date(2025, 1, 1)
ROWS = 300
# Two bytes a character in gb18030, four for one of them, quotes, a comma; no delimiter of a feed without quotes.
WORDS = ["王小明", '江湾区, 中山路"一百"号', "A\\B", "歐陽", "𠮷野家", "plain"]


def frame_of(feed: Feed, contract: Contract, rows: int, day: date = DAY) -> pl.DataFrame:
    """`rows` rows of a day, with every field that the feed delivers."""
    rng = np.random.default_rng(day.toordinal())
    known = feed.known_from.sql if isinstance(feed.known_from, Mapping) else ""
    columns = []
    for field in fields_of(feed, contract):
        column = next((column for column in contract.columns if column.name == field.column), None)
        if column is None:
            columns.append(_extra(field, rows, day))
        else:
            values = _values(contract, column, rows, day, rng)
            full = column.required or column.key or field.name == known
            columns.append((values if full else _with_gaps(values)).alias(field.column))
    return pl.DataFrame(columns)


def emitters(catalog: Catalog, bank: str = "simbank", rows: int = ROWS) -> dict[tuple[str, str], Emitter]:
    """An emitter of invented rows for every feed of a bank."""

    def emitter(feed: Feed) -> Emitter:
        contract = catalog.contract(feed.contract)
        # A key of codes has as many rows as there are codes.
        most = min([rows, *(len(column.enum) for column in contract.columns if column.key and column.enum)])

        def emit(world: World, day: int, source: str) -> pl.DataFrame:
            assert source == feed.source
            return frame_of(feed, contract, most, world.calendar.date(day))

        return emit

    return {(feed.contract, feed.source): emitter(feed) for feed in catalog.feeds(bank)}


def _values(contract: Contract, column: Column, rows: int, day: date, rng: np.random.Generator) -> pl.Series:
    numbers, places = rng.integers(0, 1_000_000, rows), range(rows)
    of_day = f"{day:%y%m%d}" if contract.delivery == "append" else ""
    if column.references:
        return pl.Series([_key(column.references[1], n) for n in places], dtype=pl.String)
    if column.enum:
        picked = places if column.key else numbers
        return pl.Series([column.enum[n % len(column.enum)] for n in picked], dtype=pl.Enum(list(column.enum)))
    if column.key and column.type == "string":
        return pl.Series([_key(column.name, n) + of_day for n in places], dtype=pl.String)
    if column.type == "string":
        return pl.Series([WORDS[n % len(WORDS)] for n in numbers], dtype=pl.String)
    if column.type == "date":
        # All dates of a row are one, so that no rule about their order is broken.
        days = [day if column.key else min(day, START) - timedelta(days=n % 400) for n in places]
        return pl.Series(days, dtype=pl.Date)
    if column.type == "timestamp":
        start = datetime(day.year, day.month, day.day)
        return pl.Series([start + timedelta(seconds=n) for n in places], dtype=pl.Datetime("us"))
    if column.type == "boolean":
        return pl.Series(numbers % 2 == 0)
    most = 10_000 if column.type == "decimal(18,2)" else min(5, int(column.maximum or 5)) + 1
    return pl.Series(numbers % (most - 1) + 1, dtype=pl.Int64)


def _key(column: str, number: int) -> str:
    return f"{column[:1].upper()}{number:09d}"


def _with_gaps(values: pl.Series) -> pl.Series:
    frame = values.to_frame("v").with_row_index("n")
    return frame.select(pl.when(pl.col("n") % 5 > 0).then("v")).to_series()


def _extra(field: Field, rows: int, day: date) -> pl.Series:
    kind = pl.Date if field.type == "date" else pl.String
    return pl.Series(field.column, [day if field.type == "date" else "U"] * rows, dtype=kind)
