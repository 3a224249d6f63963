"""Two partitions of the same records into parties: what of one is not so in the other.

What belongs here: what counts as a change, and which changes events tell of. What does not: how either came to be, and
how much of it is allowed. Frames are PARTIES: of each record, by reference, its party.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

PARTIES = ["record_ref", "party_id"]
_WAY = ["came", "went"]
_SIZE = pl.col("len").cast(pl.Int64)


@dataclass(frozen=True)
class Change:
    """What became of parties. `records` are those that were known before, `parties` those that were there; `ways` has
    a row for each two parties between which records went (came, went, records), and `moved` a row for each of these
    records (record_ref, came, went)."""

    records: int
    parties: int
    moved: pl.DataFrame

    @property
    def ways(self) -> pl.DataFrame:
        """From which party to which records went, and how many: came, went, records."""
        return self.moved.group_by(_WAY).agg(records=pl.len().cast(pl.Int64)).sort(_WAY)

    @property
    def changed(self) -> int:
        """How many parties are not the party any more of a record that they had."""
        return self.moved["came"].n_unique()

    @property
    def share(self) -> float:
        """Of the parties that were there, the share that changed."""
        return self.changed / max(self.parties, 1)


def change(before: pl.DataFrame, after: pl.DataFrame) -> Change:
    """Compare PARTIES of before with those of after. What is new has no party that could change.

    Raises ValueError where a record is not there any more: its party has lost it without a word.
    """
    if lost := before.join(after, on="record_ref", how="anti").height:
        raise ValueError(f"{lost} records have no party any more")
    both = before.select("record_ref", came="party_id").join(
        after.select("record_ref", went="party_id"), on="record_ref"
    )
    moved = both.filter(pl.col("came") != pl.col("went")).sort("record_ref")
    return Change(before.height, before["party_id"].n_unique(), moved)


def untold(of: Change, told: pl.DataFrame, *kinds: str) -> Change:
    """What of a change no event of `kinds` tells (`told` has the columns of `events.EVENTS`).

    An event tells of all records that went from one party to another. If it counts fewer or more, it tells of none.
    """
    into = pl.col("into_party_id")
    came = pl.when(into != pl.col("party_id")).then("party_id").otherwise("other_party_id")
    ways = told.filter(pl.col("kind").is_in(kinds)).select("records", came=came, went=into)
    known = of.ways.join(ways, on=[*_WAY, "records"], how="semi")
    return Change(of.records, of.parties, of.moved.join(known, on=_WAY, how="anti"))


def differing(one: pl.DataFrame, other: pl.DataFrame) -> int:
    """How many parties of `one` are not, record for record, a party of `other`, whatever their ids."""
    sizes = [
        frame.group_by("party_id").agg(size=pl.len()).rename({"party_id": name, "size": f"size_{name}"})
        for frame, name in ((one, "own"), (other, "others"))
    ]
    both = one.rename({"party_id": "own"}).join(other.rename({"party_id": "others"}), on="record_ref")
    shared = both.group_by("own", "others").agg(shared=pl.len()).join(sizes[0], on="own").join(sizes[1], on="others")
    same = shared.filter((pl.col("shared") == pl.col("size_own")) & (pl.col("shared") == pl.col("size_others")))
    return sizes[0].height - same.height


def pairs(one: pl.DataFrame, other: pl.DataFrame) -> tuple[int, int, int]:
    """Pairs of records that are together in both, in `one`, and in `other`."""
    both = one.join(other, on="record_ref", suffix="_of_other")
    return _pairs(both, "party_id", "party_id_of_other"), _pairs(one, "party_id"), _pairs(other, "party_id")


def _pairs(frame: pl.DataFrame, *by: str) -> int:
    return int(frame.group_by(by).len().select((_SIZE * (_SIZE - 1) // 2).sum()).item())
