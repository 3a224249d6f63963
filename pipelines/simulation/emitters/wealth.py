"""What the wealth system delivers: changes of positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import keys
from pipelines.simulation.behaviour.valuation import held, market_values, week
from pipelines.simulation.frames import dates, delivers, pick

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_OPERATIONS = ("U", "D")


@delivers("wealth.holding", "wealth")
def holdings(world: World, day: int, source: str) -> pl.DataFrame:
    """Positions bought, revalued (on Mondays) or ended on `day`; on the first day all that there are."""
    positions = world.positions
    held_now = held(world, day)
    if day == 0:
        rows = np.flatnonzero(held_now)
    else:
        new = held_now & (positions.acquired == day)
        changed = np.zeros(len(positions), bool)
        if week(world, day) != week(world, day - 1):
            old = np.flatnonzero(held_now & ~new)
            changed[old] = market_values(world, old, day) != market_values(world, old, day - 1)
        rows = np.flatnonzero(new | changed)
    ended = np.flatnonzero(held(world, day - 1) & ~held_now) if day > 0 else np.zeros(0, np.int64)
    return _frame(world, day, rows, ended)


def _frame(world: World, day: int, rows: np.ndarray, ended: np.ndarray) -> pl.DataFrame:
    positions = world.positions
    every = np.concatenate([rows, ended])
    values = np.concatenate([market_values(world, rows, day), market_values(world, ended, day)])
    return pl.DataFrame(
        {
            "position_key": keys.position_key(every),
            "party_key": keys.party_key(False, positions.person[every]),
            "product_key": pick([product.key for product in world.wealth_products], positions.product[every]),
            "invested_amount": positions.invested[every],
            "market_value": values,
            "acquired_on": dates(world, positions.acquired[every]),
            "matures_on": dates(world, positions.matures[every]),
            "updated_on": dates(world, np.full(len(every), day)),
            "op": pick(_OPERATIONS, np.repeat([0, 1], [len(rows), len(ended)])),
        }
    )
