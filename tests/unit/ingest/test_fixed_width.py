"""Files of fixed width: fields at their bytes, whatever the encoding; what does not fit is set apart with its line."""

from __future__ import annotations

import gzip
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.feed import Format, Trailer
from pipelines.ingest import fixed_width

from .test_read import NAMES, read, refused, table
from .workshop import FIRST, contract, examples, feed

WIDTHS = {"key": 4, "name": 9, "amount": 6}
TRAILER = Trailer(prefix="T", widths=(1, 12, 18), rows=2, sums={"amount": 3})
FORM = {"type": "fixed", "widths": WIDTHS}
VALUES = st.text(st.sampled_from(list("ab T.-é汉𬱖|\"'\t")), max_size=9)


def line(*values, encoding="utf-8") -> bytes:
    padded = zip(values, WIDTHS.values(), strict=True)
    return b"".join(value.encode(encoding).ljust(width) for value, width in padded)


def trailer(rows, amount) -> bytes:
    return b"T" + f"{rows:>12}{amount:>18}".encode()


@examples(40)
@given(
    rows=st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=8), end=st.sampled_from([b"\n", b"\r\n"]),
    encoding=st.sampled_from(["utf-8", "gb18030", "utf-8-sig"]), trailed=st.booleans(), ended=st.booleans(),
    block=st.sampled_from([1, 7, 1 << 20]), packed=st.booleans(),
)  # fmt: skip
def test_a_file_is_read_as_it_was_written(con, place, rows, end, encoding, trailed, ended, block, packed):
    plain = encoding.removesuffix("-sig")
    fits = [all(len(v.encode(plain)) <= w for v, w in zip(row, WIDTHS.values(), strict=True)) for row in rows]
    lines = [line(*row, encoding=plain) for row in rows]
    content = end.join([*lines, *([trailer(len(rows), "12.50")] if trailed else [])]) + end * ended
    content = ("\ufeff".encode() if plain != encoding else b"") + content or b"\n"
    name = "thing.txt.gz" if packed else "thing.txt"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_width, "_BLOCK", block)
        found = read(
            con, place, gzip.compress(content, mtime=0) if packed else content, name,
            encoding=encoding, trailer=TRAILER if trailed else None, **FORM,
        )  # fmt: skip
    good = [
        (n, *(v.strip(" ") or None for v in row)) for n, (row, fit) in enumerate(zip(rows, fits, strict=True), 1) if fit
    ]
    assert table(con) == good
    assert [(each.line, each.text) for each in found.unsplit] == [
        (n, each.decode(plain)) for n, (each, fit) in enumerate(zip(lines, fits, strict=True), 1) if not fit
    ]
    assert found.count == len(rows)
    assert (found.declared and found.declared.sums) == ({"amount": Decimal("12.50")} if trailed else None)


def test_a_line_of_another_length_is_set_apart(con, place):
    good = line("1", "b", "3")
    found = read(con, place, b"\n".join([good, good[:-1], b"", good + b" ", good, b" " * 19, b""]), **FORM)
    assert table(con) == [(1, "1", "b", "3"), (5, "1", "b", "3"), (6, None, None, None)]
    assert [(each.line, each.reason) for each in found.unsplit] == [
        (2, "has 18 bytes, not 19"), (4, "has 20 bytes, not 19"),
    ]  # fmt: skip
    assert found.count == 5


def test_a_character_that_reaches_over_two_fields_is_set_apart(con, place):
    bad = "abc汉".encode("gb18030").ljust(19)
    found = read(con, place, b"\n".join([line("1", "b", "3"), bad, line("2", "汉", "3", encoding="gb18030")]),
                 encoding="gb18030", **FORM)  # fmt: skip
    assert table(con) == [(1, "1", "b", "3"), (3, "2", "汉", "3")]
    (record,) = found.unsplit
    assert (record.line, record.reason) == (2, "is cut within a character by field key")
    assert record.text == bad.decode("gb18030")


@pytest.mark.parametrize("encoding, bad", [("utf-8", b"\xff"), ("gb18030", b"\xff"), ("ascii", "é".encode())])
@pytest.mark.parametrize("short", [True, False])
def test_the_line_of_a_wrong_byte_is_named(con, place, encoding, bad, short):
    wrong = (b"1   " + bad).ljust(9 if short else 19)
    fault = refused(con, place, b"\n".join([line("1", "b", "3"), wrong, b""]), encoding=encoding, **FORM)
    assert (fault.rule, fault.message) == ("wrong_encoding", f"line 2: byte 0x{bad[0]:02x} is not {encoding}")


@pytest.mark.parametrize(
    "last, rule",
    [
        (trailer(2, "10.5"), ""), (trailer(2, "-10") + b"   ", ""), (trailer(2, "10.5") + b"\r\n\n\r\n", ""),
        (b"T" + b"2".ljust(12) + b"10.5", ""), (b"", "missing_trailer"), (b"t", "missing_trailer"),
        (trailer(2, "x"), "bad_trailer"), (trailer("2.0", "1"), "bad_trailer"), (trailer(-2, "1"), "bad_trailer"),
        (trailer(2, ""), "bad_trailer"), (b"T", "bad_trailer"), (trailer(2, "1e3"), "bad_trailer"),
        (trailer(2, "1") + b" 7", "bad_trailer"),
    ],
)  # fmt: skip
def test_a_trailer_states_its_numbers_or_is_refused(con, place, last, rule):
    content = b"\n".join([line("1", "b", "3"), line("2", "b", "3"), last])
    if rule:
        assert refused(con, place, content, trailer=TRAILER, **FORM).rule == rule
    else:
        found = read(con, place, content, trailer=TRAILER, **FORM)
        assert found.count == 2 and found.declared is not None and found.declared.rows == 2


def test_a_file_without_lines_is_refused_soon(con, place):
    assert refused(con, place, b"").rule == "empty_file"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fixed_width, "_BLOCK", 1 << 10)
        patch.setattr(fixed_width, "_LONGEST", 1 << 20)
        fault = refused(con, place, b"x" * (2 << 20), **FORM)
    assert fault.rule == "unreadable" and "no line ends within 1 MiB" in fault.message


@pytest.mark.parametrize("form", [FORM, {"type": "csv", "header": False, "fields": NAMES}, {"type": "csv"}])
def test_a_byte_order_mark_is_there_where_it_was_agreed(con, place, form):
    head = b"key,name,amount\n" if form == {"type": "csv"} else b""
    row = line("1", "b", "3") if form is FORM else b"1,b,3"
    mark = "\ufeff".encode()
    read(con, place, mark + head + row, encoding="utf-8-sig", **form)
    assert table(con) == [(2 if head else 1, "1", "b", "3")]
    fault = refused(con, place, head + row, encoding="utf-8-sig", **form)
    assert (fault.rule, fault.message) == (
        "wrong_encoding",
        "line 1: does not begin with the byte order mark that was agreed",
    )
    fault = refused(con, place, mark + head + row, **form)
    assert (fault.rule, fault.message) == (
        "wrong_encoding",
        "line 1: begins with a byte order mark, which was not agreed",
    )
    packed = gzip.compress(mark + head + row, mtime=0)
    read(con, place, packed, "thing.csv.gz", encoding="utf-8-sig", **form)


def test_a_night_lands_it_and_sets_apart_what_does_not_split(small_bank):
    of = contract(reject_limit=0.5)
    form = Format(type="fixed", encoding="gb18030", widths=WIDTHS, trailer=TRAILER)
    bank = small_bank(contracts=(of,), feeds=(feed(of, format=form),))
    lines = [line("a", "汉字", "1.50", encoding="gb18030"), b"short", line("b", "Bo", "2", encoding="gb18030")]
    path = bank.root / "deliveries" / f"thing_{FIRST:%Y%m%d}.csv"
    path.write_bytes(b"\r\n".join([*lines, trailer(3, "3.50")]))
    bank.land(FIRST)
    assert bank.state(FIRST) == {"a": Decimal("1.50"), "b": Decimal("2.00")}
    assert bank.quarantine() == [(FIRST, 2, "malformed", "")]
    path.write_bytes(b"\r\n".join([*lines, trailer(4, "3.50")]))
    assert bank.fault(FIRST).rule == "trailer_count"
