"""What wealth positions are worth: an index of each product that moves every Monday."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.behaviour.holders import holders
from pipelines.simulation.behaviour.parameters import behaviour

if TYPE_CHECKING:
    from pipelines.simulation.world import World

# The index covers so many weeks before the world begins.
_WEEKS_BEFORE = 260
_WEEKS_A_YEAR = 52.18


def week(world: World, day: np.ndarray | int) -> np.ndarray:
    """Number of the week that `day` lies in, from Monday."""
    return np.maximum((np.asarray(day) + world.calendar.weekday(0)) // 7, -_WEEKS_BEFORE)


def market_values(world: World, rows: np.ndarray, day: int) -> np.ndarray:
    """Market value in cents on `day` of positions held on it."""
    positions = world.positions
    level = _index(world)
    product, now = positions.product[rows], int(week(world, day)) + _WEEKS_BEFORE
    bought = week(world, positions.acquired[rows]) + _WEEKS_BEFORE
    return np.round(positions.invested[rows] * level[now, product] / level[bought, product]).astype(np.int64)


def _index(world: World) -> np.ndarray:
    """Level of each wealth product by week: its yearly rate, with ups and downs by risk grade."""

    def build() -> np.ndarray:
        products = world.wealth_products
        weeks = _WEEKS_BEFORE + world.settings.horizon_days // 7 + 60
        spread = np.array([behaviour().wealth.volatility[(product.risk or 1) - 1] for product in products])
        drift = np.array([product.rate or 0.0 for product in products]) / _WEEKS_A_YEAR
        moves = world.streams.of("wealth.returns").standard_normal((weeks, len(products)))
        return np.exp(np.cumsum(drift + spread * moves, axis=0))

    return world.cached("wealth.index", build)


def held(world: World, day: int) -> np.ndarray:
    """Which positions are held at the end of `day`."""
    positions = world.positions
    return bought(world) & (positions.acquired <= day) & (day < positions.redeemed)


def bought(world: World) -> np.ndarray:
    """Which positions come about: nobody buys once the account is not in use any more."""

    def build() -> np.ndarray:
        every, positions = holders(world), world.positions
        return positions.acquired < every.ends[every.row_of[positions.person]]

    return world.cached("wealth.bought", build)
