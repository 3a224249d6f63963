"""Evidence: pairs of records that are one party, as numbered edges in order of strength.

What belongs here: which edges of today, of earlier nights and of decisions a night looks at, and which of them is
stronger. What does not: matching, which finds edges, and clusters, which they build.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.identity.cluster import Ints
from pipelines.identity.decisions import Decision, Verdicts

DECISION = "decision"
# Strongest first: numbers and keys of one alone, then what a model makes of the rest, then what several may share.
STRENGTH = ("national_id", "uscc", "party_key", "role", "national_id_corrected", "uscc_corrected", "model", "phone")
EDGES = {"left_ref": pl.String, "right_ref": pl.String, "rule": pl.String, "weight": pl.Float64}
KEY = ["left", "right", "rule"]
_NUMBERED = {"left": pl.Int64, "right": pl.Int64, "rule": pl.String, "weight": pl.Float64, "entry": pl.Int64}


@dataclass(frozen=True)
class Limits:
    """`cap` is the most records of a party; `rules` names every rule of an edge, the strongest first.

    Decisions are stronger than any of them. Of two edges of a rule, the greater weight is stronger, none the strongest.
    """

    cap: int
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Ruled:
    """Decisions in numbers: `joins` are edges of rule `decision`, `apart` (k, 2) pairs of nodes, `says` their entry."""

    entries: tuple[Decision, ...]
    joins: pl.DataFrame
    apart: Ints
    says: Ints


def numbered(edges: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Edges by the numbers of their records, the smaller first. Raises ValueError for a record that is not there."""
    index = nodes.select("record_ref", "node")
    found = edges.select(EDGES.keys()).cast(EDGES)  # type: ignore[arg-type]
    for side in ("left", "right"):
        one = index.rename({"record_ref": f"{side}_ref", "node": f"{side}_node"})
        found = found.join(one, on=f"{side}_ref", how="left", maintain_order="left")
    if missing := sum(found.select("left_node", "right_node").null_count().row(0)):
        raise ValueError(f"{missing} ends of edges are records that were not given; give their records too")
    return found.select(
        left=pl.min_horizontal("left_node", "right_node").cast(pl.Int64),
        right=pl.max_horizontal("left_node", "right_node").cast(pl.Int64),
        rule="rule",
        weight="weight",
        entry=pl.lit(-1, pl.Int64),
    )


def ruled(verdicts: Verdicts, nodes: pl.DataFrame) -> Ruled:
    """What stands of the decisions, in numbers of nodes."""
    pairs = [*verdicts.together, *verdicts.apart]
    refs = pl.DataFrame(
        {"record_ref": sorted({ref for pair in pairs for ref in pair})}, schema={"record_ref": pl.String}
    )
    node = dict(refs.join(nodes.select("record_ref", "node"), on="record_ref").iter_rows())
    said = [*verdicts.together.values(), *verdicts.apart.values()]
    entries = list({id(entry): entry for entry in said}.values())
    number = {id(entry): n for n, entry in enumerate(entries)}
    joins = pl.DataFrame(
        [(node[a], node[b], DECISION, None, number[id(entry)]) for (a, b), entry in verdicts.together.items()],
        schema=_NUMBERED,
        orient="row",
    )
    apart = np.array([(node[a], node[b]) for a, b in verdicts.apart], np.int64).reshape(-1, 2)
    says = np.array([number[id(entry)] for entry in verdicts.apart.values()], np.int64)
    return Ruled(tuple(entries), joins, apart, says)


def by_strength(edges: pl.DataFrame, limits: Limits) -> pl.DataFrame:
    """Edges strongest first: rule, weight, records; each pair once per rule. Raises ValueError for an unknown rule."""
    order = {rule: rank for rank, rule in enumerate((DECISION, *limits.rules))}
    if unknown := sorted(set(edges["rule"].unique()) - order.keys()):
        raise ValueError(f"no strength is stated of rule {', '.join(unknown)}")
    rank = edges["rule"].replace_strict(order, return_dtype=pl.Int64).to_numpy()
    weight = edges["weight"].fill_null(np.inf).to_numpy()
    at = np.lexsort((edges["right"].to_numpy(), edges["left"].to_numpy(), -weight, rank))
    return edges[at].unique(KEY, keep="first", maintain_order=True)


def remembered(
    evidence: pl.LazyFrame, nodes: pl.DataFrame, about: Ints, home: Ints, *, decisions: bool = False
) -> pl.DataFrame:
    """Edges of earlier nights that touch the nodes `about` and lie within a party; of decisions where asked.

    `home` gives the party of each node by the number of its founder, -1 for none.
    """
    if not len(about):
        return pl.DataFrame(schema=_NUMBERED)
    refs = nodes["record_ref"].gather(about).implode()
    touching = pl.col("left_ref").is_in(refs) | pl.col("right_ref").is_in(refs)
    found = evidence.filter(touching & ((pl.col("rule") != DECISION) | decisions)).collect()
    # A record that is not looked at is of another party: the edge held once, and holds no more.
    for side in ("left_ref", "right_ref"):
        found = found.join(nodes.select(pl.col("record_ref").alias(side)), on=side, how="semi", maintain_order="left")
    edges = numbered(found, nodes)
    here = home[edges["left"].to_numpy()]
    return edges.filter((here >= 0) & (here == home[edges["right"].to_numpy()])).unique(
        KEY, keep="last", maintain_order=True
    )


def in_doubt(evidence: pl.LazyFrame, nodes: pl.DataFrame, said: Ruled, home: Ints, cap: int) -> Ints:
    """Parties, by the number of their founder, that cannot be taken as they are.

    They are larger than the cap, hold two records that are now apart, or were joined by a decision that is withdrawn.
    """
    size = np.bincount(home[home >= 0], minlength=len(home))
    one, other = home[said.apart[:, 0]], home[said.apart[:, 1]]
    joined = numbered(evidence.filter(pl.col("rule") == DECISION).collect(), nodes)
    withdrawn = joined.join(said.joins, on=KEY, how="anti")
    left, right = home[withdrawn["left"].to_numpy()], home[withdrawn["right"].to_numpy()]
    found = np.concatenate([np.flatnonzero(size > cap), one[one == other], left[left == right]])
    return np.unique(found[found >= 0])


def with_refs(edges: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Numbered edges with the references of their records."""
    refs = nodes["record_ref"]
    return edges.with_columns(left_ref=refs.gather(edges["left"]), right_ref=refs.gather(edges["right"]))
