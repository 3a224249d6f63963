"""A bank of one or two contracts that exists in memory, and the files it delivers.

Belongs here: what lets a test say in a few lines what is delivered and what lies in the lake then. Does not belong
here: any check.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
from hypothesis import HealthCheck, settings
from project import project_catalog

from pipelines.contracts.bank import Bank, Calendar
from pipelines.contracts.feed import Daily, Feed, Format, History, Mapping
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Column, Contract
from pipelines.ingest import lake, ledger
from pipelines.ingest.batch import Desk
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.night import Outcome, ingest
from pipelines.settings import Settings
from pipelines.vault.keys import KeyRing

FIRST = date(2030, 1, 7)  # a Monday
RING = KeyRing(bytes(range(32)))
PROJECT_CATALOG: Catalog = project_catalog()


def examples(number: int) -> settings:
    """How many examples of a property are tried: always the same ones, unless TEST_EFFORT asks for many times more."""
    effort = int(os.environ.get("TEST_EFFORT", "1"))
    return settings(
        max_examples=number * effort, derandomize=effort == 1, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


def day(number: int) -> date:
    """The `number`th day of the bank, from 1."""
    return FIRST + timedelta(days=number - 1)


def column(name: str, type_: str = "string", **more: Any) -> Column:
    """One column; a key where it is called `key`."""
    return Column(name=name, type=type_, description=name, key=name == "key", required=name == "key", **more)


COLUMNS = (column("key"), column("name", identifier="name", personal_class="C2"), column("amount", "decimal(18,2)"))


def contract(id_: str = "test.thing", columns: Iterable[Column] = COLUMNS, **more: Any) -> Contract:
    """A source contract that refuses nothing for being too bad; `more` are its fields."""
    given: dict[str, Any] = {
        "version": "1.0.0", "kind": "source", "name": id_, "domain": "test", "table": id_.split(".")[1],
        "owner": "owner", "purpose": "", "grain": "", "rules": (), "delivery": "full", "criticality": "required",
        "carry_forward_days": 0, "reject_limit": 1.0, "control_sums": (), "purposes": (), "legal_basis": "",
        "path": Path("contract.yaml"),
    }  # fmt: skip
    sha256 = hashlib.sha256(repr((id_, tuple(columns), sorted(more.items()))).encode()).hexdigest()
    return Contract(id=id_, columns=tuple(columns), sha256=sha256, **{**given, **more})


def feed(of: Contract, source: str = "source", **more: Any) -> Feed:
    """A feed of daily CSV files whose columns are called as the contract's; `more` are its fields."""
    suffix = {"parquet": ".parquet", "jsonl": ".jsonl"}.get(getattr(more.get("format"), "type", "csv"), ".csv")
    given: dict[str, Any] = {
        "contract": of.id, "major": 1, "source": source, "bank": "small", "format": Format(type="csv"),
        "columns": {each.name: Mapping(sql=each.name) for each in of.columns}, "path": Path(f"{of.id}.yaml"),
    }  # fmt: skip
    if "history" not in more:
        given["daily"] = Daily(path=f"{of.table}_{{date:%Y%m%d}}{suffix}")
    sha256 = hashlib.sha256(repr(sorted((name, str(value)) for name, value in more.items())).encode()).hexdigest()
    return Feed(sha256=sha256, **{**given, **more})


def history_feed(of: Contract, through: date | None = None, **more: Any) -> Feed:
    """A feed of one history file with a column `known`; with daily files once it ends."""
    columns = {each.name: Mapping(sql=each.name) for each in of.columns}
    daily = Daily(path=f"{of.table}_{{date:%Y%m%d}}.csv") if through else None
    return feed(
        of, history=History(path=f"{of.table}_history.csv", through=through), daily=daily,
        columns=columns, known_from=Mapping(sql="known"), **more,
    )  # fmt: skip


@dataclass
class SmallBank:
    """Its home and its deliveries below `root`; feeds stand with parents before children."""

    root: Path
    contracts: tuple[Contract, ...] = (contract(),)
    feeds: tuple[Feed, ...] = ()
    last: date | None = None
    closed: tuple[str, ...] = ()
    max_vanished: float = 1.0
    ring: KeyRing = RING
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.feeds = self.feeds or tuple(feed(each) for each in self.contracts)
        settings = Settings(home_dir=self.root / "home", bank="small", deliveries=self.root / "deliveries", threads=1)
        sources = {each.id: each for each in self.contracts}
        thresholds = {"ingest.duplicate_key_days": 31.0, "ingest.max_vanished_share": self.max_vanished}
        catalog: Any = SimpleNamespace(
            sources=sources, contract=sources.__getitem__, derived=PROJECT_CATALOG.derived,
            policy=replace(PROJECT_CATALOG.policy, thresholds=thresholds),
        )  # fmt: skip
        bank = Bank(
            bank="small", name="Small", time_zone="UTC", calendar=Calendar(closed_weekdays=self.closed), currency="EUR",
            jurisdiction="EU", first_date=FIRST, last_date=self.last, deliveries="deliveries", legal_basis=(),
        )  # fmt: skip
        self.desk = Desk(catalog, settings, bank, self.feeds, self.ring)
        settings.home.prepare("small")
        (self.root / "deliveries").mkdir(exist_ok=True)
        for each in self.contracts:
            lake.prepare(settings.home, each)
        ledger.prepare(settings.home, PROJECT_CATALOG.derived["control.landing"])

    @property
    def home(self) -> Any:
        """The home of the bank."""
        return self.desk.home

    def deliver(
        self, when: date | str, rows: Iterable[Iterable[object]], header: str = "key,name,amount", of: int = 0
    ) -> Path:
        """Write a CSV delivery of the contract number `of`; None is an empty field."""
        table = self.contracts[of].table
        name = f"{table}_{when}.csv" if isinstance(when, str) else f"{table}_{when:%Y%m%d}.csv"
        lines = [header, *(",".join("" if value is None else str(value) for value in row) for row in rows)]
        path = self.root / "deliveries" / name
        path.unlink(missing_ok=True)
        path.write_text("\n".join(lines) + "\n")
        return path

    def ingest(self, first: date, last: date | None = None) -> list[Outcome]:
        """Ingest, whatever comes of it."""
        return ingest(self.desk, first, last or first)

    def land(self, first: date, last: date | None = None) -> list[Outcome]:
        """Ingest, and expect no fault."""
        outcomes = self.ingest(first, last)
        assert [str(outcome.fault) for outcome in outcomes if outcome.fault] == []
        return outcomes

    def fault(self, first: date, last: date | None = None, of: int = 0) -> Any:
        """Ingest, and expect a fault of the contract number `of`."""
        (found,) = [o.fault for o in self.ingest(first, last) if o.feed.contract == self.contracts[of].id]
        assert found is not None
        return found

    def delivery(self, when: date = FIRST, of: int = 0, **more: Any) -> Delivery:
        """A delivery as ingest sees it."""
        of_feed = self.feeds[of]
        assert of_feed.daily is not None
        path = self.root / "deliveries" / of_feed.daily.path.format(date=when)
        return Delivery(of_feed, self.contracts[of], when, path, **more)

    def lake(self, of: int = 0) -> pl.DataFrame:
        """Every landed row of a contract, with its date."""
        rows = [
            pl.read_parquet(path, glob=False, hive_partitioning=False).with_columns(
                business_date=date.fromisoformat(path.parent.name.removeprefix("business_date="))
            )
            for path in sorted((self.home.lake / self.contracts[of].id).glob("source=[!_]*/*/part.parquet"))
        ]
        return pl.concat(rows) if rows else pl.DataFrame()

    def state(self, until: date, value: str = "amount", of: int = 0) -> dict[str, Any]:
        """What the landed changes say of each living key after a date."""
        rows = self.lake(of)
        if rows.is_empty():
            return {}
        latest = rows.filter(pl.col("business_date") <= until).sort("business_date").group_by("key").last()
        return dict(latest.filter(pl.col("_change") == "upsert").select("key", value).iter_rows())

    def quarantine(self, of: int = 0) -> list[tuple[Any, ...]]:
        """Date, line, rule and column of each fault."""
        paths = sorted((self.home.quarantine / self.contracts[of].id).glob("*/*/part.parquet"))
        rows = [pl.read_parquet(path, glob=False, hive_partitioning=False) for path in paths]
        return [row for each in rows for row in each.select("business_date", "line", "rule", "column_name").rows()]

    def landings(self, of: int = 0) -> dict[date, ledger.Landing]:
        """The landing of rows of each date."""
        every = ledger.read_all(self.home)
        return {
            each.business_date: each
            for each in every
            if each.contract == self.contracts[of].id and each.measure == "rows"
        }

    def files(self, *parts: str) -> dict[str, bytes]:
        """Every file of some parts of the home, by its place."""
        roots = [
            self.home.path / part
            for part in parts or ("lake", "quarantine", "control", "vault/quarantine", "vault/store")
        ]
        paths = [path for root in roots for path in root.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.home.path)): path.read_bytes() for path in sorted(paths)}
