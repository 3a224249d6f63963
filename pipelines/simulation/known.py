"""How scenarios find what a system knows of somebody: its records, and the row that is about a person or a company.

What belongs here: looking up. What does not: what systems know, and how wrong they are (`records`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from pipelines.simulation.records import records_of

if TYPE_CHECKING:
    from pipelines.simulation.world import World


def known(world: World, system: str) -> pl.DataFrame:
    """The records of a system: one row per record, with the number of the person or company that it is about."""
    return records_of(world, system)


def whose(world: World, system: str) -> np.ndarray:
    """Person that each record of a system is about."""
    return world.cached(f"known.{system}.whose", lambda: known(world, system)["person"].fill_null(-1).to_numpy())


def rows_of(world: World, system: str, of: Literal["person", "company"]) -> np.ndarray:
    """First row that a system has of each person or company, -1 where it has none."""

    def find() -> np.ndarray:
        numbers = known(world, system)[of].fill_null(-1).to_numpy()
        rows = np.full(len(world.people if of == "person" else world.companies), -1, dtype=np.int32)
        about = np.flatnonzero(numbers >= 0)[::-1]  # backwards, so that the first one stays
        rows[numbers[about]] = about
        return rows

    return world.cached(f"known.{system}.{of}", find)
