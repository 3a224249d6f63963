"""Columns to lines of text, as fast as they can be put together.

Belongs here: separated values, and JSON as values between quotes. Does not belong here: formats of deliveries
(`writers`).
"""

from __future__ import annotations

import io
import json

import polars as pl

TIME = "%Y-%m-%d %H:%M:%S"
SEPARATOR = '"'  # of the columns of JSON: what is between two values in quotes is a column of its own
_ESCAPED = r'["\\\x00-\x1f]'
# A table of all combinations of codes is worth it where there are so many rows for each, or so few combinations.
_ROWS_FOR_EACH, _FEW = 32, 64


def csv_of(rows: pl.DataFrame, separator: str, quote: str = "") -> bytes:
    """Values between separators, quoted where that is necessary if there is a quote at all."""
    buffer = io.BytesIO()
    rows.write_csv(
        buffer,
        include_header=False,
        separator=separator,
        quote_char=quote or "\0",
        quote_style="necessary" if quote else "never",
        datetime_format=TIME,
    )
    return buffer.getvalue()


def json_columns(names: list[str], rows: pl.DataFrame) -> pl.DataFrame:
    """Columns that are JSON objects with `SEPARATOR` between them."""
    columns: list[pl.Series | pl.Expr] = []
    between, before = _Between(), "{"
    for name in names:
        series = rows.get_column(name)
        between.add(f'{before}"{name}":')
        before = ","
        if isinstance(series.dtype, pl.Enum):
            if not between.fits(series) and not series.null_count():
                columns.append(between.column())
                between = _Between(opened=True)
            between.add_codes(series)
        elif series.dtype.is_numeric() or series.dtype == pl.Boolean:
            between.add_series(series.cast(pl.String).fill_null("null"))
        elif series.null_count():
            text = series.dt.strftime(TIME) if series.dtype == pl.Datetime else _escaped(series).cast(pl.String)
            quoted = pl.concat_str([pl.lit(SEPARATOR), text, pl.lit(SEPARATOR)])
            between.add_series(pl.select(quoted.fill_null("null")).to_series())
        else:
            columns += [between.column(), _escaped(series)]
            between = _Between()
    between.add("}")
    columns.append(between.column())
    return pl.select(column.alias(str(number)) for number, column in enumerate(columns))


class _Between:
    """What stands between two separators: pieces of text, codes among them looked up in one table."""

    def __init__(self, opened: bool = False) -> None:
        self._pieces: list[pl.Series | pl.Expr] = []
        self._texts, self._codes = [""], None
        self._opened = opened  # whether the separator was the quote before a code

    def add(self, text: str) -> None:
        """A text that is the same in all rows."""
        self._texts = [each + text for each in self._texts]

    def add_series(self, values: pl.Series) -> None:
        """A text for each row."""
        self._finish()
        self._pieces.append(values)

    def fits(self, codes: pl.Series) -> bool:
        """Whether a table of all combinations stays small beside the rows."""
        count = len(self._texts) * len(codes.dtype.categories)  # type: ignore[attr-defined]
        return count <= max(_FEW, len(codes) // _ROWS_FOR_EACH)

    def add_codes(self, codes: pl.Series) -> None:
        """One of few texts in quotes for each row."""
        if not self.fits(codes):
            self._finish()
        values = codes.dtype.categories.to_list()  # type: ignore[attr-defined]
        quote, self._opened = "" if self._opened else SEPARATOR, False
        known = [f"{quote}{json.dumps(value, ensure_ascii=False)[1:-1]}{SEPARATOR}" for value in values]
        numbers = codes.to_physical().cast(pl.UInt32)
        if codes.null_count():
            numbers, known = numbers.fill_null(len(known)), [*known, "null"]
        self._codes = numbers if self._codes is None else self._codes * len(known) + numbers
        self._texts = [text + value for text in self._texts for value in known]

    def column(self) -> pl.Series | pl.Expr:
        """All of it."""
        self._finish()
        return self._pieces[0] if len(self._pieces) == 1 else pl.concat_str(self._pieces)

    def _finish(self) -> None:
        if self._codes is not None:
            self._pieces.append(pl.Series(self._texts).gather(self._codes))
        elif self._texts[0] or not self._pieces:
            self._pieces.append(pl.lit(self._texts[0]))
        self._texts, self._codes = [""], None


def _escaped(series: pl.Series) -> pl.Series:
    if series.dtype != pl.String or not series.str.contains(_ESCAPED).any():
        return series
    escaped = [None if value is None else json.dumps(value, ensure_ascii=False)[1:-1] for value in series]
    return pl.Series(escaped, dtype=pl.String)
