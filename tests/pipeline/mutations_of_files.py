"""Faults of a whole delivery: nothing of it is landed, and a message says which file, what is wrong and what to do."""

from __future__ import annotations

import gzip
import re
from datetime import date
from typing import Any

import pyarrow as pa
from mutations import (
    ACCOUNT,
    BEFORE,
    BOOKING,
    CARD,
    DISTRICT,
    HOLDER,
    LOAN,
    ORDER,
    PARTY,
    Case,
    Deliveries,
    Lines,
    Spoil,
    at,
    away,
    each,
    field_of,
    lines,
    loans,
    raw,
    text,
)  # fmt: skip

_BACKFILL = "run `zhongtai backfill --from 2025-06-01`"


def _fault(name: str, contract: str, spoil: Spoil, *fault: str, **more: Any) -> Case:
    """`fault` is the rule, and parts of the message."""
    return Case(name, contract, spoil, fault=fault, **more)


def _flag(to: Deliveries) -> None:
    to.path(PARTY).with_suffix(".ok").unlink()


def _same_as_before(to: Deliveries) -> None:
    to.replace(to.path(BOOKING), to.path(BOOKING, BEFORE).read_bytes())


def _other_day(to: Deliveries) -> None:
    to.write(BOOKING, to.text(BOOKING, BEFORE).replace("\n", "memo\n", 1))


def _extra_column(rows: Lines) -> Lines:
    return [rows[0] + ';"vip"', *(row + ';"Y"' for row in rows[1:])]


def _bad_byte_in_line_100(whole: str) -> bytes:
    return b"\n".join(whole.encode("gb18030").split(b"\n")[:99]) + b"\n\xff|\nT|98\n"


def _half_and_a_cut_row(rows: Lines) -> Lines:
    return [*rows[:161], rows[161][:20] + '"']


def _other_trailer(by: str) -> Any:
    return lambda whole: re.sub(r"T\|[0-9.|]+\n$", by, whole)


def _one_fen_more(whole: str) -> str:
    return whole[:-2] + str((int(whole[-2]) + 1) % 10) + "\n"


def _principal_as_text(table: pa.Table) -> pa.Table:
    values = ["about 5,000" if n == 3 else str(value) for n, value in enumerate(table["principal"].to_pylist())]
    return table.set_column(table.column_names.index("principal"), "principal", pa.array(values))


def _without_row_6(whole: str) -> str:
    rows = whole.split("\n")
    return "\n".join([*rows[:5], *rows[6:]])


REFUSED = [
    # There, complete, and the file that was agreed
    _fault("missing file", PARTY, away(PARTY), "missing_delivery", "no such file", "ask core-banking for", "by 01:15"),
    _fault("missing flag", PARTY, _flag, "missing_flag", "party_20251231.ok is not there", "ask core-banking"),
    _fault("empty file", ACCOUNT, raw(ACCOUNT, lambda _: b""), "empty_file", "not even a header"),
    _fault("empty once decompressed", ORDER, text(ORDER, lambda _: ""), "empty_file", "not even a header"),
    _fault("truncated gz", ORDER, raw(ORDER, lambda b: b[:-40]), "unreadable", "cannot be opened, decompressed"),
    _fault("no gz at all", ORDER, raw(ORDER, gzip.decompress), "unreadable", "Not a gzipped file"),
    _fault("truncated zst", DISTRICT, raw(DISTRICT, lambda b: b[:-20]), "unreadable", "Truncated compressed stream"),
    _fault("corrupt Parquet", LOAN, raw(LOAN, lambda b: b[:4] + bytes(400) + b[404:]), "unreadable", "loan_20251231"),
    _fault("truncated Parquet", LOAN, raw(LOAN, lambda b: b[:-100]), "unreadable", "loan_20251231.parquet"),
    _fault("no Parquet at all", LOAN, raw(LOAN, lambda _: b"loan_no;account_no\n"), "unreadable", "loan_20251231"),
    _fault("no JSON at all", CARD, text(CARD, lambda _: "card_ref\n"), "unreadable", "no line is a JSON object"),
    _fault(
        "optional, missing for too long", CARD, away(CARD),
        "missing_delivery", "2 days behind, and may be carried for 1", "raise carryForwardDays",
        changes={"carry_forward_days": 1},
    ),
    _fault(
        "wrong encoding", PARTY, text(PARTY, _bad_byte_in_line_100),
        "wrong_encoding", "line 100: byte 0xff is not gb18030",
    ),
    _fault(
        "UTF-8 instead of ASCII", HOLDER, text(HOLDER, lambda t: t.replace("0001", "０００１", 1).encode()),
        "wrong_encoding", "line 2: byte 0xef is not ascii",
    ),
    _fault(
        "byte order mark", ACCOUNT, text(ACCOUNT, lambda t: "\ufeff" + t),
        "wrong_encoding", "line 1: begins with a byte order mark", "utf-8-sig in", "core.account.yaml",
    ),
    # Columns
    _fault(
        "renamed column", ACCOUNT, lines(ACCOUNT, at(1, "open_date", "opened")),
        "wrong_header", "no column open_date; the file has account_no", "opened", "core.account.yaml",
    ),
    _fault("missing column", ACCOUNT, lines(ACCOUNT, each("^[^;]*;", "", first=1)), "wrong_header", "account_no"),
    _fault("missing ignored column", PARTY, lines(PARTY, at(1, "ADDR", "STREET")), "wrong_header", "no column ADDR;"),
    _fault(
        "extra column", ACCOUNT, lines(ACCOUNT, _extra_column),
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
    _fault(
        "no header", PARTY, lines(PARTY, lambda rows: rows[1:]),
        "wrong_header", "none of the agreed columns is there", "the header or the delimiter may be another",
    ),
    _fault(
        "delimiter changed", ACCOUNT, text(ACCOUNT, lambda t: t.replace('";"', '","')),
        "wrong_header", "(account_no, branch_district,", "separated by ';'", "the delimiter may be another",
    ),
    _fault(
        "delimiter changed, without a header", BOOKING, text(BOOKING, lambda t: t.replace("|", ";")),
        "missing_trailer", "does not begin with 'T|'",
    ),
    _fault(
        "Parquet without a column", LOAN, loans(lambda table: table.drop_columns(["principal"])),
        "wrong_header", "no column principal;",
    ),
    # Trailers
    _fault("missing trailer", PARTY, text(PARTY, _other_trailer("")), "missing_trailer", "may be cut off"),
    _fault("cut off in a row", BOOKING, raw(BOOKING, lambda b: b[:9000]), "missing_trailer", "may be cut off"),
    _fault(
        "malformed trailer", PARTY, text(PARTY, _other_trailer("T|many\n")),
        "bad_trailer", "'T|many' does not state rows in field 2",
    ),
    _fault(
        "trailer without its sum", BOOKING, text(BOOKING, _other_trailer("T|344\n")),
        "bad_trailer", "does not state amount in field 3",
    ),
    _fault(
        "wrong trailer count", PARTY, text(PARTY, _other_trailer("T|320\n")),
        "trailer_count", "the trailer states 320 rows, the file has 319",
    ),
    _fault("wrong trailer sum", BOOKING, text(BOOKING, _one_fen_more), "trailer_sum", "the rows add up to 161785.44"),
    _fault(
        "lost row", BOOKING, text(BOOKING, lambda t: t.split("\n", 1)[1]),
        "trailer_count", "the trailer states 344 rows, the file has 343",
    ),
    _fault("two files in one", PARTY, text(PARTY, lambda t: t + t), "trailer_count", "319 rows, the file has 640"),
    # Another day's file
    _fault(
        "duplicate delivery", BOOKING, _same_as_before,
        "duplicate_delivery", "the same bytes were landed for 2025-12-30", "ask core-banking",
    ),
    _fault(
        "delivery of the day before", BOOKING, _other_day,
        "reject_limit", "276 of 276 rows", "most often duplicate_key", "was landed before, on 2025-12-30",
    ),
    _fault(
        "delivery of the day after", BOOKING,
        lines(BOOKING, each(r"\|20251231\|20251231\|", "|20260101|20260101|", first=1)),
        "reject_limit", "most often booked_by_the_business_date", "No booking is dated after the business date",
    ),
    # Too many bad rows, too few rows
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
        "one bad row of a few", LOAN, loans(_principal_as_text),
        "reject_limit", "1 of 36 rows are bad", "line 4: principal (personal, length 11) is not a decimal(18,2)",
    ),
    _fault(
        "header only", ACCOUNT, lines(ACCOUNT, lambda rows: rows[:1]),
        "vanished_keys", "321 of the 321 keys", "may be cut off",
    ),
    _fault(
        "half the keys vanished", ACCOUNT, lines(ACCOUNT, lambda rows: rows[:161]),
        "vanished_keys", "161 of the 321 keys known before", "more than 20%", "may be cut off",
    ),
    _fault(
        "half the keys vanished and a row cut", ACCOUNT, lines(ACCOUNT, _half_and_a_cut_row),
        "vanished_keys", "160 of the 321 keys",
    ),
    _fault(
        "quote that is not closed", ORDER, lines(ORDER, field_of(50, 5, '"Payee', ",")),
        "unbalanced_quote", "line 50: a quote is opened and not closed",
    ),
    # History rewritten behind our back
    _fault(
        "history with another value", ACCOUNT, text(ACCOUNT, lambda t: t.replace('"MON"', '"WEK"', 1), "history"),
        "history_changed", "1 of the rows landed before 2025-12-20 are not in it any more", _BACKFILL,
        first=date(2025, 12, 20),
    ),
    _fault(
        "history without a row", ACCOUNT, text(ACCOUNT, _without_row_6, "history"),
        "history_changed", "it has 320 rows of before 2025-12-20, but 321 were landed", _BACKFILL,
        first=date(2025, 12, 20),
    ),
]  # fmt: skip
