"""Which raw columns a feed reads, and whether a delivery has exactly those."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence

import duckdb

from pipelines.contracts.feed import Feed, Mapping
from pipelines.ingest.deliveries import Delivery

LINE = "_line"


def check_columns(con: duckdb.DuckDBPyConnection, delivery: Delivery, columns: Sequence[str]) -> None:
    """Raise DeliveryFault unless every column the feed uses is there once and every other one is ignored by name.

    A first line without any known column may be a row, so that none of it is repeated in the message.
    """
    feed, known = delivery.feed, known_columns(con, delivery)
    action = f"ask {delivery.contract.owner} for the agreed columns, or map the new ones in {feed.path}"
    if not known & set(columns):
        apart = f", separated by '{feed.format.delimiter}'" if feed.format.type == "csv" else ""
        message = f"none of the agreed columns is there ({_listed(sorted(known))}{apart})"
        raise delivery.fault("wrong_header", f"{message}; the header or the delimiter may be another", action)
    # The engine does not tell upper from lower case.
    counts = Counter(column.lower() for column in columns)
    if twice := sorted(column for column in set(columns) if counts[column.lower()] > 1):
        raise delivery.fault("wrong_header", f"a column is named twice: {_listed(twice)}", action)
    if LINE in counts:
        raise delivery.fault("wrong_header", f"{LINE} is what ingest itself calls the line of a row", action)
    if missing := sorted(known - set(columns)):
        raise delivery.fault("wrong_header", f"no column {_listed(missing)}; the file has {_listed(columns)}", action)
    if extra := sorted(set(columns) - known):
        raise delivery.fault(
            "extra_column", f"nobody reads {_listed(extra)}", f"map it or give a reason under ignored in {feed.path}"
        )


def known_columns(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> set[str]:
    """The raw columns that a feed reads or ignores by name. Raises DeliveryFault where its expressions are not SQL."""
    feed = delivery.feed
    known_from = [feed.known_from] if isinstance(feed.known_from, Mapping) else []
    expressions = [mapping.sql for mapping in (*feed.columns.values(), *known_from)]
    expressions += [feed.deleted] if feed.deleted else []
    sql = f"select {', '.join(expressions)} from delivery {feed.join}"
    tree = json.loads(con.execute("select json_serialize_sql(?)", [sql]).fetchall()[0][0])
    if tree["error"]:
        raise delivery.fault(
            "bad_mapping", f"an expression is not SQL: {tree['error_message']}", f"correct it in {feed.path}"
        )
    others = feed.reads.keys() | _derived(feed)
    used = {names[-1] for names in _column_references(tree) if len(names) == 1 or names[0] not in others}
    return used | feed.ignored.keys()


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(column or "one without a name" for column in columns) or "none"


def _derived(feed: Feed) -> set[str]:
    """Aliases of the subqueries that a feed joins."""
    return set(re.findall(r"\)\s+(?:as\s+)?(\w+)\s+on\b", feed.join, re.IGNORECASE))


def _column_references(node: object) -> list[list[str]]:
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            return [node["column_names"]]
        return [names for child in node.values() for names in _column_references(child)]
    if isinstance(node, list):
        return [names for child in node for names in _column_references(child)]
    return []
