"""Brings the identifiers of records into the columns that rules and models compare.

What belongs here: one column from another of the same record. What does not: comparing records. Input and output are
raw identifiers: they stay in memory or sealed in the vault.
"""

from __future__ import annotations

import polars as pl

from pipelines.identity.names import kernel, surname_of_title, with_person_names

_ID_LENGTH = 18
# 栋, 幢, 座, 号楼 and 单元 separate the numbers of a dwelling; what follows the last number names it again.
_SEPARATORS, _ENDS = r"(?:栋|幢|座|号楼|单元|层)", r"(?:室|号|房)$"
_ADDRESS = r"^(?:\p{Han}+?市)?(\p{Han}{2,4}?[区县])?(?:.*?\d+号)?(\D+?)(\d[\d-]*)$"
_ROAD = r"[区县市]([^区县市\d]+\d+号)"

#: What matching knows of a record beside who it is (`records.COLUMNS`), and how.
STANDARD = {
    "name": pl.String, "sound": pl.String, "turned": pl.String, "alias": pl.String,
    "surname": pl.String, "kernel": pl.String, "head": pl.String, "national_id": pl.String, "valid_id": pl.String,
    "uscc": pl.String, "valid_uscc": pl.String, "birth": pl.String, "gender": pl.String, "phone": pl.String,
    "phone_before": pl.String, "phone_hash": pl.String, "email": pl.String, "device": pl.String,
    "dwelling": pl.String, "road": pl.String, "refers_to": pl.String, "acts_for": pl.String,
}  # fmt: skip


def standardise(raw: pl.DataFrame) -> pl.DataFrame:
    """The columns STANDARD from normal forms of identifiers.

    `raw`: entity_kind, name, alias, head, national_id, national_id_valid, uscc, uscc_valid, phone, phone_before,
    phone_hash, email, device, address, birth_month (date), gender, refers_to, acts_for; all text but where said.
    """
    person, male = pl.col("entity_kind") == "person", pl.col("valid_id").str.slice(16, 1).cast(pl.Int32) % 2 == 1
    frame = raw.with_columns(valid_id=_checked("national_id"), valid_uscc=_checked("uscc"))
    frame = frame.with_columns(
        national_id=pl.when(pl.col("national_id").str.len_chars() == _ID_LENGTH).then(pl.col("national_id")),
        birth=pl.col("valid_id").str.slice(6, 6).fill_null(pl.col("birth_month").dt.strftime("%Y%m")),
        gender=pl.when(male).then(pl.lit("male")).otherwise(
            pl.when(male.not_()).then(pl.lit("female")).otherwise(pl.col("gender"))
        ),
        kernel=pl.when(~person).then(kernel(pl.col("name"))),
        surname=surname_of_title(pl.col("alias")),
    )  # fmt: skip
    return _with_places(with_person_names(frame)).select(STANDARD.keys()).cast(STANDARD)  # type: ignore[arg-type]


#: Records that say who they are; of others only what they carry is known.
NAMED = pl.col("name").is_not_null() | pl.col("national_id").is_not_null()


def with_aliases(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the aliases that are names of the people in it."""
    return admit_aliases(frame, registered_sounds(frame))


def registered_sounds(frame: pl.DataFrame) -> pl.Series:
    """The sounds under which people are registered, each once."""
    return frame.select("entity_kind", "sound").filter(pl.col("entity_kind") == "person")["sound"].drop_nulls().unique()


def admit_aliases(frame: pl.DataFrame, registered: pl.Series) -> pl.DataFrame:
    """`frame` with `name` and what follows from it filled from `alias` where somebody is registered under that sound.

    What people call themselves is a name only if it is one: nicknames of parcels are not. `registered` holds sounds.
    """
    aliased = frame.select("record_ref", "name", "alias", "surname").filter(
        pl.col("name").is_null() & pl.col("alias").is_not_null() & pl.col("surname").is_null()
    )
    named = with_person_names(aliased.select("record_ref", name="alias"))
    return frame.update(named.filter(pl.col("sound").is_in(registered.implode())), on="record_ref")


def _checked(name: str) -> pl.Expr:
    return pl.when(pl.col(f"{name}_valid")).then(pl.col(name))


def _with_places(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `dwelling` (district, estate, numbers), however it is written, and `road`, which short forms leave out."""
    distinct = frame.select(pl.col("address").drop_nulls().unique())
    text = pl.col("address").str.replace_all(r"\s", "").str.replace_all(_SEPARATORS, "-").str.replace(_ENDS, "")
    parts = text.str.extract_groups(_ADDRESS)
    known = distinct.with_columns(
        dwelling=pl.concat_str(*(parts.struct[place] for place in range(3))), road=text.str.extract(_ROAD)
    )
    return frame.join(known, on="address", how="left", maintain_order="left")
