"""Small worlds of records and edges for the tests of parties, and nights run over them."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date, timedelta

import polars as pl

from pipelines.identity.assign import Night, Prior, assign
from pipelines.identity.evidence import EDGES, Limits

KEY = "0f" * 32
FIRST = date(2030, 1, 1)
LIMITS = Limits(100, ("national_id", "phone", "model"))
NO_PAIRS = pl.DataFrame(schema={**EDGES, "levels": pl.String})


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def ref(name: str) -> str:
    """A record reference; the order of references is not that of names."""
    return hashlib.sha256(name.encode()).hexdigest()


def own(name: str) -> str:
    """The party id that a record founds."""
    return hmac.new(KEY.encode(), f"founding {name}".encode(), hashlib.sha256).hexdigest()


def records(names, *, organisations="", seen=None) -> pl.DataFrame:
    """One record per name; `seen` gives the day number on which it was first seen, else day 0."""
    seen = seen or {}
    kind = {n: "organisation" if n in organisations else "person" for n in names}
    rows = [(ref(n), kind[n], f"s{ord(n) % 3}", day(seen.get(n, 0)), f"founding {n}") for n in names]
    schema = ["record_ref", "entity_kind", "source", "first_seen", "founding"]
    return pl.DataFrame(rows, schema=dict.fromkeys(schema, pl.String) | {"first_seen": pl.Date}, orient="row")


def edges(*given) -> pl.DataFrame:
    """Edges from (left name, right name, rule, weight)."""
    return pl.DataFrame([(ref(a), ref(b), rule, weight) for a, b, rule, weight in given], schema=EDGES, orient="row")


def run(prior, there, found, number, *, full=False, said=(), limits=LIMITS, near=NO_PAIRS, passed_on="") -> Night:
    others = pl.Series("record_ref", [ref(name) for name in passed_on], pl.String)
    return assign(prior, there, found, near, tuple(said), limits, day(number), KEY, full=full, passed_on=others)


def then(prior: Prior, night: Night) -> Prior:
    """What is known after a night, without files."""
    evidence = night.evidence if night.full else pl.concat([prior.evidence.collect(), night.evidence])
    return Prior(night.assignment, evidence.lazy(), night.pairs)


def parties(night: Night, names) -> dict[str, str]:
    """The party of each name."""
    by_ref = dict(night.assignment.select("record_ref", "party_id").iter_rows())
    return {name: by_ref[ref(name)] for name in names}


def partition(night: Night, names) -> set[frozenset[str]]:
    found: dict[str, set[str]] = {}
    for name, party in parties(night, names).items():
        found.setdefault(party, set()).add(name)
    return {frozenset(group) for group in found.values()}
