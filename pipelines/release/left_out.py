"""What is left out of a product that is brought back: rows and values of parties of whom that is not lawful today.

Belongs here: which rows and values go, by decisions on parties. Does not belong here: what the decisions are
(`standing`), and writing the product (`restored`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.audit.usage import BY_RECORD
from pipelines.contracts.expectations import party_column

LOST = "lost"  # the column of decisions that lists the classes of data that a party shares no more


def lawful_part(
    path: Path, needs: Mapping[str, Any], classes: Mapping[str, Any], decisions: pl.DataFrame
) -> tuple[pa.Table, dict[str, int]] | None:
    """The rows of a product that may be brought back, in their order, and how many rows and values were left out.

    `decisions` has a row for each party that is known today: what is lawful of it, and what it shares no more. None
    where the product has no parties: it tells of nobody.
    """
    schema = pq.read_schema(path)
    parties = [name for name in schema.names if party_column(name)]
    if not parties:
        return None
    frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    height = frame.height
    for n, party in enumerate(parties):
        of = decisions.rename({"pseudonym": party} | {c: f"{c}@{n}" for c in decisions.columns if c != "pseudonym"})
        frame = frame.join(of, on=party, how="left", maintain_order="left")
    judge = _Judge(range(len(parties)))
    stays = judge.allows(needs.get("rows", ()), classes.get("rows", ()))
    emptied = []
    for column in schema.names:
        permissions, of_class = needs.get("columns", {}).get(column, ()), classes.get("columns", {}).get(column, ())
        if not permissions and not set(of_class) & set(BY_RECORD):
            continue
        lawful = judge.allows(permissions, of_class)
        if schema.field(column).nullable:
            emptied.append(pl.when(lawful).then(pl.col(column)).alias(column))
        else:  # without a value that is never empty there is no row
            stays = stays & lawful
    for tag in sorted({*needs.get("tags", {}), *classes.get("tags", {})}):
        lawful = judge.allows(needs.get("tags", {}).get(tag, ()), classes.get("tags", {}).get(tag, ()))
        stays = stays & ((pl.col("tag") != tag) | lawful)
    kept = frame.filter(stays)
    after = kept.with_columns(emptied).select(schema.names)
    values = sum(kept[name].is_not_null().sum() - after[name].is_not_null().sum() for name in schema.names)
    return after.to_arrow().cast(schema), {"rows": height - after.height, "values": values}


class _Judge:
    """Says by SQL-like expressions whether every party of a row may be used so; of the unknown nothing is lawful."""

    def __init__(self, parties: Sequence[int]) -> None:
        self._parties = parties

    def allows(self, permissions: Iterable[str], classes: Iterable[str]) -> pl.Expr:
        """Whether all permissions are given, and no class is lost that others told."""
        each = [pl.col(f"{LOST}@{n}").is_not_null() for n in self._parties]
        each += [pl.col(f"{name}@{n}").fill_null(value=False) for name in permissions for n in self._parties]
        each += [
            ~pl.col(f"{LOST}@{n}").list.contains(name).fill_null(value=False)
            for name in sorted(set(classes) & set(BY_RECORD))
            for n in self._parties
        ]
        return pl.all_horizontal(*each)
