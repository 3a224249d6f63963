"""Text to values: exactly what was written, or unreadable. Nothing is rounded, completed or dropped."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.feed import Mapping
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.faults import DeliveryFault
from pipelines.ingest.map import map_rows
from pipelines.ingest.read import Rows

from .workshop import FIRST, column, contract, examples, feed

NUMERALS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.from_regex(r"[+-]?[0-9]{0,20}(\.[0-9]{0,14})?", fullmatch=True),
    st.from_regex(r"[+-]?[0-9]{1,3}[eE][+-]?[0-9]{1,2}", fullmatch=True),
    st.sampled_from(
        ["1_000", "0x10", "١٢", "１２", "1,5", "1.000,00", "1 000", "NaN", "inf", "--1", "1.", ".5", ".", "", "-"]
    ),
)
# What a core system pads with, the wide blank of Chinese text among them.
BLANKS = "".join(chr(n) for n in range(0x10000) if unicodedata.category(chr(n)) == "Zs")
DIGITS = st.text("0123456789-/: TZ.", max_size=20)
PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")


def mapped(con, texts: list[Any], type_: str = "string", mapping: Mapping | None = None, **more: Any) -> list[Any]:
    """What becomes of each text in a column of a type."""
    of = contract(columns=(column("key"), column("value", type_)))
    columns = {"key": Mapping(sql="cast(key as varchar)"), "value": mapping or Mapping(sql="value")}
    lines = pa.array(range(1, len(texts) + 1), pa.int64())
    con.register("_given", pa.table({"_line": lines, "key": lines, "value": pa.array(texts, pa.string())}))
    con.execute("create or replace temp table delivery as from _given")
    delivery = Delivery(feed(of, columns=columns, **more), of, FIRST, Path("thing.csv"))
    map_rows(con, delivery, Rows("delivery", ("key", "value"), len(texts), [], None))
    return [value for (value,) in con.execute("select value from mapped order by _line").fetchall()]


def exact(text: str, precision: int, places: int) -> Decimal | None:
    """What Python says a numeral is, where a decimal of the type holds it without loss."""
    if not PLAIN.fullmatch(text):
        return None
    whole, _, fraction = text.lstrip("+-").partition(".")
    if fraction[places:].strip("0") or len(whole.lstrip("0")) > precision - places:
        return None
    return Decimal(text)


@examples(30)
@given(texts=st.lists(NUMERALS, min_size=1, max_size=40), type_=st.sampled_from([(18, 2), (9, 4), (38, 2), (5, 0)]))
def test_a_decimal_is_exact_or_unreadable(con, texts, type_):
    values = mapped(con, texts, f"decimal({type_[0]},{type_[1]})")
    assert values == [exact(text, *type_) for text in texts]


@examples(30)
@given(texts=st.lists(NUMERALS, min_size=1, max_size=40))
def test_a_whole_number_is_exact_or_unreadable(con, texts):
    for text, value in zip(texts, mapped(con, texts, "bigint"), strict=True):
        whole = exact(text, 30, 0) if re.match("[+-]?[0-9]", text) else None
        assert value == (whole if whole is not None and -(2**63) <= whole < 2**63 else None), text


@examples(20)
@given(texts=st.lists(st.one_of(NUMERALS, st.floats().map(repr)), min_size=1, max_size=40))
def test_a_double_is_finite_or_unreadable(con, texts):
    for text, value in zip(texts, mapped(con, texts, "double"), strict=True):
        if value is None:
            assert not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text) or math.isinf(float(text))
        else:
            assert value == float(text) and math.isfinite(value)


@examples(30)
@given(
    days=st.lists(st.dates(date(1900, 1, 1), date(2099, 12, 31)), max_size=10), texts=st.lists(DIGITS, max_size=30),
    format_=st.sampled_from(["%Y%m%d", "%d.%m.%Y", "%Y-%m-%d", "%d%b%Y", "%Y/%m/%d"]),
)  # fmt: skip
def test_a_date_by_format_is_written_in_full_or_unreadable(con, days, texts, format_):
    mapping = Mapping(sql="value", format=format_)
    assert mapped(con, [day.strftime(format_) for day in days], "date", mapping) == days
    for text, value in zip(texts, mapped(con, texts, "date", mapping), strict=True):
        assert value is None or value.strftime(format_) == text.strip(BLANKS)


@examples(20)
@given(days=st.lists(st.dates(), max_size=10), texts=st.lists(DIGITS, max_size=30))
def test_a_date_without_format_is_iso_or_unreadable(con, days, texts):
    assert mapped(con, [day.isoformat() for day in days], "date") == days
    assert mapped(con, [f"{day.isoformat()} 00:00:00" for day in days], "date") == days
    for text, value in zip(texts, mapped(con, texts, "date"), strict=True):
        assert value is None or value.isoformat() == text.strip(BLANKS)[:10]


@pytest.mark.parametrize(
    "text", ["infinity", "-infinity", "epoch", "today", "2030-1-2", "20300102", "2030-01-02 12:00:00", "2030-02-30"]
)
def test_what_an_engine_would_guess_is_no_date(con, text):
    assert mapped(con, [text], "date") == [None]


@examples(15)
@given(times=st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), max_size=10))
def test_a_timestamp_is_exact(con, times):
    assert mapped(con, [str(time) for time in times], "timestamp") == times
    assert mapped(con, [time.isoformat() for time in times], "timestamp") == times


@pytest.mark.parametrize(
    "text", ["2030-01-02T10:00:00+08:00", "2030-01-02 10:00:00Z", "2030-01-02 10:00:00.1234567", "infinity", "now"]
)
def test_a_timestamp_loses_no_zone_and_no_digit(con, text):
    assert mapped(con, [text], "timestamp") == [None]


def test_a_date_with_two_digits_of_the_year(con):
    mapping = Mapping(sql="value", format="%y%m%d %H:%M:%S")
    assert mapped(con, ["930105 00:00:00", "93015 00:00:00", "930105"], "date", mapping) == [
        date(1993, 1, 5),
        None,
        None,
    ]


@examples(15)
@given(texts=st.lists(st.text(st.sampled_from("ABab 0'\u3000"), max_size=3), max_size=20))
def test_a_code_is_mapped_or_unreadable(con, texts):
    codes = {"A": "a", "B": "it's b", "0": "zero", "01": "one", "AB": "both"}
    mapping = Mapping(sql="value", values=codes)
    assert mapped(con, texts, mapping=mapping) == [codes.get(text.strip(BLANKS)) for text in texts]


@examples(15)
@given(texts=st.lists(st.text(max_size=12), max_size=20))
def test_a_string_loses_nothing_but_blanks_around_it(con, texts):
    assert mapped(con, texts) == [text.strip(BLANKS) or None for text in texts]


@pytest.mark.parametrize(
    "sql, failed",
    [("cast(value as integer)", [1]), ("error('x')", None), ("list_extract([1], cast(value as integer))", [1])],
)
def test_an_expression_that_fails_for_a_row_is_no_missing_value(con, sql, failed):
    mapping = Mapping(sql=sql)
    if failed is None:
        with pytest.raises(DeliveryFault, match="bad_mapping"):
            mapped(con, ["x", "7", None], mapping=mapping)
        return
    assert mapped(con, ["x", "1", None], "string", mapping) == [None, "1", None]
    rows = con.execute("select _line from mapped where list_contains(_failed, 'value') order by 1").fetchall()
    assert [line for (line,) in rows] == failed


def test_a_deletion_is_said_in_sql(con):
    mapped(con, ["D", None, "U"], deleted="value = 'D'")
    assert con.execute("select _deleted from mapped order by _line").fetchall() == [(True,), (False,), (False,)]


@pytest.mark.parametrize(
    "join, rule, part",
    [
        ("join (values (1), (1)) as o(id) on o.id = delivery.key", "bad_join", "of 2 rows, 1 found a partner, 2 times"),
        ("join (values (1)) as o(id) on o.id = delivery.key", "bad_join", "of 2 rows, 1 found a partner, 1 times"),
        ("join nowhere on true", "bad_mapping", "nowhere"),
        (
            "left join (values (1)) as o(id) on cast(value as integer) = 1",
            "bad_mapping",
            "fails for the values of a row",
        ),
    ],
)
def test_a_join_finds_one_partner_for_each_row(con, join, rule, part):
    with pytest.raises(DeliveryFault) as caught:
        mapped(con, ["Ann Example", "2"], join=join)
    assert caught.value.rule == rule and part in caught.value.message and "Example" not in str(caught.value)
    assert "correct" in caught.value.action or "must find" in caught.value.action
