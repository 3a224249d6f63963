"""Lines to records, one by one and exactly: what CSV and JSON lines mean here, whatever stands in a file.

The fast readers (`fast`, `fastjson`) give the same for what they take on, and leave the rest to this module. What a
record means is not known here.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.text import Body, dialect

_BATCH = 20_000


@dataclass(frozen=True)
class Unsplit:
    """A record that does not split into columns: the line it begins on, why, and its text."""

    line: int
    reason: str
    text: str


Record = tuple[int, list[str], str]


def csv_records(delivery: Delivery, body: Body, unsplit: list[Unsplit]) -> Iterator[Record]:
    """Line, fields and text of each record; an empty line is none. What is quoted wrongly goes to `unsplit`."""
    reader = csv.reader(body, **dialect(delivery))
    while True:
        line = body.number + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            text = body.take()
            # Past the limit of a field, or at the end of the file, the quote has swallowed what follows.
            if "limit" in str(error) or "end of data" in str(error):
                raise delivery.fault(
                    "unbalanced_quote", f"line {line}: a quote is opened and not closed: what follows cannot be split"
                ) from error
            unsplit.append(Unsplit(line, "has a quoted field that goes on after its closing quote", text))
            continue
        text = body.take()
        if fields:
            yield line, fields, text


def csv_tables(
    records: Iterable[Record], columns: tuple[str, ...], unsplit: list[Unsplit],
    enough: Callable[[], bool] = lambda: False,
) -> Iterator[pa.Table]:  # fmt: skip
    """The rows of `records`, until there are `enough`; those of another length go to `unsplit`."""
    lines: list[int] = []
    kept: list[list[str]] = []
    for line, fields, text in records:
        if len(fields) == len(columns):
            lines.append(line)
            kept.append(fields)
        else:
            unsplit.append(Unsplit(line, misfit(len(fields), len(columns)), text))
        if len(kept) == _BATCH:
            yield _batch(columns, lines, zip(*kept, strict=True))
            lines, kept = [], []
        if enough():
            break
    if kept:
        yield _batch(columns, lines, zip(*kept, strict=True))


def misfit(fields: int, columns: int) -> str:
    """Why a record of another length is no row."""
    return f"has {fields} fields, not {columns}"


def json_tables(
    body: Body, columns: dict[str, None], unsplit: list[Unsplit], enough: Callable[[], bool] = lambda: False
) -> Iterator[pa.Table]:
    """The rows of JSON lines, until there are `enough`; what they are called that is new is added to `columns`."""
    kept: list[tuple[int, dict[str, Any]]] = []
    for line, record in _objects(body, unsplit):
        kept.append((line, record))
        if len(kept) == _BATCH:
            yield _json_batch(kept, columns)
            kept = []
        if enough():
            break
    if kept:
        yield _json_batch(kept, columns)


def _json_batch(kept: list[tuple[int, dict[str, Any]]], columns: dict[str, None]) -> pa.Table:
    names = list(dict.fromkeys(key for _, record in kept for key in record))
    columns |= dict.fromkeys(names)
    texts = ([_json_text(record.get(key)) for _, record in kept] for key in names)
    return _batch(names, [line for line, _ in kept], texts)


def _objects(body: Body, unsplit: list[Unsplit]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line and content of each JSON object; an empty line is none. Numbers stay the text that they are."""
    decoder = json.JSONDecoder(
        parse_float=str, parse_int=str, parse_constant=_refuse_constant, object_pairs_hook=_unique
    )  # fmt: skip
    for line in body:
        text = body.take()
        if not text.strip():
            continue
        try:
            record = decoder.decode(line)
            if not isinstance(record, dict):
                raise ValueError("is no JSON object")
            if "\\u" in line:
                json.dumps(record, ensure_ascii=False).encode()  # half a surrogate pair is no character
        except UnicodeEncodeError:
            unsplit.append(Unsplit(body.number, "is no JSON: an escape is half a character", text))
        except RecursionError:
            unsplit.append(Unsplit(body.number, "is no JSON that can be read: nested too deeply", text))
        except json.JSONDecodeError as error:
            unsplit.append(
                Unsplit(body.number, f"is no JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}", text)
            )
        except ValueError as error:
            unsplit.append(Unsplit(body.number, str(error), text))
        else:
            yield body.number, record


def _refuse_constant(name: str) -> None:
    raise ValueError(f"is no JSON: {name} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("has a field twice")
    return record


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def empty_table(columns: Iterable[str]) -> pa.Table:
    """A table of these columns without rows."""
    return pa.schema([("_line", pa.int64()), *((column, pa.string()) for column in columns)]).empty_table()


def _batch(columns: Iterable[str], lines: list[int], values: Iterable[Iterable[str | None]]) -> pa.Table:
    arrays = [pa.array(lines, pa.int64()), *(pa.array(column, pa.string()) for column in values)]
    return pa.table(arrays, names=["_line", *columns])
