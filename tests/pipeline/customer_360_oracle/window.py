"""Windows of days that end on the business date, shares of them, and rounding.

Belongs here: the arithmetic that every block shares. Does not belong here: any column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

ZERO = Decimal("0.00")
LARGEST_RATIO = Decimal("99999.9999")


def within(day: date, as_of: date, days: int) -> bool:
    """Whether a day is the business date or one of the `days - 1` before it."""
    return 0 <= (as_of - day).days < days


def window(as_of: date, days: int) -> list[date]:
    """The days of a window, the business date first."""
    return [as_of - timedelta(days=back) for back in range(days)]


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of amounts of money, 0.00 of none."""
    return sum(amounts, ZERO)


def rounded(value: Fraction, digits: int) -> Decimal:
    """Rounded half away from zero."""
    scaled = abs(value) * 10**digits
    whole = scaled.numerator // scaled.denominator
    whole += scaled - whole >= Fraction(1, 2)
    return Decimal(whole if value >= 0 else -whole).scaleb(-digits).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def share(part: Decimal | int, whole: Decimal | int) -> Decimal:
    """A ratio of four decimals."""
    return rounded(Fraction(part) / Fraction(whole), 4)


def ratio(part: Decimal, whole: Decimal | None) -> Decimal | None:
    """A ratio of four decimals, at most 99999.9999; empty where it would be over nothing."""
    return min(share(part, whole), LARGEST_RATIO) if whole else None


def covered(as_of: date, days: int, first: date | None, last: date | None = None) -> Decimal:
    """The share of the window from `first` on, through `last` where there is one."""
    if first is None:
        return share(0, 1)
    return share(sum(first <= day <= (last or as_of) for day in window(as_of, days)), days)


def delivered_share(as_of: date, days: int, delivered: Iterable[Collection[date]], sources: int) -> Decimal:
    """Days of the window on which each source delivered, over the window times the number of sources."""
    inside = set(window(as_of, days))
    return share(sum(len(inside & set(each)) for each in delivered), days * sources) if sources else share(0, 1)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or the last one that it has."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError(day)
