"""What a token stands for, shown to a named person for a stated purpose, and never without a trace.

What belongs here: finding the values of tokens, and logging that before anybody has them. What does not: which tokens
belong to whom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipelines.contracts.model import IDENTIFIERS, PURPOSES
from pipelines.settings import Home, InputError
from pipelines.vault import access, store
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import with_tokens

ACTION = "reveal"


@dataclass(frozen=True)
class Inquiry:
    """Who asks, for which purpose of the contracts, and why, in a few words."""

    operator: str
    purpose: str
    reason: str

    def __post_init__(self) -> None:
        for name in ("operator", "reason"):
            if not getattr(self, name).strip():
                raise InputError(f"--{name}: say it in a few words; it goes into the access log")
        if self.purpose not in PURPOSES:
            raise InputError(f"--purpose: '{self.purpose}' is none; use {', '.join(PURPOSES)}")


@dataclass(frozen=True, repr=False)
class Revealed:
    """A token, and the value it stands for with the other ways in which that was delivered; None where unknown."""

    token: str
    kind: str | None
    value: str | None
    valid: bool | None
    delivered: tuple[str, ...] = ()


def reveal(
    home: Home, ring: KeyRing, inquiry: Inquiry, tokens: Sequence[str], kind: str | None = None
) -> list[Revealed]:
    """The values of `tokens`, of whichever version of the token keys. What is returned has been logged.

    Raises InputError for a kind that there is not. Also a token that stands for nothing is logged.
    """
    if kind is not None and kind not in IDENTIFIERS:
        raise InputError(f"--kind: '{kind}' is none; use {', '.join(IDENTIFIERS)}")
    known = store.delivered_values(home, ring, None if kind is None else [kind])
    found: dict[str, Revealed] = {}
    for version in range(1, ring.newest + 1):
        named = with_tokens(known, ring.at(version)).filter(pl.col("token").is_in(list(tokens)))
        for row in named.sort("token", "raw", nulls_last=True).iter_rows(named=True):
            before = found.get(row["token"])
            others = (*(before.delivered if before else ()), *([row["raw"]] if row["raw"] else []))
            found[row["token"]] = Revealed(row["token"], row["kind"], row["value"], row["valid"], others)
    shown = [found.get(token, Revealed(token, None, None, None)) for token in tokens]
    access.record(
        home.vault,
        [
            {"action": ACTION, **vars(inquiry), "token": each.token, "kind": each.kind, "found": each.kind is not None}
            for each in shown
        ],
    )
    return shown
