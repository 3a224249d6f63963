"""Rows that may not go on: why, for the person who repairs them; and the rows themselves, encrypted in the vault."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.feed import Feed
from pipelines.contracts.model import Contract
from pipelines.ingest import lake
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.map import text_of
from pipelines.ingest.read import Rows, Unsplit, keep_lines
from pipelines.ingest.sql import literal
from pipelines.settings import Home
from pipelines.vault import originals
from pipelines.vault.keys import KeyRing

_SHOWN = 40  # characters of a value that is not personal


def collect(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows, unsplit: list[Unsplit], first: date, shape: Contract
) -> None:
    """Make table `quarantined` in the form of `shape` (control.quarantine): one row per fault of `checked`.

    A record that did not split belongs to the date `first`. Of the raw rows, only those found bad are kept on.
    """
    contract, source, name = delivery.contract, delivery.feed.source, delivery.path.name
    key = " || '/' || ".join(f"coalesce({text_of(contract, delivery.feed, column)}, '')" for column in contract.key)
    malformed = [
        {
            "contract": contract.id, "source": source, "business_date": first, "line": record.line,
            "rule": "malformed", "column_name": "", "delivery": name, "record_key": None, "reason": record.reason,
        }
        for record in unsplit
    ]  # fmt: skip
    con.register("_malformed", pa.Table.from_pylist(malformed, schema=arrow_schema(shape)))
    if not con.execute("select count(*) from checked where len(_faults) > 0").fetchall()[0][0]:
        con.execute("create or replace temp table quarantined as from _malformed")
        con.unregister("_malformed")
        keep_lines(con, rows.name)
        return
    con.execute(
        f"create or replace temp table quarantined as "
        f"select {literal(contract.id)} as contract, {literal(source)} as source, business_date, _line as line, "
        f"fault.rule as rule, fault.column as column_name, {literal(name)} as delivery, {key} as record_key, "
        f"{_value(contract, delivery.feed)} || fault.reason as reason "
        f"from (select *, unnest(_faults) as fault from checked) union all by name from _malformed"
    )
    con.unregister("_malformed")
    keep_lines(con, rows.name, "select line from quarantined")


def _value(contract: Contract, feed: Feed) -> str:
    """SQL for the offending value, masked where it is personal."""
    cases = [f"when 'known_from' then coalesce('''' || left(_text__known, {_SHOWN}) || ''' ', '')"]
    for column in contract.columns:
        text = text_of(contract, feed, column.name)
        value = f"'''' || left({text}, {_SHOWN}) || ''' '"
        if column.identifier or column.personal_class:
            value = f"'(personal, length ' || length({text}) || ') '"
        cases.append(f"when {literal(column.name)} then coalesce({value}, '')")
    return f"case fault.column {' '.join(cases)} else '' end"


def lines_before(con: duckdb.DuckDBPyConnection, delivery: Delivery, home: Home, first: date) -> set[int]:
    """Lines of a history file that were put in quarantine before `first` because they have no date of their own."""
    if not delivery.is_history:
        return set()
    of_feed = home.quarantine / delivery.contract.id / f"source={delivery.feed.source}"
    files = [str(path) for path in sorted(of_feed.glob("business_date=*/part.parquet"))]
    if not files:
        return set()
    return {
        line
        for (line,) in con.execute(
            "select distinct line from read_parquet($files, hive_partitioning = false) where business_date < $first "
            "and (rule = 'malformed' or (rule = 'unreadable' and column_name = 'known_from'))",
            {"files": files, "first": first},
        ).fetchall()
    }


def write(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows, home: Home, ring: KeyRing, shape: Contract,
    dates: list[date],
) -> None:  # fmt: skip
    """Write what `collect` found, one file per date of `dates`; a date without faults keeps none."""
    faults = con.execute("from quarantined order by business_date, line, rule, column_name").pl()
    by_date = faults.partition_by("business_date", as_dict=True)
    for day in dates:
        reasons = lake.partition(home.quarantine, delivery.contract.id, delivery.feed.source, day)
        sealed = sealed_path(home, delivery.contract.id, delivery.feed.source, day)
        found = by_date.get((day,))
        if found is None:
            reasons.unlink(missing_ok=True)
            sealed.unlink(missing_ok=True)
            continue
        originals.keep(sealed, _originals(con, rows, found["line"]), ring)
        lake.write_parquet(reasons, found.to_arrow().cast(arrow_schema(shape)))


def sealed_path(home: Home, contract_id: str, source: str, day: date) -> Path:
    """Where the quarantined rows of a date lie as they were delivered."""
    return home.vault / "quarantine" / contract_id / source / f"{day.isoformat()}.sealed"


def _originals(con: duckdb.DuckDBPyConnection, rows: Rows, lines: pl.Series) -> list[dict[str, object]]:
    wanted = set(lines)
    con.register("_bad_lines", pl.DataFrame({"_line": sorted(wanted)}).to_arrow())
    delivered = con.execute(f"select raw.* from {rows.name} as raw join _bad_lines using (_line) order by _line").pl()
    con.unregister("_bad_lines")
    malformed = [{"_line": record.line, "_text": record.text} for record in rows.unsplit if record.line in wanted]
    return [*delivered.to_dicts(), *malformed]
