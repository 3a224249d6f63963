"""Raw columns to contract columns: builds and runs the SQL that a feed's YAML describes.

Each contract column first becomes text by the feed's expression, then its contract type. Text that is there but is
not exactly a value of the type is unreadable, and so is a row for which the expression fails: nothing is rounded,
completed or dropped, and a bad date is told from a missing one.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import duckdb

from pipelines.contracts.feed import Feed, Mapping
from pipelines.contracts.model import Column, Contract
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.read import Rows
from pipelines.ingest.sql import literal

# How a value is written where the feed gives no format; the engine's own casts would take more, and guess.
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_WRITTEN = {
    "date": rf"{_DATE}([ T]00:00:00(\.0+)?)?",
    "timestamp": rf"{_DATE}([ T][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,6}}0*)?)?)?",
    "bigint": r"[+-]?[0-9]+(\.0*)?",
    "double": r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?",
    "boolean": r"(?i)true|false|t|f|1|0",
}
_FAULTS = 'struct("rule" varchar, "column" varchar, reason varchar)[]'
_PLAIN = re.compile(r"[A-Za-z_]\w*(\.\w+)?")  # an expression that is a column, and cannot fail
_FORMATS = {"date": "%Y-%m-%d", "timestamp": "%Y-%m-%d %H:%M:%S"}


def map_rows(
    con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows, only: Collection[str] | None = None
) -> None:
    """Make table `mapped`: `_line`, contract columns, all or `only` some, typed and as text (`text_of`); of the row:

    `_known` from when it is known, with its text; `_deleted`; `_failed`, the columns whose expression fails;
    `_faults`, none yet; and of a daily file `business_date`.
    Raises DeliveryFault where the feed's join multiplies or loses rows, or an expression cannot be run.
    """
    feed, contract = delivery.feed, delivery.contract
    wanted = [column for column in contract.columns if only is None or column.name in only]
    expressions = {column.name: feed.columns[column.name].sql for column in wanted}
    stated = feed.known_from if isinstance(feed.known_from, Mapping) else None
    expressions["_known"] = stated.sql if stated else "null"
    expressions["_deleted"] = feed.deleted or "false"
    fallible = [name for name, sql in expressions.items() if not _PLAIN.fullmatch(sql.strip())]
    tried = [f"{_tried(sql, name in fallible)} as _try_{name}" for name, sql in expressions.items()]
    texts = [
        f"{_trimmed(f'_try_{name}[1]' if name in fallible else f'_try_{name}')} as _text_{name}" for name in expressions
    ]
    failed = ", ".join(f"case when _try_{name} is null then {literal(name)} end" for name in fallible)
    same = [f"_text_{column.name}" for column in wanted if text_of(contract, feed, column.name) == column.name]
    values = [f"{_typed(column, feed.columns[column.name])} as {column.name}" for column in wanted]
    kept = ", ".join([f"* exclude ({', '.join(['_text__deleted', *same])})", *values])
    known = _typed_date("_text__known", stated.format if stated else None)
    day = "" if delivery.is_history else f", date '{delivery.date}' as business_date"
    try:
        con.execute(
            f"create or replace temp table mapped as with tried as ("
            f"select delivery._line, {', '.join(tried)} from {rows.name} as delivery {feed.join}"
            f"), texts as (select _line, {', '.join(texts)}, "
            f"list_filter([{failed}]::varchar[], x -> x is not null) as _failed from tried"
            f") select {kept}, {known} as _known, "
            f"coalesce(_text__deleted = 'true', false) as _deleted, []::{_FAULTS} as _faults{day} from texts"
        )
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        # The engine's message would repeat the value.
        message = f"the join fails for the values of a row ({type(error).__name__})"
        raise delivery.fault("bad_mapping", message, f"correct it in {feed.path}, with try_cast") from None
    except duckdb.ProgrammingError as error:
        message = str(error).splitlines()[0]
        raise delivery.fault("bad_mapping", message, f"correct the expression in {feed.path}") from error
    if feed.join:  # without one, each row is mapped once
        _check_join(con, delivery, rows)


def _check_join(con: duckdb.DuckDBPyConnection, delivery: Delivery, rows: Rows) -> None:
    mapped, lines = con.execute("select count(*), count(distinct _line) from mapped").fetchall()[0]
    if not mapped == lines == rows.count - len(rows.unsplit):
        raise delivery.fault(
            "bad_join",
            f"of {rows.count - len(rows.unsplit)} rows, {lines} found a partner, {mapped} times",
            f"the join in {delivery.feed.path} must find exactly one for each; a left join keeps those without",
        )


def text_of(contract: Contract, feed: Feed, column: str) -> str:
    """The column of `mapped` with the text of a contract column: its own where the value is the text."""
    is_text = contract.column(column).type == "string" and feed.columns[column].values is None
    return column if is_text else f"_text_{column}"


def _tried(sql: str, fallible: bool) -> str:
    """SQL for the text of an expression; where it may fail, for a list of that one text, null for a row that does."""
    return f"try([cast(({sql}) as varchar)])" if fallible else f"cast({sql} as varchar)"


def _trimmed(text: str) -> str:
    """SQL for `text` without spaces around it, null where that leaves nothing.

    What is plain ASCII and neither begins nor ends with a space is the text itself: told ten times as fast as trimmed.
    """
    is_trim = f"length({text}) = strlen({text}) and {text} >= '!' and not suffix({text}, ' ')"
    return f"case when {is_trim} then {text} else nullif(trim({text}), '') end"


def _typed_date(text: str, format_: str | None) -> str:
    if format_ is None:
        return f"case when regexp_full_match({text}, {literal(_WRITTEN['date'])}) then try_cast({text} as date) end"
    return f"cast({_by_format(text, format_)} as date)"


def _by_format(text: str, format_: str) -> str:
    """SQL for the time that `text` states. Written back it gives the text again: a digit that is missing shows."""
    parsed = f"try_strptime({text}, {literal(format_)})"
    if re.search("%[zZ]", format_):
        return parsed
    written = f"strftime({parsed}, {literal(format_)})"
    return f"case when {written} = {text} or lower({written}) = lower({text}) then {parsed} end"


def _typed(column: Column, mapping: Mapping) -> str:
    text, type_ = f"_text_{column.name}", column.type
    if mapping.values is not None:
        cases = " ".join(f"when {literal(raw)} then {literal(value)}" for raw, value in mapping.values.items())
        text = f"case {text} {cases} end"
    if type_ == "string":
        return text
    if type_ == "date":
        return _typed_date(text, mapping.format)
    if type_ == "timestamp" and mapping.format:
        return _by_format(text, mapping.format)
    written = _written_decimal(type_) if type_.startswith("decimal") else _WRITTEN[type_]
    value = f"try_cast({text} as {type_})"
    if type_ == "double":
        value = f"case when isfinite({value}) then {value} end"
    if type_.startswith("decimal"):  # as the engine writes it, it is one: found faster than by the pattern
        return (
            f"case when cast({value} as varchar) = {text} or regexp_full_match({text}, {literal(written)}) "
            f"then {value} end"
        )
    return f"case when regexp_full_match({text}, {literal(written)}) then {value} end"


def _written_decimal(type_: str) -> str:
    """How a number of this type is written: beyond its places there are zeros only."""
    places = int(re.fullmatch(r"decimal\([0-9]+,([0-9]+)\)", type_)[1])  # type: ignore[index]
    fraction = rf"[0-9]{{0,{places}}}0*" if places else "0*"
    return rf"[+-]?([0-9]+(\.{fraction})?|\.{fraction})"


def describe(contract: Contract, feed: Feed, column: str) -> str:
    """What a readable value of `column` looks like, for the reason in quarantine."""
    mapping = feed.columns[column]
    if mapping.values is not None:
        return f"is not one of the codes that the feed maps ({', '.join(mapping.values)})"
    type_ = contract.column(column).type
    written = mapping.format or _FORMATS.get(type_)
    return f"is not a {type_}" + (f" written as {written}" if written else "")
