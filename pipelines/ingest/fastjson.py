"""JSON lines to columns, many at once, wherever that is certain to give what the exact reader gives.

A number has to stay the text that it is: it is put in quotes before the lines are parsed as text only. What is out
of the ordinary, a value that is a list for example, is left to `records`.
"""

from __future__ import annotations

import re

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from pipelines.ingest.chunks import LEAVE, Chunks, Lines, Unsure, lone_return
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.fast import Read
from pipelines.ingest.header import check_columns
from pipelines.ingest.raw_rows import RawRows
from pipelines.ingest.records import Unsplit, json_tables
from pipelines.ingest.text import Body

_LINE_FEED, _SPACE, _QUOTE, _COLON, _OPEN = b'\n ":{'
# Half a character, or one that ends a text elsewhere.
_ODD_ESCAPE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
# What JSON writes without quotes; the parser itself knows null.
_BARE = r"^(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false)$"


def read_json_lines(con: duckdb.DuckDBPyConnection, delivery: Delivery) -> Read | None:
    """The rows of a file of JSON lines, or None where the exact reader has to read it."""
    raw = RawRows(con)
    try:
        return _read(con, delivery, raw)
    except LEAVE:
        raw.discard()
        return None


def _read(con: duckdb.DuckDBPyConnection, delivery: Delivery, raw: RawRows) -> Read:
    chunks, unsplit, number = Chunks(delivery), list[Unsplit](), 0
    stream, columns = iter(chunks), dict.fromkeys(delivery.feed.format.fields)
    for chunk in stream:
        table = _parse(chunk, tuple(columns), number)
        if table is None:
            lines = Lines(chunk, stream)
            body = Body(delivery, lines, number)
            for of_body in json_tables(body, columns, unsplit, lines.at_end):
                raw.append(of_body)
            number = body.number
        else:
            raw.append(table)
            number += table.num_rows
    if unsplit and not raw.count:
        raise Unsure
    check_columns(con, delivery, tuple(columns))
    return Read(tuple(columns), raw, unsplit, chunks.declared)


def _parse(chunk: bytes, columns: tuple[str, ...], number: int) -> pa.Table | None:
    """The rows of `chunk`, each one object on a line; None where they have to be looked at one by one."""
    if b"\0" in chunk or lone_return(chunk) or (b"\\u" in chunk and _ODD_ESCAPE.search(chunk)):
        return None
    if not chunk.endswith(b"\n"):
        chunk += b"\n"
    bytes_ = np.frombuffer(chunk, np.uint8)
    ends = np.flatnonzero(bytes_ == _LINE_FEED)
    # Each object is flat (a column is text), and so begins where a line begins, if there are as many as lines.
    if bytes_[0] != _OPEN or not (bytes_[ends[:-1] + 1] == _OPEN).all():
        return None
    quoted = _quote(bytes_)
    if quoted is None:
        return None
    schema = pa.schema([(column, pa.string()) for column in columns])
    options = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    read = arrow_json.ReadOptions(use_threads=False, block_size=len(quoted) + 1)
    try:
        table = arrow_json.read_json(pa.BufferReader(quoted), read, options)
    except pa.ArrowInvalid:
        return None
    if table.num_rows != len(ends):
        return None
    lines = pa.array(np.arange(number + 1, number + 1 + len(ends)), pa.int64())
    return pa.table([lines, *table.columns], names=["_line", *columns])


def _quote(bytes_: np.ndarray) -> bytes | None:
    """The lines with quotes around what has none; None where one of these is no number, true or false.

    Were a colon within a text taken for one after a name, the quotes set there would leave no JSON.
    """
    colons = np.flatnonzero(bytes_[:-2] == _COLON)
    colons = colons[bytes_[colons - 1] == _QUOTE]
    starts = colons + 1 + (bytes_[colons + 1] == _SPACE)
    first = bytes_[starts]
    starts = starts[(first != _QUOTE) & (first != ord("n"))]
    if not starts.size:
        return bytes_.tobytes()
    stops = np.flatnonzero((bytes_ == ord(",")) | (bytes_ == ord("}")))
    place = np.searchsorted(stops, starts)
    if place[-1] == len(stops):
        return None
    ends = stops[place]
    lengths = ends - starts
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    bare = pa.StringArray.from_buffers(
        len(starts), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(bytes_[places].tobytes())
    )
    if not pc.all(pc.match_substring_regex(bare, _BARE)).as_py():
        return None
    return np.insert(bytes_, np.concatenate([starts, ends]), _QUOTE).tobytes()
