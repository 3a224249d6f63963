"""Accounts on the other side of bookings: accounts of this bank, and invented ones at other banks.

A partner is a number: an account of this bank below their count, an outside account from there on, -1 for nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import keys
from pipelines.simulation.behaviour.parameters import behaviour

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: Outside accounts with a role of their own, the first of each kind; the others belong to anybody.
UTILITY, TELECOM, INSURER, TREASURY, LEASING = 0, 3, 6, 12, 13
_NAMED = 20
#: Whose account it is, seen from the one who pays or is paid: their own elsewhere, a friend's, and so on.
OWN, FRIEND, LANDLORD, EMPLOYER, BUYER, SUPPLIER, SELLER, PARENT = range(8)
_RELATIONS, _CHOICES = 8, 64  # more than there are relations, and accounts in one of them
# A prime: neighbours do not share accounts.
_STRIDE = 7_919
_PREFIX, _SALT, _DIGITS = "6217", 31, 12


def named(world: World, kind: int, choice: np.ndarray | int = 0) -> np.ndarray:
    """Partner number of a utility, telecom company, insurer, the treasury or a leasing company."""
    return np.asarray(len(world.accounts) + kind + np.asarray(choice), dtype=np.int32)


def outside(world: World, who: np.ndarray, relation: int, choice: np.ndarray | int = 0) -> np.ndarray:
    """Partner numbers of accounts at other banks: always the same for somebody, a relation and a choice among it."""
    pool = behaviour().bookings.outside_accounts - _NAMED
    number = (np.asarray(who, dtype=np.int64) * _RELATIONS + relation) * _CHOICES + choice
    return (len(world.accounts) + _NAMED + number * _STRIDE % pool).astype(np.int32)


def account_texts(world: World) -> pl.Series:
    """Account number of each partner, in the last place null for -1."""

    def build() -> pl.Series:
        own = keys.account_key(np.arange(len(world.accounts)))
        there = np.arange(behaviour().bookings.outside_accounts)
        nobody = pl.Series([None], dtype=pl.String)
        return pl.concat([own, keys.text_key(_PREFIX, keys.spread(there, _SALT), _DIGITS), nobody])

    return world.cached("bookings.partners", build)


def bank_codes(world: World) -> pl.Series:
    """Bank of each partner, in the last place null for -1."""

    def build() -> pl.Series:
        settings = behaviour().bookings
        names = pl.Enum([settings.own_bank, *settings.banks])
        # Big banks have most accounts: the square of a uniform number prefers the first ones.
        draw = world.streams.of("bookings.banks").random(settings.outside_accounts) ** 2
        there = 1 + np.floor(draw * len(settings.banks)).astype(np.int64)
        codes = np.concatenate([np.zeros(len(world.accounts), np.int64), there])
        nobody = pl.Series([None], dtype=names)
        return pl.concat([pl.Series(codes.astype(np.uint32)).cat.to(names), nobody])

    return world.cached("bookings.banks", build)


def gather(texts: pl.Series, partner: np.ndarray) -> pl.Series:
    """`texts` of each partner; null for nobody."""
    rows = np.where(partner < 0, len(texts) - 1, partner).astype(np.uint32)
    return texts.gather(pl.Series(rows))
