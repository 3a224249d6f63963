"""A small simulated bank as the commands make it: a history of two weeks, then four nights that have something.

Belongs here: the bank, its dates and what is asked of its homes. Does not belong here: what must hold (`test_simbank`,
`test_simbank_faults`).

Of the smallest worlds this is one in which, within 18 days, every contract has rows, the file of market_west of the
15th is late, that of market_east of the same day is wrong at first, and the deliveries of the 18th are long enough
for every fault of the catalogue. Whoever changes what is drawn looks for another SEED.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.contracts.load import Catalog

CUSTOMERS, SEED = 500, 1490
START, HISTORY, LATE, NEXT, BEFORE, NIGHT = (date(2025, 1, day) for day in (1, 14, 15, 16, 17, 18))
LATE_FEED, WRONG_FEED = ("market.daily_turnover", "market_west"), ("market.daily_turnover", "market_east")


@dataclass(frozen=True)
class Simulated:
    """`home` has run every night; `before` is a copy that stands before the last, which is not simulated in it."""

    home: Path
    before: Path
    runs: dict[str, dict[str, Any]]

    @property
    def deliveries(self) -> Path:
        """What the bank and its partners delivered."""
        return self.home / "simulated" / "deliveries"


def world(last: date, first: date | None = None, *more: str) -> list[str]:
    """The arguments that simulate this bank through `last`."""
    given = ["simulate", "--customers", str(CUSTOMERS), "--seed", str(SEED), "--to", f"{last}", *more]
    if first == START:
        given += ["--history-to", f"{HISTORY}"]
    return [*given, "--from", f"{first}"] if first else given


def delivered_files(simulated: Path) -> dict[str, bytes]:
    """Every delivered file by its place."""
    root = simulated / "deliveries"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def needed(catalog: Catalog, contract: str) -> set[str]:
    """A contract and all that it refers to, which a night lands before it."""
    found, open_ = set(), [contract]
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_ += [column.references[0] for column in catalog.contract(name).columns if column.references]
    return found


def identifiers(catalog: Catalog, emitted: Iterable[tuple[str, Any]]) -> dict[str, set[str]]:
    """The values of every column that is an identifier, by its kind, among frames of contracts."""
    values: dict[str, set[str]] = {}
    for name, frame in emitted:
        for column in catalog.contract(name).columns:
            if column.identifier and column.name in frame.columns:
                found = frame[column.name].cast(str).drop_nulls().to_list()
                values.setdefault(column.identifier, set()).update(value for value in found if value)
    return values
