"""What a night matches: all records, or those that are new with the part of the golden set that they can touch.

What belongs here: which old records can have to do with a new one, and what only the whole tells: which sounds are
those of names, and how common a name is. What does not: whether records match (`match`).

A record that shares nothing with anything new can be in no edge of tonight, nor change one. What can is found by the
very conditions that matching uses, then by party (no party may have two identity numbers; who holds a phone number is
weighed by all that the party states), then by whom people act for (an organisation's number is that of its head).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.identity.model import Keys, MatchModel
from pipelines.identity.records import SEPARATOR
from pipelines.identity.rules import CHECKED, one_off, right, wrong
from pipelines.identity.standardise import NAMED, admit_aliases, registered_sounds, with_aliases

#: By entity kind and column: each value and its share (`tf_<column>`) among the named records of that kind.
Frequencies = Mapping[str, Mapping[str, pl.DataFrame]]

# Columns of an old and of a new record that are the same: what rules, and holders of numbers, go by.
_SHARED: tuple[Keys, ...] = (
    *(((checked, checked),) for checked in CHECKED.values()),
    *(((one, other),) for one in ("phone", "phone_before") for other in ("phone", "phone_before")),
)
_STATED = sorted({name for keys in _SHARED for pair in keys for name in pair})
_CALLED = ("contract", "role", "key")
_KNOWN_AS = ("entity_kind", *_CALLED)
_REFERENCES = ("refers_to", "acts_for")
_ALIASED = ("record_ref", "entity_kind", "name", "sound", "turned", "alias", "surname")


@dataclass(frozen=True)
class Together:
    """What is matched with each other.

    `records`: the golden set's columns with aliases admitted, `party_id` (null for what has none yet) and `is_new`.
    """

    records: pl.DataFrame
    frequencies: Frequencies


def everything(records: pl.DataFrame, models: Mapping[str, MatchModel]) -> Together:
    """All of `records` (golden, with `party_id` and `is_new`)."""
    admitted = with_aliases(records)
    return Together(admitted, _frequencies(admitted, models))


def around(known: pl.DataFrame, changed: pl.DataFrame, models: Mapping[str, MatchModel]) -> Together:
    """`changed`, which is new, and what of `known` can have to do with it (both golden, with `party_id`).

    Matching finds in it what it would find in everything.
    """
    stands = ~known["record_ref"].is_in(changed["record_ref"].implode())
    registered = [registered_sounds(frame) for frame in (known.select("entity_kind", "sound").filter(stands), changed)]
    sounds = pl.concat(registered).unique()
    compared = sorted({*_ALIASED, *_STATED, *(name for model in models.values() for name in model.columns)})
    named, fresh = admit_aliases(known.select(compared), sounds), admit_aliases(changed, sounds)
    rows = _drawn_in(known, changed, _touched(known, named, fresh, models))
    old = known[rows].filter(stands.gather(rows)).with_columns(is_new=pl.lit(False))
    new = changed.with_columns(is_new=pl.lit(True)).select(old.columns)
    counted = sorted({"entity_kind", "name", "national_id"}.union(*(model.frequencies for model in models.values())))
    whole = pl.concat([named.select(counted).filter(stands), fresh.select(counted)])
    return Together(admit_aliases(pl.concat([old, new]), sounds), _frequencies(whole, models))


def _touched(
    known: pl.DataFrame, named: pl.DataFrame, fresh: pl.DataFrame, models: Mapping[str, MatchModel]
) -> pl.Series:
    """Rows of `known` that share with a fresh record what matching asks for; `named` are they with aliases."""
    conditions = {*_SHARED, *(keys for model in models.values() for keys in model.keys)}
    conditions |= {tuple((other, one) for one, other in keys) for keys in conditions}
    found = [_sharing(named, fresh, keys) for keys in sorted(conditions)]
    found += [_called(known, fresh.select(_REFERENCES)), _referring(known, _REFERENCES, fresh)]
    return pl.concat([*found, *(_corrected(known, fresh, kind) for kind in CHECKED)])


def _drawn_in(known: pl.DataFrame, changed: pl.DataFrame, rows: pl.Series) -> pl.Series:
    """`rows` of `known` and who is judged with them: their parties, who acts for these, for whom they act."""
    rows = _with_parties(known, rows, changed["party_id"])
    there = pl.concat([known.select(_KNOWN_AS)[rows], changed.select(_KNOWN_AS)])
    acting = _referring(known, ["acts_for"], there.filter(pl.col("entity_kind") == "organisation"))
    rows = _with_parties(known, pl.concat([rows, acting]))
    return _with_parties(known, pl.concat([rows, _called(known, known.select("acts_for")[rows])]))


def _frequencies(frame: pl.DataFrame, models: Mapping[str, MatchModel]) -> Frequencies:
    found = {}
    for kind, model in models.items():
        asked = (pl.col("entity_kind") == kind) & (NAMED if kind == "person" else pl.lit(True))
        counted = frame.select(sorted({"entity_kind", "name", "national_id", *model.frequencies}))
        found[kind] = shares(model, counted.filter(asked))
    return found


def shares(model: MatchModel, records: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Of each column that `model` weighs by how common a value is, the share of each value in `records`.

    Frames of the column and `tf_<column>`, as `model.score` takes them.
    """
    found = {}
    for name in model.frequencies:
        counts = records[name].drop_nulls().value_counts(name="count").sort(name)
        found[name] = counts.select(name, (pl.col("count") / pl.col("count").sum()).alias(f"tf_{name}"))
    return found


def _sharing(known: pl.DataFrame, fresh: pl.DataFrame, keys: Keys) -> pl.Series:
    """Rows of `known` that have in the first column of each of `keys` what a fresh record has in the second."""
    mine = [name for name, _ in keys]
    theirs = fresh.select(pl.col(name).alias(own) for own, name in keys).drop_nulls().unique()
    rows = _rows(known[mine[0]].is_in(theirs[mine[0]].implode()))
    if len(keys) == 1:
        return rows
    return rows.to_frame().hstack(known.select(mine)[rows]).join(theirs, on=mine, how="semi")["row"]


def _called(known: pl.DataFrame, references: pl.DataFrame) -> pl.Series:
    """Rows of `known` that are named in any column of `references`."""
    names = pl.concat([references[name].alias("name") for name in references.columns]).drop_nulls().unique()
    keys = names.str.splitn(SEPARATOR, len(_CALLED)).struct[-1]
    # Keys first: naming every record of the golden set would take longer than all else.
    rows = _rows(known["key"].is_in(keys.implode()))
    return rows.filter(known.select(pl.col(_CALLED).gather(rows)).select(_name().is_in(names.implode())).to_series())


def _referring(known: pl.DataFrame, columns: Sequence[str], to: pl.DataFrame) -> pl.Series:
    """Rows of `known` that name, in any of `columns`, one of the records `to`."""
    names = to.select(_name()).to_series().unique().implode()
    return pl.concat([_rows(known[name].is_in(names)) for name in columns])


def _name() -> pl.Expr:
    return pl.concat_str(_CALLED, separator=SEPARATOR)


def _corrected(known: pl.DataFrame, fresh: pl.DataFrame, kind: str) -> pl.Series:
    """Rows of `known` whose identifier is one character off that of a fresh record, one of the two being wrong.

    Whoever else is one character off such a wrong one is there too: it is corrected only to a single right one.
    """
    checked = CHECKED[kind]
    rows = _rows(known.select(wrong(kind)).to_series())
    near = _with_gaps(rows.to_frame().with_columns(text=known[kind].gather(rows))).join(
        _with_gaps(fresh.filter(right(kind)).select(text=checked)), on="gap", how="semi"
    )
    doubted = pl.concat([near["text"], fresh.filter(wrong(kind))[kind].alias("text")]).unique()
    candidates = one_off(doubted, kind)["candidate"]
    return pl.concat([near["row"], _rows(known[checked].is_in(candidates.implode()))])


def _with_gaps(frame: pl.DataFrame) -> pl.DataFrame:
    """Each text with one character left out, at each place: two texts share a gap if they differ there alone."""
    text, place = pl.col("text"), pl.col("place")
    gap = pl.concat_str(
        place.cast(pl.String), pl.lit(" "), text.str.slice(0, place), pl.lit(" "), text.str.slice(place + 1)
    )
    return frame.join(pl.DataFrame({"place": range(18)}), how="cross").with_columns(gap=gap)


def _with_parties(known: pl.DataFrame, rows: pl.Series, more: pl.Series | None = None) -> pl.Series:
    """`rows` of `known` and every other row of their parties, and of the parties `more`; in order."""
    parties = known["party_id"].gather(rows)
    if more is not None:
        parties = pl.concat([parties, more.alias("party_id")])
    theirs = known["party_id"].is_in(parties.drop_nulls().unique().implode()).fill_null(False)
    return pl.concat([rows.cast(pl.UInt32), _rows(theirs)]).unique().sort()


def _rows(mask: pl.Series) -> pl.Series:
    return mask.fill_null(False).arg_true().alias("row")
