"""Bookings as columns of numbers, before they become a frame.

What belongs here: what a booking is made of. What does not: why it happens (the modules beside this one).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour.parameters import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Iterable

#: As the contract core.transaction lists them.
CHANNELS = ("cash_in", "cash_out", "card", "transfer_in", "transfer_out", "internal")
CASH_IN, CASH_OUT, CARD, TRANSFER_IN, TRANSFER_OUT, INTERNAL = range(6)
PURPOSES = (
    "salary", "pension", "interest", "penalty_interest", "household", "statement_fee", "insurance", "loan_payment",
)  # fmt: skip
SALARY, PENSION, INTEREST, PENALTY, HOUSEHOLD, FEE, INSURANCE, LOAN_PAYMENT = range(8)
DIRECTIONS = ("credit", "debit")
CATEGORY = {name: number for number, name in enumerate(CATEGORIES)}
_TYPES = {
    "account": np.int32, "amount": np.int64, "debit": np.bool_, "channel": np.int8, "purpose": np.int8,
    "category": np.int8, "partner": np.int32, "late": np.int8,
}  # fmt: skip

Numbers = np.ndarray | int


@dataclass(frozen=True)
class Lines:
    """Bookings; a single number counts for all of them, -1 is empty. `late`: days from purchase to posting."""

    account: np.ndarray
    amount: np.ndarray
    debit: np.ndarray | bool
    channel: Numbers
    purpose: Numbers = -1
    category: Numbers = -1
    partner: Numbers = -1
    late: Numbers = 0

    def __len__(self) -> int:
        return len(self.account)

    def of(self, rows: np.ndarray) -> Lines:
        """Some of the bookings."""
        return Lines(**{name: values[rows] if np.ndim(values) else values for name, values in vars(self).items()})


def merge(parts: Iterable[Lines]) -> Lines:
    """All bookings in one, those without an amount left out."""
    found = [part.of(part.amount > 0) for part in parts if len(part)]
    columns = {
        name: np.concatenate(
            [np.zeros(0, type_), *(np.broadcast_to(getattr(p, name), len(p)).astype(type_) for p in found)]
        )
        for name, type_ in _TYPES.items()
    }
    return Lines(**columns)


def between(payer: np.ndarray, payee: np.ndarray, amount: np.ndarray, purpose: int = -1) -> list[Lines]:
    """Transfers between two accounts of this bank: a debit here, a credit there, each naming the other."""
    return [
        Lines(payer, amount, True, TRANSFER_OUT, purpose, partner=payee),
        Lines(payee, amount, False, TRANSFER_IN, purpose, partner=payer),
    ]
