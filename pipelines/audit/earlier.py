"""Reads what was published before: what a candidate is held against where it is to be like those before it.

What belongs here: which earlier releases count, and what their manifests and tables say. What does not: publishing,
and verdicts. An earlier release that cannot be read makes a comparison impossible, never unnecessary.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.audit.content import PROOF, SUPERSEDES, supersession
from pipelines.audit.tables import NotAudited
from pipelines.contracts.model import Contract

_ID = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-[0-9a-f]+")


@dataclass(frozen=True)
class Earlier:
    """One release of an earlier business date."""

    path: Path
    business_date: date
    rows: dict[str, int]

    @property
    def id(self) -> str:
        """The release's id."""
        return self.path.name

    def file(self, product: Contract) -> Path | None:
        """The file of a product; None where its manifest names none. Raises NotAudited where it is spoiled."""
        return self.table(product.id, f"{product.consumer}/{product.table}.parquet")

    def table(self, product_id: str, name: str) -> Path | None:
        """As `file`, of a product by its id and the name of its file."""
        if product_id not in self.rows:
            return None
        try:
            pq.read_metadata(self.path / name)
        except (OSError, pa.ArrowInvalid) as error:
            raise self.unreadable(name) from error
        return self.path / name

    def unreadable(self, name: str) -> NotAudited:
        """What is said of a file that is gone or damaged: what it would show may not be left out."""
        return NotAudited(
            f"releases/{self.id}/{name} cannot be read to compare with: restore it, or move the release away"
        )


@dataclass(frozen=True)
class Past:
    """The releases that a candidate may be held against, the latest first; `why` says why there is none."""

    standing: tuple[Earlier, ...]
    why: str = ""

    @cached_property
    def latest(self) -> Earlier | None:
        """The one that the candidate follows on."""
        return self.standing[0] if self.standing else None

    @cached_property
    def delivered(self) -> dict[str, list[int]]:
        """Rows of each contract in each release on whose business date it was delivered, the latest first.

        A date on which it was carried has a row of zeros there too; that is no delivery.
        """
        came = {(contract, day) for contract, each in self.newest.items() for day, newest in each if newest == day}
        found: dict[str, list[int]] = {}
        for day, frame in self._told("reconciliation"):
            counted = frame.filter(step="ingest", measure="rows").group_by("contract").agg(pl.col("expected").sum())
            for contract, rows in counted.iter_rows():
                if (contract, day) in came:
                    found.setdefault(contract, []).append(int(rows))
        return found

    @cached_property
    def newest(self) -> dict[str, list[tuple[date, date]]]:
        """Of each contract the date of each release that had any of it, and the date it had last come for then."""
        found: dict[str, list[tuple[date, date]]] = {}
        for day, frame in self._told("coverage"):
            for contract, newest in frame.select("contract", "delivered_through").drop_nulls().iter_rows():
                found.setdefault(contract, []).append((day, newest))
        return found

    def _told(self, table: str) -> Iterator[tuple[date, pl.DataFrame]]:
        """What each release says of its own business date in a shared table."""
        name = f"shared/{table}.parquet"
        for one in self.standing:
            if (path := one.table(f"shared.{table}", name)) is None:
                continue
            try:
                frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
            except (OSError, pl.exceptions.PolarsError) as error:
                raise one.unreadable(name) from error
            yield one.business_date, frame.filter(business_date=one.business_date)


def read_past(shelf: Path, directory: Path, business_date: date, longest: int | None, days: int) -> Past:
    """The releases on the `shelf` that the candidate in `directory` is held against.

    These are the latest `longest`, or all without such a number, that nights of earlier business dates made and nobody
    went back on, none of them more than `days` before it; of one date the one that took the place of the others. Where
    the candidate restores a release, that one alone. Raises NotAudited where one of them cannot be read.
    """
    restored = superseded_by(directory).get("restores")
    if restored is not None:
        path = shelf / str(restored)
        if not _ID.fullmatch(str(restored)) or not path.is_dir():
            raise NotAudited("the release that the candidate restores is not there to compare with")
        return Past((_read(path),))
    by_date = {day: path for day, path in _standing(shelf).items() if day < business_date}
    if not by_date:
        return Past((), "this is the first release")
    recent = [day for day in sorted(by_date, reverse=True) if business_date - day <= timedelta(days)]
    if not recent:
        return Past((), f"the last release is of {max(by_date)}, more than {days} days before")
    return Past(tuple(_read(by_date[day]) for day in recent[:longest]))


def superseded_by(directory: Path) -> dict[str, Any]:
    """What a candidate or release says of the release that it takes the place of; nothing where it takes none."""
    try:
        return supersession(directory) or {}
    except (OSError, ValueError) as error:
        raise NotAudited(f"{directory.name}: {PROOF}/{SUPERSEDES} cannot be read") from error


def _standing(shelf: Path) -> dict[date, Path]:
    """What nights made and nobody went back on, of each business date the release whose place is the last.

    They restore none, and their place none took that does.
    """
    named = {path: _ID.fullmatch(path.name) for path in sorted(shelf.iterdir() if shelf.is_dir() else ())}
    told = {
        path: superseded_by(path) for path, name in named.items() if name and path.is_dir() and not path.is_symlink()
    }
    back = {said["supersedes"] for said in told.values() if said.get("restores") is not None}
    made = [path for path, said in told.items() if said.get("restores") is None and path.name not in back]
    made.sort(key=lambda path: (told[path].get("place", {}).get("order", 0), path.name))
    return {date.fromisoformat(named[path][1]): path for path in made}


def _read(path: Path) -> Earlier:
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        rows = {str(name): int(count) for name, count in manifest["rows"].items()}
        return Earlier(path, date.fromisoformat(manifest["business_date"]), rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAudited(f"{path.name}: manifest.json cannot be read to compare with; move the release away") from error
