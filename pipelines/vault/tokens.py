"""Keyed tokens: what stands for an identifier beyond the ingest boundary.

A token is HMAC-SHA256 under a key of its identifier kind. A Polars plan that is not collected holds the key:
nothing here returns or stores a lazy frame.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import polars_hash  # noqa: F401  (registers the `chash` namespace)

from pipelines.vault.keys import KeyRing


def _words(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"\s+", " ").str.strip_chars()


def _code(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[\s-]", "").str.to_uppercase()


def _lower(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars().str.to_lowercase()


# How an identifier is written before it is hashed, so that one person gives one token. Characters of double width
# become their plain form first.
_NORMALISED: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "name": _words,
    "national_id": _code,
    # China's country code is written as often as it is left out.
    "phone": lambda text: text.str.replace(r"^\s*(\+|00)86", "").str.replace_all(r"[^0-9]", ""),
    "bank_account": _code,
    "uscc": _code,  # China's unified social credit code
    "address": _words,
    "email": _lower,
    "device": _lower,
    "phone_hash": _lower,  # a phone number that the delivering system has hashed already
}


def kinds() -> tuple[str, ...]:
    """Identifier kinds that can be tokenised."""
    return tuple(_NORMALISED)


def tokenise(frame: pl.DataFrame, columns: dict[str, str], ring: KeyRing) -> pl.DataFrame:
    """Replace each column of `columns` (name to identifier kind) by `<name>_token`, in its place."""
    expressions = []
    for name in frame.columns:
        if kind := columns.get(name):
            text = _NORMALISED[kind](pl.col(name).str.normalize("NFKC"))
            text = pl.when(text != "").then(text)
            expressions.append(hmac_sha256(text, ring.token_key(kind)).alias(f"{name}_token"))
        else:
            expressions.append(pl.col(name))
    return frame.select(expressions)


def hmac_sha256(text: pl.Expr, key: str) -> pl.Expr:
    """HMAC-SHA256 of a text column as 64 hex digits; null stays null."""
    return text.chash.hmac_sha256(key=key)
