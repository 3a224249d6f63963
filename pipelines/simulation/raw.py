"""From a contract's columns to the raw fields of a delivering system: the inverse of a feed's mapping.

Belongs here: which fields a delivery has, in which order, and how each value is written. Does not belong here: bytes
and files (`writers`, `delivery`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from pipelines.contracts.feed import Feed, Mapping
from pipelines.contracts.model import Contract

_NAME = re.compile(r"[A-Za-z_]\w*")
_TEXT_IN_SQL = re.compile(r"'[^']*'")
_SQL_WORDS = {"null", "true", "false", "and", "or", "not", "is", "in", "case", "when", "then", "else", "end"}
# From so many rows on, a table of all dates between the first and the last is cheaper than writing each.
_MANY = 20_000
_PRECISION = 18


@dataclass(frozen=True)
class Field:
    """One raw field: the frame's column that it is written from, of which type and how."""

    name: str
    column: str
    type: str
    format: str | None = None
    codes: tuple[tuple[str, str], ...] = ()  # of the contract, of the system

    @property
    def places(self) -> int | None:
        """Decimal places of a number that is held as whole units of them; None of anything else."""
        return int(self.type.rstrip(")").split(",")[1]) if self.type.startswith("decimal") else None

    @property
    def is_number(self) -> bool:
        """Whether a number is delivered."""
        return not self.codes and (self.type == "bigint" or self.places is not None)


def fields_of(feed: Feed, contract: Contract) -> tuple[Field, ...]:
    """The raw fields of a delivery, in order; one that no column is read from alone is a date, or says what became."""
    plain: dict[str, Field] = {}
    written: dict[str, str | None] = {}  # date formats of fields that are read within an expression
    for name, mapping in feed.columns.items():
        if _NAME.fullmatch(mapping.sql) and mapping.sql not in _SQL_WORDS:
            codes = tuple((value, raw) for raw, value in (mapping.values or {}).items())
            plain[mapping.sql] = Field(mapping.sql, name, contract.column(name).type, mapping.format, codes)
        else:
            written |= dict.fromkeys(_names(mapping.sql), mapping.format)
    if isinstance(feed.known_from, Mapping):
        written = {**dict.fromkeys(_names(feed.known_from.sql), feed.known_from.format), **written}
    signs = dict.fromkeys(_names(feed.deleted or ""))
    kinds = [(written, "date"), (signs, "string")]
    extra = {
        name: Field(name, name, kind, form)
        for of, kind in kinds for name, form in of.items() if name not in plain
    }  # fmt: skip
    known = plain | extra
    form = feed.format
    order = form.fields or tuple(form.widths) or tuple(known)
    if missing := known.keys() - set(order):
        raise ValueError(f"{feed.path}: {', '.join(sorted(missing))} is read but not delivered")
    return tuple(known[name] for name in order)


def raw_columns(fields: tuple[Field, ...], frame: pl.DataFrame) -> pl.DataFrame:
    """The raw fields as they are written: text, whole numbers, decimals, truth, dates and times.

    Dates are text already where the system has a format of its own.
    """
    # Systems differ in how they write a name, as UPDATED_ON and updated_on; emitters need not know which is asked.
    known = {name.lower(): name for name in frame.columns}
    columns = ((field, frame.get_column(known.get(field.column.lower(), field.column))) for field in fields)
    return pl.DataFrame([_written(field, values).alias(field.name) for field, values in columns])


def text_of_dates(series: pl.Series, form: str = "%Y-%m-%d") -> pl.Series:
    """Dates as text. Many are picked from a table: a category of its own stands for each date."""
    if len(series) < _MANY or series.null_count() == len(series):
        return series.dt.strftime(form)
    numbers = series.to_physical()
    first, last = int(numbers.min()), int(numbers.max())  # type: ignore[arg-type]
    if last - first > _MANY * 4:
        return series.dt.strftime(form)
    table = pl.Series(range(first, last + 1)).cast(pl.Int32).cast(pl.Date).dt.strftime(form)
    return _pick(numbers - first, table)


def _written(field: Field, series: pl.Series) -> pl.Series:
    if field.codes:
        return _coded(field, series)
    if field.places is not None and series.dtype.is_integer():
        return decimals(series, field.places)
    if series.dtype == pl.Date and field.format:
        return text_of_dates(series, field.format)
    if series.dtype == pl.Datetime and field.format:
        return series.dt.strftime(field.format)
    if series.dtype == pl.Categorical:
        return series.cast(pl.String)
    return series


def decimals(units: pl.Series, places: int) -> pl.Series:
    """Whole units, as cents, as decimals of so many places; no digit is lost."""
    array = units.cast(pl.Int64).rechunk().to_arrow()
    kind = pa.decimal64(_PRECISION, places)
    return pl.Series(pl.from_arrow(pa.Array.from_buffers(kind, len(array), array.buffers(), offset=array.offset)))


def _coded(field: Field, series: pl.Series) -> pl.Series:
    codes = dict(field.codes)
    if isinstance(series.dtype, pl.Enum):
        values = series.dtype.categories.to_list()
        # A value without a code fails only where it is used: a list of values may be longer than a system's.
        table = pl.Series([codes.get(value, f"\0{value}") for value in values], dtype=pl.String)
        coded = _pick(series.to_physical(), table)
        used = coded.unique().cast(pl.String).drop_nulls()
        if wrong := [value[1:] for value in used if value.startswith("\0")]:
            raise ValueError(f"{field.name}: no code for {', '.join(wrong)}")
        return coded
    table = pl.Enum(list(codes.values()))
    return series.cast(pl.String).replace_strict(list(codes), list(codes.values()), return_dtype=table)


def _pick(numbers: pl.Series, table: pl.Series) -> pl.Series:
    if table.n_unique() < len(table):
        return table.gather(numbers)
    kind = pl.Enum(table)
    return numbers.cast(pl.UInt32).to_frame("n").select(pl.col("n").cat.to(kind)).to_series()


def _names(sql: str) -> list[str]:
    found = _NAME.findall(_TEXT_IN_SQL.sub("", sql))
    return [name for name in found if name.lower() not in _SQL_WORDS]
