"""Keys of records as the systems write them, from row numbers of the world.

Numbers are spread by an affine permutation, so that a key tells neither order nor household.
"""

from __future__ import annotations

import numpy as np
import polars as pl

_SPACE = 100_000_007  # a prime above every number of entities
_FEW = 1_000  # keys that are put together faster one by one than by an engine that has to be set up


def text_key(prefix: str, numbers: np.ndarray, digits: int = 9) -> pl.Series:
    """`prefix` and the number with leading zeros; `digits` of them at least."""
    return _join(prefix, pl.Series(np.asarray(numbers, dtype=np.int64)), digits)


def spread(numbers: np.ndarray, salt: int) -> np.ndarray:
    """A permutation of 0 to 100,000,006 that depends on `salt`."""
    factor = 48_271 + 2 * salt
    return (np.asarray(numbers, dtype=np.int64) * factor + 7_919 * (salt + 1)) % _SPACE


def party_key(is_company: bool, numbers: np.ndarray, duplicate: bool = False) -> pl.Series:
    """Customer numbers in core: of people (P), of a person's second record (D), or of companies (C)."""
    prefix = "C" if is_company else "D" if duplicate else "P"
    return text_key(prefix, spread(numbers, "CDP".index(prefix)))


def account_key(numbers: np.ndarray) -> pl.Series:
    """Account numbers: 6228, then 12 digits."""
    return text_key("6228", spread(numbers, 3), 12)


def holding_key(numbers: np.ndarray, second: bool = False) -> pl.Series:
    """Keys of account holders: of the owner (H) or of the second holder (J) of each account."""
    return text_key("J" if second else "H", spread(numbers, 4))


def loan_key(numbers: np.ndarray) -> pl.Series:
    """Loan numbers."""
    return text_key("L", spread(numbers, 5))


def application_key(numbers: np.ndarray, declined: bool = False) -> pl.Series:
    """Numbers of applications that led to a loan (A), or did not (N)."""
    return text_key("N" if declined else "A", spread(numbers, 6))


def debit_card_key(accounts: np.ndarray) -> pl.Series:
    """References of debit cards, by account."""
    return text_key("DC", spread(accounts, 7))


def credit_card_key(cards: np.ndarray) -> pl.Series:
    """References of credit cards."""
    return text_key("CC", spread(cards, 8))


def position_key(numbers: np.ndarray) -> pl.Series:
    """Keys of wealth positions."""
    return text_key("W", spread(numbers, 9))


def staff_key(numbers: np.ndarray) -> pl.Series:
    """Numbers of staff."""
    return text_key("S", spread(numbers, 10))


def campaign_key(number: int) -> str:
    """Key of a campaign."""
    return f"CMP{number:04d}"


def lease_key(numbers: np.ndarray, market: str) -> pl.Series:
    """Keys of stall leases, told apart by market."""
    return text_key({"market_east": "ME", "market_west": "MW"}[market], np.asarray(numbers), 6)


def event_key(prefix: str, day: int, count: int) -> pl.Series:
    """Keys of the `count` events of a day: prefix, day with five digits, number within the day."""
    return _join(f"{prefix}{day + 10_000:05d}", pl.Series(np.arange(count, dtype=np.int64)), 8)


def _join(prefix: str, numbers: pl.Series, digits: int) -> pl.Series:
    # Adding a power of ten pads with zeros in one cast; the one in front is cut off again.
    if len(numbers) <= _FEW:
        return pl.Series([f"{prefix}{str(number)[1:]}" for number in (numbers + 10**digits).to_list()], dtype=pl.String)
    padded = (numbers + 10**digits).cast(pl.String).str.slice(1)
    return pl.select(pl.concat_str([pl.lit(prefix), padded])).to_series()
