"""Assigns every record to a party, so that ids stay: a night from the night before.

What belongs here: which records are one party tonight. What does not: how records were found to match, which id a party
has (`naming`), where state lies (`state`), and how a change is told (`events`).

A delta night takes last night's parties as they are and adds edges; it looks at parties that something touches and at
no other. A full run takes edges of today only, but for records that have vanished: these stay where their earlier
evidence holds them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from pipelines.identity import events, naming, review
from pipelines.identity.cluster import CUT_BECAUSE, KEPT, cluster
from pipelines.identity.decisions import Decision, named, verdicts
from pipelines.identity.evidence import (
    DECISION,
    EDGES,
    Limits,
    Ruled,
    by_strength,
    in_doubt,
    numbered,
    remembered,
    ruled,
    with_refs,
)
from pipelines.identity.naming import ASSIGNMENT
from pipelines.vault.tokens import hmac_sha256

_KINDS = {"person": 0, "organisation": 1}


@dataclass(frozen=True)
class Prior:
    """What is known before a night: every record with its party, by reference; evidence; pairs that are open."""

    assignment: pl.DataFrame
    evidence: pl.LazyFrame
    pairs: pl.DataFrame

    @classmethod
    def nothing(cls) -> Prior:
        """Before the first night."""
        return cls(pl.DataFrame(schema=ASSIGNMENT), pl.LazyFrame(schema=EDGES), pl.DataFrame(schema=review.PAIRS))


@dataclass(frozen=True)
class Night:
    """What a night comes to.

    `before` is the assignment that it stood on; `looked_at` the records of every party that something touched, of a
    full run all records: ASSIGNMENT, by reference, and whether the row is `changed`. `evidence` are edges to remember
    beside those of before, or, of a full run, instead of them. `pairs` are all open pairs, `review` those that ask for
    a decision. `unknown` are names in decisions that no record answers to.
    """

    business_date: date
    full: bool
    before: pl.DataFrame
    looked_at: pl.DataFrame
    evidence: pl.DataFrame
    pairs: pl.DataFrame
    review: pl.DataFrame
    events: pl.DataFrame
    unknown: tuple[str, ...]

    @property
    def changed(self) -> pl.DataFrame:
        """The rows that are new (ASSIGNMENT)."""
        return self.looked_at.filter("changed").select(ASSIGNMENT.keys())

    @cached_property
    def assignment(self) -> pl.DataFrame:
        """Every record with its party of tonight (ASSIGNMENT), by reference."""
        now = self.looked_at.select(ASSIGNMENT.keys())
        return now if self.full else naming.with_later(self.before, now)


def assign(
    prior: Prior,
    records: pl.DataFrame,
    edges: pl.DataFrame,
    borderline: pl.DataFrame,
    entries: tuple[Decision, ...],
    limits: Limits,
    business_date: date,
    id_key: str,
    *,
    full: bool,
    passed_on: pl.Series,
) -> Night:
    """Assign records as of `business_date`.

    `records`: record_ref, entity_kind, source, first_seen, founding; at least new ones, of a full run all there are.
    `edges`: left_ref, right_ref, rule, weight; above the threshold; of a full run all there are. `borderline`: the same
    and `levels`, for pairs just below. `passed_on` are references of `records` that were of somebody else before: of
    them, what is known counts no more. Raises ValueError where records share a reference or a founding text, or an
    edge names a record or rule that is not known.
    """
    prior = _without(prior, passed_on)
    known = prior.assignment if full else _looked_at(prior, records, (edges, borderline), entries, limits.cap)
    nodes = _nodes(known, records, prior.assignment, id_key)
    said, unknown = _said(entries, nodes)
    home = naming.homes(nodes)
    if full:
        doubt = np.empty(0, np.int64)
        gone = nodes.join(records.select("record_ref"), on="record_ref", how="anti")["node"].to_numpy()
        old = remembered(prior.evidence, nodes, gone, home)
    else:
        left = home[nodes["record_ref"].is_in(passed_on.implode()).to_numpy()]
        doubt = np.union1d(in_doubt(prior.evidence, nodes, said, home, limits.cap), left[left >= 0])
        old = remembered(prior.evidence, nodes, np.flatnonzero(np.isin(home, doubt)), home)
        edges = pl.concat([edges.select(EDGES.keys()), review.cut_before(prior.pairs)])
    every = by_strength(pl.concat([said.joins, numbered(edges, nodes), old]), limits)
    atom = np.arange(nodes.height)
    if not full:
        intact = (home >= 0) & ~np.isin(home, doubt)
        atom = np.where(intact, home, atom)
    pairs = every.select("left", "right").to_numpy()
    kind = nodes["entity_kind"].replace_strict(_KINDS, return_dtype=pl.Int64).to_numpy()
    found = cluster(np.bincount(atom, minlength=len(atom)), kind, atom[pairs], atom[said.apart], limits.cap)
    new = naming.founders(nodes, atom, found.label, home)
    every = every.with_columns(cut=pl.Series(np.array(CUT_BECAUSE)[found.cut], dtype=pl.String))
    kept = every.filter(found.cut == KEPT)
    after = naming.assigned(nodes, kept, home, new, business_date, full)
    open_pairs = review.pairs(prior.pairs, every, borderline, nodes, new, business_date, full=full)
    return Night(
        business_date,
        full,
        prior.assignment,
        after.select(*ASSIGNMENT.keys(), "changed"),
        with_refs(kept, nodes).select(EDGES.keys()),
        open_pairs,
        review.to_decide(open_pairs, after, said, nodes),
        events.tell(after, every, said, home, new, prior.evidence, business_date),
        unknown,
    )


def _without(prior: Prior, passed_on: pl.Series) -> Prior:
    """What is known, but for evidence and open pairs of the records `passed_on`."""
    if not len(passed_on):
        return prior
    refs = passed_on.implode()
    of_others = pl.col("left_ref").is_in(refs) | pl.col("right_ref").is_in(refs)
    return replace(prior, evidence=prior.evidence.filter(~of_others), pairs=prior.pairs.filter(~of_others))


def _looked_at(
    prior: Prior, records: pl.DataFrame, pairs: tuple[pl.DataFrame, ...], entries: tuple[Decision, ...], cap: int
) -> pl.DataFrame:
    """The records of before whose party something touches: records of tonight, pairs, decisions, the cap."""
    known, names = prior.assignment, pl.Series(sorted(named(entries)), dtype=pl.String)
    decided = prior.evidence.filter(pl.col("rule") == DECISION).collect()
    ends = [frame[side] for frame in (*pairs, prior.pairs, decided) for side in ("left_ref", "right_ref")]
    refs = pl.concat([records["record_ref"], *ends, names], rechunk=False).unique()
    touched = pl.col("record_ref").is_in(refs.implode()) | pl.col("own_party_id").is_in(names.implode())
    parties = known.filter(touched)["party_id"].unique()
    sizes = known["party_id"].value_counts()
    parties = pl.concat([parties, sizes.filter(pl.col("count") > cap)["party_id"]])
    return known.filter(pl.col("party_id").is_in(parties.implode()))


def _nodes(known: pl.DataFrame, records: pl.DataFrame, before: pl.DataFrame, id_key: str) -> pl.DataFrame:
    """The records `known` and those that are new, in the order of references and numbered by it.

    `before` is every record of before: what is new founds none of their parties.
    """
    new = records.join(known.select("record_ref"), on="record_ref", how="anti")
    new = new.with_columns(own_party_id=hmac_sha256(pl.col("founding"), id_key))
    columns = [
        pl.col(name) if name in new.columns else pl.lit(None, kind).alias(name) for name, kind in ASSIGNMENT.items()
    ]
    nodes = pl.concat([known.select(ASSIGNMENT.keys()), new.select(columns).cast(ASSIGNMENT)])  # type: ignore[arg-type]
    nodes = nodes.sort("record_ref").with_row_index("node").with_columns(pl.col("node").cast(pl.Int64))
    for name, what in (("record_ref", "reference"), ("own_party_id", "founding text")):
        taken = int(before[name].is_in(new[name].implode()).sum()) + new.height - new[name].n_unique()
        if taken:
            raise ValueError(f"{taken} records have the {what} of another; it must be a record's own")
    return nodes


def _said(entries: tuple[Decision, ...], nodes: pl.DataFrame) -> tuple[Ruled, tuple[str, ...]]:
    names = pl.DataFrame({"name": sorted(named(entries))}, schema={"name": pl.String})
    own = nodes.select("own_party_id", "record_ref")
    founders = dict(names.join(own, left_on="name", right_on="own_party_id").iter_rows())
    wanted = [*names["name"], *founders.values()]
    records = pl.DataFrame({"record_ref": wanted}, schema={"record_ref": pl.String}).join(
        own, on="record_ref", how="semi"
    )
    standing = verdicts(entries, founders, set(records["record_ref"]))
    return ruled(standing, nodes), standing.unknown
