"""The fast readers give what the exact ones give, or leave a file to them: on any file, however it is cut up."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.feed import Format, Mapping, Trailer
from pipelines.ingest import chunks, fast, fastjson, read
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.fast import Read

from .workshop import FIRST, contract, examples, feed

NAMES = ("key", "name", "amount")
# Whole rows mostly, and what tells a reader that guesses from one that knows.
CELL = st.sampled_from(["", "1", "ab", "汉字", "é", " ", "x y", "0.10", '"q"', '"a,b"', '"a""b"', '""', '"汉|"'])
ROW = st.tuples(CELL, CELL, CELL)
ODD = st.sampled_from(
    ["", " ", "\t", "a", "a,b", "a,b,c,d", 'a"b,c,d', '"a"b,c,d', '"a\nb",c,d', '"a\r\nb",c,d', '"', "a\rb,c,d",
     "\ufeffa,b,c", "a\0,b,c", "a,b\x1c,c", "\x85", "\u2028,b,c", "T,1,2", "T,9,x", "'a',b,c", "a,b,c\\", ",,", "\x0b",
     '"""a","b""","c"""', '"a" ,b,c', ' "a",b,c', '"",,""', '"a","b","c', "x" * 140_000 + ",b,c"]
)  # fmt: skip
END = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])
WRONG = [b"\xff", b"\x81", b"\xe6\xb1", b"\x81\n", b"\xef\xbb\xbf", b"\n", b" \n", b"\r\n", b"\x1a"]


def delivery(place: Path, content: bytes, form: Format, suffix: str = "") -> Delivery:
    path = place / f"fast.txt{suffix}"
    path.unlink(missing_ok=True)
    path.write_bytes(gzip.compress(content) if suffix else content)
    of = contract()
    return Delivery(feed(of, format=form, columns={name: Mapping(sql=name) for name in NAMES}), of, FIRST, path)


def rows(con: duckdb.DuckDBPyConnection, found: Read) -> list[tuple[Any, ...]]:
    found.raw.view("found", found.columns, has_nulls=found.has_nulls)
    return con.table("found").fetchall()


def agree(con: duckdb.DuckDBPyConnection, quick: Read | None, exactly: Callable[[], Read]) -> None:
    """Hold what was read fast, if it was, against what is read exactly, which then raises nothing."""
    if quick is not None:
        exact = exactly()
        assert (quick.columns, quick.declared) == (exact.columns, exact.declared)
        assert quick.unsplit == exact.unsplit
        assert rows(con, quick) == rows(con, exact)


@st.composite
def texts(draw: st.DrawFn) -> str:
    lines = [",".join(row) for row in draw(st.lists(ROW, max_size=12))]
    for line in draw(st.lists(ODD, max_size=2)):
        lines.insert(draw(st.integers(0, len(lines))), line)
    end = draw(END)
    return "".join(line + end for line in lines)


@pytest.mark.slow
@examples(400)
@given(
    text=texts(), wrong=st.one_of(st.just(b""), st.just(b""), st.sampled_from(WRONG)), where=st.floats(0, 1),
    header=st.booleans(), cut_off=st.booleans(), trailed=st.booleans(), quote=st.sampled_from(['"', '"', "", "'"]),
    delimiter=st.sampled_from([",", ",", "|", "é", "\t"]), size=st.sampled_from([1, 7, 20, 100, 1 << 20]),
    encoding=st.sampled_from(["utf-8", "gb18030", "ascii", "utf-8-sig", "utf-16", "GBK", "latin-1"]),
    suffix=st.sampled_from(["", "", ".gz"]),
)  # fmt: skip
def test_csv(
    con, place, text, wrong, where, header, cut_off, trailed, quote, delimiter, size, encoding, suffix
):  # fmt: skip
    text = ("key,name,amount\n" if header else "") + text + ("T,3,1.5\n" if trailed else "")
    text = (text[:-1] if cut_off else text).replace(",", delimiter)
    content = text.encode(encoding, "replace")
    content = content[: int(where * len(content))] + wrong + content[int(where * len(content)) :]
    trailer = Trailer(prefix="T", rows=2, sums={"amount": 3}) if trailed else None
    form = Format(
        type="csv", delimiter=delimiter, quote=quote, encoding=encoding, header=header,
        fields=() if header else NAMES, trailer=trailer,
    )  # fmt: skip
    of = delivery(place, content, form, suffix)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_SIZE", size)
        agree(con, fast.read_csv(con, of), lambda: read._read_csv_exactly(con, of))


VALUE = st.sampled_from(
    ['"a"', '"汉"', '""', "null", '"null"', "1", "0.10", "-0", "1E400", "12345678901234567.89", "true", "false", "1e-7",
     '"1"', r'"\""', r'"\\"', r'"\n"', r'"\u6c49"', '"a, b"', '"a: 1}"', '"}{"', '"key"']
)  # fmt: skip
ODD_VALUE = st.sampled_from(
    ["NaN", "Infinity", "01", "1.", ".5", "+1", "1e", "tru", "nul", "[1, true]", '{"a": 1}', "[]", "{}", r'"\ud800"',
     r'"\ud83d\ude00"', r'"\u0000"', r'"\x"', '"\t"', r'"\": 1, \""', r'"\\": 1', '"a": 2', "'a'", "", "1 2", '"\x7f"',
     '"a\0"', "1, ", "1}", '"a" "b"', "-", "--1", "1\r", '"\u2028"', "tRue", "1_0", "１"]
)  # fmt: skip
ODD_LINE = st.sampled_from(
    ["", " ", "[]", "1", "{", "}", "{}", "{}{}", '{"key": "1"}{"key": "2"}', '{"key": "1"} x', '{"key": "1"},', "null",
     '{"key": "1", "key": "2"}', '{"new": 1, "key": "1"}', '{"key": "1",}', "{'key': 1}", '{"key": \n"1"}', "[" * 5000,
     ' {"key": "1"}', '{"key": "1"} ', '{"key":\t"1"}', '{"\\u006bey": 1}', '{"key": "1"', '\ufeff{"key": "1"}',
     '{"": "1", "key": "2"}', '{"key" : 1}', '{"key":  1}', '{ "key": 1 }', '{"key": 1 , "name": 2}', "\x85", "\x0b"]
)  # fmt: skip


@st.composite
def json_lines(draw: st.DrawFn) -> str:
    lines = []
    for values in draw(st.lists(st.tuples(VALUE, VALUE, VALUE), max_size=10)):
        colon, comma = draw(st.sampled_from([(": ", ", "), (":", ",")]))
        names = draw(st.sampled_from([NAMES, NAMES, NAMES, NAMES[::-1], NAMES[:2]]))
        lines.append("{" + comma.join(f'"{n}"{colon}{v}' for n, v in zip(names, values, strict=False)) + "}")
    for value in draw(st.lists(ODD_VALUE, max_size=1)):
        lines.append(f'{{"key": "1", "name": {value}, "amount": 2}}')
    for line in draw(st.lists(ODD_LINE, max_size=1)):
        lines.insert(draw(st.integers(0, len(lines))), line)
    return "".join(line + draw(st.sampled_from(["\n", "\n", "\n", "\r\n"])) for line in lines)


@pytest.mark.slow
@examples(500)
@given(
    text=json_lines(), cut_off=st.booleans(), size=st.sampled_from([1, 40, 200, 1 << 20]),
    fields=st.sampled_from([NAMES, NAMES, ()]), encoding=st.sampled_from(["utf-8", "utf-8", "gb18030", "utf-8-sig"]),
)  # fmt: skip
def test_json_lines(con, place, text, cut_off, size, fields, encoding):
    form = Format(type="jsonl", fields=fields, encoding=encoding)
    of = delivery(place, (text[:-1] if cut_off else text).encode(encoding), form)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "_SIZE", size)
        agree(con, fastjson.read_json_lines(con, of), lambda: read._read_json_lines_exactly(con, of))


@examples(200)
@given(values=st.lists(st.text('0123456789+-.eE ,}"tfn:\\', max_size=6), min_size=1, max_size=4))
def test_any_bare_value(con, place, values):
    text = "".join(f'{{"key": {value}, "name": "1", "amount": {value}}}\n' for value in values)
    of = delivery(place, text.encode(), Format(type="jsonl", fields=NAMES))
    agree(con, fastjson.read_json_lines(con, of), lambda: read._read_json_lines_exactly(con, of))


def test_ordinary_files_are_read_fast(con, place, monkeypatch):
    """Nothing of them is left to the exact reader, not even where a row is too short."""
    for module in (fast, fastjson):
        monkeypatch.setattr(module, "Lines", None)
    plain = "key|name|amount\n" + "1|陈伟|0.10\r\n" * 5 + "1|b\n\n" + '"2"|"a|""b"""|""\n'
    found = fast.read_csv(
        con, delivery(place, plain.encode("gb18030"), Format(type="csv", delimiter="|", encoding="GB18030"))
    )
    assert found is not None
    whole = rows(con, found)
    assert [line for line, *_ in whole] == [*range(2, 7), 9]
    assert [(each.line, each.reason, each.text) for each in found.unsplit] == [(7, "has 2 fields, not 3", "1|b")]
    assert whole[-1] == (9, "2", 'a|"b"', None)
    lines = "".join(json.dumps({"key": n, "name": "陈", "amount": True}) + "\n" for n in range(5))
    quick = fastjson.read_json_lines(con, delivery(place, lines.encode(), Format(type="jsonl", fields=NAMES)))
    assert quick is not None and [key for _, key, *_ in rows(con, quick)] == list("01234")
