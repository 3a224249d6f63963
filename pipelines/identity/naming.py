"""Which id each party has, and what links its records to it.

What belongs here: from clusters of records to ids that stay. What does not: which records are a cluster (`assign`).

A party id is the HMAC of the founding text of one of its own records, computed when that record first appears. So an
id can never denote two parties at once, and never passes to other records. Of several founders in one cluster the one
whose party is the oldest that exists names it; a part that loses its founder takes back the id that one of its records
founded before, or else is named by its oldest record.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from pipelines.identity.cluster import Ints

FOUNDING = "founding"
ASSIGNMENT = {
    "record_ref": pl.String, "entity_kind": pl.String, "source": pl.String, "first_seen": pl.Date,
    "own_party_id": pl.String, "minted_on": pl.Date, "party_id": pl.String, "linked_by": pl.String,
    "match_weight": pl.Float64,
}  # fmt: skip
_LINK = {"rule": "linked_by", "weight": "match_weight"}


def with_later(before: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """Records as they were, and as `later` has them instead; both ASSIGNMENT, by reference, and so is what comes."""
    stands = ~pl.col("record_ref").is_in(later["record_ref"].implode())
    return before.filter(stands).merge_sorted(later, "record_ref")


def homes(nodes: pl.DataFrame) -> Ints:
    """The party of each record by the number of its founder, -1 for a new record."""
    founding = nodes.select(party_id="own_party_id", founder="node")
    joined = nodes.select("party_id").join(founding, on="party_id", how="left", maintain_order="left")
    return joined["founder"].fill_null(-1).to_numpy()


def founders(nodes: pl.DataFrame, atom: Ints, label: Ints, home: Ints) -> Ints:
    """The founder of each record's cluster: of a party that exists, else of one that did, else of none; the oldest.

    `atom` is the node that stands for a record, and so the founder where its cluster has no other; `label` numbers the
    cluster of each node.
    """
    new = atom.copy()
    stands = np.flatnonzero(atom == np.arange(len(atom)))
    of = label[atom]
    several = np.flatnonzero(np.bincount(label[stands], minlength=len(label))[of] > 1)
    some, of = nodes[several], of[several]
    order = np.lexsort(
        (
            several,
            some["source"].rank("dense").to_numpy(),
            some["first_seen"].to_physical().to_numpy(),
            some["minted_on"].to_physical().fill_null(np.iinfo(np.int32).max).to_numpy(),
            home[several] != several,  # it founds no party that exists
            of,
        )
    )
    labels, first = np.unique(of[order], return_index=True)
    new[several] = several[order][first][np.searchsorted(labels, of)]
    return new


def assigned(
    nodes: pl.DataFrame, kept: pl.DataFrame, home: Ints, new: Ints, business_date: date, full: bool
) -> pl.DataFrame:
    """Records with tonight's party, what links them to it, and whether their row is new."""
    best = _strongest(kept, home, len(new), afresh=full)
    founds = pl.Series(new == np.arange(len(new)))
    by = pl.Series(best).set(pl.Series(best < 0), None)  # type: ignore[arg-type]
    # What linked a record before does so still, but in a full run, where it may be known by better evidence.
    still = by.is_null() | ((nodes["linked_by"] != FOUNDING) & pl.Series((home == new) & (not full)))
    edge = {name: pl.when(still).then(pl.col(was)).otherwise(kept[name].gather(by)) for name, was in _LINK.items()}
    after = nodes.with_columns(
        party_id=nodes["own_party_id"].gather(new),
        minted_on=pl.when(founds).then(pl.col("minted_on").fill_null(business_date)).otherwise("minted_on"),
        linked_by=pl.when(founds).then(pl.lit(FOUNDING)).otherwise(edge["rule"]),
        match_weight=pl.when(~founds).then(edge["weight"]),
    )
    differs = [after[name].ne_missing(nodes[name]) for name in ("party_id", "minted_on", *_LINK.values())]
    return after.with_columns(changed=differs[0] | differs[1] | differs[2] | differs[3])


def _strongest(kept: pl.DataFrame, home: Ints, nodes: int, *, afresh: bool) -> Ints:
    """Of each record the position of the strongest edge at it, or else of the one that its former party came by."""
    left, right = kept["left"].to_numpy(), kept["right"].to_numpy()
    best = _first(np.stack([left, right], axis=1).ravel(), nodes)
    if not afresh:
        ends = np.stack([home[left], home[right]], axis=1)
        crossing = np.flatnonzero(ends[:, 0] != ends[:, 1])
        of_party = _first(ends[crossing].ravel() + 1, nodes + 1)  # shifted: -1 is no party
        came_by = np.where(of_party < 0, -1, crossing[of_party] if len(crossing) else -1)[home + 1]
        best = np.where((best < 0) & (home >= 0), came_by, best)
    return best


def _first(ends: Ints, size: int) -> Ints:
    """Of each number below `size`, which pair of `ends` names it first; -1 for none."""
    first = np.full(size, -1, np.int64)
    number, at = np.unique(ends, return_index=True)
    first[number] = at // 2
    return first
