"""Raw columns to the bytes of a delivery: separated text, fixed width, JSON lines, Parquet.

Belongs here: how a format writes rows, one frame after the other, so that memory does not grow with their number.
Does not belong here: what the fields are (`raw`), where files lie and when they are complete (`delivery`).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.contracts.form import Format
from pipelines.simulation.raw import Field, text_of_dates
from pipelines.simulation.text import SEPARATOR, TIME, csv_of, json_columns

_ROWS = 50_000  # turned into text at once: the next part finds the memory of the one before
_GROUP = 200_000  # rows of a group of a Parquet file
_FEED, _BYTE_ORDER_MARK = b"\n", codecs.BOM_UTF8

Trailer = tuple[int, dict[str, str]]


class Writer(Protocol):
    """Writes one delivery."""

    def write(self, rows: pl.DataFrame) -> None:
        """Append raw rows."""
        ...

    def end(self, count: int, sums: dict[str, str]) -> None:
        """Write what follows the last row: the trailer, with the number of rows and the sums by contract column."""
        ...


def writer(form: Format, fields: tuple[Field, ...], file: BinaryIO) -> Writer:
    """A writer of `form` into an open file."""
    kinds = {"csv": Separated, "fixed": FixedWidth, "jsonl": JsonLines, "parquet": Columns}
    return kinds[form.type](form, fields, file)


class _Text:
    """What all text has in common: an encoding, and a mark before it where that was agreed."""

    def __init__(self, form: Format, fields: tuple[Field, ...], file: BinaryIO) -> None:
        self.form, self.fields, self._file = form, fields, file
        encoding = codecs.lookup(form.encoding).name
        self.encoding = encoding.removesuffix("-sig")
        if encoding != self.encoding:
            file.write(_BYTE_ORDER_MARK)

    def put(self, lines: bytes) -> None:
        """Write UTF-8 text in the encoding of the delivery; ASCII is the same in all of them."""
        if self.encoding != "utf-8" and not lines.isascii():
            lines = lines.decode().encode(self.encoding)
        self._file.write(lines)


class Separated(_Text):
    """Fields between delimiters, with a header or a trailer as agreed."""

    def __init__(self, form: Format, fields: tuple[Field, ...], file: BinaryIO) -> None:
        super().__init__(form, fields, file)
        if form.header:
            self.put(form.delimiter.join(field.name for field in fields).encode() + _FEED)

    def write(self, rows: pl.DataFrame) -> None:
        for part in _parts(rows):
            plain = part.with_columns(pl.col(pl.Boolean).cast(pl.Int8))
            lines = csv_of(plain, self.form.delimiter, self.form.quote)
            if not self.form.quote:
                self._check_split(lines, len(part))
            self.put(lines)

    def end(self, count: int, sums: dict[str, str]) -> None:
        trailer = self.form.trailer
        if trailer is None:
            return
        stated = {trailer.rows: str(count), **{place: sums[name] for name, place in trailer.sums.items()}}
        length = max(place for place in (1, *stated) if place)
        values = [stated.get(place, "") for place in range(2, length + 1)]
        self.put(self.form.delimiter.join([trailer.prefix, *values]).encode() + _FEED)

    def _check_split(self, lines: bytes, count: int) -> None:
        """Without quotes, a value that holds a delimiter or a line end would split a row otherwise."""
        data = np.frombuffer(lines, np.uint8)
        delimiters = int(np.count_nonzero(data == ord(self.form.delimiter)))
        ends = int(np.count_nonzero(data == ord(_FEED)))
        if (delimiters, ends) != (count * (len(self.fields) - 1), count):
            raise ValueError(f"a value of {self.fields[0].name}... holds {self.form.delimiter!r} or a line end")


class FixedWidth(_Text):
    """Fields of fixed width, counted in bytes: text to the left, numbers to the right."""

    def write(self, rows: pl.DataFrame) -> None:
        for part in _parts(rows):
            padded = [self._padded(field, part.get_column(field.name)) for field in self.fields]
            self.put(_lines_of(padded))

    def end(self, count: int, sums: dict[str, str]) -> None:
        trailer = self.form.trailer
        if trailer is None:
            return
        stated = {trailer.rows: str(count), **{place: sums[name] for name, place in trailer.sums.items()}}
        fields = [trailer.prefix.ljust(trailer.widths[0])]
        for place, width in enumerate(trailer.widths[1:], 2):
            text = stated.get(place, "")
            fields.append(text.rjust(width, " " if text.startswith("-") else "0") if text else " " * width)
        self.put("".join(fields).encode() + _FEED)

    def _padded(self, field: Field, series: pl.Series) -> pl.Series:
        width, text = self.form.widths[field.name], _as_text(series)
        lengths = text.str.len_bytes().cast(pl.Int64)
        if (lengths != text.str.len_chars()).any():
            lengths = self._lengths(text)
        if len(text) and int(lengths.max()) > width:  # type: ignore[arg-type]
            raise ValueError(f"{field.name}: a value is longer than {width} bytes")
        blanks = pl.Series([" " * n for n in range(width + 1)]).gather(width - lengths)
        order = [blanks, text] if field.is_number else [text, blanks]
        return pl.select(pl.concat_str(order)).to_series().alias(field.name)

    def _lengths(self, text: pl.Series) -> pl.Series:
        values = text.unique(maintain_order=True)
        known = [len(value.encode(self.encoding)) for value in values]
        return text.replace_strict(values, pl.Series(known), return_dtype=pl.Int64)


class JsonLines(_Text):
    """One object a line: numbers and truth as JSON has them, a missing value as null."""

    _empty = True

    def write(self, rows: pl.DataFrame) -> None:
        for part in _parts(rows):
            self.put(csv_of(json_columns([field.name for field in self.fields], part), SEPARATOR))
            self._empty = False

    def end(self, count: int, sums: dict[str, str]) -> None:
        if self._empty:  # an empty file would be one that was cut off
            self.put(_FEED)


class Columns:
    """Parquet with the contract's types, a group of rows for each frame."""

    def __init__(self, form: Format, fields: tuple[Field, ...], file: BinaryIO) -> None:
        self.fields = fields
        self._schema = pa.schema([(field.name, _arrow_type(field)) for field in fields])
        self._file = pq.ParquetWriter(file, self._schema, compression="snappy", store_decimal_as_integer=True)

    def write(self, rows: pl.DataFrame) -> None:
        arrays = [
            pa.array(_plain(rows.get_column(field.name)).to_arrow()).cast(self._schema.field(field.name).type)
            for field in self.fields
        ]
        if len(rows):
            self._file.write_table(pa.table(arrays, schema=self._schema), row_group_size=_GROUP)

    def end(self, count: int, sums: dict[str, str]) -> None:
        self._file.close()


def _parts(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    return rows.iter_slices(_ROWS) if len(rows) else iter(())


def _plain(series: pl.Series) -> pl.Series:
    return series.cast(pl.String) if isinstance(series.dtype, pl.Enum | pl.Categorical) else series


def _arrow_type(field: Field) -> pa.DataType:
    if field.codes:
        return pa.string()
    if field.places is not None:
        return pa.decimal128(18, field.places)
    known = {
        "bigint": pa.int64(), "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
        "string": pa.string(),
    }  # fmt: skip
    return known[field.type]


def _as_text(series: pl.Series) -> pl.Series:
    """Values as text; a missing one is empty."""
    if series.dtype == pl.Date:
        series = text_of_dates(series)
    if series.dtype == pl.Datetime:
        series = series.dt.strftime(TIME)
    if series.dtype == pl.Boolean:
        series = series.cast(pl.Int8)
    return series.cast(pl.String).fill_null("")


def _lines_of(pieces: Sequence[pl.Series | pl.Expr]) -> bytes:
    """Text that is put together of pieces, one line for each row."""
    return csv_of(pl.select(pl.concat_str(pieces).alias("line")), ",")
