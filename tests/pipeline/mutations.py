"""How a delivery of the invented bank's last night is spoiled.

Belongs here: what a case is, and the functions that write a spoiled file. Does not belong here: the cases
(`mutations_of_files`, `mutations_of_rows`), and what is checked after each (`test_mutations`).
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

PARTY, ACCOUNT, HOLDER, ORDER = "core.party", "core.account", "core.account_holder", "core.standing_order"
BOOKING, LOAN, CARD, DISTRICT = "core.transaction", "loan.contract", "card.account", "reference.district"

NIGHT = date(2025, 12, 31)
BEFORE = NIGHT - timedelta(days=1)

FILES = {
    PARTY: ("core/party_{}.txt", "gb18030"), ACCOUNT: ("core/account_{}.csv", "utf-8"),
    HOLDER: ("core/holder_{}.asc", "ascii"), ORDER: ("core/order_{}.csv.gz", "utf-8"),
    BOOKING: ("core/transaction_{}.txt", "gb18030"), LOAN: ("lending/loan_{}.parquet", ""),
    CARD: ("cards/card_{}.jsonl.gz", "utf-8"),
    DISTRICT: ("reference/district_{}.csv.zst", "utf-8"),
}  # fmt: skip
# Three bad rows are delivered on the last night anyway, as many as its reject limit allows.
_BAD_BOOKINGS = 3

Lines = list[str]


@dataclass(frozen=True)
class Deliveries:
    """A private copy of what the bank delivers, to be spoiled. Files are replaced, never written in place."""

    directory: Path

    def path(self, contract: str, day: date | str = NIGHT) -> Path:
        """Where the bank delivers `contract` for `day`."""
        return self.directory / FILES[contract][0].format(day if isinstance(day, str) else f"{day:%Y%m%d}")

    def replace(self, path: Path, content: bytes) -> None:
        """Put `content` in the place of a delivered file."""
        path.unlink()
        path.write_bytes(content)

    def text(self, contract: str, day: date | str = NIGHT) -> str:
        """A text delivery, decompressed and decoded."""
        raw = self.path(contract, day).read_bytes()
        return plain(self.path(contract, day).suffix, raw).decode(FILES[contract][1])

    def write(self, contract: str, text: str | bytes, day: date | str = NIGHT) -> None:
        """Put `text` in the place of a delivery, encoded and compressed as the bank would."""
        path = self.path(contract, day)
        raw = text if isinstance(text, bytes) else text.encode(FILES[contract][1])
        if path.suffix == ".gz":
            raw = gzip.compress(raw, mtime=0)
        if path.suffix == ".zst":
            raw = pa.Codec("zstd").compress(raw, asbytes=True)
        self.replace(path, raw)


def plain(suffix: str, raw: bytes) -> bytes:
    """What a file holds, decompressed."""
    if suffix == ".gz":
        return gzip.decompress(raw)
    return pa.input_stream(io.BytesIO(raw), compression="zstd").read() if suffix == ".zst" else raw


Spoil = Callable[[Deliveries], None]


@dataclass(frozen=True)
class Case:
    """One spoiled delivery. `fault`: rule and parts of the message; `bad`: line, rule and column of each faulty row."""

    name: str
    contract: str
    spoil: Spoil
    fault: tuple[str, ...] = ()
    bad: frozenset[tuple[int, str, str]] = frozenset()
    shown: str = ""  # part of the first reason in quarantine
    first: date = NIGHT  # from which on dates are compared with their delivery again
    changes: dict[str, Any] = field(default_factory=dict)  # of the contract


def text(contract: str, edit: Callable[[str], str | bytes], day: date | str = NIGHT) -> Spoil:
    """Edit a text delivery as a whole."""
    return lambda to: to.write(contract, edit(to.text(contract, day)), day)


def lines(contract: str, edit: Callable[[Lines], Iterable[str]], *, bookings: int = _BAD_BOOKINGS) -> Spoil:
    """Edit the lines of a delivery, header included; the trailer is made to agree.

    Of the bad bookings, the last of the file, `bookings` stay.
    """

    def spoil(to: Deliveries) -> None:
        whole = to.text(contract)
        end = "\r\n" if "\r\n" in whole else "\n"
        rows = whole.split(end)[:-1]
        trailed = contract in (PARTY, BOOKING)
        rows = rows[:-1] if trailed else rows
        if contract == BOOKING:
            rows = rows[: len(rows) - _BAD_BOOKINGS + bookings]
        rows = list(edit(rows))
        if trailed:
            rows.append(_trailer(contract, rows))
        to.write(contract, end.join([*rows, ""]))

    return spoil


def _trailer(contract: str, rows: Lines) -> str:
    if contract == PARTY:
        return f"T|{len(rows) - 1}"
    total = Decimal(0)
    for row in rows:
        try:
            total += Decimal(row.split("|")[6])
        except (InvalidOperation, IndexError):
            total += 1  # whatever it was
    return f"T|{len(rows)}|{total}"


def at(number: int, pattern: str, by: str) -> Callable[[Lines], Lines]:
    """Replace the first match of `pattern` in line `number`."""

    def edit(rows: Lines) -> Lines:
        spoiled = re.sub(pattern, by, rows[number - 1], count=1)
        assert spoiled != rows[number - 1], f"{pattern} is not in line {number}"
        return [*rows[: number - 1], spoiled, *rows[number:]]

    return edit


def each(pattern: str, by: str, first: int = 2, last: int | None = None) -> Callable[[Lines], Lines]:
    """Replace the first match of `pattern` in each line from `first` to `last`."""

    def edit(rows: Lines) -> Lines:
        return [
            re.sub(pattern, by, row, count=1) if first <= n and (last is None or n <= last) else row
            for n, row in enumerate(rows, 1)
        ]

    return edit


def field_of(number: int, position: int, value: str, delimiter: str = "|") -> Callable[[Lines], Lines]:
    """Put `value` in the place of field `position` of line `number`."""
    return at(
        number, rf"^((?:[^{delimiter}]*{re.escape(delimiter)}){{{position - 1}}})[^{delimiter}]*", rf"\g<1>{value}"
    )


def away(contract: str) -> Spoil:
    """The delivery does not come."""
    return lambda to: to.path(contract).unlink()


def raw(contract: str, edit: Callable[[bytes], bytes]) -> Spoil:
    """Edit the bytes of a delivery as they lie on disk."""
    return lambda to: to.replace(to.path(contract), edit(to.path(contract).read_bytes()))


def loans(edit: Callable[[pa.Table], pa.Table]) -> Spoil:
    """Edit the Parquet delivery of loans."""

    def spoil(to: Deliveries) -> None:
        path, out = to.path(LOAN), io.BytesIO()
        pq.write_table(edit(pq.read_table(path)), out)
        to.replace(path, out.getvalue())

    return spoil


def cards(number: int, edit: Callable[[str], str]) -> Spoil:
    """Edit one JSON line of the delivery of cards."""
    return lines(CARD, lambda rows: [edit(row) if n == number else row for n, row in enumerate(rows, 1)])
