"""Identifiers of people and companies by the rules of their standards, from row numbers and without collisions.

Nobody real is meant. Resident ids and credit codes carry area codes of prefectures that GB/T 2260 has not assigned
(number 98 of real provinces), mobile numbers carry prefixes that, to our knowledge, no operator had put into service
when this was written (154, 160, 161, 163, 164, 168, 169, 194): an assumption that a numbering plan can overtake.
What belongs here: functions of numbers and text. What does not: who has which (`records`).
"""

from __future__ import annotations

import numpy as np
import polars as pl
import polars_hash  # noqa: F401  (registers the `chash` namespace)
import pyarrow as pa

from pipelines.simulation.names import joined

# GB 11643-1999 (ISO 7064 MOD 11-2): weights of the first 17 digits, and the check character for each remainder.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
# GB 32100-2015: characters (no I, O, Z, S, V), weights 3^i modulo 31. GB 11714-1997: weights of organisation codes.
_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)])
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_ORGANISATION_CHECKS = "0X987654321"  # by the remainder modulo 11: 11 minus it, 10 is X, 11 is 0
#: Prefectures that GB/T 2260 has not assigned; the first is the city's own, the others send it people.
PREFECTURES = (3398, 3498, 3698, 4198, 4298, 5198)
# Men and women have 500 sequence numbers each for a day and area; more people go to the next block of twelve areas.
_SEQUENCES, _AREA_BLOCK = 500, 12
_PHONE_PREFIXES = np.array([154, 160, 161, 163, 164, 168, 169, 194])
_PHONE_SPACE = 10**8 * len(_PHONE_PREFIXES)
_BANK_PREFIX = "629999"  # assumption: no bank has been given this number
# Primes, about 0.618 of the space that each spreads numbers over: permutations in which neighbours lie far apart.
_PHONE_SPREAD, _CODE_SPREAD, _SPREAD = 494_427_203, 548_507_461, 48_271
_MAIL_HOSTS = ("mail.example", "post.example", "qmail.example")  # RFC 2606: names that never resolve


def resident_ids(origin: np.ndarray, area: np.ndarray, birth: np.ndarray, female: np.ndarray) -> pl.Series:
    """Resident ids: area, birth day (numpy datetime64[D]), a sequence odd for men and even for women, check character.

    `origin` counts PREFECTURES, `area` counts from 0 to 11 within one.
    """
    years, months = birth.astype("datetime64[Y]"), birth.astype("datetime64[M]")
    day = (birth - months).astype(np.int64) + 1
    date = (years.astype(np.int64) + 1970) * 10_000 + ((months - years).astype(np.int64) + 1) * 100 + day
    group = ((origin.astype(np.int64) * _AREA_BLOCK + area) * 10**8 + date) * 2 + female
    rank = _rank_within(group)
    overflow, rank = rank // _SEQUENCES, rank % _SEQUENCES
    if overflow.size and overflow.max() > 7:  # 8 blocks of 12 fill the two digits of an area
        raise ValueError("more people were born on one day in one area than there are resident ids; spread the births")
    areas = np.array(PREFECTURES)[origin] * 100 + area + 1 + _AREA_BLOCK * overflow
    # The rank is scattered, as births of one day are not registered in order.
    sequence = ((rank * 191 + date % 499) % _SEQUENCES) * 2 + ~female.astype(bool)
    return with_id_check((areas * 10**8 + date) * 1000 + sequence)


def with_id_check(numbers: np.ndarray) -> pl.Series:
    """Numbers of 17 digits as resident ids of 18 characters."""
    rest, total = np.asarray(numbers, dtype=np.int64).copy(), np.zeros(len(numbers), dtype=np.int64)
    for weight in reversed(_ID_WEIGHTS):
        total += rest % 10 * weight
        rest //= 10
    checks = pl.Series(list(_ID_CHECKS)).gather(total % 11)
    return joined(pl.Series(np.asarray(numbers, dtype=np.int64)).cast(pl.String), checks)


def is_resident_id(text: str) -> bool:
    """Whether a text is a resident id with the right check character (its date is not looked at)."""
    if len(text) != 18 or not text[:17].isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _ID_WEIGHTS, strict=False))
    return _ID_CHECKS[total % 11] == text[17]


def credit_codes(numbers: np.ndarray, area: np.ndarray, individual: np.ndarray) -> pl.Series:
    """Unified social credit codes of companies (91) and individual businesses (92) of the city, by their number."""
    count = len(numbers)
    codes = np.zeros((count, 18), dtype=np.int64)  # values of the characters, by GB 32100
    codes[:, 0], codes[:, 1] = 9, np.where(individual, 2, 1)
    codes[:, 2:8] = _digits(PREFECTURES[0] * 100 + area.astype(np.int64) + 1, 10, 6)
    codes[:, 8:10] = [_CODE_CHARACTERS.index(character) for character in "MA"]
    space = len(_CODE_CHARACTERS) ** 6
    codes[:, 10:16] = _digits((np.asarray(numbers, dtype=np.int64) * _CODE_SPREAD + 7_919) % space, 31, 6)
    organisation = _text_of(codes[:, 8:16], _CODE_CHARACTERS)
    # An organisation code counts letters by the whole alphabet, A is 10 and Z is 35.
    values = np.where(organisation <= ord("9"), organisation - ord("0"), organisation.astype(np.int64) - ord("A") + 10)
    check = _bytes(_ORGANISATION_CHECKS)[(values @ _ORGANISATION_WEIGHTS) % 11]
    codes[:, 16] = [_CODE_CHARACTERS.index(chr(character)) for character in check]
    codes[:, 17] = -(codes[:, :17] @ _CODE_WEIGHTS) % 31
    return _fixed(_text_of(codes, _CODE_CHARACTERS))


def is_credit_code(text: str) -> bool:
    """Whether a text is a unified social credit code: its own check character and that of its organisation code."""
    if len(text) != 18 or any(character not in _CODE_CHARACTERS for character in text):
        return False
    total = sum(_CODE_CHARACTERS.index(character) * int(weight)
                for character, weight in zip(text, _CODE_WEIGHTS, strict=False))  # fmt: skip
    inner = sum(int(character, 36) * int(weight)
                for character, weight in zip(text[8:], _ORGANISATION_WEIGHTS, strict=False))  # fmt: skip
    return _CODE_CHARACTERS[-total % 31] == text[17] and _ORGANISATION_CHECKS[inner % 11] == text[16]


def phones(numbers: np.ndarray) -> pl.Series:
    """Mobile numbers of 11 digits, by the number of the phone (below 800 million)."""
    spread = (np.asarray(numbers, dtype=np.int64) * _PHONE_SPREAD + 7_919) % _PHONE_SPACE
    return pl.Series(_PHONE_PREFIXES[spread // 10**8] * 10**8 + spread % 10**8).cast(pl.String)


def sha256(texts: pl.Series) -> pl.Series:
    """SHA-256 of each text as 64 hex digits, without salt, as shops hand over phones; null stays null."""
    return texts.to_frame("text").select(pl.col("text").chash.sha2_256()).to_series()


def devices(numbers: np.ndarray) -> pl.Series:
    """Device ids of 16 hex digits, by the number of the device."""
    # Factors are odd: a permutation of 64 bits.
    mixed = (np.asarray(numbers, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    raw = (mixed * np.uint64(0xD6E8FEB86659FD93)).astype(">u8").tobytes()
    return _from_buffer(raw, len(mixed), 8).bin.encode("hex")


def outside_accounts(numbers: np.ndarray) -> pl.Series:
    """Account numbers of 19 digits at other banks, with the check digit of ISO/IEC 7812 (Luhn)."""
    numbers = (np.asarray(numbers, dtype=np.int64) * _SPREAD + 7_919) % 10**12
    digits = np.concatenate([np.tile(_digits(np.array([int(_BANK_PREFIX)]), 10, 6), (len(numbers), 1)),
                             _digits(numbers, 10, 12)], axis=1)  # fmt: skip
    doubled = digits[:, ::-1].copy()
    doubled[:, ::2] *= 2
    check = -(doubled // 10 + doubled % 10).sum(axis=1) % 10
    return _fixed(_text_of(np.concatenate([digits, check[:, None]], axis=1), "0123456789"))


def emails(pinyin: pl.Series, numbers: np.ndarray) -> pl.Series:
    """Mail addresses from a name in pinyin and a number that nobody else has."""
    numbers = np.asarray(numbers, dtype=np.int64)
    hosts = pl.Series(list(_MAIL_HOSTS)).gather(numbers * _SPREAD % len(_MAIL_HOSTS))
    return joined(pinyin, pl.Series(numbers).cast(pl.String), "@", hosts)


def _rank_within(groups: np.ndarray) -> np.ndarray:
    """How many rows of the same group come before each row."""
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    first = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(first, np.diff(first, append=len(groups)))
    return rank


def _digits(numbers: np.ndarray, base: int, places: int) -> np.ndarray:
    return numbers[:, None] // base ** np.arange(places - 1, -1, -1) % base


def _bytes(characters: str) -> np.ndarray:
    return np.frombuffer(characters.encode(), dtype=np.uint8)


def _text_of(values: np.ndarray, characters: str) -> np.ndarray:
    return _bytes(characters)[values]


def _fixed(characters: np.ndarray) -> pl.Series:
    """Rows of ASCII characters as texts."""
    count, width = characters.shape
    return _from_buffer(np.ascontiguousarray(characters).tobytes(), count, width).cast(pl.String)


def _from_buffer(raw: bytes, count: int, width: int) -> pl.Series:
    array = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), count, [None, pa.py_buffer(raw)])
    return pl.Series(array.cast(pa.binary()))
