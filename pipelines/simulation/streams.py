"""Random numbers by name: every stream of every period has a generator of its own.

Keyed by seed, stream and period, so that what happens on a day depends neither on the days before it nor on the order
in which anything is drawn.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """The generators of one world."""

    seed: int

    def of(self, stream: str, period: int | None = None) -> np.random.Generator:
        """A fresh generator for `stream` in `period`, a day or a month; the same arguments give the same numbers."""
        name = f"{self.seed}\x1f{stream}\x1f{'' if period is None else period}"
        key = hashlib.blake2b(name.encode(), digest_size=16).digest()
        return np.random.Generator(np.random.PCG64DXSM(int.from_bytes(key, "big")))
