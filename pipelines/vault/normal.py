"""How an identifier is written before it becomes a token, and whether it can be one at all.

What belongs here: the normal form of each kind and what its standard lets one check without asking anybody. What does
not: who has the identifier, and keys. A checksum that fails refuses nothing: it is told to whoever matches.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

#: Part of every recipe: where it changes, what was landed before is other than what would be landed now.
VERSION = 2

# GB 11643-1999 (ISO 7064 MOD 11-2): weights of the first 17 digits, and the check character for each remainder.
_ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_ID_CHECKS = np.frombuffer(b"10X98765432", dtype=np.uint8)
# GB/T 2260: provinces, by the first two digits of an area code; 91 stands for foreigners with permanent residence.
_PROVINCES = np.array([
    *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82, 83, 91,
])  # fmt: skip
_DAYS = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
# GB 32100-2015: characters (no I, O, Z, S, V), weights 3^i modulo 31.
_CODE_CHARACTERS = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)])
_VALUE = np.full(256, -1)
_VALUE[list(_CODE_CHARACTERS)] = range(len(_CODE_CHARACTERS))

_MOBILE = r"^1[3-9][0-9]{9}$"


def _words(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"\s+", " ").str.strip_chars()


def _chinese(text: pl.Expr) -> pl.Expr:
    """Without the blanks that forms with boxes leave between characters."""
    joined = _words(text)
    for _ in range(2):  # a match ends with the character that the next one would begin with
        joined = joined.str.replace_all(r"(\p{Han}) (\p{Han})", "$1$2")
    return joined


def _name(text: pl.Expr) -> pl.Expr:
    # The dot of 阿凡提·买买提 is typed in many ways; as a full stop it is left alone, it may be an initial.
    return _chinese(text).str.replace_all(r" ?[\u00b7\u2022\u2027\u30fb] ?", "·").str.to_uppercase()


def _code(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[\s-]", "").str.to_uppercase()


def _lower(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars().str.to_lowercase()


def _phone(text: pl.Expr) -> pl.Expr:
    # China's country code is written as often as it is left out. Before a mobile number it needs no sign of its own,
    # and nor does the zero that is dialled from another city: no other number is like these.
    digits = text.str.replace(r"^\s*(\+|00)86", "").str.replace_all(r"[^0-9]", "")
    return digits.str.replace(r"^(?:86|0)(1[3-9][0-9]{9})$", "$1")


_FORMS: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "name": _name,
    "national_id": _code,
    "phone": _phone,
    "bank_account": _code,
    "uscc": _code,  # China's unified social credit code
    "address": _chinese,
    "email": _lower,
    "device": _lower,
    "phone_hash": _lower,  # a phone number that the delivering system has hashed already
}

_PATTERNS = {
    "name": r"\pL",
    "phone": _MOBILE,
    "bank_account": r"^[0-9A-Z]+$",
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s.]+$",
    "phone_hash": r"^[0-9a-f]{64}$",
}


def kinds() -> tuple[str, ...]:
    """Identifier kinds that have a normal form."""
    return tuple(_FORMS)


def normalise(kind: str, texts: pl.Series) -> pl.Series:
    """The normal form of each text; null where nothing is left of it. Normal forms are their own normal form."""
    # Characters of double width become their plain form first; capital letters of some characters have another one.
    plain = texts.to_frame("it").select(_FORMS[kind](pl.col("it").str.normalize("NFKC")).str.normalize("NFKC"))
    found = plain.select(pl.when(pl.col("it") != "").then(pl.col("it"))).to_series()
    return _long_form(found) if kind == "national_id" else found


def valid(kind: str, texts: pl.Series) -> pl.Series:
    """Whether each normal form can be an identifier of its kind: its checksum, or its shape where it has none.

    Resident ids after GB 11643-1999, unified social credit codes after GB 32100-2015, mobile numbers of the mainland.
    Null stays null.
    """
    if kind == "national_id":
        return _where(texts, r"^[1-9][0-9]{16}[0-9X]$", _is_resident_id)
    if kind == "uscc":
        return _where(texts, r"^[0-9A-HJ-NP-RTUWXY]{18}$", _is_credit_code)
    return texts.str.contains(_PATTERNS.get(kind, "")).alias("valid")


def _where(texts: pl.Series, pattern: str, check: Callable[[np.ndarray], np.ndarray]) -> pl.Series:
    """False where a text does not have the form; else what `check` says of its bytes (rows of 18)."""
    formed = texts.str.contains(pattern)
    verdict = np.zeros(len(texts), dtype=bool)
    places = formed.fill_null(False).to_numpy()
    verdict[places] = check(_bytes(texts.filter(formed.fill_null(False)), 18))
    return pl.select(pl.when(texts.is_not_null()).then(pl.Series(verdict)).alias("valid")).to_series()


def _is_resident_id(characters: np.ndarray) -> np.ndarray:
    digits = characters[:, :17].astype(np.int64) - ord("0")
    right = _ID_CHECKS[(digits @ _ID_WEIGHTS) % 11] == characters[:, 17]
    number = digits @ 10 ** np.arange(16, -1, -1)
    year, month, day = number // 10**7 % 10**4, number // 10**5 % 100, number // 10**3 % 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = _DAYS[np.where(month <= 12, month, 0)] - ((month == 2) & ~leap)
    born = (year >= 1800) & (year < 2200) & (day >= 1) & (day <= days)
    return right & born & np.isin(number // 10**15, _PROVINCES)


def _is_credit_code(characters: np.ndarray) -> np.ndarray:
    values = _VALUE[characters]
    return -(values[:, :17] @ _CODE_WEIGHTS) % 31 == values[:, 17]


def _long_form(texts: pl.Series) -> pl.Series:
    """Resident ids of 15 digits, issued until 1999, in the form of 18: the century, and the check character."""
    old = texts.str.contains(r"^[1-9][0-9]{14}$").fill_null(False)
    if not old.any():
        return texts
    short = _bytes(texts.filter(old), 15)
    century = np.tile(np.frombuffer(b"19", dtype=np.uint8), (len(short), 1))
    long = np.concatenate([short[:, :6], century, short[:, 6:]], axis=1)
    checks = _ID_CHECKS[((long.astype(np.int64) - ord("0")) @ _ID_WEIGHTS) % 11]
    made = np.concatenate([long, checks[:, None]], axis=1)
    # What is no resident id in the long form either was another document of 15 digits.
    born = _is_resident_id(made)
    converted = pl.Series([row.tobytes().decode() for row in made[born]], dtype=pl.String)
    places = np.flatnonzero(old.to_numpy())[born]
    return texts.clone().scatter(places, converted) if len(places) else texts


def _bytes(texts: pl.Series, width: int) -> np.ndarray:
    """Texts of `width` ASCII characters each as rows of bytes."""
    array = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    if not len(texts):
        return np.zeros((0, width), dtype=np.uint8)
    return np.frombuffer(array.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]].reshape(-1, width)
