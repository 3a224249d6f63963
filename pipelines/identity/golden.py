"""The golden set: every identity record with its standardised identifiers, sealed in the vault, one part per night.

What belongs here: what is remembered of records from night to night, and what of a night is new. What does not: which
party they are of (`state`). A night seals the records that it changed, and now and then the whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl

from pipelines.identity.records import COLUMNS
from pipelines.identity.standardise import STANDARD
from pipelines.settings import Home
from pipelines.vault.keys import KeyRing
from pipelines.vault.sealed import seal, unseal

GOLDEN = {**COLUMNS, **STANDARD}
_PLACE = 3  # golden, business date, file
_PART, _WHOLE = "part.sealed", "whole.sealed"


def read(home: Home, ring: KeyRing, days: Collection[date]) -> pl.DataFrame:
    """The records as of the last of `days` (GOLDEN), which are the finished ones."""
    whole, parts = pl.DataFrame(schema=GOLDEN), []
    for day in sorted(days):
        for name in (_PART, _WHOLE):
            if (path := _folder(home, day) / name).exists():
                frame = pl.read_parquet(BytesIO(unseal(path, ring.store_key(), _PLACE)), columns=list(GOLDEN))
                whole, parts = (frame, []) if name == _WHOLE else (whole, [*parts, frame])
    if not parts:
        return whole
    return latest([whole, pl.concat(parts).unique("record_ref", keep="last", maintain_order=True)])


def latest(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames of records, each once in a frame, as one: of a record that is in several, the last counts."""
    found = frames[0]
    for later in frames[1:]:
        stands = ~pl.col("record_ref").is_in(later["record_ref"].implode())
        found = pl.concat([found.filter(stands), later.select(found.columns)])
    return found


def write(home: Home, ring: KeyRing, day: date, before: pl.DataFrame, changed: pl.DataFrame) -> None:
    """Seal what `day` changed, or the whole where the changes since the last whole have grown to a fourth of it."""
    forget(home, day)
    whole = _parts_have_grown(home)
    if whole:
        changed = latest([before.select(GOLDEN.keys()), changed])
    plain = BytesIO()
    changed.select(GOLDEN.keys()).sort("record_ref").rechunk().write_parquet(plain, statistics=False)
    seal(_folder(home, day) / (_WHOLE if whole else _PART), plain.getvalue(), ring.store_key(), _PLACE)


def forget(home: Home, day: date) -> None:
    """Drop what was sealed for `day` and later ones."""
    for path in _root(home).glob("*"):
        if path.name >= day.isoformat():
            shutil.rmtree(path)


def merge(before: pl.DataFrame, seen: pl.DataFrame, others: pl.Series) -> pl.DataFrame:
    """Records of `seen` as they are now known, if that differs from `before` (GOLDEN): what is new to matching.

    What a record stated once is remembered until it states something else; the phone number that it had, for good. Of
    `others`, which are of somebody else since (`passed_on`), nothing is remembered but since when they are there.
    """
    known = before.filter(pl.col("record_ref").is_in(seen["record_ref"].implode()))
    own = known.filter(~pl.col("record_ref").is_in(others.implode()))
    both = seen.select(GOLDEN.keys()).join(own, on="record_ref", how="left", suffix="_known", maintain_order="left")
    moved = pl.col("phone") != pl.col("phone_known")
    now = both.select(
        *(pl.col(name) for name in COLUMNS if name != "first_seen"),
        **{
            name: pl.coalesce(name, f"{name}_known")
            for name in STANDARD
            if name not in ("phone_before", "phone_hash", *_NAMED)
        },
        # A name and its sound belong together.
        **{name: pl.when(pl.col("name").is_not_null()).then(name).otherwise(f"{name}_known") for name in _NAMED},
        phone_hash=pl.coalesce("phone_hash", "phone_hash_known"),
        phone_before=pl.when(moved).then("phone_known").otherwise(pl.coalesce("phone_before", "phone_before_known")),
    )
    now = now.with_columns(_earliest(seen, known)).select(GOLDEN.keys())
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_known")) for name in _COMPARED)
    before_it = known.select("record_ref", *_COMPARED)
    compared = now.join(before_it, on="record_ref", how="left", suffix="_known", maintain_order="left")
    fresh = now.join(known.select("record_ref"), on="record_ref", how="anti")["record_ref"]
    return now.filter(~(compared.select(same).to_series()) | pl.col("record_ref").is_in(fresh.implode()))


def passed_on(before: pl.DataFrame, seen: pl.DataFrame) -> pl.Series:
    """References of the records of `before` that `seen` says to be of somebody else: an office, a lease, a number.

    A person of another name that does not sound the same either way round, or of another right resident id; an
    organisation of another right credit code. Names of organisations change.
    """
    columns = ["record_ref", "entity_kind", "name", "sound", "turned", "valid_id", "valid_uscc"]
    both = seen.select(columns).join(before.select(columns), on="record_ref", suffix="_known")
    alike = pl.any_horizontal(
        (pl.col(one) == pl.col(f"{other}_known")).fill_null(False)
        for one, other in (("name", "name"), ("sound", "sound"), ("sound", "turned"), ("turned", "sound"))
    )
    named = pl.col("name").is_not_null() & pl.col("name_known").is_not_null()
    same_id = (pl.col("valid_id") == pl.col("valid_id_known")).fill_null(False)
    other = pl.any_horizontal(
        (pl.col("entity_kind") == "person") & named & ~alike & ~same_id,
        *((pl.col(name) != pl.col(f"{name}_known")).fill_null(False) for name in ("valid_id", "valid_uscc")),
    )
    return both.filter(other)["record_ref"]


def _earliest(seen: pl.DataFrame, known: pl.DataFrame) -> pl.Series:
    both = seen.select("record_ref", "first_seen").join(
        known.select("record_ref", "first_seen"), on="record_ref", how="left", suffix="_known", maintain_order="left"
    )
    return both.select(pl.min_horizontal("first_seen", "first_seen_known").alias("first_seen")).to_series()


_NAMED = ("sound", "turned", "kernel")
_COMPARED = [name for name in STANDARD if name != "phone_hash"]


def _parts_have_grown(home: Home) -> bool:
    """Whether the parts since the last whole, if there is one, come to a fourth of it."""
    parts = 0
    for folder in sorted(_root(home).glob("*"), reverse=True):
        if (folder / _WHOLE).exists():
            return parts * 4 >= (folder / _WHOLE).stat().st_size
        parts += sum(path.stat().st_size for path in folder.glob(_PART))
    return True


def _root(home: Home) -> Path:
    return home.vault / "golden"


def _folder(home: Home, day: date) -> Path:
    return _root(home) / day.isoformat()
