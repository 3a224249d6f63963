"""Builds small warehouses whose marts have the shape of their contracts, and evidence that lets them be published.

Rows are invented; what is checked of them in earnest is tested with the audit.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.audit.content import content_hash, read_content
from pipelines.audit.evidence import CheckResult, Evidence, Version
from pipelines.audit.gates import expected_checks, gate_of
from pipelines.audit.seal import description_hash, seal
from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Column, Contract
from pipelines.lineage.needs import Needs
from pipelines.release.candidate import Candidate, build_candidate
from pipelines.release.catalogue import Release, list_releases
from pipelines.release.publish import publish
from pipelines.settings import Home, Settings
from pipelines.vault.keys import KeyRing

BANK, DAY, PARTIES = "pkdd99", date(1994, 3, 31), 12
KEY = "5a" * 32
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Office:
    """One home with what publishing from it takes."""

    catalog: Catalog
    settings: Settings
    ring: KeyRing
    shelf: Path  # approved candidates that several tests ask for

    @property
    def home(self) -> Home:
        return self.settings.home

    def build(self, day: date = DAY, parties: int = PARTIES, ring: KeyRing | None = None) -> Candidate:
        """A candidate as of `day`, from a warehouse that holds nothing else."""
        write_warehouse(self.home, self.catalog, {day: parties})
        return build_candidate(self.catalog, self.home, ring or self.ring, BANK, day, anybody(self.catalog))

    def approved(self, day: date = DAY, parties: int = PARTIES) -> Path:
        """A candidate with passing evidence."""
        new = not list_releases(self.home)  # what a candidate says depends on what was published before
        for shelved in self.shelf.glob(f"{day}-{parties}/*") if new else ():
            return Path(shutil.copytree(shelved, self.home.candidates / shelved.name))
        directory = self.build(day, parties).directory
        approve(directory, evidence(directory, self.catalog))
        if new:
            shutil.copytree(directory, self.shelf / f"{day}-{parties}" / directory.name)
        return directory

    def publish(self, directory: Path, run: dict[str, Any] | None = None) -> Release:
        """Publish a candidate."""
        return publish(directory, self.catalog, self.settings, self.ring, run or {"run_id": "test"})


def anybody(catalog: Catalog) -> dict[str, Needs]:
    """As if everything were lawful of everybody."""
    return {name: Needs() for name in catalog.products}


def party_id(n: int) -> str:
    """Internal id of an invented party."""
    return hashlib.sha256(f"party {n}".encode()).hexdigest()


def mart_rows(mart: Contract, day: date, parties: int) -> Rows:
    """Rows of a mart as of one date, in no order."""
    rows = [{column.name: _value(column, n, day) for column in mart.columns} for n in range(parties)]
    return list({tuple(row[name] for name in mart.key): row for row in rows}.values())[::-1]


def write_warehouse(
    home: Home, catalog: Catalog, parties: dict[date, int], change: Callable[[str, Rows], Rows] | None = None
) -> None:
    """Write the build file: every mart, as of each date with that many parties. `change` may spoil a mart's rows."""
    home.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(home.warehouse)) as con:
        con.execute("create schema marts")
        for mart in catalog.marts.values():
            rows = [row for day, count in parties.items() for row in mart_rows(mart, day, count)]
            rows = change(mart.table, rows) if change else rows
            nullable = pa.schema([field.with_nullable(True) for field in arrow_schema(mart)])
            con.register("arriving", pa.Table.from_pylist(rows, nullable))
            con.execute(f"create table marts.{mart.table} as from arriving")
            con.unregister("arriving")


def approve(directory: Path, found: Evidence) -> None:
    """Lay evidence beside a candidate as an audit does that found it."""
    found.write(directory)
    seal(directory, description_hash(directory))


def evidence(directory: Path, catalog: Catalog) -> Evidence:
    """Evidence that every expected check of the candidate passed."""
    content = read_content(directory)
    checks = (
        CheckResult(name, "passed", gate_of(name).severity, "A check.", "as expected")
        for name in sorted(expected_checks(catalog))
    )
    return Evidence(
        candidate_hash=content_hash(directory),
        bank=content.bank,
        business_date=content.business_date,
        contracts={c.id: Version(c.version, c.sha256) for c in catalog.all().values()},
        policy=Version(catalog.policy.version, catalog.policy.sha256),
        checks=tuple(checks),
    )


def _value(column: Column, n: int, day: date) -> Any:
    if column.name == "party_id":
        return party_id(n)
    if column.name == "business_date":
        return day
    if column.key and not column.enum and column.type == "string":
        return f"{column.name} {n:03}"
    if column.enum:
        return column.enum[n % len(column.enum)]
    if column.type == "boolean":
        return n % 3 == 0
    if column.type == "date":
        return day - timedelta(days=n)
    if column.type == "timestamp":
        return datetime.combine(day, time(n % 24))
    if column.type.startswith("decimal"):
        return Decimal(n) / 4
    return n if column.type == "bigint" else n / 4 if column.type == "double" else f"{column.name} {n % 5}"
