"""The vault store: which values the tokens of the lake stand for, sealed beside every landed date.

A landing seals each distinct identifier of the rows that it lands, before the lake has its token. Tokens are not kept:
they follow from the values, under whichever version of the keys is asked for. What is read stays in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.sealed import seal, unseal
from pipelines.vault.tokens import VALUES, with_tokens

_PLACE = 4  # contract, source, business date, file
_READERS, _AHEAD = 2, 32


def path_of(home: Home, contract: str, source: str, day: date) -> Path:
    """Where the values of one landed date lie; a date whose contract has no identifiers has no file."""
    return home.vault / "store" / contract / f"source={source}" / f"business_date={day.isoformat()}" / "part.sealed"


def keep(path: Path, values: pl.DataFrame, ring: KeyRing) -> None:
    """Seal `values` (columns VALUES) to `path`. The same values give the same bytes, in whatever order they come."""
    ordered = values.select(*VALUES).unique().sort(*VALUES, nulls_last=True)
    plain = pa.BufferOutputStream()
    # Parquet, as it says nothing of what lies in memory behind a null, and other formats do.
    table = ordered.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks()
    pq.write_table(table, plain, compression="zstd", store_schema=False)
    seal(path, plain.getvalue().to_pybytes(), ring.store_key(), _PLACE)


def as_delivered(path: Path, ring: KeyRing) -> pl.DataFrame:
    """What `keep` sealed at `path`. Raises cryptography's InvalidTag for another key, and a changed or moved file."""
    return pl.read_parquet(BytesIO(unseal(path, ring.store_key(), _PLACE)))


def read_values(home: Home, ring: KeyRing, contract: str, source: str, day: date) -> pl.DataFrame:
    """Each identifier that one landed date has: kind, token, value (normal form), valid. Empty where it has none."""
    path = path_of(home, contract, source, day)
    return _told([as_delivered(path, ring)] if path.exists() else [], ring)


def values(
    home: Home,
    ring: KeyRing,
    kinds: Collection[str] | None = None,
    contracts: Collection[str] | None = None,
    days: Collection[date] | None = None,
) -> pl.DataFrame:
    """Each identifier of the kinds, contracts and dates asked for (all where None) once; columns of `read_values`."""
    return _told(_parts(home, ring, kinds, contracts, days), ring)


def delivered_values(home: Home, ring: KeyRing, kinds: Collection[str] | None = None) -> pl.DataFrame:
    """Each identifier of the home in each of the ways it was delivered: kind, value, valid, raw."""
    return _distinct(_parts(home, ring, kinds))


def files(home: Home, contracts: Collection[str] | None = None, days: Collection[date] | None = None) -> Iterator[Path]:
    """The sealed files, in order of contract, source and date."""
    # Dates that are asked for are looked up, and not looked for among all that there are.
    dates = ["business_date=*"] if days is None else [f"business_date={day.isoformat()}" for day in sorted(set(days))]
    for source in sorted((home.vault / "store").glob("*/source=*")):
        if contracts is None or source.parent.name in contracts:
            for each in dates:
                yield from sorted(source.glob(f"{each}/part.sealed"))


def _parts(
    home: Home,
    ring: KeyRing,
    kinds: Collection[str] | None = None,
    contracts: Collection[str] | None = None,
    days: Collection[date] | None = None,
) -> Iterator[pl.DataFrame]:
    def part(path: Path) -> pl.DataFrame:
        found = as_delivered(path, ring)
        return found if kinds is None else found.filter(pl.col("kind").is_in(list(kinds)))

    every = list(files(home, contracts, days))
    with ThreadPoolExecutor(_READERS, "vault") as readers:
        for start in range(0, len(every), _AHEAD):  # what is read ahead is in memory
            yield from readers.map(part, every[start : start + _AHEAD])


def _distinct(parts: Iterable[pl.DataFrame], *columns: str) -> pl.DataFrame:
    """The distinct rows of `parts`. Duplicates go as soon as there are many: one value is in many dates."""
    names = columns or tuple(VALUES)
    held: list[pl.DataFrame] = [pl.DataFrame(schema={name: VALUES[name] for name in names})]
    size, least = 0, 1 << 20
    for part in parts:
        held.append(part.select(names))
        size += part.height
        if size > max(least, 2 * held[0].height):
            held, size = [pl.concat(held).unique()], 0
    return pl.concat(held).unique().sort(names, nulls_last=True)


def _told(parts: Iterable[pl.DataFrame], ring: KeyRing) -> pl.DataFrame:
    found = with_tokens(_distinct(parts, "kind", "value", "valid"), ring)
    return found.select("kind", "token", "value", "valid")
