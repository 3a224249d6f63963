"""Nights of deltas against one full run over the same records: what has another party, and why.

What belongs here: who differs, by contract and role, and what joined them on the night. What does not: how much may
differ, and what a change is (`partitions`). Raw identifiers are compared in memory; only names of columns come out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl

from benchmarks.identity_worlds.partitions import PARTIES, Change, change, differing, pairs
from pipelines.identity import golden, state
from pipelines.ingest.batch import Desk

_EDGE = ["left_ref", "right_ref", "rule"]
# What a record states; a number that it had is no other statement than the one that it has.
_STATED = (
    "name", "alias", "national_id", "uscc", "phone", "email", "device", "dwelling", "birth", "refers_to", "acts_for",
)  # fmt: skip


@dataclass(frozen=True)
class Drift:
    """`change` is from the full run to the nights, `which` counts its records by who they are and what joined them to
    their party (of, in_nights, in_full, records). `why` counts the pairs of them that are joined in the nights alone:
    the rule, which statements of the two have changed since, pairs. `differing` are parties of the full run that the
    nights have not record for record; `pairs` are together in both, in the nights, in the full run."""

    change: Change
    which: pl.DataFrame
    why: list[tuple[str, str, int]]
    differing: int
    pairs: tuple[int, int, int]

    @property
    def shares(self) -> tuple[float, float, float]:
        """Of parties, of pairs of the nights, of pairs of the full run."""
        both, ours, theirs = self.pairs
        return self.change.share, 1 - both / ours, 1 - both / theirs


def drift(full: Desk, nights: Desk) -> Drift:
    """Compare two homes in which the same was landed."""
    once, nightly = (state.latest(desk.home).assignment for desk in (full, nights))
    one, other = once.select(PARTIES), nightly.select(PARTIES)
    came = change(one, other)
    who = pl.read_parquet(full.home.identity / "party_crosswalk.parquet").select(
        "record_ref", of=pl.concat_str("contract", "role", separator=" ")
    )
    moved = came.moved.join(who, on="record_ref")
    for assigned, name in ((nightly, "in_nights"), (once, "in_full")):
        moved = moved.join(assigned.select("record_ref", pl.col("linked_by").alias(name)), on="record_ref")
    which = moved.group_by("of", "in_nights", "in_full").agg(records=pl.len())
    which = which.sort("records", "of", "in_nights", "in_full", descending=[True, False, False, False])
    return Drift(came, which, _why(nights, came, one), differing(one, other), pairs(other, one))


def _why(nights: Desk, came: Change, full: pl.DataFrame) -> list[tuple[str, str, int]]:
    """What joined a record that differs on its night to one that the full run (PARTIES) holds apart from it."""
    edges = _edges(nights, came.moved["record_ref"])
    for side in ("left", "right"):
        of = full.select(pl.col("record_ref").alias(f"{side}_ref"), pl.col("party_id").alias(side))
        edges = edges.join(of, on=f"{side}_ref")
    edges = edges.filter(pl.col("left") != pl.col("right"))
    days, refs = state.dates(nights.home), pl.concat([edges["left_ref"], edges["right_ref"]]).unique().implode()
    now = golden.read(nights.home, nights.ring, days).filter(pl.col("record_ref").is_in(refs))
    found: Counter[tuple[str, str]] = Counter()
    for (day,), part in edges.partition_by("day", as_dict=True).items():
        then = golden.read(nights.home, nights.ring, [one for one in days if one <= day])
        both = then.join(now, on="record_ref", suffix="_now")
        differs = {
            row["record_ref"]: {name for name in _STATED if row[name] != row[f"{name}_now"]}
            for row in both.select("record_ref", *_STATED, *(f"{name}_now" for name in _STATED)).to_dicts()
        }
        for left, right, rule in part.select(_EDGE).iter_rows():
            found[rule, ", ".join(sorted(differs[left] | differs[right])) or "nothing"] += 1
    return sorted(((*why, count) for why, count in found.items()), key=lambda one: (-one[2], one))


def _edges(nights: Desk, refs: pl.Series) -> pl.DataFrame:
    """Evidence of the nights at any of `refs`, and the day on which it was first found."""
    files = sorted((nights.home.identity / "state").glob("*/evidence.parquet"))
    every = [pl.read_parquet(path).with_columns(day=pl.lit(path.parent.name).str.to_date()) for path in files]
    touching = pl.col("left_ref").is_in(refs.implode()) | pl.col("right_ref").is_in(refs.implode())
    return pl.concat(every).filter(touching).unique(_EDGE, keep="first", maintain_order=True)
