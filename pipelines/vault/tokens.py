"""Keyed tokens: what stands for an identifier beyond the ingest boundary.

A token is HMAC-SHA256 of the normal form under a key of its identifier kind. A Polars plan that is not collected holds
the key: nothing here returns or stores a lazy frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
import polars_hash  # noqa: F401  (registers the `chash` namespace)

from pipelines.vault.keys import KeyRing
from pipelines.vault.normal import normalise, valid

#: Columns of the values of a vault frame; `raw` is how a value was delivered, where that is not its normal form.
VALUES = {"kind": pl.String, "value": pl.String, "valid": pl.Boolean, "raw": pl.String}


@dataclass(frozen=True, repr=False)
class Tokenised:
    """Rows whose identifiers became tokens, and what they stand for. Raw values: they stay in memory.

    `rows` has `<name>_token` and `<name>_row_hash` in the place of each identifier: the second is the same under every
    version of the token keys. `values` has each distinct identifier once, as it was delivered (columns VALUES);
    `cells` says by `<name>` which of them a row had: its place in `values`, or null.
    """

    rows: pl.DataFrame
    values: pl.DataFrame
    cells: pl.DataFrame


def tokenise(frame: pl.DataFrame, columns: Mapping[str, str], ring: KeyRing) -> Tokenised:
    """Tokenise each column of `columns` (name to identifier kind). `frame` may have others, which are kept."""
    cells: dict[str, pl.Series] = {}
    values, references, start = [], [], 0
    for kind in sorted(set(columns.values())):
        names = [name for name in columns if columns[name] == kind]
        # Each distinct text once: normal forms and hashes cost more than finding it again.
        texts = pl.concat([frame[name].cast(pl.String) for name in names]).alias("text")
        known = _known(kind, texts.drop_nulls().unique(maintain_order=True), ring)
        place = pl.int_range(start, start + known.height, dtype=pl.UInt32, eager=True)
        found = texts.to_frame().join(
            known.select("text", place=place), on="text", how="left", maintain_order="left"
        )["place"]  # fmt: skip
        for number, name in enumerate(names):
            cells[name] = found.slice(number * frame.height, frame.height).alias(name)
        values.append(known.select(*VALUES))
        references.append(known.select("token", "row_hash"))
        start += known.height
    if not columns:
        return Tokenised(frame, pl.DataFrame(schema=VALUES), frame.select([]))
    hashed = pl.concat(references)
    series = []
    for column in frame.iter_columns():
        if column.name not in columns:
            series.append(column)
            continue
        for made in ("token", "row_hash"):
            series.append(hashed[made].gather(cells[column.name]).alias(f"{column.name}_{made}"))
    told = [cells.get(column.name, column) for column in frame.iter_columns()]
    return Tokenised(pl.DataFrame(series), pl.concat(values), pl.DataFrame(told))


def _known(kind: str, texts: pl.Series, ring: KeyRing) -> pl.DataFrame:
    """Each text that has a normal form, with that form and what is made of it."""
    value = normalise(kind, texts).alias("value")
    frame = pl.DataFrame([texts.alias("text"), value]).filter(pl.col("value").is_not_null())
    return frame.with_columns(
        kind=pl.lit(kind, pl.String),
        valid=valid(kind, frame["value"]),
        raw=pl.when(pl.col("text") != pl.col("value")).then(pl.col("text")),
        token=hmac_sha256(pl.col("value"), ring.token_key(kind)),
        row_hash=hmac_sha256(pl.col("value"), ring.row_hash_key(kind)),
    )


def with_tokens(values: pl.DataFrame, ring: KeyRing) -> pl.DataFrame:
    """`values`, with columns `kind` and `value` (normal form), and the `token` of each under the version of `ring`."""
    made = [
        part.with_columns(token=hmac_sha256(pl.col("value"), ring.token_key(str(kind))))
        for (kind,), part in values.partition_by("kind", maintain_order=True, as_dict=True).items()
    ]
    return pl.concat(made) if made else values.with_columns(token=pl.lit(None, pl.String))


def hmac_sha256(text: pl.Expr, key: str) -> pl.Expr:
    """HMAC-SHA256 of a text column as 64 hex digits; null stays null."""
    return text.chash.hmac_sha256(key=key)
