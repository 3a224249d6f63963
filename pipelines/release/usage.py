"""The ledger of data usage: which product used which classes of data of which customer, as it was handed over.

Belongs here: writing it, from the files of a candidate and its proofs. Does not belong here: which classes lie behind a
column (`pipelines.lineage.needs`), checking it (`pipelines.audit.usage`), and reading it over many releases
(`usage_history`).

A customer appears under the pseudonym of the consumer that used the data, in a file for each: that is what products and
proofs say, so the ledger can be held against them line by line, offline and without a key. A pseudonym of its own would
need the key for that; one file with both would tell whoever holds it which pseudonyms belong together.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.audit.content import PROOF
from pipelines.audit.usage import BY_RECORD, SHARED, ledger
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import DATA_CLASSES, Contract
from pipelines.release.catalogue import CONSUMERS
from pipelines.settings import PRIVATE_FILE

# Lines that lie together: whoever asks for one customer reads one such group, by its least and greatest pseudonym.
_LINES = 65_536


def write_usage(catalog: Catalog, directory: Path, rules: dict[str, Any]) -> None:
    """Write the ledger of each consumer beside its proofs: a row for each customer and product that has rows of it."""
    for consumer in CONSUMERS:
        proofs = pl.read_parquet(directory / PROOF / f"{consumer}.parquet")
        known = proofs.select(
            "pseudonym",
            *(pl.col(SHARED).str.split(";").list.contains(name).fill_null(value=False).alias(name)
              for name in BY_RECORD),
        )  # fmt: skip
        parts = []
        for product in catalog.products.values():
            if product.consumer == consumer and product.id in rules["classes"]:
                path = directory / consumer / f"{product.table}.parquet"
                used = _used(pl.scan_parquet(path), product, rules["classes"][product.id], known)
                refused = _refused(proofs, rules["needs"].get(product.id, {}))
                parts.append(used.join(refused, on="pseudonym", how="left"))
        day = proofs["business_date"].dtype
        empty = pl.DataFrame(
            schema={"pseudonym": pl.String, "business_date": day, "product": pl.String, "rows": pl.Int64,
                    "used": pl.String, "withheld": pl.String}
        )  # fmt: skip
        dated = [
            part.join(proofs.select("pseudonym", "business_date"), on="pseudonym", how="left").select(empty.columns)
            for part in parts
        ]
        path = ledger(directory, consumer)
        pl.concat([empty, *dated]).sort("pseudonym", "product").write_parquet(
            path, compression="zstd", statistics=True, row_group_size=_LINES
        )
        path.chmod(PRIVATE_FILE)


def _used(rows: pl.LazyFrame, product: Contract, classes: dict[str, Any], known: pl.DataFrame) -> pl.DataFrame:
    """Customers in a product, with how many of its rows and which classes of data they were given away with.

    A class was used where it decides on the row, or where a value that descends from it is there. What partners, the
    bureau or a hospital know was used only of those of whom a record of it counts.
    """
    behind = {name: [column for column, some in classes["columns"].items() if name in some] for name in DATA_CLASSES}
    tagged = {name: [tag for tag, some in classes["tags"].items() if name in some] for name in DATA_CLASSES}
    told = {
        name: pl.lit(value=True)
        if name in classes["rows"]
        else reduce(
            or_,
            [pl.col(column).is_not_null() for column in behind[name]]
            + ([pl.col("tag").is_in(tagged[name])] if tagged[name] else []),
        )
        for name in DATA_CLASSES
        if name in classes["rows"] or behind[name] or tagged[name]
    }
    parties = [column.name for column in product.columns if party_column(column.name)]
    flags = [flag.alias(name) for name, flag in told.items()]
    each = pl.concat([rows.select(pl.col(party).alias("pseudonym"), *flags) for party in parties])
    found = (
        each.filter(pl.col("pseudonym").is_not_null())
        .group_by("pseudonym")
        .agg(pl.len().cast(pl.Int64).alias("rows"), *(pl.col(name).any() for name in told))
        .collect()
    )
    if shared := [name for name in BY_RECORD if name in told]:
        found = found.join(known, on="pseudonym", how="left", suffix="_known").with_columns(
            pl.col(name) & pl.col(f"{name}_known").fill_null(value=False) for name in shared
        )
    return found.select("pseudonym", "rows", pl.lit(product.id).alias("product"), _joined(told).alias("used"))


def _refused(proofs: pl.DataFrame, needs: dict[str, Any]) -> pl.DataFrame:
    """Of every party the classes that a product would have used more of, had it been lawful."""
    permissions = {
        name for some in (needs.get("columns", {}), needs.get("tags", {})) for n in some.values() for name in n
    }
    of = {name.partition("_")[2]: name for name in permissions}
    refused = {name: ~pl.col(of[name]) for name in DATA_CLASSES if name in of}
    held = proofs.select("pseudonym", *(no.alias(name) for name, no in refused.items()))
    return held.select("pseudonym", _joined(refused).alias("withheld"))


def _joined(names: Iterable[str]) -> pl.Expr:
    """The names of the columns that hold, by semicolons; null where none does."""
    said = [pl.when(pl.col(name)).then(pl.lit(name)) for name in names]
    text = pl.concat_str(said, separator=";", ignore_nulls=True) if said else pl.lit("")
    return pl.when(text != "").then(text)
