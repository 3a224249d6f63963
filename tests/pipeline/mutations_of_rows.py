"""Faults of single rows: each is set apart with line, rule and column. And what is unusual, but no fault."""

from __future__ import annotations

import gzip
import json
from typing import Any

from mutations import (
    ACCOUNT,
    BEFORE,
    BOOKING,
    CARD,
    HOLDER,
    ORDER,
    PARTY,
    Case,
    Deliveries,
    Lines,
    Spoil,
    at,
    cards,
    each,
    field_of,
    lines,
    raw,
    text,
)  # fmt: skip


def _bad(name: str, contract: str, spoil: Spoil, *bad: tuple[int, str, str], **more: Any) -> Case:
    """`bad` is the line, the rule and the column of each fault."""
    return Case(name, contract, spoil, bad=frozenset(bad), **more)


def _booking(name: str, value: str, rule: str, **more: Any) -> Case:
    """Another amount in line 9, in a delivery without the bad rows it has anyway."""
    return _bad(name, BOOKING, lines(BOOKING, field_of(9, 7, value), bookings=0), (9, rule, "amount"), **more)


def _twice(rows: Lines) -> Lines:
    return [*rows[:5], rows[4].replace('"MON"', '"WEK"'), *rows[5:]]


def _booked_before(to: Deliveries) -> None:
    known = to.text(BOOKING, BEFORE).split("|", 1)[0]
    lines(BOOKING, field_of(1, 1, known), bookings=0)(to)


def _json(**values: Any) -> Spoil:
    """Other values in line 12; a value that is `...` is left out."""

    def edit(line: str) -> str:
        record = {**json.loads(line), **values}
        return json.dumps({name: value for name, value in record.items() if value is not ...})

    return cards(12, edit)


def _reversed_columns(rows: Lines) -> Lines:
    rows = [row.replace("小城银行;", "小城银行,") for row in rows]  # the delimiter within a field
    return [";".join(reversed(row.split(";"))) for row in rows]


def _in_two_members(content: bytes) -> bytes:
    whole = gzip.decompress(content)
    return gzip.compress(whole[:500]) + gzip.compress(whole[500:])


_DAY = r'"\d{4}/\d\d/\d\d"'

QUARANTINED = [
    # Values
    _bad(
        "bad date", ACCOUNT, lines(ACCOUNT, at(7, _DAY, '"2016/13/01"')), (7, "unreadable", "opened_on"),
        shown="'2016/13/01' is not a date written as %Y/%m/%d",
    ),
    _bad("incomplete date", ACCOUNT, lines(ACCOUNT, at(7, _DAY, '"2016/1/02"')), (7, "unreadable", "opened_on")),
    _booking("bad number", "12,50", "unreadable", shown="(personal, length 5) is not a decimal(18,2)"),
    _booking("too many decimals", "12.505", "unreadable"),
    _booking("number out of type", "1" * 17, "unreadable"),
    _booking("negative amount", "-0.01", "range", shown="is below 0"),
    _bad(
        "out of range", PARTY, lines(PARTY, field_of(30, 7, "18790101")), (30, "range", "birth_month"),
        shown="(personal, length 8) is below 1880-01-01",
    ),
    _bad(
        "unmapped code", ACCOUNT, lines(ACCOUNT, at(50, '"(MON|WEK|TXN)"', '"YEA"')),
        (50, "unreadable", "statement_frequency"),
        shown="'YEA' is not one of the codes that the feed maps (MON, WEK, TXN)",
    ),
    _bad(
        "missing value", HOLDER, lines(HOLDER, field_of(40, 4, "", ";")), (40, "required", "role"),
        shown="is empty but required",
    ),
    _bad("missing key", ACCOUNT, lines(ACCOUNT, at(50, '^"[^"]*"', '""')), (50, "required", "account_key")),
    _bad(
        "several faults in one row", PARTY, lines(PARTY, each(r"^(.*)\|P\|(.*)\|[012]\|", r"\1|X|\2|9|", 20, 20)),
        (20, "unreadable", "party_kind"), (20, "unreadable", "gender"),
    ),
    _bad(
        "just below the reject limit", PARTY, lines(PARTY, each(r"\|[012]\|", "|9|", 2, 4)),
        *((n, "unreadable", "gender") for n in (2, 3, 4)),
    ),
    # Time
    _bad(
        "row of the future", ACCOUNT, lines(ACCOUNT, at(50, _DAY, '"2026/01/05"')),
        (50, "opened_by_the_business_date", ""), shown="breaks the rule: No account opens after the business date",
    ),
    _bad(
        "known in the future", ACCOUNT, lines(ACCOUNT, at(50, _DAY + "$", '"2026/01/05"')),
        (50, "not_yet_known", "known_from"), shown="'2026/01/05' is later than the business date",
    ),
    # Keys
    _bad(
        "duplicate key", ACCOUNT, lines(ACCOUNT, _twice),
        (5, "duplicate_key", "account_key"), (6, "duplicate_key", "account_key"),
        shown="stands 2 times in the delivery",
    ),
    _bad(
        "key landed before", BOOKING, _booked_before, (1, "duplicate_key", "transaction_key"),
        shown="was landed before, on 2025-12-30",
    ),
    _bad(
        "broken reference", HOLDER, lines(HOLDER, field_of(40, 2, "9999999999", ";")),
        (40, "broken_reference", "party_key"),
        shown="'9999999999' refers to no core.party that was known by the business date",
    ),
    # Records
    _bad(
        "too few fields", ACCOUNT, lines(ACCOUNT, at(60, ";[^;]*$", "")), (60, "malformed", ""),
        shown="has 5 fields, not 6",
    ),
    _bad(
        "too many fields", PARTY, lines(PARTY, at(60, "$", "|1")), (60, "malformed", ""), shown="has 12 fields, not 11"
    ),
    _bad(
        "unquoted quote", ACCOUNT, lines(ACCOUNT, at(60, '"MON"|"WEK"|"TXN"', '"M"N"')), (60, "malformed", ""),
        shown="has a quoted field that goes on after its closing quote",
    ),
    _bad("no JSON", CARD, cards(12, lambda line: line[:-9]), (12, "malformed", ""), shown="is no JSON:"),
    _bad("no JSON object", CARD, cards(12, lambda _: "[1, 2]"), (12, "malformed", ""), shown="is no JSON object"),
    _bad("JSON field twice", CARD, cards(12, lambda line: '{"product": "GOLD", ' + line[1:]), (12, "malformed", "")),
    _bad("JSON without a field", CARD, _json(holding=...), (12, "required", "holding_key")),
    _bad("JSON null", CARD, _json(product=None), (12, "required", "card_type")),
    _bad("JSON number for a date", CARD, _json(issued=20240131), (12, "unreadable", "issued_on")),
]  # fmt: skip

# Unusual, and yet nothing is wrong: the night lands what it would have landed anyway.
HARMLESS = [
    Case("empty lines", ACCOUNT, text(ACCOUNT, lambda t: t.replace("\n", "\n\n"))),
    Case("other line ends", ACCOUNT, text(ACCOUNT, lambda t: t.replace("\n", "\r\n"))),
    Case("mixed line ends", ACCOUNT, text(ACCOUNT, lambda t: t.replace("\n", "\r\n", 5))),
    Case("no line end at the end", ACCOUNT, text(ACCOUNT, lambda t: t.rstrip("\n"))),
    Case("empty lines after the trailer", PARTY, text(PARTY, lambda t: t + "\n\n")),
    Case("rows in another order", ACCOUNT, lines(ACCOUNT, lambda rows: [rows[0], *reversed(rows[1:])])),
    Case("columns in another order", ACCOUNT, lines(ACCOUNT, _reversed_columns)),
    Case("two gz members", ORDER, raw(ORDER, _in_two_members)),
]  # fmt: skip
