"""Derives the Arrow schema of a contract."""

from __future__ import annotations

import re

import pyarrow as pa

from pipelines.contracts.model import Contract

_TYPES = {
    "string": pa.string(), "date": pa.date32(), "timestamp": pa.timestamp("us"), "boolean": pa.bool_(),
    "bigint": pa.int64(), "double": pa.float64(),
}  # fmt: skip
# What ingest adds to the columns of a contract: what happened to the row, its hash, and its line in the delivery.
LAKE_COLUMNS = (("_change", pa.string()), ("_row_hash", pa.string()), ("_line", pa.int64()))


def arrow_type(type_: str) -> pa.DataType:
    """The Arrow type of a contract type, for example `decimal(18,2)`."""
    if match := re.fullmatch(r"decimal\(([0-9]+),([0-9]+)\)", type_):
        return pa.decimal128(int(match[1]), int(match[2]))
    return _TYPES[type_]


def arrow_schema(contract: Contract) -> pa.Schema:
    """Columns as the contract names them: products, marts and what Python hands to dbt."""
    return pa.schema([pa.field(c.name, arrow_type(c.type), nullable=not c.required) for c in contract.columns])


def lake_schema(contract: Contract) -> pa.Schema:
    """Columns as they lie in the lake: identifiers as tokens, and every column nullable for tombstones."""
    fields = [(c.lake_name, pa.string() if c.identifier else arrow_type(c.type)) for c in contract.columns]
    return pa.schema([*fields, *LAKE_COLUMNS])
