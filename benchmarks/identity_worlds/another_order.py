"""The deliveries of a world with their rows in another order.

What belongs here: which order that may be, and files written in it. What does not: landing them. Where several rows of
one date are about one record, the last of them counts: their order is part of what is delivered, and they keep it.
"""

from __future__ import annotations

import gzip
import heapq
import random
import shutil
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.form import Format
from pipelines.contracts.model import Contract
from pipelines.ingest import lake
from pipelines.ingest.batch import Desk
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.sql import literal

Chains = Sequence[Sequence[int]]


def rewrite(desk: Desk, contracts: Iterable[str], through: date, last: date, target: Path, seed: int) -> None:
    """Copy to `target` what was delivered to `desk`, the files of `contracts` with their rows in another order.

    They were landed: histories through `through`, then a file a day to `last`. The lake says which rows are about one
    record.
    """
    place = desk.settings.deliveries
    assert place is not None
    shutil.copytree(place, target)
    draw, wanted = random.Random(seed), set(contracts)
    days = [day for day in desk.bank.business_dates(through, last) if day > through]
    for feed in sorted((feed for feed in desk.feeds if feed.contract in wanted), key=lambda feed: str(feed.path)):
        contract = desk.catalog.contract(feed.contract)
        files = [(desk.office.history(feed, contract, through), (date.min, through))]
        files += [(desk.office.daily(feed, contract, day), (day, day)) for day in days]
        for delivery, (first, until) in files:
            if delivery.is_there():
                chains = _chains(desk, contract, feed.source, first, until)
                _write(delivery, target / delivery.path.relative_to(place), chains, draw)


def _chains(desk: Desk, contract: Contract, source: str, first: date, until: date) -> list[list[int]]:
    """Lines of the rows that are about one record on one date, in order; of every record that has several."""
    lake_name = {column.name: column.lake_name for column in contract.columns}
    found: list[list[int]] = []
    with duckdb.connect() as con:
        for subject in contract.subjects:
            key = lake_name[subject.key]
            found += con.execute(
                f"select list(_line order by _line) from {lake.scan(desk.home, contract.id)} "
                f"where source = {literal(source)} and business_date between date '{first}' and date '{until}' "
                f"and _change = 'upsert' and {key} is not null group by business_date, {key} having count(*) > 1 "
                f"order by 1"
            ).pl().to_series().to_list()  # fmt: skip
    return found


def _write(delivery: Delivery, target: Path, chains: Chains, draw: random.Random) -> None:
    form, path = delivery.feed.format, delivery.path
    if form.type == "parquet":
        rows = pq.read_table(path)
        lines = range(1, rows.num_rows + 1)
        pq.write_table(rows.take(pa.array(order(lines, chains, draw), pa.int64())), target)
        return
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rb") as file:
        text = file.read()
    with opened(target, "wb") as file:
        file.write(another_text(text, form, chains, draw))


def another_text(text: bytes, form: Format, chains: Chains, draw: random.Random) -> bytes:
    """The lines of a delivered text in another order. A header stays first, a trailer last, a quoted text together."""
    lines = [line + b"\n" for line in text.removesuffix(b"\n").split(b"\n")]
    head = 1 if form.type == "csv" and form.header else 0
    tail = len(lines) - (1 if form.trailer else 0)
    quote = form.quote.encode() if form.type == "csv" and form.quote else None
    begins: list[int] = []
    records: list[bytes] = []
    for at in range(head, tail):
        if quote and records and records[-1].count(quote) % 2:  # a quoted text goes on
            records[-1] += lines[at]
        else:
            begins.append(at + 1)
            records.append(lines[at])
    body = [records[n] for n in order(begins, chains, draw)]
    return b"".join([*lines[:head], *body, *lines[tail:]])


def order(lines: Sequence[int], chains: Chains, draw: random.Random) -> list[int]:
    """A random order of the positions of `lines` in which the lines of each chain keep theirs.

    Raises KeyError where a chain names a line that is not there.
    """
    position = {line: n for n, line in enumerate(lines)}
    after: dict[int, list[int]] = {}
    waiting = [0] * len(lines)
    for chain in chains:
        for one, next_ in pairwise(chain):
            after.setdefault(position[one], []).append(position[next_])
            waiting[position[next_]] += 1
    free = [(draw.random(), n) for n in range(len(lines)) if not waiting[n]]
    heapq.heapify(free)
    found = []
    while free:
        _, n = heapq.heappop(free)
        found.append(n)
        for then in after.get(n, ()):
            waiting[then] -= 1
            if not waiting[then]:
                heapq.heappush(free, (draw.random(), then))
    return found


def moved(one: Desk, other: Desk, contracts: Iterable[str]) -> tuple[int, int]:
    """How many landed rows there are, and how many of them stood on another line of their delivery.

    Raises ValueError where the two homes did not land the same rows.
    """
    rows = differ = 0
    for name in sorted(contracts):
        key = list(one.catalog.contract(name).key)
        frames = []
        for desk in (one, other):
            with duckdb.connect() as con:
                frames.append(con.execute(f"select * from {lake.scan(desk.home, name)}").pl())
        mine, theirs = (frame.sort("source", "business_date", *key) for frame in frames)
        if not mine.drop("_line").equals(theirs.drop("_line")):
            raise ValueError(f"{name}: other rows were landed from the same rows in another order")
        rows += mine.height
        differ += int((mine["_line"] != theirs["_line"]).fill_null(False).sum())
    return rows, differ
