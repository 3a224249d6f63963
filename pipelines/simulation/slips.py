"""Rows that a system gets wrong now and then: what every night has to set apart.

What belongs here: which systems slip, how often and in which column. What does not: deliveries spoiled on purpose
(`faults`), and identifiers that are merely mistaken (`records`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.contracts.model import Contract
from pipelines.simulation.world import World


@dataclass(frozen=True)
class Slip:
    """A column that is empty, below zero or too late in a `share` of the rows."""

    column: str
    kind: str
    share: float


# Assumption. Core banking is cleaner than partners are.
SLIPS = {
    ("core.transaction", "core"): Slip("booking_date", "late", 0.00002),
    ("channel.app_event", "app"): Slip("event_type", "empty", 0.0002),
    ("ecommerce.order", "taobu"): Slip("category", "empty", 0.0008),
    ("ecommerce.order", "pinhao"): Slip("amount", "negative", 0.0006),
}
_ENOUGH = 500  # rows of a delivery from which a slip is one in so many that the rest goes on


def slip(world: World, contract: Contract, source: str, day: int, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of a day with those that went wrong; never so many that the whole delivery would be refused."""
    known = SLIPS.get((contract.id, source))
    if known is None or len(frame) < _ENOUGH:
        return frame
    rng, rows = world.streams.of(f"slips.{source}.{contract.id}", day), len(frame)
    count = min(int(rng.binomial(rows, known.share)), int(rows * contract.reject_limit / 2))
    if count == 0:
        return frame
    wrong = np.zeros(rows, dtype=bool)
    wrong[rng.choice(rows, count, replace=False)] = True
    value = pl.col(known.column)
    bad = {"empty": pl.lit(None), "negative": -value.abs() - 1, "late": value + pl.duration(days=40)}[known.kind]
    return frame.with_columns(pl.when(pl.Series(wrong)).then(bad).otherwise(value).alias(known.column))
