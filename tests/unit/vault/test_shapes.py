"""Identifiers within texts: those of the standards are found, and what only looks like one is not."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.model import IDENTIFIERS
from pipelines.simulation import identifiers
from pipelines.vault.shapes import any_of, recognised, shapes_of, with_article

from .test_normal import RESIDENT, credit, residents

EVERYWHERE, CZECH = shapes_of(), shapes_of("CZ")
CODE, TEN = "91350100M000100Y43", "7056161233"  # the example of GB 32100-2015; a birth number that divides by 11
BEFORE, AFTER = (
    st.sampled_from(some) for some in (("", "见 ", "客户", "id=", "x: "), ("", "。", "; x", ".", ", 见", "_"))
)
DIGITS = "0123456789"


WORDS = st.text("abcxyz019", min_size=1, max_size=9)


def with_luhn(digits: str) -> str:
    return next(digits + last for last in DIGITS if not luhn_rest(digits + last))


def luhn_rest(digits: str) -> int:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10


def iban(country: str, account: str) -> str:
    digits = "".join(str(int(letter, 36)) for letter in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02}{account}"


def of_digits(*prefixes: str, length: int) -> st.SearchStrategy[str]:
    return st.one_of(
        *(st.text(DIGITS, min_size=length - len(p), max_size=length - len(p)).map(p.__add__) for p in prefixes)
    )


CARDS = st.one_of(
    of_digits("62", length=15), of_digits("62", length=18), of_digits("62", length=17), of_digits("9558", length=18),
    of_digits("4", "51", "55", "35", length=15), of_digits("34", "37", length=14),
).map(with_luhn)  # fmt: skip
MADE = {
    "resident id": residents(1900, 2030) | st.just(RESIDENT),
    "mobile phone": st.builds("{}1{}{}".format, st.sampled_from(["", "+86", "86-", "0"]), st.sampled_from("3456789"),
                              st.text(DIGITS, min_size=9, max_size=9)),
    "social credit code": st.integers(0, 10**6).map(
        lambda n: identifiers.credit_codes(np.array([n]), np.array([n % 12]), np.array([n % 2 == 0]))[0]
    ) | st.just(CODE) | st.text(DIGITS, min_size=6, max_size=6).map(lambda six: credit(f"91339900MA{six}Q")),
    "bank card": CARDS,
    "IBAN": st.text(DIGITS, min_size=20, max_size=20).map(lambda account: iban("CZ", account))
    | st.text(DIGITS, min_size=14, max_size=14).map(lambda account: iban("GB", f"NWBK{account}")),
    "e-mail address": st.builds("{}{}@{}.{}".format, WORDS, st.sampled_from(["", ".x", "_7", "+y"]), WORDS,
                                st.sampled_from(["cn", "com.cn", "example"])),
    "IMEI": of_digits("35", "86", "01", length=14).map(with_luhn),
    "network card": st.lists(st.from_regex(r"[0-9a-fA-F]{2}", fullmatch=True), min_size=6, max_size=6).map(":".join),
    "birth number": st.integers(10**7, 10**8 - 1).map(lambda n: f"705616/{n % 1000:03}"),
}  # fmt: skip


def found(text: str, shapes=EVERYWHERE) -> set[str]:
    return set(recognised([text], shapes))


@pytest.mark.parametrize("name", MADE)
def test_one_is_found_wherever_it_stands_in_a_text(name: str) -> None:
    with duckdb.connect() as con:

        @given(made=MADE[name], before=BEFORE, after=AFTER, wide=st.booleans())
        def is_found(made: str, before: str, after: str, wide: bool) -> None:
            said = made.translate({ord(d): ord(d) + 0xFEE0 for d in DIGITS}) if wide else made
            text = f"{before}{said}{after}"
            assert name in found(text)
            assert con.execute(f"select regexp_matches(?, '{any_of(EVERYWHERE)}')", [text]).fetchone() == (True,)

        is_found()


@pytest.mark.parametrize("name", ["social credit code", "bank card", "IBAN", "IMEI"])
def test_one_with_a_wrong_digit_is_none(name: str) -> None:
    @given(made=MADE[name], data=st.data())
    def is_none(made: str, data: st.DataObject) -> None:
        places = [n for n, letter in enumerate(made) if letter.isdigit() and n > 8]
        place = data.draw(st.sampled_from(places))
        wrong = data.draw(st.sampled_from([digit for digit in DIGITS if digit != made[place]]))
        # A code of nothing but digits has one check within the other, all others have one that sees every digit.
        assert name not in found(made[:place] + wrong + made[place + 1 :])

    is_none()


@given(made=MADE["resident id"], order=st.text(DIGITS, min_size=3, max_size=3), last=st.sampled_from("0123456789X"))
def test_a_resident_id_that_was_misread_is_one_still(made: str, order: str, last: str) -> None:
    assert found(made[:14] + order + last) >= {"resident id"}


HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
AMOUNTS = st.decimals(min_value=-(10**15), max_value=10**15, places=2).filter(lambda amount: amount % 1)
NOTHING = st.one_of(
    HEX, HEX.map(str.upper), AMOUNTS.map("{:f}".format), AMOUNTS.map("{:,f}".format), st.dates().map(str),
    st.datetimes().map(str), st.dates().map("{:%Y%m%d}".format), st.integers(0, 10**10 - 1).map(str),
    st.floats(0, 1).map("{:.15f}".format), HEX.map(lambda text: f"a{text[:15]}"),
    st.from_regex(r"[A-Z][0-9]{8}", fullmatch=True),
)  # fmt: skip


@given(values=st.lists(NOTHING, max_size=4), between=st.sampled_from(["; ", "|", ", ", "=", "见"]))
def test_pseudonyms_amounts_dates_and_keys_are_none(values: list[str], between: str) -> None:
    assert found(between.join(values)) == set()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("id:11010519491231002x;", {"resident id"}),
        ("008613800138000", {"mobile phone"}),
        ("+86 138-0013-8000", {"mobile phone"}),
        ("call 138 0013 8000 now", {"mobile phone"}),
        ("045714/123", {"birth number"}),
        ("13800138000.0", {"mobile phone"}),
        ("13800138000.57", set()),
        ("1.13800138000", set()),
        ("x13800138000", set()),
        ("6222 0212 3456 7890 128 und 12", {"bank card"}),
        ("4111 1111 1111 1111 7", {"bank card"}),
        ("4111 1111 1111 1112", set()),
        ("GB82 WEST 1234 5698 7654 32", {"IBAN"}),
        ("CN82 1234 5698 7654 32", set()),
        ("110105 19491231 002X", {"resident id"}),
        ("11010519490231002X", set()),
        ("3701011990010112345", set()),
        ("990105194912310021", set()),
        ("110105194913310021", set()),
        ("12800138000", set()),
        ("138001380001", set()),
        ("0" * 23 + "13800138000" + "0" * 30, set()),
        ("17:45:00", set()),
        ("a@b", set()),
    ],
)
def test_as_people_write_them(text: str, names: set[str]) -> None:
    assert found(text) == names


def test_one_that_only_looks_so_hides_none_beside_it() -> None:
    assert found("4111111111111112 4111111111111111,11010519491231002X;11010519491231002X") == {
        "bank card",
        "resident id",
    }
    assert recognised(["13800138000 13900139000", "nothing", "13700137000"], EVERYWHERE) == {"mobile phone": 2}


def test_a_birth_number_without_its_suffix_is_looked_for_where_such_are_issued() -> None:
    for text, place in (("705616", CZECH), ("700616", CZECH)):
        assert found(text, place) == {"birth number"} and found(text) == set()
    for text in ("", "77", "709916", "2024-01-31", "core.transaction"):
        assert found(text, CZECH) == set()
    assert found(f"705616/{TEN[6:]}") == {"birth number"}
    assert found(f"705616/{TEN[6:9]}{(int(TEN[9]) + 1) % 10}") == set()


def test_every_kind_of_the_contracts_has_a_shape_or_is_known_to_have_none() -> None:
    assert {shape.kind for shape in EVERYWHERE} == set(IDENTIFIERS) - {"name", "address", "phone_hash"}


def test_names_in_a_sentence() -> None:
    assert [with_article(shape.name) for shape in EVERYWHERE if shape.name in ("IBAN", "bank card")][::2] == [
        "a bank card", "an IBAN",
    ]  # fmt: skip
    assert with_article("e-mail address") == "an e-mail address"
