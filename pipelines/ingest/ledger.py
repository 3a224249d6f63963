"""The landing ledger: what every delivery brought and what became of it.

One Parquet file per contract and source in the shape of `control.landing`. A date counts as landed once it stands
here: the ledger is written after the rows. A landing in doubt, because what it stands on is being replaced, has lost
its recipe hash until it is landed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.model import Contract
from pipelines.ingest import lake
from pipelines.settings import Home


@dataclass(frozen=True)
class Landing:
    """One measure of one landed date; the fields are the columns of `control.landing`."""

    contract: str
    source: str
    business_date: date
    measure: str
    status: str
    delivery: str | None
    delivery_sha256: str | None
    recipe_sha256: str | None
    landed_sha256: str | None
    declared: Decimal | None
    delivered: Decimal
    accepted: Decimal
    unchanged: Decimal
    quarantined: Decimal
    tombstones: Decimal


class Ledger:
    """The landings of one contract from one source."""

    def __init__(self, home: Home, shape: Contract, contract_id: str, source: str) -> None:
        self.path = home.control / "landing" / f"{contract_id}.{source}.parquet"
        self._schema = arrow_schema(shape)
        self.landings: list[Landing] = read(self.path)

    def of(self, day: date) -> list[Landing]:
        """The landings of one date, one per measure; empty where nothing was landed."""
        return [landing for landing in self.landings if landing.business_date == day]

    def landed_dates(self) -> set[date]:
        """Dates that were delivered; carried ones are not."""
        return {landing.business_date for landing in self.landings if landing.status == "landed"}

    def doubtful_dates(self) -> set[date]:
        """Landed dates that have to be landed again."""
        return {each.business_date for each in self.landings if each.status == "landed" and each.recipe_sha256 is None}

    def lost_dates(self, home: Home) -> set[date]:
        """Landed dates whose file is gone from the lake; they are landed again."""
        rows = [landing for landing in self.landings if landing.landed_sha256 is not None]
        return {
            one.business_date
            for one in rows
            if not lake.is_there(home.lake, one.contract, one.source, one.business_date)
        }

    def doubt(self, dates: Collection[date]) -> list[Landing]:
        """Put landings in doubt, durably; returns those that were not, as `record` takes them to restore them."""
        trusted = [
            each for each in self.landings
            if each.business_date in dates and each.status == "landed" and each.recipe_sha256 is not None
        ]  # fmt: skip
        if trusted:
            self.record([replace(landing, recipe_sha256=None) for landing in trusted])
        return trusted

    def record(self, landings: list[Landing]) -> None:
        """Replace the landings of the dates in `landings`, durably."""
        dates = {landing.business_date for landing in landings}
        kept = [landing for landing in self.landings if landing.business_date not in dates]
        self.landings = sorted(kept + landings, key=lambda landing: (landing.business_date, landing.measure))
        rows = [vars(landing) for landing in self.landings]
        lake.write_parquet(self.path, pa.Table.from_pylist(rows, schema=self._schema))


def read(path: Path) -> list[Landing]:
    """The landings in one ledger file; none where it is absent."""
    if not path.exists():
        return []
    # Not read_table, which would find out whether the path holds a whole data set.
    with pq.ParquetFile(path) as file:
        return [Landing(**row) for row in file.read().to_pylist()]


def rows_landed(home: Home, contract_id: str) -> int:
    """How many rows the lake holds of a contract: counting its files takes longer than landing a day."""
    total = 0
    for path in (home.control / "landing").glob(f"{contract_id}.*.parquet"):
        with pq.ParquetFile(path) as file:
            told = file.read(columns=["measure", "accepted", "tombstones"]).to_pylist()
        total += sum(int(row["accepted"] + row["tombstones"]) for row in told if row["measure"] == "rows")
    return total


def read_all(home: Home, contracts: Collection[str] | None = None) -> list[Landing]:
    """Every landing of a home, or of `contracts`, in order of file, date and measure."""
    begins = ("",) if contracts is None else tuple(f"{name}." for name in contracts)
    files = sorted((home.control / "landing").glob("*.*.parquet"))
    return [landing for path in files if path.name.startswith(begins) for landing in read(path)]


def landed_through(home: Home, days: Iterable[date], contracts: Collection[str] | None = None) -> dict[date, str]:
    """Of each of `days` a digest of what was landed up to it, of `contracts` or of all: another one, another past.

    Of what it was made from, and how many rows came of it; not of the bytes that lie in the lake. A rotation of keys
    writes these anew, and nothing is another thing for that.
    """
    landings = sorted(
        (one.business_date, one.contract, one.source, one.status, str(one.delivery_sha256), str(one.recipe_sha256),
         int(one.accepted), int(one.tombstones))
        for one in read_all(home, contracts)
        if one.measure == "rows"
    )  # fmt: skip
    found, digest, place = {}, hashlib.sha256(), 0
    for day in sorted(set(days)):
        while place < len(landings) and landings[place][0] <= day:
            digest.update("|".join(map(str, landings[place])).encode() + b"\n")
            place += 1
        found[day] = digest.hexdigest()
    return found


def prepare(home: Home, shape: Contract) -> None:
    """Put the empty ledger in place, so that its schema can be read before anything is landed."""
    path = home.control / "landing" / "_schema.parquet"
    if not path.exists() or not pq.read_schema(path).equals(arrow_schema(shape)):
        lake.write_parquet(path, arrow_schema(shape).empty_table())
