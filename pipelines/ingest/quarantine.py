"""Rows that may not go on: why, for the person who repairs them; and the rows themselves, encrypted in the vault."""

from __future__ import annotations

from datetime import date

import duckdb
import polars as pl

from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.model import Contract
from pipelines.ingest import lake
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.read import Rows
from pipelines.ingest.sql import literal
from pipelines.settings import Home
from pipelines.vault import originals
from pipelines.vault.keys import KeyRing


def collect(con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows, first: date) -> None:
    """Make table `quarantined`, one row per fault, from `checked` and from the rows that did not split."""
    contract, source, name = delivery.contract, delivery.feed.source, delivery.path.name
    key = " || '/' || ".join(f"coalesce(_text_{column}, '')" for column in contract.key)
    con.execute(
        f"create or replace temp table quarantined as "
        f"select {literal(contract.id)} as contract, {literal(source)} as source, business_date, _line as line, "
        f"fault.rule as rule, fault.column as column_name, {literal(name)} as delivery, {key} as record_key, "
        f"{_shown(contract)} || fault.reason as reason "
        f"from (select *, unnest(_faults) as fault from checked)"
    )
    for line, reason, _ in rows.unsplit:
        con.execute(
            "insert into quarantined values (?, ?, ?, ?, 'malformed', '', ?, null, ?)",
            [contract.id, source, first, line, name, f"the record does not split into columns: {reason}"],
        )


def _shown(contract: Contract) -> str:
    """SQL for the offending value, masked where it is personal."""
    cases = []
    for column in contract.columns:
        if column.identifier or column.personal_class:
            value = f"'(' || length(_text_{column.name}) || ' characters, personal) '"
        else:
            value = f"'''' || left(_text_{column.name}, 40) || ''' '"
        cases.append(f"when {literal(column.name)} then coalesce({value}, '')")
    return f"case fault.column {' '.join(cases)} else '' end"


def write(
    con: duckdb.DuckDBPyConnection,
    delivery: Delivery,
    rows: Rows,
    home: Home,
    ring: KeyRing,
    contract: Contract,
    dates: list[date],
) -> None:
    """Write what `collect` found, one file per date of `dates` in the shape of `contract` (control.quarantine).

    A date without faults keeps no file of an earlier attempt.
    """
    faults = con.execute("from quarantined order by business_date, line, rule, column_name").pl()
    by_date = faults.partition_by("business_date", as_dict=True)
    unsplit = {line: text for line, _, text in rows.unsplit}
    for day in dates:
        reasons = lake.partition(home.quarantine, delivery.contract.id, delivery.feed.source, day)
        sealed = home.vault / "quarantine" / delivery.contract.id / delivery.feed.source / f"{day.isoformat()}.sealed"
        found = by_date.get((day,))
        if found is None:
            reasons.unlink(missing_ok=True)
            sealed.unlink(missing_ok=True)
            continue
        originals.keep(sealed, _originals(con, rows, found, unsplit), ring)
        lake.write_parquet(reasons, found.to_arrow().cast(arrow_schema(contract)))


def _originals(
    con: duckdb.DuckDBPyConnection, rows: Rows, found: pl.DataFrame, unsplit: dict[int, str]
) -> list[dict[str, object]]:
    lines = found.select(pl.col("line").unique()).sort("line")
    con.register("bad_lines", lines.to_arrow())
    delivered = con.execute(
        f"select raw.* from {rows.name} as raw join bad_lines on raw._line = bad_lines.line order by 1"
    ).pl()
    con.unregister("bad_lines")
    malformed = [{"_line": line, "_text": unsplit[line]} for line in lines["line"].to_list() if line in unsplit]
    return [*delivered.to_dicts(), *malformed]
