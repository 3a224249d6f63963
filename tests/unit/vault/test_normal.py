"""Normal forms and checksums, against published examples and against what the checksums promise."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.simulation import identifiers
from pipelines.vault.normal import kinds, normalise, valid

RESIDENT, CODE = "11010519491231002X", "91350100M000100Y43"  # the examples of GB 11643-1999 and GB 32100-2015
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def verdicts(kind: str, *texts: str | None) -> list[bool | None]:
    return valid(kind, pl.Series(texts, dtype=pl.String)).to_list()


def normal(kind: str, *texts: str | None) -> list[str | None]:
    return normalise(kind, pl.Series(texts, dtype=pl.String)).to_list()


def resident(area: str, birth: str, sequence: str) -> str:
    digits = area + birth + sequence
    return digits + "10X98765432"[sum(int(d) * 2 ** (17 - n) for n, d in enumerate(digits)) % 11]


def credit(text: str) -> str:
    total = sum(LETTERS.index(letter) * pow(3, place) for place, letter in enumerate(text))
    return text + LETTERS[-total % 31]


def residents(first: int, before: int) -> st.SearchStrategy[str]:
    days = st.dates(date(first, 1, 1), date(before - 1, 12, 31)).map("{:%Y%m%d}".format)
    areas = st.sampled_from(["110105", "339801", "650102", "820000"])
    return st.builds(resident, areas, days, st.integers(0, 999).map("{:03}".format))


RESIDENTS = residents(1800, 2200)
CODES = st.text(LETTERS, min_size=17, max_size=17).map(credit)


def test_published_examples_are_valid():
    assert verdicts("national_id", RESIDENT, None) == [True, None] and verdicts("uscc", CODE, None) == [True, None]
    assert resident("110105", "19491231", "002") == RESIDENT and credit(CODE[:-1]) == CODE


@given(text=RESIDENTS, code=CODES)
def test_what_is_made_by_the_standard_is_valid(text, code):
    assert verdicts("national_id", text) == [True] and verdicts("uscc", code) == [True]
    assert identifiers.is_resident_id(text)


@pytest.mark.parametrize("kind, letters, made", [("national_id", "0123456789X", RESIDENTS), ("uscc", LETTERS, CODES)])
def test_no_wrong_character_and_no_swap_of_neighbours_is_valid(kind, letters, made):
    @given(text=made)
    def holds(text):
        wrong = [text[:n] + c + text[n + 1 :] for n in range(18) for c in letters if c != text[n]]
        swapped = [text[:n] + text[n + 1] + text[n] + text[n + 2 :] for n in range(17) if text[n] != text[n + 1]]
        assert not any(verdicts(kind, *wrong, *swapped)) and len(wrong) == 18 * (len(letters) - 1)

    holds()


@pytest.mark.parametrize(
    "text",
    [
        "", "1", RESIDENT[:-1], RESIDENT + "0", RESIDENT.lower(), resident("110105", "19491301", "002"),
        resident("110105", "19490229", "002"), resident("110105", "19000229", "002"),
        resident("990105", "19491231", "002"), resident("110105", "00000000", "002"), "１１010519491231002X",
    ],
)  # fmt: skip
def test_what_is_no_resident_id_is_not_valid(text):
    assert verdicts("national_id", text, RESIDENT) == [False, True]


@given(text=residents(1900, 2000))
def test_the_form_of_15_digits_is_the_form_of_18(text):
    assert normal("national_id", None, text[:6] + text[8:17], text) == [None, text, text]


def test_the_form_of_15_digits_of_the_last_century():
    assert normal("national_id", "110105491231002", "123456789012345") == [RESIDENT, "123456789012345"]


@pytest.mark.parametrize(
    "kind, good, bad",
    [
        ("phone", ["13900001999", "19912345678"], ["12900001999", "1390000199", "139000019990", "02155500199"]),
        ("phone_hash", ["0a" * 32], ["0a" * 31, "0A" * 32, "x" * 64]),
        ("email", ["a@b.example"], ["a", "a@b", "a b@c.d", "a@b.", "@b.c"]),
        ("name", ["陈伟", "O"], ["-", "123", "?"]), ("bank_account", ["6299A", "0"], ["62-99", "６２"]),
        ("address", ["?"], []), ("device", ["?"], []),
    ],
)  # fmt: skip
def test_shapes(kind, good, bad):
    assert verdicts(kind, *good, *bad, None) == [*[True] * len(good), *[False] * len(bad), None]


@settings(max_examples=300)
@given(
    texts=st.lists(st.one_of(st.none(), st.text(), st.from_regex(r"[陈伟 \t1aß86·•・+-]*", fullmatch=True)), max_size=8)
)
@pytest.mark.parametrize("kind", kinds())
def test_a_normal_form_is_its_own_normal_form(kind, texts):
    once = normal(kind, *texts)
    assert normal(kind, *once) == once and "" not in once and len(once) == len(texts)


def test_the_identifiers_of_the_simulated_bank_are_valid():
    import numpy as np

    numbers = np.arange(2000)
    birth = np.datetime64("1950-01-01") + numbers * 9
    made = {
        "national_id": identifiers.resident_ids(numbers % 6, numbers % 12, birth, numbers % 2 == 0),
        "uscc": identifiers.credit_codes(numbers, numbers % 12, numbers % 2 == 0), "phone": identifiers.phones(numbers),
        "bank_account": identifiers.outside_accounts(numbers), "device": identifiers.devices(numbers),
        "phone_hash": identifiers.sha256(identifiers.phones(numbers)),
    }  # fmt: skip
    for kind, texts in made.items():
        assert normalise(kind, texts).to_list() == texts.to_list() and valid(kind, texts).all(), kind
