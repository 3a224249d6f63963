"""Ways to spoil a delivery. Each is a function of the delivery; a row is counted from 1, without the header.

Belongs here: edits that any delivery of a format may suffer. Does not belong here: which ones do (`catalogue`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from pipelines.settings import InputError
from pipelines.simulation.faults.spoiled import Rows, Spoiled

Edit = Callable[[Spoiled], None]
_SUM_IN_FIXED = 13  # bytes before the sum in a trailer of fixed width
# Of a deleted row only its key counts: one that is spoiled becomes a changed one, so that what it says is looked at.
_MARKS, _DELETED, _CHANGED = frozenset({"op", "OP"}), "D", "U"


def gone(of: Spoiled) -> None:
    """It does not come."""
    of.path.unlink()
    if of.flag:
        of.flag.unlink()


def unflagged(of: Spoiled) -> None:
    """Nothing says that it is complete."""
    assert of.flag is not None
    of.flag.unlink()


def raw(edit: Callable[[bytes], bytes]) -> Edit:
    """Other bytes than those that were written."""
    return lambda of: of.put(edit(of.path.read_bytes()), plain=True)


def text(edit: Callable[[bytes], bytes]) -> Edit:
    """Another content, compressed as ever."""
    return lambda of: of.put(edit(of.read()))


def yesterday(of: Spoiled) -> None:
    """The file of the day before comes again."""
    if not of.before.exists():
        raise InputError(f"{of.before} is not there: this fault needs the date before as a daily delivery")
    of.put(of.before.read_bytes(), plain=True)


def trailer(edit: Callable[[bytes], bytes]) -> Edit:
    """Another last line; without one, where the edit leaves nothing."""

    def spoil(of: Spoiled) -> None:
        head, rows, (last,) = of.parts()
        edited = edit(last)
        of.put(b"".join(line + b"\n" for line in (*head, *rows, *([edited] if edited else []))))

    return spoil


def rows(edit: Callable[[Rows], Rows]) -> Edit:
    """Other rows, with a trailer that agrees with them."""
    return lambda of: of.edit_rows(edit)


def header(old: str, new: str) -> Edit:
    """Another header."""

    def spoil(of: Spoiled) -> None:
        (head,), body, _ = of.parts()
        of.put_parts([head.replace(old.encode(), new.encode(), 1)], body)

    return spoil


def value(name: str, by: object, *numbers: int, last: bool = False) -> Edit:
    """Another value in a field of the rows `numbers`; of all, where none is given."""

    def spoil(of: Spoiled) -> None:
        def edit(lines: Rows) -> Rows:
            at = numbers or tuple(range(1, len(lines) + 1))
            _enough(of, lines, max(at, default=1))
            edited = list(lines)
            for number in at:
                fields = of.fields(lines[number - 1])
                assert name in fields, name
                fields |= {mark: _CHANGED for mark in _MARKS & fields.keys() if fields[mark] == _DELETED}
                edited[number - 1] = of.line({**fields, name: by(fields[name]) if callable(by) else by})
            return edited

        of.edit_rows(edit)

    return spoil


def line(number: int, edit: Callable[[bytes], bytes]) -> Edit:
    """Another line in the place of a row."""

    def spoil(of: Spoiled) -> None:
        def edited(lines: Rows) -> Rows:
            _enough(of, lines, number)
            return [*lines[: number - 1], edit(lines[number - 1]), *lines[number:]]

        of.edit_rows(edited)

    return spoil


def twice(number: int) -> Edit:
    """A row stands twice."""

    def spoil(of: Spoiled) -> None:
        def edited(lines: Rows) -> Rows:
            _enough(of, lines, number)
            return [*lines[:number], lines[number - 1], *lines[number:]]

        of.edit_rows(edited)

    return spoil


def cells(column: str, by: Any, *numbers: int) -> Edit:
    """Other values in a column of a Parquet delivery; text makes it a column of text."""

    def edit(table: pa.Table) -> pa.Table:
        if table.num_rows < max(numbers):
            raise InputError(f"there are only {table.num_rows} rows on this date; choose another or more customers")
        values = table[column].to_pylist()
        kind = table.schema.field(column).type
        if isinstance(by, str) and not pa.types.is_string(kind):
            values, kind = [None if each is None else str(each) for each in values], pa.string()
        for number in numbers:
            values[number - 1] = by
        for mark in _MARKS & set(table.column_names):
            marks = table[mark].to_pylist()
            for number in numbers:
                marks[number - 1] = _CHANGED if marks[number - 1] == _DELETED else marks[number - 1]
            table = table.set_column(
                table.column_names.index(mark), mark, pa.array(marks, table.schema.field(mark).type)
            )
        return table.set_column(table.column_names.index(column), column, pa.array(values, kind))

    return lambda of: of.edit_table(edit)


def table(edit: Callable[[pa.Table], pa.Table]) -> Edit:
    """Another table in a Parquet delivery."""
    return lambda of: of.edit_table(edit)


def sql(statement: str) -> Edit:
    """Other rows of the date in the database; `{day}` stands for the date, `{first}` for its first row's key."""

    def spoil(of: Spoiled) -> None:
        if not of.count():
            raise InputError("there are no rows on this date; choose another or more customers")
        of.database.execute(statement, {"day": of.day, "next": of.day + timedelta(days=1)})

    return spoil


def one_fen_more(last: bytes) -> bytes:
    """The last number of a trailer, higher by 0.01, as wide as before."""
    place = last.rfind(b"|") + 1 or _SUM_IN_FIXED
    total = Decimal(last[place:].decode()) + Decimal("0.01")
    return last[:place] + str(total).rjust(len(last) - place, "0").encode()


def _enough(of: Spoiled, lines: Rows, number: int) -> None:
    if len(lines) < number:
        raise InputError(f"{of.path.name} has only {len(lines)} rows; choose another date or more customers")
