"""Addresses of the invented city: of dwellings and of companies, and the ways people shorten them.

What belongs here: text from the number of a place. What does not: who lives there, and who has it wrong (`records`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from pipelines.simulation.names import joined, tables
from pipelines.simulation.settings import District

# A dwelling is a street of its district, a house number, a building, a unit and a room. Numbers of dwellings are spread
# over all of them by an affine permutation; the factor is a prime that divides no part, and far from every fraction.
_NUMBERS, _BUILDINGS, _UNITS, _FLOORS, _DOORS = 199, 19, 4, 18, 4
_FACTOR, _SHIFT = 60_569_519, 7_919


def dwellings(numbers: np.ndarray, district: np.ndarray, districts: Sequence[District]) -> pl.Series:
    """Full address of each dwelling: `澜州市江湾区文昌路18号锦绣花园3栋2单元1201室`; two dwellings never share one."""
    street, road, house, estate, building, unit, room = _parts(numbers)
    return joined(
        tables().city,
        _names(districts, district),
        street,
        road,
        house,
        "号",
        estate,
        building,
        "栋",
        unit,
        "单元",
        room,
        "室",
    )


def shortened(numbers: np.ndarray, district: np.ndarray, districts: Sequence[District]) -> pl.Series:
    """The same as people type it: `江湾区锦绣花园3-2-1201`, without city, street and words."""
    _, _, _, estate, building, unit, room = _parts(numbers)
    return joined(_names(districts, district), estate, building, "-", unit, "-", room)


def offices(numbers: np.ndarray, district: np.ndarray, districts: Sequence[District]) -> pl.Series:
    """Address of each company: `澜州市江湾区文昌路18号国际大厦A座903`."""
    street, road, house, _, building, _, room = _parts(numbers)
    tower = _pick(tables().towers, np.asarray(numbers, dtype=np.int64))
    return joined(tables().city, _names(districts, district), street, road, house, "号", tower, building, "座", room)


def _parts(numbers: np.ndarray) -> tuple[pl.Series, ...]:
    words = tables()
    sizes = (len(words.streets), len(words.roads), _NUMBERS, _BUILDINGS, _UNITS, _FLOORS, _DOORS)
    places = int(np.prod(sizes))
    rest = (np.asarray(numbers, dtype=np.int64) * _FACTOR + _SHIFT) % places
    digits = []
    for size in reversed(sizes):
        digits.append(rest % size)
        rest = rest // size
    door, floor, unit, building, house, road, street = digits
    estate = _pick(words.estates, street * 7 + house)  # a house number lies in one estate
    return (
        _pick(words.streets, street), _pick(words.roads, road), _text(house + 1), estate, _text(building + 1),
        _text(unit + 1), _text((floor + 1) * 100 + door + 1),
    )  # fmt: skip


def _names(districts: Sequence[District], numbers: np.ndarray) -> pl.Series:
    return _pick([district.name for district in districts], np.asarray(numbers, dtype=np.int64))


def _pick(words: Sequence[str], numbers: np.ndarray) -> pl.Series:
    return pl.Series(list(words)).gather(numbers % len(words))


def _text(numbers: np.ndarray) -> pl.Series:
    return pl.Series(numbers).cast(pl.String)
