"""Ways to spoil a delivery of the invented bank's last night, and what must come of each.

Belongs here: the table, and the few functions that write a spoiled file. Does not belong here: what is checked after
each (`test_mutations`).
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

NIGHT = date(2025, 12, 31)
BEFORE = NIGHT - timedelta(days=1)

FILES = {
    "core.party": ("core/party_{}.txt", "gb18030"), "core.account": ("core/account_{}.csv", "utf-8"),
    "core.account_holder": ("core/holder_{}.asc", "ascii"), "core.standing_order": ("core/order_{}.csv.gz", "utf-8"),
    "core.transaction": ("core/transaction_{}.txt", "gb18030"), "loan.contract": ("lending/loan_{}.parquet", ""),
    "card.account": ("cards/card_{}.jsonl.gz", "utf-8"), "reference.district": ("reference/district_{}.csv.zst", "utf-8"),
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
    """One spoiled delivery. Either `fault`: rule and parts of the message; or `bad`: line, rule and column of each fault."""

    name: str
    contract: str
    spoil: Spoil
    fault: tuple[str, ...] = ()
    bad: frozenset[tuple[int, str, str]] = frozenset()
    shown: str = ""  # part of the first reason in quarantine
    kept: str = ""  # key that stays as it was, though its row is bad or its delivery is away
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
        trailed = contract in ("core.party", "core.transaction")
        rows = rows[:-1] if trailed else rows
        if contract == "core.transaction":
            rows = rows[: len(rows) - _BAD_BOOKINGS + bookings]
        rows = list(edit(rows))
        if trailed:
            rows.append(_trailer(contract, rows))
        to.write(contract, end.join([*rows, ""]))

    return spoil


def _trailer(contract: str, rows: Lines) -> str:
    if contract == "core.party":
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
    return at(number, rf"^((?:[^{delimiter}]*{re.escape(delimiter)}){{{position - 1}}})[^{delimiter}]*", rf"\g<1>{value}")


def away(contract: str) -> Spoil:
    """The delivery does not come."""
    return lambda to: to.path(contract).unlink()


def raw(contract: str, edit: Callable[[bytes], bytes]) -> Spoil:
    """Edit the bytes of a delivery as they lie on disk."""
    return lambda to: to.replace(to.path(contract), edit(to.path(contract).read_bytes()))


def loans(edit: Callable[[pa.Table], pa.Table]) -> Spoil:
    """Edit the Parquet delivery of loans."""

    def spoil(to: Deliveries) -> None:
        path, out = to.path("loan.contract"), io.BytesIO()
        pq.write_table(edit(pq.read_table(path)), out)
        to.replace(path, out.getvalue())

    return spoil


def cards(number: int, edit: Callable[[str], str]) -> Spoil:
    """Edit one JSON line of the delivery of cards."""
    return lines("card.account", lambda rows: [edit(row) if n == number else row for n, row in enumerate(rows, 1)])


def _flag(to: Deliveries) -> None:
    to.path("core.party").with_suffix(".ok").unlink()


def _same_as_before(to: Deliveries) -> None:
    to.replace(to.path("core.transaction"), to.path("core.transaction", BEFORE).read_bytes())


def _other_day(to: Deliveries) -> None:
    to.write("core.transaction", to.text("core.transaction", BEFORE).replace("\n", "memo\n", 1))


def _without_principal(table: pa.Table) -> pa.Table:
    return table.drop_columns(["principal"])


def _principal_as_text(table: pa.Table) -> pa.Table:
    values = ["about 5,000" if n == 3 else str(value) for n, value in enumerate(table["principal"].to_pylist())]
    return table.set_column(table.column_names.index("principal"), "principal", pa.array(values))


def _twice(rows: Lines) -> Lines:
    return [*rows[:5], rows[4].replace('"MON"', '"WEK"'), *rows[5:]]


def _booked_before(to: Deliveries) -> None:
    known = to.text("core.transaction", BEFORE).split("|", 1)[0]
    lines("core.transaction", field_of(1, 1, known), bookings=0)(to)


def _json(line: str, **values: Any) -> str:
    return json.dumps({**json.loads(line), **values})


def _fault(name: str, contract: str, spoil: Spoil, *fault: str, **more: Any) -> Case:
    return Case(name, contract, spoil, fault=fault, **more)


def _bad(name: str, contract: str, spoil: Spoil, *bad: tuple[int, str, str], **more: Any) -> Case:
    return Case(name, contract, spoil, bad=frozenset(bad), **more)


PARTY, ACCOUNT, HOLDER, ORDER = "core.party", "core.account", "core.account_holder", "core.standing_order"
BOOKING, LOAN, CARD, DISTRICT = "core.transaction", "loan.contract", "card.account", "reference.district"

REFUSED = [
    _fault("missing file", PARTY, away(PARTY), "missing_delivery", "no such file", "ask core-banking", "due 01:15"),
    _fault("missing flag", PARTY, _flag, "missing_flag", "party_20251231.ok is not there", "ask core-banking"),
    _fault("empty file", ACCOUNT, raw(ACCOUNT, lambda _: b""), "empty_file", "not even a header"),
    _fault("empty once decompressed", ORDER, text(ORDER, lambda _: ""), "empty_file", "not even a header"),
    _fault(
        "header only", ACCOUNT, lines(ACCOUNT, lambda rows: rows[:1]), "vanished_keys", "321 of the 321 keys", "may be cut off"
    ),
    _fault(
        "renamed column", ACCOUNT, lines(ACCOUNT, at(1, "open_date", "opened")),
        "wrong_header", "no column open_date; the file has account_no", "opened", "core.account.yaml",
    ),
    _fault(
        "missing column", ACCOUNT, lines(ACCOUNT, each('^[^;]*;', "", first=1)), "wrong_header", "no column account_no;"
    ),
    _fault(
        "missing ignored column", PARTY, lines(PARTY, at(1, "ADDR", "STREET")), "wrong_header", "no column ADDR;"
    ),
    _fault(
        "extra column", ACCOUNT, lines(ACCOUNT, lambda rows: [rows[0] + ';"vip"', *(row + ';"Y"' for row in rows[1:])]),
        "extra_column", "nobody reads vip", "give a reason under ignored", "core.account.yaml",
    ),
    _fault(
        "delimiter at the end of the header", HOLDER, lines(HOLDER, at(1, "$", ";")),
        "extra_column", "nobody reads one without a name",
    ),
    _fault(
        "column named twice", ACCOUNT, lines(ACCOUNT, at(1, "last_changed", "Open_Date")),
        "wrong_header", "a column is named twice: Open_Date, open_date",
    ),
    _fault("no header", PARTY, lines(PARTY, lambda rows: rows[1:]), "wrong_header", "none of the agreed", "the header or the delimiter may be another"),
    _fault(
        "delimiter changed", ACCOUNT, text(ACCOUNT, lambda t: t.replace('";"', '","')),
        "wrong_header", "none of the agreed columns is there (account_no,", "separated by ';'", "the delimiter may be another",
    ),
    _fault(
        "delimiter changed, without a header", BOOKING, text(BOOKING, lambda t: t.replace("|", ";")),
        "missing_trailer", "does not begin with 'T|'",
    ),
    _fault(
        "wrong encoding", PARTY,
        text(PARTY, lambda t: b"\n".join(t.encode("gb18030").split(b"\n")[:99]) + b"\n\xff|" + b"\nT|98\n"),
        "wrong_encoding", "line 100: byte 0xff is not gb18030",
    ),
    _fault(
        "UTF-8 instead of ASCII", HOLDER, text(HOLDER, lambda t: t.replace("owner", "o").replace("0001", "０００１", 1).encode()),
        "wrong_encoding", "line 2: byte 0xef is not ascii",
    ),
    _fault(
        "byte order mark", ACCOUNT, text(ACCOUNT, lambda t: "\ufeff" + t),
        "wrong_encoding", "line 1: begins with a byte order mark", "utf-8-sig in", "core.account.yaml",
    ),
    _fault("truncated gz", ORDER, raw(ORDER, lambda b: b[:-40]), "unreadable", "cannot be opened, decompressed or read"),
    _fault("no gz at all", ORDER, raw(ORDER, gzip.decompress), "unreadable", "Not a gzipped file"),
    _fault("truncated zst", DISTRICT, raw(DISTRICT, lambda b: b[:-20]), "unreadable", "Truncated compressed stream"),
    _fault("corrupt Parquet", LOAN, raw(LOAN, lambda b: b[:4] + bytes(400) + b[404:]), "unreadable", "loan_20251231"),
    _fault("truncated Parquet", LOAN, raw(LOAN, lambda b: b[:-100]), "unreadable", "loan_20251231.parquet"),
    _fault("no Parquet at all", LOAN, raw(LOAN, lambda _: b"loan_no;account_no\n"), "unreadable", "loan_20251231"),
    _fault("Parquet without a column", LOAN, loans(_without_principal), "wrong_header", "no column principal;"),
    _fault(
        "one bad row of a few", LOAN, loans(_principal_as_text),
        "reject_limit", "1 of 36 rows are bad, more than 1.0%", "line 4: principal (personal, length 11) is not a decimal",
    ),
    _fault("no JSON at all", CARD, text(CARD, lambda _: "card_ref,holding\n"), "unreadable", "no line is a JSON object"),
    _fault("missing trailer", PARTY, text(PARTY, lambda t: re.sub(r"T\|\d+\n$", "", t)), "missing_trailer", "may be cut off"),
    _fault("cut off in a row", BOOKING, raw(BOOKING, lambda b: b[:9000]), "missing_trailer", "may be cut off"),
    _fault(
        "malformed trailer", PARTY, text(PARTY, lambda t: re.sub(r"T\|\d+\n$", "T|many\n", t)),
        "bad_trailer", "'T|many' does not state rows in field 2",
    ),
    _fault(
        "trailer without its sum", BOOKING, text(BOOKING, lambda t: re.sub(r"(T\|\d+)\|.*\n$", r"\1\n", t)),
        "bad_trailer", "does not state amount in field 3",
    ),
    _fault(
        "wrong trailer count", PARTY, text(PARTY, lambda t: re.sub(r"T\|\d+\n$", "T|320\n", t)),
        "trailer_count", "the trailer states 320 rows, the file has 319",
    ),
    _fault(
        "wrong trailer sum", BOOKING, text(BOOKING, lambda t: re.sub(r"\d(\n)$", r"9\1", t) if t[-2] != "9" else t[:-2] + "8\n"),
        "trailer_sum", "the rows add up to",
    ),
    _fault(
        "lost row", BOOKING, text(BOOKING, lambda t: t.split("\n", 1)[1]), "trailer_count", "states 344 rows, the file has 343"
    ),
    _fault("two files in one", PARTY, text(PARTY, lambda t: t + t), "trailer_count", "states 319 rows, the file has 640"),
    _fault(
        "duplicate delivery", BOOKING, _same_as_before,
        "duplicate_delivery", "the same bytes were landed for 2025-12-30", "ask core-banking",
    ),
    _fault(
        "delivery of the day before", BOOKING, _other_day,
        "reject_limit", "most often duplicate_key", "was landed before, on 2025-12-30",
    ),
    _fault(
        "delivery of the day after", BOOKING, lines(BOOKING, each(r"\|20251231\|20251231\|", "|20260101|20260101|", first=1)),
        "reject_limit", "most often booked_by_the_business_date", "No booking is dated after the business date",
    ),
    _fault(
        "all rows bad", PARTY, lines(PARTY, each(r"\|[PC]\|", "|X|")),
        "reject_limit", "319 of 319 rows are bad, more than 1.0%", "line 2: party_kind 'X' is not one of the codes",
    ),
    _fault(
        "all rows ragged", ACCOUNT, lines(ACCOUNT, each(";[^;]*$", "")),
        "reject_limit", "321 of 321 rows", "malformed", "line 2: the row has 5 fields, not 6",
    ),
    _fault(
        "just above the reject limit", PARTY, lines(PARTY, each(r"\|[012]\|", "|9|", 2, 5)),
        "reject_limit", "4 of 319 rows are bad", "unreadable (4)",
    ),
    _fault(
        "half the keys vanished", ACCOUNT, lines(ACCOUNT, lambda rows: rows[:161]),
        "vanished_keys", "161 of the 321 keys known before", "more than 20%", "may be cut off",
    ),
    _fault(
        "half the keys vanished and a row cut", ACCOUNT, lines(ACCOUNT, lambda rows: [*rows[:161], rows[161][:20] + '"']),
        "vanished_keys", "160 of the 321 keys",
    ),
    _fault(
        "quote that is not closed", ORDER, lines(ORDER, field_of(50, 5, '"Payee', ",")),
        "unbalanced_quote", "line 50: a quote is opened and not closed",
    ),
    _fault(
        "optional, missing for too long", CARD, away(CARD),
        "missing_delivery", "last delivered 2 days before and may be carried for 1", "raise carryForwardDays",
        changes={"carry_forward_days": 1},
    ),
    _fault(
        "history with another value", ACCOUNT, text(ACCOUNT, lambda t: t.replace('"MON"', '"WEK"', 1), "history"),
        "history_changed", "1 of the rows landed before 2025-12-20 are not in it any more", "run `zhongtai backfill --from 2025-06-01`",
        first=date(2025, 12, 20),
    ),
    _fault(
        "history without a row", ACCOUNT,
        text(ACCOUNT, lambda t: "\n".join([*t.split("\n")[:5], *t.split("\n")[6:]]), "history"),
        "history_changed", "it has 320 rows of before 2025-12-20, but 321 were landed", "run `zhongtai backfill --from 2025-06-01`",
        first=date(2025, 12, 20),
    ),
]  # fmt: skip

QUARANTINED = [
    _bad(
        "bad date", ACCOUNT, lines(ACCOUNT, at(7, r'"\d{4}/\d\d/\d\d"', '"2016/13/01"')), (7, "unreadable", "opened_on"),
        shown="'2016/13/01' is not a date written as %Y/%m/%d",
    ),
    _bad(
        "incomplete date", ACCOUNT, lines(ACCOUNT, at(7, r'"\d{4}/\d\d/\d\d"', '"2016/1/02"')), (7, "unreadable", "opened_on"),
    ),
    _bad(
        "bad number", BOOKING, lines(BOOKING, field_of(9, 7, "12,50"), bookings=0), (9, "unreadable", "amount"),
        shown="(personal, length 5) is not a decimal(18,2)",
    ),
    _bad("too many decimals", BOOKING, lines(BOOKING, field_of(9, 7, "12.505"), bookings=0), (9, "unreadable", "amount")),
    _bad("number out of type", BOOKING, lines(BOOKING, field_of(9, 7, "1" * 17), bookings=0), (9, "unreadable", "amount")),
    _bad("negative amount", BOOKING, lines(BOOKING, field_of(9, 7, "-0.01"), bookings=0), (9, "range", "amount")),
    _bad(
        "out of range", PARTY, lines(PARTY, field_of(30, 7, "18790101")), (30, "range", "birth_month"),
        shown="(personal, length 8) is below 1880-01-01",
    ),
    _bad(
        "unmapped code", ACCOUNT, lines(ACCOUNT, at(50, '"(MON|WEK|TXN)"', '"YEA"')), (50, "unreadable", "statement_frequency"),
        shown="'YEA' is not one of the codes that the feed maps (MON, WEK, TXN)",
    ),
    _bad(
        "row of the future", ACCOUNT, lines(ACCOUNT, at(50, r'"\d{4}/\d\d/\d\d"', '"2026/01/05"')),
        (50, "opened_by_the_business_date", ""), shown="breaks the rule: No account opens after the business date",
    ),
    _bad(
        "known in the future", ACCOUNT, lines(ACCOUNT, at(50, r'"\d{4}/\d\d/\d\d"$', '"2026/01/05"')),
        (50, "not_yet_known", "known_from"), shown="'2026/01/05' is later than the business date",
    ),
    _bad("missing value", HOLDER, lines(HOLDER, field_of(40, 4, "", ";")), (40, "required", "role"), shown="is empty but"),
    _bad("missing key", ACCOUNT, lines(ACCOUNT, at(50, '^"[^"]*"', '""')), (50, "required", "account_key")),
    _bad(
        "duplicate key", ACCOUNT, lines(ACCOUNT, _twice),
        (5, "duplicate_key", "account_key"), (6, "duplicate_key", "account_key"), shown="stands 2 times in the delivery",
    ),
    _bad(
        "key landed before", BOOKING, _booked_before, (1, "duplicate_key", "transaction_key"),
        shown="was landed before, on 2025-12-30",
    ),
    _bad(
        "broken reference", HOLDER, lines(HOLDER, field_of(40, 2, "9999999999", ";")), (40, "broken_reference", "party_key"),
        shown="'9999999999' refers to no core.party that was known by the business date",
    ),
    _bad("too few fields", ACCOUNT, lines(ACCOUNT, at(60, ";[^;]*$", "")), (60, "malformed", ""), shown="has 5 fields, not 6"),
    _bad("too many fields", PARTY, lines(PARTY, at(60, "$", "|1")), (60, "malformed", ""), shown="has 12 fields, not 11"),
    _bad(
        "unquoted quote", ACCOUNT, lines(ACCOUNT, at(60, '"MON"|"WEK"|"TXN"', '"M"N"')), (60, "malformed", ""),
        shown="has a quoted field that goes on after its closing quote",
    ),
    _bad("no JSON", CARD, cards(12, lambda line: line[:-9]), (12, "malformed", ""), shown="is no JSON:"),
    _bad("no JSON object", CARD, cards(12, lambda _: "[1, 2]"), (12, "malformed", ""), shown="is no JSON object"),
    _bad("JSON field twice", CARD, cards(12, lambda line: '{"product": "GOLD", ' + line[1:]), (12, "malformed", "")),
    _bad("JSON without a field", CARD, cards(12, lambda line: line.replace('"holding"', '"contactless"').replace(', "contactless": false', "").replace(', "contactless": true', "")), (12, "required", "holding_key")),
    _bad("JSON null", CARD, cards(12, lambda line: _json(line, product=None)), (12, "required", "card_type")),
    _bad("JSON number for a date", CARD, cards(12, lambda line: _json(line, issued=20240131)), (12, "unreadable", "issued_on")),
    _bad(
        "just below the reject limit", PARTY, lines(PARTY, each(r"\|[012]\|", "|9|", 2, 4)),
        *((n, "unreadable", "gender") for n in (2, 3, 4)),
    ),
    _bad(
        "several faults in one row", PARTY, lines(PARTY, each(r"^(.*)\|P\|(.*)\|[012]\|", r"\1|X|\2|9|", 20, 20)),
        (20, "unreadable", "party_kind"), (20, "unreadable", "gender"),
    ),
]  # fmt: skip

# Unusual, and yet nothing is wrong: the night lands what it would have landed anyway.
HARMLESS = [
    Case("empty lines", ACCOUNT, lines(ACCOUNT, lambda rows: [row for pair in zip(rows, [""] * len(rows), strict=True) for row in pair])),
    Case("other line ends", ACCOUNT, text(ACCOUNT, lambda t: t.replace("\n", "\r\n"))),
    Case("mixed line ends", ACCOUNT, text(ACCOUNT, lambda t: t.replace("\n", "\r\n", 5))),
    Case("no line end at the end", ACCOUNT, text(ACCOUNT, lambda t: t.rstrip("\n"))),
    Case("empty lines after the trailer", PARTY, text(PARTY, lambda t: t + "\n\n")),
    Case("rows in another order", ACCOUNT, lines(ACCOUNT, lambda rows: [rows[0], *reversed(rows[1:])])),
    Case("columns in another order", ACCOUNT, lines(ACCOUNT, lambda rows: [";".join(reversed(row.replace('小城银行;', '').split(";"))) for row in rows])),
    Case("two gz members", ORDER, raw(ORDER, lambda b: gzip.compress(gzip.decompress(b)[:500]) + gzip.compress(gzip.decompress(b)[500:]))),
]  # fmt: skip
