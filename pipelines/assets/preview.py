"""What the catalogue shows of the content of a relation, as Markdown.

Belongs here: rows of relations that are about nobody, and how the columns of all others are filled. What does not: any
value that belongs to a person or could lead to one; a key of a customer is one, whatever its class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from pipelines.contracts.model import Contract

ROWS = 5


def preview(contract: Contract, files: Iterable[Path], where: str = "true", rows: int = ROWS) -> dg.MetadataValue:
    """Some rows of `files` in the order of the key where they are about nobody; else filled and distinct values."""
    paths = [str(path) for path in files]
    if not paths:
        return dg.MetadataValue.md("nothing new or changed on this date")
    columns = [column.lake_name if contract.kind == "source" else column.name for column in contract.columns]
    with closing(duckdb.connect()) as con:
        relation = con.read_parquet(paths, union_by_name=True).filter(where)
        if not is_personal(contract):
            shown = relation.order(", ".join(contract.key)).limit(rows).select(*columns)
            return _table(columns, shown.fetchall())
        counts = ", ".join(f"count({name}), count(distinct {name})" for name in columns)
        found = relation.aggregate(counts).fetchone()
    return _table(("column", "filled", "distinct"), [(n, *found[2 * i : 2 * i + 2]) for i, n in enumerate(columns)])


def is_personal(contract: Contract) -> bool:
    """Whether a row may be about somebody: the contract classes a column as personal, or refers to another contract."""
    return any(column.identifier or column.personal_class or column.references for column in contract.columns)


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> dg.MetadataValue:
    lines = [header, ["---"] * len(header), *([_cell(value) for value in row] for row in rows)]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else "no rows")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value) if isinstance(value, Decimal) and value == int(value) else value)
