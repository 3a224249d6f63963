"""Bytes to rows: every field as it was written, on the line where it was written, or a fault that says where."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.feed import Format, Mapping, Trailer
from pipelines.ingest.deliveries import Delivery
from pipelines.ingest.faults import DeliveryFault
from pipelines.ingest.read import Rows, read_delivery

from .workshop import FIRST, contract, examples, feed

NAMES = ("key", "name", "amount")
# What may be in a delivered field: anything but what ends a line in some editors and not in others.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00\ufeff"), max_size=8)
WILD = st.text(st.sampled_from(list("ab;,|\"'\t \n\\T汉𬱖é")), max_size=6)


def delivery(place: Path, content: bytes, name: str = "thing.csv", form: Format | None = None) -> Delivery:
    path = place / name
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    of = contract()
    columns = {name: Mapping(sql=name) for name in NAMES}
    return Delivery(feed(of, format=form or Format(type="csv"), columns=columns), of, FIRST, path)


def read(con, place, content, name="thing.csv", **form) -> Rows:
    form = Format(**{"type": "csv", **form})
    return read_delivery(con, delivery(place, content, name, form), "delivery")


def table(con) -> list[tuple]:
    return con.execute(f"select _line, {', '.join(NAMES)} from delivery order by _line").fetchall()


def refused(con, place, content, name="thing.csv", **form) -> DeliveryFault:
    with pytest.raises(DeliveryFault) as caught:
        read(con, place, content, name, **form)
    return caught.value


def compressed(content: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(content, mtime=0)
    return pa.Codec("zstd").compress(content, asbytes=True) if suffix == ".zst" else content


@examples(30)
@given(
    rows=st.lists(st.tuples(WILD, WILD, WILD), max_size=8), delimiter=st.sampled_from(";,|\t"),
    end=st.sampled_from(["\n", "\r\n"]), quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "gb18030"]), suffix=st.sampled_from(["", ".gz", ".zst"]),
    trailed=st.booleans(),
)  # fmt: skip
def test_a_csv_file_is_read_as_it_was_written(con, place, rows, delimiter, end, quoting, encoding, suffix, trailed):
    out, lines = io.StringIO(newline=""), []
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    for row in (NAMES, *rows):
        lines.append(out.getvalue().count("\n") + 1)
        writer.writerow(row)
    if trailed:
        out.write(f"T{delimiter}{len(rows)}{delimiter}12.50")
    content = compressed(out.getvalue().encode(encoding), suffix)
    trailer = Trailer(prefix="T", rows=2, sums={"amount": 3}) if trailed else None
    found = read(con, place, content, f"thing.csv{suffix}", delimiter=delimiter, encoding=encoding, trailer=trailer)
    assert table(con) == [(n, *(v or None for v in row)) for n, row in zip(lines[1:], rows, strict=True)]
    assert (found.count, found.unsplit) == (len(rows), [])
    assert (found.declared is not None and found.declared.sums) == ({"amount": Decimal("12.50")} if trailed else False)


@examples(20)
@given(lines=st.lists(st.sampled_from(["1,b,c", "1,b", "1,b,c,d", '1,"b"x,c', "", '"1","b,",""']), max_size=40))
def test_rows_keep_their_line_whatever_stands_between_them(con, place, lines):
    found = read(con, place, "\n".join(["key,name,amount", *lines, ""]).encode())
    good = {"1,b,c": ("1", "b", "c"), '"1","b,",""': ("1", "b,", None)}
    assert table(con) == [(n, *good[line]) for n, line in enumerate(lines, 2) if line in good]
    bad = [(n, line) for n, line in enumerate(lines, 2) if line and line not in good]
    assert [(record.line, record.text) for record in found.unsplit] == bad
    assert found.count == len([line for line in lines if line])


def test_many_rows_are_read_in_batches(con, place):
    lines = [f"{n},x" if n % 9_999 == 0 else f"{n},é,{n}" for n in range(45_000)]
    found = read(con, place, "\n".join(["key,name,amount", *lines]).encode())
    assert [record.line for record in found.unsplit] == [n + 2 for n in range(0, 45_000, 9_999)]
    counted = con.execute(
        "select count(*), count(*) filter (where _line = key::int + 2), sum(amount::int) from delivery"
    )
    good = [n for n in range(45_000) if n % 9_999]
    assert counted.fetchall() == [(len(good), len(good), sum(good))]


@examples(25)
@given(lines=st.integers(0, 3000), before=st.integers(0, 5), encoding=st.sampled_from(["utf-8", "gb18030", "ascii"]))
def test_the_line_of_a_wrong_byte_is_named(con, place, lines, before, encoding):
    content = b"key,name,amount\n" + b"1,b,c\n" * lines + b"x" * before + b"\xff,b,c\n" + b"1,b,c\n" * 2000
    fault = refused(con, place, content, encoding=encoding)
    assert fault.rule == "wrong_encoding" and fault.message == f"line {lines + 2}: byte 0xff is not {encoding}"


def test_a_character_cut_in_two_at_the_end_is_a_wrong_byte(con, place):
    fault = refused(con, place, "key,name,amount\n1,b,汉".encode()[:-1])
    assert (fault.rule, fault.message) == ("wrong_encoding", "line 2: byte 0xe6 is not utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("header", [True, False])
def test_a_byte_order_mark_is_refused(con, place, encoding, header):
    content = ("\ufeff" + "key,name,amount\n" * header + "1,b,c\n").encode(encoding)
    fault = refused(con, place, content, encoding=encoding, header=header, fields=() if header else NAMES)
    assert fault.rule == "wrong_encoding" and "byte order mark" in fault.message
    assert ("utf-8-sig" in fault.action) == (encoding == "utf-8")


def test_a_byte_order_mark_that_was_agreed_is_read_over(con, place):
    read(con, place, "\ufeffkey,name,amount\n1,b,c\n".encode(), encoding="utf-8-sig")
    assert table(con) == [(2, "1", "b", "c")]


def test_without_quotes_a_quote_is_a_character(con, place):
    read(con, place, b'"key,5" pipe,3"\n"x,""y"",\n', header=False, fields=NAMES, quote="")
    assert table(con) == [(1, '"key', '5" pipe', '3"'), (2, '"x', '""y""', None)]


def test_without_a_header_the_first_line_is_a_row(con, place):
    found = read(con, place, b"1,b,c\n2,b\n", header=False, fields=NAMES)
    assert table(con) == [(1, "1", "b", "c")] and [record.line for record in found.unsplit] == [2]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(con, place, ends):
    read(con, place, ends.join(["key,name,amount", "1,b,c", "2,d,"]).encode())
    assert table(con) == [(2, "1", "b", "c"), (3, "2", "d", None)]


def test_a_quote_that_swallows_the_rest_is_a_fault_of_the_file(con, place):
    head = b'key,name,amount\n1,b,c\n2,"b,c\n'
    for rest in (b"3,b,c\n", b"3,b,c\n" * 40_000):
        fault = refused(con, place, head + rest)
        assert (fault.rule, fault.message[:7]) == ("unbalanced_quote", "line 3:")


def test_a_quote_that_is_closed_lines_later_costs_those_lines_only(con, place):
    found = read(con, place, b'key,name,amount\n1,"b,c\n2,"b",c\n3,b,c\n')
    assert table(con) == [(4, "3", "b", "c")]
    assert [(record.line, record.text) for record in found.unsplit] == [(2, '1,"b,c\n2,"b",c')]


@pytest.mark.parametrize(
    "trailer, rule",
    [
        ("T,2,10.5", ""), ('"T","2","10.5"', ""), ("T,2,10.5,spare", ""), ("T,2,10.5\n\n\r\n", ""), ("T,2,-10", ""),
        ("t,2,10.5", "missing_trailer"), ("", "missing_trailer"), ("TT,2,10.5", "missing_trailer"),
        ('"T,2,10.5', "missing_trailer"), ("T", "bad_trailer"), ("T,2", "bad_trailer"), ("T,,10.5", "bad_trailer"),
        ("T,two,10.5", "bad_trailer"), ("T,-2,10.5", "bad_trailer"), ("T,2.0,10.5", "bad_trailer"),
        ("T,2,NaN", "bad_trailer"), ("T,2,Infinity", "bad_trailer"), ("T,2,1e3", "bad_trailer"),
        ("T,1_0,1", "bad_trailer"),
    ],
)  # fmt: skip
def test_a_trailer_states_its_numbers_or_is_refused(con, place, trailer, rule):
    content = f"key,name,amount\n1,b,c\n2,b,c\n{trailer}".encode()
    form = {"trailer": Trailer(prefix="T", rows=2, sums={"amount": 3})}
    if rule:
        assert refused(con, place, content, **form).rule == rule
    else:
        found = read(con, place, content, **form)
        assert found.count == 2 and found.declared is not None and found.declared.rows == 2


def test_a_message_repeats_no_row_where_a_header_was_expected(con, place):
    for content in (b"7,Ann Example,12\n8,Bob Example,7\n", b"7,7,Ann Example\n"):
        fault = refused(con, place, content)
        assert fault.rule == "wrong_header" and "Example" not in str(fault) and "7" not in fault.message


JSON_VALUES = st.one_of(
    TEXT, st.integers(), st.decimals(allow_nan=False, allow_infinity=False).map(str), st.booleans(), st.none()
)


@examples(30)
@given(
    records=st.lists(
        st.fixed_dictionaries({"key": TEXT}, optional={"name": JSON_VALUES, "amount": JSON_VALUES}), max_size=6
    )
)
def test_json_lines_are_read_as_they_were_written(con, place, records):
    content = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode() or b"\n"
    read(con, place, content, "thing.jsonl", type="jsonl", fields=NAMES)

    def text(value):
        return (json.dumps(value) if isinstance(value, bool | int) else value) or None

    assert table(con) == [(n, *(text(record.get(name)) for name in NAMES)) for n, record in enumerate(records, 1)]


@pytest.mark.parametrize(
    "number", ["0.10", "12345678901234567.89", "1E400", "-0", "123456789012345678901234567890", "1e-7"]
)
def test_a_json_number_stays_what_was_written(con, place, number):
    read(
        con, place, f'{{"key": "1", "name": {{"a": [1, true]}}, "amount": {number}}}'.encode(), "a.jsonl", type="jsonl"
    )
    assert table(con) == [(1, "1", '{"a":["1",true]}', number)]


@pytest.mark.parametrize(
    "line, reason",
    [
        ("{", "is no JSON: Expecting property name"), ("[]", "is no JSON object"), ("1", "is no JSON object"),
        ('{"key": 1,}', "is no JSON"), ('{"key": NaN}', "is no JSON: NaN is no number"),
        ('{"key": 1} x', "is no JSON: Extra data"), ('{"key": 1, "key": 2}', "has a field twice"),
        ('{"key": "\\ud800"}', "is no JSON: an escape is half a character"),
        ("[" * 100_000, "is no JSON that can be read: nested too deeply"), ("{'key': 1}", "is no JSON"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_object_is_set_apart(con, place, line, reason):
    good = '{"key": "1", "name": "b", "amount": 1}'
    found = read(con, place, f"{good}\n\n{line}\n{good}".encode(), "a.jsonl", type="jsonl")
    assert [row[0] for row in table(con)] == [1, 4]
    assert [(record.line, record.text) for record in found.unsplit] == [(3, line)]
    assert found.unsplit[0].reason.startswith(reason) and found.count == 3


def test_odd_names_are_names(con, place):
    odd = ['say "hi"', "a.b", "x'); drop table delivery; --", "select", "__filename", "$[0]"]
    of = contract()
    ignored = {name: "odd" for name in odd}
    columns = {name: Mapping(sql=name) for name in NAMES}
    header = [*NAMES, *odd]
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in header)
    for form, name, content in (
        (Format(type="csv"), "odd.csv", quoted + "\n" + ",".join("123456789")),
        (Format(type="jsonl"), "odd.jsonl", json.dumps(dict(zip(header, "123456789", strict=True)))),
    ):  # fmt: skip
        path = place / name
        path.unlink(missing_ok=True)
        path.write_text(content)
        of_feed = feed(of, format=form, columns=columns, ignored=ignored)
        read_delivery(con, Delivery(of_feed, of, FIRST, path), "delivery")
        assert con.execute('select "say ""hi""", "a.b", "select", "$[0]" from delivery').fetchall() == [tuple("4579")]


@pytest.mark.parametrize("name", ["_line", "_LINE"])
def test_a_column_may_not_be_called_as_ingest_calls_its_own(con, place, name):
    fault = refused(con, place, f"key,name,amount,{name}\n1,b,c,d\n".encode())
    assert fault.rule == "wrong_header" and "_line is what ingest itself calls" in fault.message


def test_parquet_values_become_text(con, place):
    path = place / "a=b[c]*?'d.parquet"
    values = {
        "key": pa.array(["x", "", None]), "name": pa.array([date(2030, 1, 2), None, date(1, 1, 1)]),
        "amount": pa.array([Decimal("12345678901234.50"), Decimal("0.00"), None], pa.decimal128(18, 2)),
    }  # fmt: skip
    pq.write_table(pa.table(values), path)
    of = contract()
    rows = read_delivery(con, Delivery(feed(of, format=Format(type="parquet")), of, FIRST, path), "delivery")
    expected = [(1, "x", "2030-01-02", "12345678901234.50"), (2, None, None, "0.00"), (3, None, "0001-01-01", None)]
    assert table(con) == expected and rows.count == 3
    times = {**values, "name": pa.array([datetime(2030, 1, 2, 23)] * 3, pa.timestamp("us", tz="Asia/Shanghai"))}
    path.unlink()
    pq.write_table(pa.table(times), path)
    con.execute("set TimeZone = 'UTC'")
    read_delivery(con, Delivery(feed(of, format=Format(type="parquet")), of, FIRST, path), "delivery")
    assert table(con)[0][2].startswith("2030-01-02 23:00:00")  # the wall clock of UTC, whatever the machine's zone is


def test_a_file_that_changes_while_it_is_read_is_refused(con, place, monkeypatch):
    taken = delivery(place, b"key,name,amount\n1,b,c\n")
    assert taken.sha256
    taken.path.write_bytes(b"key,name,amount\n1,b,c\n2,b,c\n")
    with pytest.raises(DeliveryFault, match=r"changed_while_read.*once it is complete"):
        read_delivery(con, taken, "delivery")


def test_a_file_that_may_not_be_read_is_a_fault(con, place, monkeypatch):
    taken = delivery(place, b"key,name,amount\n1,b,c\n")
    monkeypatch.setattr(Path, "open", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(DeliveryFault, match=r"unreadable.*Permission denied"):
        _ = taken.sha256
