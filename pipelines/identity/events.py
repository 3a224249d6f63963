"""Identity events: how a change of parties is told, with the evidence that brought it about.

What belongs here: one event for all records that go from one party to another on one date. What does not: why edges
were kept or cut (`cluster`), and taking an event back (`undo`).

A merge ends a party: its founder goes to an older one. A split gives records a party that did not exist the night
before. Records that go from one party to another, where both exist, are moved. Any of these that a decision with an
event asked for is an undo. A new record that finds its first party is no event.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from pipelines.identity.cluster import Ints
from pipelines.identity.decisions import Decision
from pipelines.identity.evidence import DECISION, KEY, Ruled, remembered, with_refs

MERGE, SPLIT, MOVED, UNDO = "merge", "split", "moved", "undo"
EVENTS = {
    "event_id": pl.String, "business_date": pl.Date, "kind": pl.String, "party_id": pl.String,
    "other_party_id": pl.String, "into_party_id": pl.String, "records": pl.Int64, "record_refs": pl.String,
    "cause": pl.String, "undoes": pl.String, "evidence": pl.String,
}  # fmt: skip
_LISTED = 10  # records and edges that an event lists: enough to judge by, however large the parties


def tell(
    after: pl.DataFrame, edges: pl.DataFrame, said: Ruled, home: Ints, new: Ints, earlier: pl.LazyFrame, on: date
) -> pl.DataFrame:
    """The events of a night, by id.

    `after` are the records by number; `edges` tonight's strongest first, with `cut`; `home` and `new` the party of each
    record before and after, by the number of its founder; `earlier` the evidence of the nights before.
    """
    node = np.flatnonzero((home >= 0) & (home != new))
    if not len(node):
        return pl.DataFrame(schema=EVENTS)
    ways, way = np.unique(np.stack([home[node], new[node]], axis=1), axis=0, return_inverse=True)
    of = np.full(len(home), -1, np.int64)
    of[node] = way.ravel()
    came, went = ways[:, 0], ways[:, 1]
    kind = np.where(new[came] == went, MERGE, np.where(home[went] == went, MOVED, SPLIT))
    gone = remembered(earlier, after, node[kind[of[node]] != MERGE], home, decisions=True)
    gone = gone.filter(new[gone["left"].to_numpy()] != new[gone["right"].to_numpy()]).join(edges, on=KEY, how="anti")
    every = pl.concat([edges, gone.with_columns(cut=pl.lit("gone"))])
    told = _edges_by_way(every, home, new, of, kind, after)
    decided = _decided(every, said, home, new, of)
    refs = after.select("record_ref").with_columns(way=pl.Series(of)).filter(pl.col("way") >= 0)
    moved = dict(refs.group_by("way").agg(pl.col("record_ref").sort()).iter_rows())
    party = after["own_party_id"]
    rows = [
        _event(on, str(kind[n]), party[int(f)], party[int(t)], moved[n], told.get(n, []), decided.get(n))
        for n, (f, t) in enumerate(ways)
    ]
    return pl.DataFrame(rows, schema=EVENTS, orient="row").sort("event_id")


def _edges_by_way(
    every: pl.DataFrame, home: Ints, new: Ints, of: Ints, kind: np.ndarray, nodes: pl.DataFrame
) -> dict[int, list[dict[str, Any]]]:
    """Of each way from party to party the edges behind it, strongest first.

    Records join by edges that were kept, to records that came by another way; they leave what edges no longer hold.
    """
    left, right, cut = every["left"].to_numpy(), every["right"].to_numpy(), every["cut"].to_numpy()
    found: dict[int, list[dict[str, Any]]] = {}
    touching = np.flatnonzero(((of[left] >= 0) | (of[right] >= 0)) & (of[left] != of[right]))
    if not len(touching):
        return found
    named = with_refs(every[touching], nodes)
    said = named.select(left="left_ref", right="right_ref", rule="rule", weight="weight", state="cut").to_dicts()
    for at, edge in zip(touching.tolist(), said, strict=True):
        for one, other in ((left[at], right[at]), (right[at], left[at])):
            if (way := int(of[one])) < 0:
                continue
            joins = cut[at] == "kept" and new[one] == new[other] and kind[way] != SPLIT
            leaves = cut[at] != "kept" and home[one] == home[other] and new[one] != new[other] and kind[way] != MERGE
            if joins or leaves:
                found.setdefault(way, []).append(edge)
    return found


def _decided(every: pl.DataFrame, said: Ruled, home: Ints, new: Ints, of: Ints) -> dict[int, Decision]:
    """Of each way the decision behind it, if any: the last of the file that joins its records or holds them apart."""
    joins = every.filter((pl.col("rule") == DECISION) & (pl.col("cut") == "kept"))
    found: dict[int, int] = {}
    joined = zip(joins["left"].to_list(), joins["right"].to_list(), joins["entry"].to_list(), strict=True)
    for a, b, entry in joined:
        if of[a] != of[b]:
            for way in {int(of[a]), int(of[b])} - {-1}:
                found[way] = max(entry, found.get(way, -1))
    for (a, b), entry in zip(said.apart.tolist(), said.says.tolist(), strict=True):
        if home[a] == home[b] and home[a] >= 0:
            for way in {int(of[a]), int(of[b])} - {-1}:
                found[way] = max(entry, found.get(way, -1))
    return {way: said.entries[entry] for way, entry in found.items()}


def _event(
    on: date, kind: str, came: str, went: str, refs: list[str], edges: list[dict[str, Any]], decision: Decision | None
) -> tuple[Any, ...]:
    undoes = decision.event if decision else None
    states = {edge["state"] for edge in edges}
    withdrawn = any(edge["rule"] == DECISION and edge["state"] == "gone" for edge in edges)
    if decision or withdrawn:
        cause = "decision"
    elif kind == MERGE:
        cause = "evidence"
    elif "cap" in states:
        cause = "cap"
    else:
        cause = "evidence" if kind == MOVED else "evidence_gone"
    shape, kind = kind, UNDO if undoes else kind
    evidence: dict[str, Any] = {"edges": edges[:_LISTED], "edges_in_all": len(edges)}
    if decision:
        evidence["decision"] = {"decided_by": decision.decided_by, "reason": decision.reason}
    content = [on.isoformat(), kind, came, went, *refs]
    return (
        hashlib.sha256("\x1f".join(content).encode()).hexdigest(),
        on,
        kind,
        *((came, went) if shape == SPLIT else (went, came)),
        went,
        len(refs),
        json.dumps(refs[:_LISTED]),
        cause,
        undoes,
        json.dumps(evidence, ensure_ascii=False, sort_keys=True),
    )
