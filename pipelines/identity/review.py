"""Pairs that somebody should look at: just below the threshold, or cut to keep a rule.

What belongs here: which pairs are open, and since when. What does not: what was decided of them (`decisions`).
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from pipelines.identity.cluster import Ints
from pipelines.identity.evidence import DECISION, EDGES, Ruled, numbered, with_refs

BORDERLINE = "borderline"
PAIRS = {**EDGES, "levels": pl.String, "reason": pl.String, "first_seen": pl.Date}
REVIEW = {
    "left_ref": pl.String, "right_ref": pl.String, "left_party_id": pl.String, "right_party_id": pl.String,
    "rule": pl.String, "weight": pl.Float64, "levels": pl.String, "reason": pl.String, "first_seen": pl.Date,
}  # fmt: skip
_KEY = ["left_ref", "right_ref", "rule"]


def cut_before(pairs: pl.DataFrame) -> pl.DataFrame:
    """Edges that were cut earlier and are tried again: what forbade them may be gone."""
    return pairs.filter((pl.col("reason") != BORDERLINE) & (pl.col("rule") != DECISION)).select(EDGES.keys())


def pairs(
    before: pl.DataFrame,
    edges: pl.DataFrame,
    borderline: pl.DataFrame,
    nodes: pl.DataFrame,
    new: Ints,
    business_date: date,
    *,
    full: bool,
) -> pl.DataFrame:
    """Every open pair by references, with the date on which it first was one; a full run knows all of them afresh.

    `edges` are tonight's with `cut`, `new` gives the party of each node. A pair that is one party is not open.
    """
    cut = with_refs(edges.filter(pl.col("cut") != "kept"), nodes).select(
        *EDGES.keys(), levels=pl.lit(None, pl.String), reason="cut"
    )
    near = borderline.select(*EDGES.keys(), "levels", reason=pl.lit(BORDERLINE))
    earlier = before.filter((pl.col("reason") == BORDERLINE) & pl.lit(not full)).drop("first_seen")
    shape = {name: kind for name, kind in PAIRS.items() if name != "first_seen"}
    frame = pl.concat([part.cast(shape) for part in (cut, near, earlier)])  # type: ignore[arg-type]
    at = numbered(frame, nodes)
    left, right = at["left"].to_numpy(), at["right"].to_numpy()
    found = (
        with_refs(at, nodes).select("left_ref", "right_ref").hstack(frame.select("rule", "weight", "levels", "reason"))
    )
    found = found.filter(new[left] != new[right]).unique(_KEY, keep="first", maintain_order=True)
    since = before.select(*_KEY, "first_seen")
    found = found.join(since, on=_KEY, how="left").with_columns(pl.col("first_seen").fill_null(business_date))
    return found.select(PAIRS.keys()).sort(_KEY)


def to_decide(pairs: pl.DataFrame, assignment: pl.DataFrame, said: Ruled, nodes: pl.DataFrame) -> pl.DataFrame:
    """Open pairs with their parties of today, but for those already decided; the weightiest first within a reason."""
    refs = nodes["record_ref"]
    low, high = np.sort(said.apart, axis=1).T
    decided = pl.DataFrame({"left_ref": refs.gather(low), "right_ref": refs.gather(high)})
    found = pairs.join(decided, on=["left_ref", "right_ref"], how="anti")
    for side in ("left", "right"):
        party = assignment.select(
            pl.col("record_ref").alias(f"{side}_ref"), pl.col("party_id").alias(f"{side}_party_id")
        )
        found = found.join(party, on=f"{side}_ref", how="left")
    return found.select(REVIEW.keys()).sort(_KEY)
