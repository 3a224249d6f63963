"""A delivery that is being spoiled: its bytes, lines, fields and rows, whatever its format.

Belongs here: taking a delivery apart and putting it together again. Does not belong here: what is spoiled (`edits`).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.feed import Feed
from pipelines.contracts.model import Contract
from pipelines.settings import InputError, write_private
from pipelines.simulation.crm import CrmDatabase
from pipelines.simulation.raw import fields_of

Rows = list[bytes]


@dataclass(frozen=True)
class Spoiled:
    """The delivery of one feed for `day`; `before` is that of the day before."""

    feed: Feed
    contract: Contract
    day: date
    path: Path
    flag: Path | None
    before: Path
    crm: CrmDatabase | None = None

    @property
    def encoding(self) -> str:
        """The encoding of its text, without a mark."""
        return self.feed.format.encoding.removesuffix("-sig")

    def read(self) -> bytes:
        """Its bytes, decompressed."""
        raw = self.path.read_bytes()
        return gzip.decompress(raw) if self.path.suffix == ".gz" else raw

    def put(self, content: bytes, *, plain: bool = False) -> None:
        """Put other bytes in its place, compressed as the bank would unless `plain`."""
        packed = self.path.suffix == ".gz" and not plain
        write_private(self.path, gzip.compress(content, mtime=0) if packed else content)

    def count(self) -> int:
        """How many rows it has."""
        if self.feed.format.type == "postgres":
            return self.database.rows_of(str(self.feed.daily and self.feed.daily.table), self.day)
        if self.feed.format.type == "parquet":
            return int(pq.read_metadata(self.path).num_rows)
        return len(self.parts()[1])

    def parts(self) -> tuple[Rows, Rows, Rows]:
        """Header, rows and trailer, each line without its end."""
        form, lines = self.feed.format, self.read().split(b"\n")[:-1]
        head = 1 if form.type == "csv" and form.header else 0
        tail = len(lines) - 1 if form.trailer else len(lines)
        return lines[:head], [line for line in lines[head:tail] if line], lines[tail:]

    def put_parts(self, head: Rows, rows: Rows, *, end: bytes = b"\n") -> None:
        """Put lines together again, with a trailer that agrees with them."""
        trailer = [self._trailer(rows)] if self.feed.format.trailer else []
        self.put(b"".join(line + end for line in (*head, *rows, *trailer)))

    def fields(self, line: bytes) -> dict[str, Any]:
        """The fields of a row, as text, or as JSON has them."""
        form = self.feed.format
        if form.type == "jsonl":
            return dict(json.loads(line))
        if form.type == "fixed":
            ends = pairwise(accumulate(form.widths.values(), initial=0))
            values = [line[start:end].decode(self.encoding).strip() for start, end in ends]
            return dict(zip(form.widths, values, strict=True))
        text = line.decode(self.encoding)
        values = next(csv.reader([text], delimiter=form.delimiter)) if form.quote else text.split(form.delimiter)
        return dict(zip([field.name for field in fields_of(self.feed, self.contract)], values, strict=True))

    def line(self, fields: dict[str, Any]) -> bytes:
        """A row of such fields."""
        form = self.feed.format
        if form.type == "jsonl":
            return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        if form.type == "fixed":
            padded = [str(fields[name]).encode(self.encoding).ljust(width) for name, width in form.widths.items()]
            return b"".join(padded)
        if not form.quote:
            return form.delimiter.join(map(str, fields.values())).encode(self.encoding)
        text = io.StringIO()
        csv.writer(text, delimiter=form.delimiter, lineterminator="").writerow(fields.values())
        return text.getvalue().encode(self.encoding)

    def edit_rows(self, edit: Callable[[Rows], Rows]) -> None:
        """Edit the rows of a text delivery."""
        head, rows, _ = self.parts()
        self.put_parts(head, edit(rows))

    def edit_table(self, edit: Callable[[pa.Table], pa.Table]) -> None:
        """Edit a Parquet delivery."""
        out = io.BytesIO()
        pq.write_table(edit(pq.read_table(self.path)), out)
        self.put(out.getvalue())

    @property
    def database(self) -> CrmDatabase:
        """The database it is in."""
        if self.crm is None:
            raise InputError("this fault spoils the CRM database: add --crm postgres")
        return self.crm

    def _trailer(self, rows: Rows) -> bytes:
        trailer = self.feed.format.trailer
        assert trailer is not None
        stated = {trailer.rows: str(len(rows))}
        columns = {field.column: field.name for field in fields_of(self.feed, self.contract)}
        for name, place in trailer.sums.items():
            stated[place] = str(sum((self._amount(row, columns[name]) for row in rows), Decimal("0.00")))
        values = [stated.get(place, "") for place in range(2, max(place for place in stated if place) + 1)]
        if self.feed.format.type == "fixed":
            sized = zip(values, trailer.widths[1:], strict=False)
            return (trailer.prefix + "".join(value.rjust(width, "0") for value, width in sized)).encode()
        return self.feed.format.delimiter.join([trailer.prefix, *values]).encode()

    def _amount(self, row: bytes, name: str) -> Decimal:
        try:
            return Decimal(self.fields(row)[name])
        except (InvalidOperation, ValueError, KeyError):
            return Decimal(0)  # whatever it was
