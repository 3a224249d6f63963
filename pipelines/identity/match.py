"""Finds which records are one party: rules first, then the model, then who holds a number.

What belongs here: the order of the steps and what one leaves to the next. What does not: each step (`rules`, `model`,
`attach`), and which party it becomes (`assign`). Everything here is raw identifiers, in memory, inside the vault zone.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from pipelines.identity import rules
from pipelines.identity.attach import Weights, attach
from pipelines.identity.evidence import STRENGTH
from pipelines.identity.model import PAIRS, MatchModel, score
from pipelines.identity.neighbourhood import Frequencies, Together
from pipelines.identity.records import SEPARATOR
from pipelines.identity.rules import EDGES
from pipelines.identity.standardise import NAMED


@dataclass(frozen=True)
class Thresholds:
    """In bits: a pair of `link` or more is one party, from `review` on somebody should look at it."""

    link: float
    review: float
    weights: Weights


@dataclass(frozen=True)
class Matches:
    """Pairs by reference: `edges` (left_ref, right_ref, rule, weight) and `borderline`, with `levels`."""

    edges: pl.DataFrame
    borderline: pl.DataFrame


def match(
    con: duckdb.DuckDBPyConnection, together: Together, models: dict[str, MatchModel], thresholds: Thresholds
) -> Matches:
    """Match the new among records with each other and with the old. `models` by entity kind.

    The same records in another order give the same pairs.
    """
    frame = together.records.sort("record_ref").with_row_index("id").with_columns(pl.col("id").cast(pl.Int64))
    atoms = frame["party_id"].fill_null(frame["record_ref"]).rank("dense").cast(pl.Int64).to_numpy() - 1
    organisations = frame.filter(pl.col("entity_kind") == "organisation")
    people = frame.filter(pl.col("entity_kind") == "person")

    found = [
        rules.same_key(organisations, "valid_uscc", "uscc"),
        rules.corrected(organisations, "uscc"),
    ]
    pairs = _scored(con, models["organisation"], organisations, thresholds, together.frequencies)
    companies = pl.concat([*found, _edges(pairs, thresholds)])
    label = _labels(atoms, companies)
    found = [
        rules.same_key(people, "valid_id", "national_id"),
        rules.referred(people, _targets(frame, "refers_to")),
        rules.same_person_of(people, _organisations(frame, label)),
        rules.corrected(people, "national_id"),
    ]
    frame = _with_phone_of_organisation(frame, label)
    people = frame.filter(pl.col("entity_kind") == "person")
    pairs = pl.concat([pairs, _scored(con, models["person"], people.filter(NAMED), thresholds, together.frequencies)])
    edges = pl.concat([companies, *found, _edges(pairs.join(companies, on=["left", "right"], how="anti"), thresholds)])
    edges, refused = _without_contradictions(edges, frame, atoms)
    label = _labels(atoms, edges)
    frame = frame.with_columns(label=pl.Series(label), is_referred=pl.col("refers_to").is_not_null())
    edges = pl.concat([edges, attach(_opened(frame), thresholds.weights)])
    near = pairs.filter(pl.col("weight") < thresholds.link).with_columns(rule=pl.lit("model"))
    near = pl.concat([near.select(*EDGES, "levels"), refused.with_columns(levels=pl.lit("two identity numbers"))])
    final = pl.Series(_labels(atoms, edges))
    near = near.filter(final.gather(near["left"]) != final.gather(near["right"]))
    return Matches(
        _by_reference(edges, frame).select("left_ref", "right_ref", "rule", "weight"), _by_reference(near, frame)
    )


def _scored(
    con: duckdb.DuckDBPyConnection,
    model: MatchModel,
    frame: pl.DataFrame,
    thresholds: Thresholds,
    frequencies: Frequencies,
) -> pl.DataFrame:
    if not frame["is_new"].any():
        return pl.DataFrame(schema=PAIRS)
    return score(
        con,
        model,
        frame.filter(~pl.col("is_new")),
        frame.filter("is_new"),
        thresholds.review,
        frequencies[model.entity],
    )


def _edges(pairs: pl.DataFrame, thresholds: Thresholds) -> pl.DataFrame:
    linked = pairs.filter(pl.col("weight") >= thresholds.link)
    return linked.select("left", "right", rule=pl.lit("model"), weight="weight")


def _labels(atoms: np.ndarray, edges: pl.DataFrame) -> np.ndarray:
    """The component of each record, where records of one atom are together."""
    left, right = atoms[edges["left"].to_numpy()], atoms[edges["right"].to_numpy()]
    size = int(atoms.max(initial=-1)) + 1
    graph = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    return connected_components(graph, directed=False)[1][atoms].astype(np.int64)


def _targets(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Of each record that states another's key: `id` and `target`, that record; where several sources have it, all."""
    stated = frame.filter(pl.col(column).is_not_null()).select("id", "contract", "source", name=column)
    name = pl.concat_str("contract", "role", "key", separator=SEPARATOR)
    by_name = frame.select("contract", "source", target="id", name=name)
    found = stated.join(by_name, on="name", suffix="_of_target")
    # Within a contract, a key means something only to its own source.
    own = (pl.col("contract") != pl.col("contract_of_target")) | (pl.col("source") == pl.col("source_of_target"))
    return found.filter(own).select("id", "target")


def _organisations(frame: pl.DataFrame, label: np.ndarray) -> pl.DataFrame:
    """Of each record that acts for an organisation: `id`, and `organisation`, which party that is."""
    acting = _targets(frame, "acts_for")
    return acting.with_columns(organisation=pl.Series(label).gather(acting["target"])).select("id", "organisation")


def _with_phone_of_organisation(frame: pl.DataFrame, label: np.ndarray) -> pl.DataFrame:
    """`frame` with the number of an organisation for its head, where the head's own record states none.

    The number that a company gives its bank is that of whoever acts for it.
    """
    labelled = frame.with_columns(organisation=pl.Series(label)).filter(pl.col("entity_kind") == "organisation")
    numbers = labelled.group_by("organisation").agg(number=pl.col("phone").drop_nulls().unique())
    heads = labelled.filter(pl.col("head").is_not_null()).select("organisation", name="head").unique()
    known = (
        numbers.filter(pl.col("number").list.len() == 1)
        .with_columns(pl.col("number").list.first())
        .join(heads, on="organisation")
    )
    acting = frame.filter(pl.col("phone").is_null()).select("id", "name").join(_organisations(frame, label), on="id")
    found = acting.join(known, on=["organisation", "name"]).unique("id", keep="first").select("id", "number")
    joined = frame.join(found, on="id", how="left", maintain_order="left")
    return joined.with_columns(phone=pl.coalesce("phone", "number")).drop("number")


def _opened(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with `is_open`: new records, and old ones alone whose number somebody new has."""
    fresh = frame.filter("is_new")
    numbers = pl.concat([fresh["phone"], fresh["phone_before"]]).drop_nulls().unique()
    alone = (~NAMED).all().over("label") & pl.col("phone").is_in(numbers.implode())
    return frame.with_columns(is_open=pl.col("is_new") | alone)


def _without_contradictions(
    edges: pl.DataFrame, frame: pl.DataFrame, atoms: np.ndarray
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Edges that leave no party with two right identity numbers or credit codes, and those that would.

    Where a component has two, its edges are taken anew, the strongest first, but for those that would join the two.
    """
    label = _labels(atoms, edges)
    numbers = frame.select("id", number=pl.coalesce("valid_id", "valid_uscc")).filter(pl.col("number").is_not_null())
    numbers = numbers.with_columns(
        label=pl.Series(label).gather(numbers["id"]), atom=pl.Series(atoms).gather(numbers["id"])
    )
    doubt = numbers.group_by("label").agg(pl.col("number").n_unique()).filter(pl.col("number") > 1)["label"]
    in_doubt = pl.Series(label).gather(edges["left"]).is_in(doubt.implode())
    strength = {rule: place for place, rule in enumerate(STRENGTH)}
    tried = edges.with_row_index("place").filter(in_doubt).with_columns(
        a=pl.Series(atoms).gather(edges.filter(in_doubt)["left"]),
        b=pl.Series(atoms).gather(edges.filter(in_doubt)["right"]),
        strength=pl.col("rule").replace_strict(strength, return_dtype=pl.Int64),
    )  # fmt: skip
    weight = pl.col("weight").fill_null(np.inf)
    tried = tried.sort("strength", weight, "left", "right", descending=[False, True, False, False])
    of = numbers.filter(pl.col("label").is_in(doubt.implode())).group_by("atom").agg(pl.col("number").first())
    held: dict[int, str | None] = dict(of.iter_rows())
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = node = parent[above]
        return node

    refused = []
    for place, left, right in tried.select("place", "a", "b").iter_rows():
        one, other = root(left), root(right)
        if one == other:
            continue
        numbers_of = held.get(one), held.get(other)
        if all(numbers_of) and numbers_of[0] != numbers_of[1]:
            refused.append(place)
            continue
        parent[other], held[one] = one, numbers_of[0] or numbers_of[1]
    gone = pl.Series(np.isin(np.arange(edges.height), refused))
    return edges.filter(~gone), edges.filter(gone)


def _by_reference(edges: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    refs = frame["record_ref"]
    ends = edges.with_columns(one=refs.gather(edges["left"]), other=refs.gather(edges["right"]))
    found = ends.select(
        left_ref=pl.min_horizontal("one", "other"), right_ref=pl.max_horizontal("one", "other"),
        **{name: pl.col(name) for name in edges.columns if name not in ("left", "right")},
    )  # fmt: skip
    key = ["left_ref", "right_ref", "rule"]
    return found.unique(key, keep="first", maintain_order=True).sort(key)
