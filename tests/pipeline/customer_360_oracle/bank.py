"""What is known of a bank on a business date: rows of the lake, days of delivery, and the crosswalk.

Belongs here: reading Parquet, and the history of a contract as "on record on a day". Does not belong here: any column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import yaml

CONTRACTS = Path(__file__).parents[3] / "data_contracts"
POLICY = yaml.safe_load((CONTRACTS / "policy.yaml").read_text("utf-8"))
Row = dict[str, Any]
Record = tuple[str, str]  # source and key


def threshold(name: str) -> Decimal:
    """A threshold of policy.yaml by its dotted name."""
    section, _, key = name.partition(".")
    return Decimal(str(POLICY["thresholds"][section][key]))


def _key(contract: str) -> tuple[str, ...]:
    """The columns that identify a row of a contract within its source."""
    domain, _, table = contract.partition(".")
    text = (CONTRACTS / "sources" / domain / f"{table}.odcs.yaml").read_text("utf-8")
    return tuple(each["name"] for each in yaml.safe_load(text)["schema"][0]["properties"] if each.get("primaryKey"))


class Bank:
    """A home as of one business date; nothing later is read."""

    def __init__(self, home: Path, as_of: date) -> None:
        self.home, self.as_of = home, as_of
        self._changes: dict[str, dict[tuple[Any, ...], list[Row]]] = {}

    def changes(self, contract: str) -> dict[tuple[Any, ...], list[Row]]:
        """Every landed change by source and key, oldest first; each row has its `source` and the day it was `known`."""
        if contract not in self._changes:
            key, found = _key(contract), defaultdict(list)
            for path in sorted((self.home / "lake" / contract).glob("source=*/business_date=*/part.parquet")):
                source, known = (part.partition("=")[2] for part in path.parts[-3:-1])
                if source == "_schema" or date.fromisoformat(known) > self.as_of:
                    continue
                for row in pl.read_parquet(path, hive_partitioning=False).iter_rows(named=True):
                    row |= {"source": source, "known": date.fromisoformat(known)}
                    found[source, *(row[name] for name in key)].append(row)
            for rows in found.values():
                rows.sort(key=lambda row: row["known"])
            self._changes[contract] = dict(found)
        return self._changes[contract]

    def on_record(self, contract: str, day: date | None = None) -> list[Row]:
        """Rows that stand on a day, the business date unless told: the last change by then, if it is no deletion."""
        rows = (_last(each, day or self.as_of) for each in self.changes(contract).values())
        return [row for row in rows if row and row["_change"] == "upsert"]

    def ever(self, contract: str) -> list[Row]:
        """The last known state of every row that was ever landed; `gone` is the day on which it vanished."""
        found = []
        for rows in self.changes(contract).values():
            stated = [row for row in rows if row["_change"] == "upsert"]
            if stated:
                gone = rows[-1]["known"] if rows[-1]["_change"] != "upsert" else None
                found.append(stated[-1] | {"gone": gone})
        return found

    def delivered(self, *contracts: str) -> int:
        """Of how many of the contracts at least one row was delivered."""
        return sum(bool(self.changes(contract)) for contract in contracts)

    def first_row(self, contract: str) -> date | None:
        """First business date with a landed row."""
        return min((rows[0]["known"] for rows in self.changes(contract).values()), default=None)

    def deliveries(self, contract: str) -> dict[str, set[date]]:
        """By source, the days on which a file was delivered, also an empty one; a carried day is none."""
        return {
            source: days
            for source in self._ledger.get(contract, {})
            if (days := {day for day in self._ledger[contract][source] if day <= self.as_of})
        }

    @cached_property
    def _ledger(self) -> dict[str, dict[str, set[date]]]:
        found: dict[str, dict[str, set[date]]] = defaultdict(lambda: defaultdict(set))
        for path in (self.home / "control" / "landing").glob("*.*.parquet"):
            for row in pl.read_parquet(path).iter_rows(named=True):
                if row["status"] == "landed":
                    found[row["contract"]][row["source"]].add(row["business_date"])
        return found

    @cached_property
    def crosswalk(self) -> list[Row]:
        """Identity records with their party."""
        return list(pl.read_parquet(self.home / "identity" / "party_crosswalk.parquet").iter_rows(named=True))

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Whether a party is a person or an organisation."""
        frame = pl.read_parquet(self.home / "identity" / "party.parquet")
        return dict(frame.select("party_id", "party_kind").iter_rows())

    @cached_property
    def links(self) -> dict[tuple[str, str], dict[Record, str]]:
        """Party by contract and role, then by source and record key."""
        found: dict[tuple[str, str], dict[Record, str]] = defaultdict(dict)
        for row in self.crosswalk:
            found[row["contract"], row["role"]][row["source"], row["record_key"]] = row["party_id"]
        return found

    def of_parties(self, rows: Iterable[Row], contract: str, role: str, *columns: str) -> dict[str, list[Row]]:
        """Rows by the party to which the first filled one of `columns` leads, as `role` of `contract`."""
        found: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            key = next((row[name] for name in columns if row[name] is not None), None)
            if party := self.links[contract, role].get((row["source"], key or "")):
                found[party].append(row)
        return found

    def of_customers(self, rows: Iterable[Row], contract: str, role: str, column: str) -> dict[str, list[Row]]:
        """Rows by party, where one system names the customer by the number of a record that another keeps.

        A record that is not on record any more leads nowhere.
        """
        (key,) = _key(contract)
        kept = {(row["source"], row[key]) for row in self.on_record(contract)}
        party = {record[1]: party for record, party in self.links[contract, role].items() if record in kept}
        found: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if row[column] in party:
                found[party[row[column]]].append(row)
        return found


def _last(rows: list[Row], day: date) -> Row | None:
    return next((row for row in reversed(rows) if row["known"] <= day), None)
