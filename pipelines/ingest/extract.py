"""The copy of a database's rows to raw columns. The copy is made by `postgres`; its rows count from 1 as lines do."""

from __future__ import annotations

import csv

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.header import check_columns
from pipelines.ingest.raw_rows import RawRows
from pipelines.ingest.read import Rows

_BLOCK = 1 << 24  # bytes; no row may be longer


def read_extract(con: duckdb.DuckDBPyConnection, delivery: Delivery, name: str) -> Rows:
    """Read the copied rows of `delivery` into a new table `name`."""
    try:
        with delivery.path.open(encoding="utf-8", newline="") as file:
            columns = tuple(next(csv.reader(file)))
        check_columns(con, delivery, columns)
        raw = RawRows(con)
        places = [f"_{n}" for n in range(len(columns))]
        reader = pacsv.open_csv(
            delivery.path,
            pacsv.ReadOptions(use_threads=False, block_size=_BLOCK, column_names=places, skip_rows_after_names=1),
            pacsv.ParseOptions(newlines_in_values=True),
            pacsv.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(places, pa.string())),
        )
        for batch in reader:
            lines = pa.array(np.arange(raw.count + 1, raw.count + 1 + batch.num_rows))
            raw.append(pa.table([lines, *batch.columns], names=["_line", *columns]))
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise delivery.unreadable(error) from error
    raw.view(name, columns)
    return Rows(name, columns, raw.count, [], None)
