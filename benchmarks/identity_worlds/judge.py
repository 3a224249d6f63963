"""Pairs of records against the truth: precision and recall, of our parties, of bare rules, of whoever knew everything.

What belongs here: what is counted, and the two yardsticks. What does not: the worlds (`worlds`). The truth is read
here and nowhere before: models and thresholds are fixed when a world is made.

A pair is two records of one golden set that the truth knows; it is right where the truth says one entity. Records of
contracts in which no table of the truth says whom they are of (guarantees, complaints, legal representatives) take part
in matching and are not counted.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from pipelines.identity import golden, rules, state
from pipelines.identity.records import SEPARATOR
from pipelines.identity.standardise import NAMED, with_aliases
from pipelines.settings import Settings
from pipelines.vault.keys import KeyRing

_PLACES = 18  # characters of a resident id or credit code


def judged(settings: Settings, truth: Path) -> dict[str, float]:
    """Counts and shares of a home that is resolved: ours, of the rules alone, and the ceiling."""
    home = settings.home
    ring = KeyRing.of_home(home.vault, settings.vault_key)
    records = golden.read(home, ring, state.dates(home))
    assignment = state.latest(home).assignment
    records = with_aliases(records).sort("record_ref").with_row_index("id")
    records = records.with_columns(pl.col("id").cast(pl.Int64), is_new=pl.lit(True)).join(
        assignment.select("record_ref", "party_id"), on="record_ref", how="left", maintain_order="left"
    )
    entities = known(records, pl.read_parquet(truth))
    records = records.join(entities, on="id", how="left", maintain_order="left")
    records = records.with_columns(bare=pl.Series(bare(records)), any=pl.Series(ceiling(records)))
    counted = records.filter(pl.col("entity").is_not_null())
    found: dict[str, float] = {
        "records": records.height,
        "counted": counted.height,
        "parties": records["party_id"].n_unique(),
        "entities": counted["entity"].n_unique(),
        "pairs": _pairs(counted, "entity"),
    }
    for name, label in (("", "party_id"), ("rules_", "bare"), ("ceiling_", "any")):
        found[f"{name}precision"], found[f"{name}recall"] = measured(counted, label)
    for kind in ("person", "organisation"):
        part = counted.filter(pl.col("entity_kind") == kind)
        found[f"{kind}_precision"], found[f"{kind}_recall"] = measured(part, "party_id")
    # What ours has and the ceiling lacks would be evidence that the ceiling forgot.
    found["above_ceiling"] = 1 - _pairs(counted, "entity", "party_id", "any") / _pairs(counted, "entity", "party_id")
    return found


def known(records: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Of each record that the truth knows: `id`, `entity`. An identifier that two entities state is nobody's."""
    named = truth.select(
        "contract", "source", key="record_key",
        entity_kind=pl.col("entity_kind").replace({"company": "organisation"}),
        entity=pl.concat_str("entity_kind", pl.col("entity").cast(pl.String)),
    ).unique()  # fmt: skip
    place = ["contract", "source", "key", "entity_kind"]
    named = named.filter(pl.len().over(place) == 1)
    counted = records.filter(~pl.col("role").is_in(["legal_representative"]))
    return counted.join(named, on=place).select("id", "entity")


def measured(records: pl.DataFrame, label: str) -> tuple[float, float]:
    """Pairwise precision and recall of the partition `label` against `entity`."""
    right = _pairs(records, label, "entity")
    return right / max(_pairs(records, label), 1), right / max(_pairs(records, "entity"), 1)


def _pairs(records: pl.DataFrame, *by: str) -> int:
    size = pl.col("len").cast(pl.Int64)
    return int(records.group_by(by).len().select((size * (size - 1) // 2).sum()).item())


def _components(size: int, *edges: pl.DataFrame) -> np.ndarray:
    every = pl.concat([edge.select("left", "right") for edge in edges])
    left, right = every["left"].to_numpy(), every["right"].to_numpy()
    graph = coo_matrix((np.ones(len(left), np.int8), (left, right)), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def bare(records: pl.DataFrame) -> np.ndarray:
    """The partition by rules alone: no model, no weighing, nothing mended.

    Valid resident ids and credit codes; typed customer numbers where something beside agrees; one phone and one name;
    and records without a name go to the one party that holds their phone, if only one does.
    """
    people = records.filter(pl.col("entity_kind") == "person")
    organisations = records.filter(pl.col("entity_kind") == "organisation")
    named = records.filter(pl.col("name").is_not_null() & pl.col("phone").is_not_null())
    edges = [
        rules.same_key(people, "valid_id", "national_id"),
        rules.same_key(organisations, "valid_uscc", "uscc"),
        rules.referred(people, targets(records, "refers_to")),
        _joined(named, "entity_kind", "name", "phone"),
    ]
    label = _components(records.height, *edges)
    labelled = people.with_columns(label=pl.Series(label).gather(people["id"])).filter(pl.col("phone").is_not_null())
    holders = labelled.filter(NAMED).group_by("phone").agg(
        left=pl.col("id").first(), parties=pl.col("label").n_unique()
    ).filter(pl.col("parties") == 1)  # fmt: skip
    attached = labelled.filter(~NAMED).join(holders, on="phone").select("left", right="id")
    return _components(records.height, *edges, attached)


def ceiling(records: pl.DataFrame) -> np.ndarray:
    """The partition of a matcher that never errs and joins whatever any evidence joins.

    That are records of one entity which share an identifier (one character of a number may differ), a phone now or
    earlier, a mail address, a device, a typed key, a dwelling, a name in a month of birth or in an organisation; the
    phone of an organisation is one of those who act for it; and an organisation is known by its name or its head.
    """
    frame = records.filter(pl.col("entity").is_not_null())
    of = frame.select("id", "entity")
    acting = targets(records, "acts_for").join(of, left_on="target", right_on="id").rename({"entity": "organisation"})
    frame = frame.join(acting.unique("id").select("id", "organisation"), on="id", how="left")
    lent = frame.select("id", "entity", "organisation").join(
        frame.select("phone", organisation="entity").drop_nulls().unique(), on="organisation"
    )
    held = [frame.select("id", "entity", phone=name) for name in ("phone", "phone_before")]
    typed = targets(records, "refers_to").join(of, on="id").join(of, left_on="target", right_on="id", suffix="_of_it")
    shared = (
        ("national_id",), ("uscc",), ("email",), ("device",), ("kernel",), ("head",), ("dwelling",),
        ("sound", "birth"), ("sound", "organisation"), ("sound", "acts_for"),
    )  # fmt: skip
    return _components(
        records.height,
        *(_joined(frame, "entity", *by) for by in shared),
        _joined(pl.concat([*held, lent.select("id", "entity", "phone")]), "entity", "phone"),
        typed.filter(pl.col("entity") == pl.col("entity_of_it")).select(left="target", right="id"),
        _mistyped(frame, "national_id", "valid_id"),
        _mistyped(frame, "uscc", "valid_uscc"),
    )


def _joined(frame: pl.DataFrame, *by: str) -> pl.DataFrame:
    """An edge from each record to the first that has the same values in `by`, all of them stated."""
    stated = frame.drop_nulls(list(by)).select("id", *by)
    return stated.with_columns(left=pl.col("id").min().over(by)).select("left", right="id")


def _mistyped(frame: pl.DataFrame, kind: str, checked: str) -> pl.DataFrame:
    """Edges from a number that is wrong to the right one of the same entity, where one character differs."""
    right = frame.drop_nulls([checked]).select("entity", left="id", right_number=checked).unique("entity")
    wrong = frame.filter(pl.col(checked).is_null()).drop_nulls([kind]).select("entity", right="id", wrong_number=kind)
    differing = sum(
        (pl.col("right_number").str.slice(at, 1) != pl.col("wrong_number").str.slice(at, 1)).cast(pl.Int64)
        for at in range(_PLACES)
    )
    return wrong.join(right, on="entity").filter(pl.lit(0) + differing <= 1).select("left", "right")


def targets(records: pl.DataFrame, column: str) -> pl.DataFrame:
    """Of each record that states another's key in `column`: its `id`, and `target`, that record."""
    name = pl.concat_str("contract", "role", "key", separator=SEPARATOR)
    stated = records.drop_nulls([column]).select("id", name=column)
    return stated.join(records.select(target="id", name=name), on="name").select("id", "target")
