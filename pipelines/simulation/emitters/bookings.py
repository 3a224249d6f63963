"""What core delivers of bookings, and the ledger of their control totals: core.transaction and core.ledger_control.

Both are of the same day's bookings (behaviour.daybook), so the totals are the sums of what is delivered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import keys
from pipelines.simulation.accounts import CLASSES
from pipelines.simulation.behaviour import counterparties
from pipelines.simulation.behaviour.daybook import Daybook, daybook
from pipelines.simulation.behaviour.journal import CHANNELS, DIRECTIONS, PURPOSES, Lines
from pipelines.simulation.behaviour.parameters import CATEGORIES, behaviour
from pipelines.simulation.frames import delivers

if TYPE_CHECKING:
    from pipelines.simulation.world import World

# Ten digits of a booking's key count within the day, those before are the day: one cast makes the text.
_WITHIN_DAY = 10**10
_FIRST_DAY = 10_000
_EPOCH = 719_163  # ordinal of day 0 of polars, 1970-01-01
_DIRECTION, _CHANNEL = pl.Enum(DIRECTIONS), pl.Enum(CHANNELS)
_PURPOSE, _CATEGORY = pl.Enum(PURPOSES), pl.Enum(CATEGORIES)


@delivers("core.transaction", "core")
def transactions(world: World, day: int, source: str) -> pl.DataFrame:
    """The bookings posted on `day`."""
    book = daybook(world, day)
    own_bank = pl.Enum([behaviour().bookings.own_bank, *behaviour().bookings.banks])
    plain = _frame(world, day, book.purchases, len(book.others)).with_columns(
        pl.lit(None, pl.String).alias("counterparty_account"), pl.lit(None, own_bank).alias("counterparty_bank")
    )
    partner = _known(world, day, book.others.partner)
    others = _frame(world, day, book.others, 0).with_columns(
        counterparties.gather(counterparties.account_texts(world), partner).alias("counterparty_account"),
        counterparties.gather(counterparties.bank_codes(world), partner).alias("counterparty_bank"),
    )
    return pl.concat([others, plain])


@delivers("core.ledger_control", "ledger")
def ledger_control(world: World, day: int, source: str) -> pl.DataFrame:
    """Count and sums of the day's bookings by class of account, all classes every day."""
    count, credit, debit = totals(world, daybook(world, day))
    return pl.DataFrame(
        {
            "control_date": np.full(len(CLASSES), _date(world, day), np.int32),
            "account_class": list(CLASSES),
            "bookings": count,
            "credit_amount": credit,
            "debit_amount": debit,
        }
    ).with_columns(pl.col("control_date").cast(pl.Date))


def totals(world: World, book: Daybook) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count, credits and debits of bookings by class of account."""
    count = np.zeros(len(CLASSES), np.int64)
    sums = np.zeros((2, len(CLASSES)), np.int64)
    for lines in (book.purchases, book.others):
        cls = world.accounts.cls[lines.account]
        debit = np.broadcast_to(lines.debit, len(lines))
        for number in range(len(CLASSES)):
            rows = cls == number
            count[number] += rows.sum()
            # Whole numbers: a sum of cents as floating point would not be exact.
            sums[1, number] += lines.amount[rows & debit].sum()
            sums[0, number] += lines.amount[rows & ~debit].sum()
    return count, sums[0], sums[1]


def _known(world: World, day: int, partner: np.ndarray) -> np.ndarray:
    """Partners, with an outside account in place of one of this bank that is not open yet."""
    count = len(world.accounts)
    opened = world.accounts.opened[np.clip(partner, 0, count - 1)]
    early = (partner >= 0) & (partner < count) & (opened > day)
    return np.where(early, counterparties.outside(world, partner, counterparties.OWN), partner)


def account_keys(world: World) -> pl.Series:
    """Account number of each account."""
    return world.cached("keys.accounts", lambda: keys.account_key(np.arange(len(world.accounts))))


def _date(world: World, day: int) -> int:
    return world.calendar.start.toordinal() - _EPOCH + day


def _frame(world: World, day: int, lines: Lines, first: int) -> pl.DataFrame:
    total, today = len(lines), _date(world, day)
    numbers = (day + _FIRST_DAY) * _WITHIN_DAY + first + np.arange(total, dtype=np.int64)
    frame = pl.DataFrame(
        {
            "transaction_key": pl.Series(numbers).cast(pl.String),
            "account_key": account_keys(world).gather(pl.Series(lines.account.astype(np.uint32))),
            "booking_date": pl.Series(today - _full(lines.late, total).astype(np.int32)).cast(pl.Date),
            "direction": _choice(_DIRECTION, lines.debit, total),
            "channel": _choice(_CHANNEL, lines.channel, total),
            "amount": lines.amount,
            "purpose": _choice(_PURPOSE, lines.purpose, total),
            "merchant_category": _choice(_CATEGORY, lines.category, total),
        }
    )
    return frame.with_columns(pl.lit(today, pl.Int32).cast(pl.Date).alias("ACCT_DT"))


def _full(values: np.ndarray | int, total: int) -> np.ndarray:
    return values if np.ndim(values) else np.full(total, values, np.int8)


def _choice(type_: pl.Enum, codes: np.ndarray | int, total: int) -> pl.Series:
    """Codes as an enumeration; one code for all where there is one, null where it is negative."""
    names = pl.Series([*type_.categories, None], dtype=type_)
    if np.ndim(codes):
        numbers = np.asarray(codes)
        rows = np.where(numbers < 0, len(names) - 1, numbers) if numbers.dtype != np.bool_ else numbers
        return names.gather(pl.Series(rows.astype(np.uint32)))
    return names.gather([int(codes) if codes >= 0 else len(names) - 1]).new_from_index(0, total)
