"""Explains a party: its records, the evidence that holds them together, its weakest link, the events of its life.

What belongs here: what is asked of the state by a person. What does not: how it is printed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.identity import state
from pipelines.identity.cluster import spanning
from pipelines.identity.evidence import STRENGTH, Limits, by_strength, numbered, with_refs
from pipelines.settings import Home, InputError


@dataclass(frozen=True)
class Explanation:
    """`records` by date; `evidence` strongest first, `holds` where an edge is of the strongest spanning tree.

    `records` have the contract, role and record key of the crosswalk. `weakest` is the last edge that is needed, by
    position in `evidence`; None for a party of one record. `events` are those that name the party, `parties` its former
    ids among its records.
    """

    party_id: str
    records: pl.DataFrame
    evidence: pl.DataFrame
    weakest: int | None
    events: pl.DataFrame
    parties: tuple[str, ...]


def explain(home: Home, name: str, rules: tuple[str, ...] = STRENGTH) -> Explanation:
    """Explain the party or record whose id or reference begins with `name`; `rules` are the strongest first.

    A party that was merged is explained as what it is part of. Raises InputError unless `name` means one party.
    """
    known = state.latest(home)
    party = find(known.assignment, name)
    records = known.assignment.filter(pl.col("party_id") == party).sort("first_seen", "source", "record_ref")
    records = records.join(as_in_the_lake(home), on="record_ref", how="left", maintain_order="left")
    nodes = records.sort("record_ref").with_row_index("node")
    refs = nodes["record_ref"].implode()
    inside = pl.col("left_ref").is_in(refs) & pl.col("right_ref").is_in(refs)
    found = known.evidence.filter(inside).collect()
    found = found.unique(["left_ref", "right_ref", "rule"], keep="last", maintain_order=True)
    limits = Limits(records.height, (*rules, *sorted(set(found["rule"]) - {*rules, "decision"})))
    edges = by_strength(numbered(found, nodes), limits)
    tree = spanning(edges.select("left", "right").to_numpy(), nodes.height)
    evidence = with_refs(edges, nodes).with_columns(holds=pl.Series(np.isin(np.arange(edges.height), tree)))
    former = records.filter(pl.col("minted_on").is_not_null() & (pl.col("own_party_id") != party))["own_party_id"]
    events = state.events(home)
    life = events.filter(pl.any_horizontal(pl.col("party_id", "other_party_id").is_in([party, *former])))
    return Explanation(
        party,
        records,
        evidence.select("left_ref", "right_ref", "rule", "weight", "holds"),
        tree[-1] if tree else None,
        life,
        tuple(former.sort()),
    )


def as_in_the_lake(home: Home) -> pl.DataFrame:
    """What each record is in the lake: record_ref, contract, role, record_key; nothing before a first night."""
    path = home.identity / "party_crosswalk.parquet"
    if not path.exists():
        return pl.DataFrame(schema=dict.fromkeys(_IN_THE_LAKE, pl.String))
    return pl.read_parquet(path, columns=list(_IN_THE_LAKE)).select(_IN_THE_LAKE)


_IN_THE_LAKE = ("record_ref", "contract", "role", "record_key")


def find(assignment: pl.DataFrame, name: str) -> str:
    """The party of the record reference or party id, past or present, that begins with `name`.

    Raises InputError unless that is one party.
    """
    begins = pl.col("record_ref").str.starts_with(name)
    begins |= pl.col("own_party_id").str.starts_with(name) & pl.col("minted_on").is_not_null()
    found = assignment.filter(begins)["party_id"].unique()
    if len(found) != 1 or not name:
        raise InputError(
            f"{len(found)} parties or records begin with '{name}'; give more of the id, "
            f"or take one from `zhongtai identity review`"
        )
    return str(found[0])


def records_named(assignment: pl.DataFrame, name: str) -> list[str]:
    """The record whose reference begins with `name`, or every record of the party whose id does.

    Raises InputError unless that is one record or one party.
    """
    refs = assignment.filter(pl.col("record_ref").str.starts_with(name))["record_ref"].to_list()
    if len(refs) == 1 and name:
        return refs
    party = find(assignment, name)
    return assignment.filter(pl.col("party_id") == party)["record_ref"].sort().to_list()
