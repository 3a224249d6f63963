"""How identifiers look within a text, and whether what looks like one is one by the check of its standard.

What belongs here: shapes and check digits, for whoever looks for identifiers where none may be. What does not: how one
is written before it becomes a token (`normal`), and where is looked (`pipelines.audit.privacy`).

Of the kinds that contracts know (`pipelines.contracts.model.IDENTIFIERS`) these have no shape to be known by:

- `name` and `address` are words. That they stay behind the ingest boundary is proved where they become tokens.
- `phone_hash` is 64 hex digits as a pseudonym is: outside columns of pseudonyms none of these may be
  (`privacy.no_party_id`).
- `bank_account` is told where it is a card (ISO/IEC 7812) or an IBAN (ISO 13616); other account numbers are digits.
- `device` is told where it is an IMEI or the address of a network card; what apps make up is hex like any key.
- `national_id`: resident ids of 15 digits (until 1999) and passports (a letter or two, then digits) have no check
  character, and loans and contracts are numbered so too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.vault.normal import valid

_MONTH, _DAY, _GAP = "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])", "[ -]?"
_CODE = "[0-9A-HJ-NP-RTUWXYa-hj-np-rtuwxy]"
# GB 32100-2015: registering department and kind of organisation.
_REGISTERED = "(?:1[1239]|2[19]|3[1-59]|4[19]|5[1-69]|6[129]|7[129]|8[19]|9[1-39]|[Aa][19]|[Nn][1-39]|[Yy]1)"
# GB/T 2260: provinces, by the first two digits; 10 is the state.
_PROVINCE = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_AREA = f"(?:10|{_PROVINCE})"
# GB 11714-1997, the code within the code: weights, and the check character by the remainder modulo 11.
_ORGANISATION_WEIGHTS, _ORGANISATION_CHECKS = (3, 7, 9, 10, 5, 8, 4, 2), "0X987654321"
# ISO 13616: the countries that have IBANs, by their length. Without it one key in 97 would be one.
_IBANS = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
# An identifier stands alone: digits within a longer run of letters and digits are part of something else, and what
# has decimals is an amount. Those of a number that was read as one are zero: 13800138000.0 is a phone.
_BEFORE, _AFTER = "(?<![0-9A-Za-z])(?<![0-9][.])", "(?![0-9A-Za-z]|[.][0-9]*[1-9])"


@dataclass(frozen=True)
class Shape:
    """How an identifier of a kind looks. `check` says of such texts, without blanks and hyphens, whether each is one.

    `jurisdictions` empty: it is looked for everywhere. The pattern is of what Python and RE2 both know.
    """

    name: str
    kind: str
    pattern: str
    check: Callable[[Sequence[str]], Iterable[bool]] | None = None
    jurisdictions: frozenset[str] = frozenset()


def shapes_of(jurisdiction: str | None = None) -> tuple[Shape, ...]:
    """The shapes to look for in what a bank of a jurisdiction says; without one those looked for everywhere."""
    return tuple(shape for shape in _SHAPES if not shape.jurisdictions or jurisdiction in shape.jurisdictions)


def any_of(shapes: Iterable[Shape]) -> str:
    """One pattern for RE2 that matches whatever holds one of `shapes`, and some that only look so: a cheap first look.

    Characters of double width are let through: `recognised` reads them as plain ones.
    """
    patterns = "|".join(shape.pattern for shape in shapes)
    return f"(?:^|[^0-9A-Za-z])(?:{patterns})(?:[^0-9A-Za-z]|$)|[０-９＠]"


def recognised(texts: Iterable[str], shapes: Iterable[Shape]) -> dict[str, int]:
    """How many of `texts` hold an identifier, by the name of its shape."""
    plain = [unicodedata.normalize("NFKC", text) for text in texts]
    found: Counter[str] = Counter()
    holders: set[tuple[str, int]] = set()
    for shape in shapes:
        # Looking ahead takes nothing away, so that what only looks like one hides none that begins within it.
        pattern = re.compile(f"{_BEFORE}(?=({shape.pattern}){_AFTER})")
        places, looking = [], []
        for place, text in enumerate(plain):
            for match in pattern.findall(text):
                places.append(place)
                looking.append(match)
        if looking and shape.check:
            bare = [re.sub("[ -]", "", one).upper() for one in looking]
            places = [place for place, is_one in zip(places, shape.check(bare), strict=True) if is_one]
        holders |= {(shape.name, place) for place in places}
    for name, _ in holders:
        found[name] += 1
    return dict(sorted(found.items()))


def with_article(name: str) -> str:
    """The name of a shape as it stands in a sentence."""
    return f"{'an' if name[0] in 'eI' else 'a'} {name}"


def _checked(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _luhn(texts: Sequence[str]) -> list[bool]:
    return [_checked(text) for text in texts]


def _born(texts: Sequence[str]) -> list[bool]:
    """Whether somebody can have been born on the date in a resident id."""
    return [_is_date(text[6:14]) for text in texts]


def _is_date(digits: str) -> bool:
    try:
        date.fromisoformat(digits)
    except ValueError:
        return False
    return True


def _credit_code(texts: Sequence[str]) -> list[bool]:
    """By its check character; of nothing but digits, as many keys are, also by that of the code within it."""
    outer = valid("uscc", pl.Series(texts, dtype=pl.String))
    return [
        right and (not text.isdigit() or _organisation(text[8:17])) for right, text in zip(outer, texts, strict=True)
    ]


def _organisation(code: str) -> bool:
    total = sum(int(character, 36) * weight for character, weight in zip(code, _ORGANISATION_WEIGHTS, strict=False))
    return _ORGANISATION_CHECKS[total % 11] == code[8]


def _iban(texts: Sequence[str]) -> list[bool]:
    return [
        text[:2] in _IBANS.get(len(text), "").split()
        and int("".join(str(int(one, 36)) for one in text[4:] + text[:4])) % 97 == 1
        for text in texts
    ]


def _birth_number(texts: Sequence[str]) -> list[bool]:
    """Numbers of ten digits, issued since 1954, divide by 11; some until 1985 end in 0 where the rest leaves 10."""
    bare = [text.replace("/", "") for text in texts]
    return [len(text) < 10 or int(text[:9]) % 11 % 10 == int(text[9]) for text in bare]


_BORN = f"(?:18|19|20)[0-9]{{2}}{_MONTH}{_DAY}"
_FOUR = "[0-9]{4}"
_CARD = "62[0-9]{2}|9558|4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|35[0-9]{2}"
_SHAPES = (
    # Region, date of birth, order, check character (GB 11643-1999). It need not be right: one that was misread tells
    # nearly as surely who it is, and region and date leave few keys that look so.
    Shape("resident id", "national_id", f"{_PROVINCE}[0-9]{{4}}{_GAP}{_BORN}{_GAP}[0-9]{{3}}[0-9Xx]", _born),
    # No check digit: the prefixes that the numbering plan gives mobile networks.
    Shape("mobile phone", "phone", f"(?:(?:[+]|00)?86{_GAP}|0)?1[3-9][0-9]{_GAP}{_FOUR}{_GAP}{_FOUR}"),
    Shape("social credit code", "uscc", f"{_REGISTERED}{_AREA}[0-9]{{4}}{_CODE}{{10}}", _credit_code),
    # UnionPay, an old number of ICBC, and the international schemes, in fours or in one; 16 digits, or up to 19.
    Shape("bank card", "bank_account", f"(?:{_CARD}){_GAP}{_FOUR}{_GAP}{_FOUR}{_GAP}{_FOUR}", _luhn),
    Shape(
        "bank card",
        "bank_account",
        f"(?:{_CARD}){_GAP}{_FOUR}{_GAP}{_FOUR}{_GAP}{_FOUR}{_GAP}[0-9]{{1,3}}"
        f"|3[47][0-9]{{2}}{_GAP}[0-9]{{6}}{_GAP}[0-9]{{5}}",
        _luhn,
    ),
    Shape("IBAN", "bank_account", "[A-Z]{2}[0-9]{2}[0-9A-Z]{11,29}", _iban),
    Shape("IBAN", "bank_account", "[A-Z]{2}[0-9]{2}(?: [0-9A-Z]{4}){2,7}(?: [0-9A-Z]{1,3})?", _iban),
    Shape("e-mail address", "email", "[0-9A-Za-z._%+-]+@(?:[0-9A-Za-z-]+[.])+[A-Za-z]{2,}"),
    # Reporting body and model, serial number, check digit (3GPP TS 23.003, annex B).
    Shape("IMEI", "device", "(?:01|35|86|99)[0-9]{13}", _luhn),
    Shape("network card", "device", "[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}"),
    # Czech and Slovak birth number: month + 50 for women, + 20 or + 70 since 2004, with its suffix.
    Shape(
        "birth number",
        "national_id",
        "[0-9]{2}(?:0[1-9]|1[0-2]|[257][1-9]|[368][0-2])(?:0[1-9]|[12][0-9]|3[01])/[0-9]{3,4}",
        _birth_number,
    ),
    # Without the suffix it is six digits, as are region codes elsewhere: looked for where birth numbers are issued.
    Shape(
        "birth number",
        "national_id",
        f"[0-9]{{2}}(?:0[1-9]|1[0-2]|5[1-9]|6[0-2]){_DAY}",
        jurisdictions=frozenset({"CZ", "SK"}),
    ),
)
