"""Attaches records that have no name to the party that holds their phone number: app users, buyers.

What belongs here: who holds a number, and when that is plain. What does not: records that say who they are (`model`).
A number passes from hand to hand and a family shares one. So a record is attached only where one party holds the
number, or holds it plainly better than the next; two users of one system with one number are attached to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipelines.identity.rules import EDGES
from pipelines.identity.standardise import NAMED


@dataclass(frozen=True)
class Weights:
    """In bits: `support` for each record of a party with the number less those with another, `dwelling` and `surname`
    for agreement, `elsewhere` and `other_surname` against; `margin` by which the best must lead. `age` in years is the
    least of who has an account of their own."""

    support: float
    dwelling: float
    elsewhere: float
    surname: float
    other_surname: float
    margin: float
    age: int


_COLUMNS = (
    "id", "record_ref", "contract", "source", "role", "first_seen", "is_account", "is_new", "is_open", "label",
    "name", "national_id", "surname", "birth", "phone", "phone_before", "dwelling",
)  # fmt: skip


def attach(frame: pl.DataFrame, weights: Weights) -> pl.DataFrame:
    """Edges of rule `phone` that attach nameless people to parties, and nameless people of one number to each other.

    `frame` has the columns of `match` and `label`, the party of each record so far; rows with `is_open` are attached.
    """
    # A frame of every column would be as large as all records, three times over.
    people = frame.filter((pl.col("entity_kind") == "person") & ~pl.col("is_referred")).select(_COLUMNS)
    named, bare = people.filter(NAMED), people.filter(~NAMED & pl.col("phone").is_not_null())
    accounts = bare.filter("is_account")
    crowded = accounts.filter(pl.len().over("contract", "source", "role", "phone") > 1)
    candidates = _candidates(bare.filter("is_open"), named, weights)
    ranked = candidates.sort("id", "score", "label", descending=[False, True, False])
    ranked = ranked.with_columns(
        lead=pl.col("score") - pl.col("score").shift(-1).over("id"), rank=pl.int_range(pl.len()).over("id")
    )
    plain = pl.col("lead").is_null() | (pl.col("lead") >= weights.margin)
    best = ranked.filter((pl.col("rank") == 0) & plain).join(crowded, on="id", how="anti")
    attached = best.select(left="carrier", right="id", rule=pl.lit("phone"), weight="score")
    alone = (
        bare.join(candidates, on="id", how="anti").join(crowded, on="phone", how="anti").sort("is_new", "record_ref")
    )
    together = alone.with_columns(first=pl.col("id").first().over("phone")).filter(
        (pl.col("first") != pl.col("id")) & pl.col("is_open")
    )
    orphans = together.select(left="first", right="id", rule=pl.lit("phone"), weight=pl.lit(0.0))
    return pl.concat([part.cast(EDGES) for part in (attached, orphans)])  # type: ignore[arg-type]


def _candidates(bare: pl.DataFrame, named: pl.DataFrame, weights: Weights) -> pl.DataFrame:
    """Parties that carry the number of each record: id, label, carrier (a record of the party), score in bits."""
    numbers = bare.select("phone").unique()
    held = pl.concat([
        named.select("label", "id", "phone"),
        named.select("label", "id", phone="phone_before"),
    ]).filter(pl.col("phone").is_not_null())  # fmt: skip
    parties = held.join(numbers, on="phone", how="semi").select("label").unique()
    theirs = named.join(parties, on="label", how="semi")
    now = theirs.filter(pl.col("phone").is_not_null()).group_by("label", "phone").agg(agree=pl.len())
    every = now.group_by("label").agg(stated=pl.col("agree").sum())
    holders = held.join(parties, on="label", how="semi").group_by("label", "phone").agg(carrier=pl.col("id").min())
    facts = theirs.group_by("label").agg(
        birth=pl.col("birth").drop_nulls().min(),
        dwellings=pl.col("dwelling").drop_nulls().unique(),
        surnames=pl.col("name").drop_nulls().unique(),
    )
    pairs = (
        bare.select("id", "phone", "dwelling", "surname", "first_seen")
        .join(holders, on="phone")
        .join(now, on=["label", "phone"], how="left")
        .join(every, on="label", how="left")
        .join(facts, on="label", how="left")
    )
    since = pl.col("first_seen").dt.offset_by(f"-{weights.age}y").dt.strftime("%Y%m")
    pairs = pairs.filter(pl.col("birth").is_null() | (pl.col("birth") <= since))
    # Counts are unsigned: less than nothing would be very much.
    agree, stated = (pl.col(name).fill_null(0).cast(pl.Float64) for name in ("agree", "stated"))
    home = pl.col("dwelling").is_in(pl.col("dwellings"))
    known_home = pl.col("dwelling").is_not_null() & (pl.col("dwellings").list.len() > 0)
    called = pl.col("surnames").list.eval(pl.element().str.slice(0, 2)).list.join(" ").str.contains(
        pl.col("surname"), literal=True
    )  # fmt: skip
    known_name = pl.col("surname").is_not_null() & (pl.col("surnames").list.len() > 0)
    score = (
        weights.support * (2 * agree - stated)
        + _weigh(known_home, home, weights.dwelling, weights.elsewhere)
        + _weigh(known_name, called, weights.surname, weights.other_surname)
    )
    return pairs.select("id", "label", "carrier", score=score)


def _weigh(known: pl.Expr, agrees: pl.Expr, by: float, against: float) -> pl.Expr:
    return pl.when(known & agrees).then(by).when(known).then(-against).otherwise(0.0)
