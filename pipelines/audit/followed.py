"""Follows parties back to what was delivered of them: from pseudonyms to records, and along keys to rows of a contract.

Belongs here: which deliveries hold rows of a contract that are about certain parties. Does not belong here: which
parties those are (`failures`), and which contract it is (`upstream`). Nothing of a party leaves this module.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from contextlib import closing
from datetime import date

import duckdb
import polars as pl

from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.ingest import lake, ledger
from pipelines.ingest.ledger import Landing
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256

# From one contract to another: a column of the first that has the values of a column of the second.
Step = tuple[str, str, str]
_SHARED = (
    "reference"  # a domain: what such a contract says is of everybody: a way through it leads from anybody to anybody
)


def parties_of(home: Home, ring: KeyRing, pseudonyms: Collection[str], consumer: str) -> list[str]:
    """The internal ids of parties that a consumer knows by `pseudonyms`, in order."""
    ids = pl.read_parquet(home.identity / "party.parquet", columns=["party_id"]).unique()
    known = hmac_sha256(pl.col("party_id"), ring.pseudonym_key(consumer))
    return sorted(ids.filter(known.is_in(list(pseudonyms)))["party_id"])


def deliveries(home: Home, catalog: Catalog, parties: Collection[str], contract: Contract, day: date) -> list[Landing]:
    """The deliveries through `day` that hold rows of `contract` about `parties`, by date and source.

    Empty where no keys lead from the records of a party to the contract, or it has no rows of them.
    """
    with closing(duckdb.connect()) as con:
        con.execute("create table party (party_id varchar)")
        con.executemany("insert into party values (?)", [[one] for one in parties])
        crosswalk = str(home.identity / "party_crosswalk.parquet")
        con.execute(
            "create table record as select distinct contract, source, role, record_key "
            "from read_parquet(?) semi join party using (party_id)", [crosswalk],
        )  # fmt: skip
        starts = [name for (name,) in con.execute("select distinct contract from record order by all").fetchall()]
        way = _way(catalog, starts, contract.id)
        if way is None:
            return []
        start, steps = way
        _keep_rows(con, home, start, _about(catalog.sources[start]), day)
        for from_column, to, to_column in steps:
            _keep_rows(con, home, to, f"{to_column} in (select {from_column} from kept)", day)
        found = con.execute("select distinct business_date, source from kept order by all").fetchall()
    landed = {(one.business_date, one.source): one for one in ledger.read_all(home, [contract.id])
              if one.measure == "rows" and one.delivery is not None}  # fmt: skip
    return [landed[one] for one in found if one in landed]


def _about(contract: Contract) -> str:
    """SQL predicate of the rows that are about one of the records."""
    names = {column.name: column.lake_name for column in contract.columns}
    return " or ".join(
        f"(source, {names[subject.key]}) in "
        f"(select (source, record_key) from record where contract = '{contract.id}' and role = '{subject.role}')"
        for subject in contract.subjects
    )


def _keep_rows(con: duckdb.DuckDBPyConnection, home: Home, contract_id: str, predicate: str, day: date) -> None:
    """Make `kept` the rows of a contract for which `predicate` holds; it may read what was kept before."""
    rows = f"select * from {lake.scan(home, contract_id)} where business_date <= date '{day}' and ({predicate})"
    con.execute(f"create or replace table next as {rows}")
    con.execute("create or replace table kept as from next")


def _way(catalog: Catalog, starts: list[str], goal: str) -> tuple[str, list[Step]] | None:
    """A shortest way along keys from one of the contracts that have records of a party."""
    open_ = deque((start, start, list[Step]()) for start in starts if start in catalog.sources)
    seen = set(starts)
    while open_:
        start, here, steps = open_.popleft()
        if here == goal:
            return start, steps
        for step in _steps(catalog, here):
            if step[1] not in seen:
                seen.add(step[1])
                open_.append((start, step[1], [*steps, step]))
    return None


def _steps(catalog: Catalog, here: str) -> list[Step]:
    found = []
    for contract in catalog.sources.values():
        names = {column.name: column.lake_name for column in contract.columns}
        for column in contract.columns:
            if column.references is None:
                continue
            other, key = column.references
            if catalog.sources[other].domain == _SHARED:
                continue
            there = {one.name: one.lake_name for one in catalog.sources[other].columns}[key]
            if contract.id == here:
                found.append((names[column.name], other, there))
            if other == here:
                found.append((there, contract.id, names[column.name]))
    return sorted(found)
