"""Raw columns to contract columns: builds and runs the SQL that a feed's YAML describes.

Each contract column first becomes text by the feed's expression, then its contract type. Text that is there but
does not become a value is unreadable; that is how a bad date is told from a missing one.
"""

from __future__ import annotations

import json
import re
from datetime import date

import duckdb

from pipelines.contracts.feed import Feed, Mapping
from pipelines.contracts.model import Column, Contract
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.read import Rows
from pipelines.ingest.sql import literal

# Decimals are read with this many places, to notice those that the contract's type would round away.
_WIDE = "decimal(38,10)"


def check_header(con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows) -> None:
    """Raise DeliveryFault unless every column the feed uses is there and every other one is ignored by name."""
    feed = delivery.feed
    used = raw_columns(con, feed)
    known = used | feed.ignored.keys()
    if missing := sorted(known - set(rows.columns)):
        raise delivery.fault(
            "wrong_header", f"no column {', '.join(missing)}; the file has {', '.join(rows.columns) or 'no columns'}"
        )
    if extra := sorted(set(rows.columns) - known):
        raise delivery.fault(
            "extra_column", f"nobody reads {', '.join(extra)}", f"map it or give a reason under ignored in {feed.path}"
        )


def raw_columns(con: duckdb.DuckDBPyConnection, feed: Feed) -> set[str]:
    """The raw columns of its own delivery that a feed's expressions read."""
    known_from = [feed.known_from] if isinstance(feed.known_from, Mapping) else []
    expressions = [mapping.sql for mapping in (*feed.columns.values(), *known_from)]
    expressions += [feed.deleted] if feed.deleted else []
    sql = f"select {', '.join(expressions)} from delivery {feed.join}"
    tree = json.loads(con.execute("select json_serialize_sql(?)", [sql]).fetchone()[0])  # type: ignore[index]
    if tree["error"]:
        raise ValueError(f"{feed.path}: the expressions are not SQL: {tree['error_message']}")
    derived = set(re.findall(r"\)\s+(?:as\s+)?(\w+)\s+on\b", feed.join, re.IGNORECASE))
    others = feed.reads.keys() | derived
    return {names[-1] for names in _column_references(tree) if len(names) == 1 or names[0] not in others}


def _column_references(node: object) -> list[list[str]]:
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            return [node["column_names"]]
        return [names for child in node.values() for names in _column_references(child)]
    if isinstance(node, list):
        return [names for child in node for names in _column_references(child)]
    return []


def map_rows(con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows) -> None:
    """Make table `mapped`: `_line`, `_known` (date), `_deleted`, each contract column typed, and each as text (`_text_…`).

    Raises DeliveryFault where the feed's join multiplies or loses rows, or an expression is not SQL.
    """
    feed, contract = delivery.feed, delivery.contract
    texts = [f"{_text(feed.columns[c.name])} as _text_{c.name}" for c in contract.columns]
    texts.append(f"{_known_from(delivery)} as _known")
    texts.append(f"coalesce(try({feed.deleted}), false) as _deleted" if feed.deleted else "false as _deleted")
    values = [f"{_typed(c, feed.columns[c.name])} as {c.name}" for c in contract.columns]
    try:
        con.execute(
            f"create or replace temp table mapped as with texts as ("
            f"select delivery._line, {', '.join(texts)} from {rows.name} as delivery {feed.join}"
            f") select *, {', '.join(values)} from texts"
        )
    except duckdb.Error as error:
        message = str(error).splitlines()[0]
        raise delivery.fault("bad_mapping", message, f"correct the expression in {feed.path}") from error
    count = con.table("mapped").count("*").fetchall()[0][0]
    if count != rows.count - len(rows.unsplit):
        raise delivery.fault(
            "bad_join", f"{rows.count} rows became {count}", f"the join in {feed.path} must find one row for each"
        )


def _text(mapping: Mapping) -> str:
    return f"nullif(trim(cast(try({mapping.sql.strip()}) as varchar)), '')"


def _known_from(delivery: Delivery) -> str:
    known_from = delivery.feed.known_from
    if isinstance(known_from, Mapping) and delivery.is_history:
        return _typed_date(_text(known_from), known_from.format)
    return f"date '{delivery.date}'"


def _typed_date(text: str, format_: str | None) -> str:
    return f"cast(try_strptime({text}, '{format_}') as date)" if format_ else f"try_cast({text} as date)"


def _typed(column: Column, mapping: Mapping) -> str:
    text = f"_text_{column.name}"
    if mapping.values is not None:
        cases = " ".join(f"when {literal(raw)} then {literal(value)}" for raw, value in mapping.values.items())
        text = f"case {text} {cases} end"
    if column.type == "date":
        return _typed_date(text, mapping.format)
    if column.type == "timestamp" and mapping.format:
        return f"try_strptime({text}, '{mapping.format}')"
    if column.type == "bigint" or column.type.startswith("decimal"):
        exact = f"try_cast({text} as {column.type})"
        return f"case when try_cast({text} as {_WIDE}) = {exact} then {exact} end"
    return text if column.type == "string" else f"try_cast({text} as {column.type})"


def describe(contract: Contract, feed: Feed, column: str) -> str:
    """What a readable value of `column` looks like, for the reason in quarantine."""
    mapping = feed.columns[column]
    if mapping.values is not None:
        return f"is not one of the codes that the feed maps ({', '.join(mapping.values)})"
    kind = contract.column(column).type
    return f"is not a {kind}" + (f" written as {mapping.format}" if mapping.format else "")
