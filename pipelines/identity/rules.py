"""Rules: pairs of records that are one party because a key says so, without any weighing.

What belongs here: identity numbers, credit codes, keys of another system, and people of one organisation. What does
not: what only probably matches (`model`, `attach`). Frames have the columns of `match`; edges have `left`, `right`
(row numbers `id`), `rule` and `weight` (null). Each edge has at least one new record: what is old was matched before.
"""

from __future__ import annotations

import polars as pl

from pipelines.vault.normal import valid

_LENGTH = 18  # of either kind
EDGES = {"left": pl.Int64, "right": pl.Int64, "rule": pl.String, "weight": pl.Float64}
#: Of a kind of identifier, the column that holds it where its checksum is right.
CHECKED = {"national_id": "valid_id", "uscc": "valid_uscc"}
_ALPHABET = {"national_id": "0123456789X", "uscc": "0123456789ABCDEFGHJKLMNPQRTUWXY"}


def same_key(frame: pl.DataFrame, column: str, rule: str) -> pl.DataFrame:
    """Edges from each new record to the first that has the same value in `column`."""
    return _to_first(frame.filter(pl.col(column).is_not_null()), [column], rule)


def same_person_of(frame: pl.DataFrame, organisation: pl.DataFrame) -> pl.DataFrame:
    """Edges between people of one name who act for one organisation (`id`, `organisation`)."""
    acting = frame.join(organisation, on="id").filter(pl.col("name").is_not_null())
    return _to_first(acting, ["organisation", "name"], "role")


def _to_first(frame: pl.DataFrame, by: list[str], rule: str) -> pl.DataFrame:
    """Old records come first: they are together already, and one edge joins a new one to them."""
    ordered = frame.sort("is_new", "record_ref")
    edges = ordered.with_columns(first=pl.col("id").first().over(by)).filter(
        pl.col("is_new") & (pl.col("first") != pl.col("id"))
    )
    return edges.select(left="first", right="id", rule=pl.lit(rule), weight=pl.lit(None, pl.Float64))


def referred(frame: pl.DataFrame, targets: pl.DataFrame) -> pl.DataFrame:
    """Edges from records to those whose key they state (`id`, `target`), where something beside the key agrees.

    A customer number that was mistyped is that of somebody else, with another name, phone and dwelling.
    """
    sides = frame.select("id", "is_new", "name", "sound", "turned", "national_id", "phone", "phone_before", "dwelling")
    pairs = targets.join(sides, on="id").join(sides, left_on="target", right_on="id", suffix="_of_target")
    agrees = pl.any_horizontal(
        *(_equal(name, name) for name in ("name", "sound", "national_id", "phone", "dwelling")),
        _equal("turned", "sound"),
        _equal("sound", "turned"),
        _equal("phone", "phone_before"),
        _equal("phone_before", "phone"),
    )
    silent = pl.all_horizontal(pl.col(name).is_null() for name in ("name", "national_id", "phone", "dwelling"))
    found = pairs.filter((agrees | silent) & (pl.col("is_new") | pl.col("is_new_of_target")))
    return found.select(left="target", right="id", rule=pl.lit("party_key"), weight=pl.lit(None, pl.Float64))


def _equal(name: str, other: str) -> pl.Expr:
    return (pl.col(name) == pl.col(f"{other}_of_target")).fill_null(False)


def corrected(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Edges from a wrong identifier to the only known right one that differs in a single character.

    `kind` is national_id or uscc. Where both records have a name, it must be the same or sound the same.
    """
    doubted = frame.filter(wrong(kind)).select("id", "is_new", "name", "sound", text=kind)
    ordered = frame.filter(right(kind)).sort("is_new", "record_ref")
    first = ordered.unique(CHECKED[kind], keep="first", maintain_order=True)
    found = doubted.join(one_off(doubted["text"], kind), on="text").join(
        first.select("name", "sound", "is_new", candidate=CHECKED[kind], target="id"),
        on="candidate",
        suffix="_of_target",
    )
    other = pl.col("name").is_not_null() & pl.col("name_of_target").is_not_null()
    found = found.filter(~other | _equal("name", "name") | _equal("sound", "sound"))
    only = found.unique(["id", "target"]).filter(pl.len().over("id") == 1)
    return only.filter(pl.col("is_new") | pl.col("is_new_of_target")).select(
        left="target", right="id", rule=pl.lit(f"{kind}_corrected"), weight=pl.lit(None, pl.Float64)
    )


def right(kind: str) -> pl.Expr:
    """Whether a record states an identifier of `kind` whose checksum is right."""
    return pl.col(CHECKED[kind]).is_not_null()


def wrong(kind: str) -> pl.Expr:
    """Whether a record states an identifier of `kind` that has the length of one, and a wrong checksum."""
    return pl.col(kind).is_not_null() & ~right(kind) & (pl.col(kind).str.len_chars() == _LENGTH)


def one_off(texts: pl.Series, kind: str) -> pl.DataFrame:
    """Of each of `texts` the right identifiers that differ in a single character: `text`, `candidate`."""
    characters = pl.DataFrame({"character": list(_ALPHABET[kind])})
    places = pl.DataFrame({"place": range(_LENGTH)}).join(characters, how="cross")
    text, place = pl.col("text"), pl.col("place")
    candidate = pl.concat_str(text.str.slice(0, place), "character", text.str.slice(place + 1))
    every = texts.unique().alias("text").to_frame().join(places, how="cross").select("text", candidate=candidate)
    distinct = every["candidate"].unique()
    return every.filter(pl.col("candidate").is_in(distinct.filter(valid(kind, distinct)).implode()))
