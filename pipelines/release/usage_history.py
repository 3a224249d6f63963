"""What was used of one customer over many releases: ledgers, refusals and consents, as intervals.

Belongs here: reading ledgers and proofs of published releases. Does not belong here: writing ledgers
(`pipelines.release.usage`), and how the answer looks (`usage_page`, `pipelines.cli.usage`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.audit.content import PROOF, RULES
from pipelines.audit.lawful import PURPOSES
from pipelines.audit.usage import ledger
from pipelines.release.catalogue import Release, list_releases
from pipelines.release.pointer import place_of
from pipelines.release.proof import refusal_column
from pipelines.release.refused import Refused
from pipelines.release.whom import Ring, party_id_of, pseudonym
from pipelines.settings import Home


@dataclass(frozen=True)
class Line:
    """What one product of one release used of a customer: classes of data, and those withheld."""

    release: str
    business_date: date
    consumer: str
    product: str
    rows: int
    used: tuple[str, ...]
    withheld: tuple[str, ...]


@dataclass(frozen=True)
class Interval:
    """What held in every release from `since` through `until`; `until` is empty where it still does in the last one.

    `what` is a class of data, followed by the refusal where it was withheld; `products` are those that used it.
    """

    consumer: str
    purpose: str
    what: tuple[str, ...]
    basis: str | None
    article: str
    products: tuple[str, ...]
    since: date
    until: date | None


@dataclass(frozen=True)
class Consent:
    """What a customer said last: `word` is given or withdrawn; `partner` names one where only that was meant."""

    purpose: str
    data_class: str | None
    partner: str | None
    word: str


@dataclass(frozen=True)
class UsageHistory:
    """Everything of one customer. `published` releases tell it; `silent` ones are of before there were ledgers."""

    first: date
    last: date
    published: tuple[str, ...]
    silent: tuple[str, ...]
    lines: tuple[Line, ...]
    used: tuple[Interval, ...]
    withheld: tuple[Interval, ...]
    consents: tuple[Consent, ...]


Found = dict[tuple[Any, ...], set[str]]  # what held in one release, and the products that it was in


def usage_of(home: Home, party: str, ring: Ring, first: date | None = None, last: date | None = None) -> UsageHistory:
    """What was used of a party in the releases of business dates from `first` to `last`.

    Raises InputError for a party that is not known, Refused where no release has a ledger.
    """
    party_id = party_id_of(home, party, ring)
    asked = [release for release in list_releases(home) if _within(release.business_date, first, last)]
    asked.sort(key=lambda release: (release.business_date, place_of(release.path), release.id))
    told = [release for release in asked if all(ledger(release.path, consumer).is_file() for consumer in PURPOSES)]
    if not told:
        raise Refused("no release of these dates has a ledger of data usage: publish a night first")
    who = {consumer: pseudonym(party_id, consumer, ring) for consumer in PURPOSES}
    lines: list[Line] = []
    used: list[Found] = []
    withheld: list[Found] = []
    for release in told:
        rules = json.loads((release.path / PROOF / RULES).read_bytes())
        lines_of, used_of, withheld_of = [], {}, {}
        for consumer, name in who.items():
            proof = _row(pl.scan_parquet(release.path / PROOF / f"{consumer}.parquet"), name)
            mine = list(_lines(release, consumer, name))
            lines_of += mine
            for line in mine:
                for each in line.used:
                    key = (consumer, (each,), *_basis(rules, consumer, each, proof))
                    used_of.setdefault(key, set()).add(line.product)
            withheld_of |= {key: set() for key in _refused(rules, consumer, proof)}
        lines += lines_of
        used.append(used_of)
        withheld.append(withheld_of)
    days = [release.business_date for release in told]
    return UsageHistory(
        days[0], days[-1], tuple(release.id for release in told),
        tuple(release.id for release in asked if release not in told), tuple(lines), tuple(_intervals(days, used)),
        tuple(_intervals(days, withheld)), tuple(_consents(told[-1], who)),
    )  # fmt: skip


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


def _row(frame: pl.LazyFrame, name: str) -> dict[str, Any]:
    found = frame.filter(pl.col("pseudonym") == name).collect()
    return found.row(0, named=True) if found.height else {}


def _lines(release: Release, consumer: str, name: str) -> Iterable[Line]:
    found = pl.scan_parquet(ledger(release.path, consumer)).filter(pl.col("pseudonym") == name).collect()
    for row in found.iter_rows(named=True):
        classes = (tuple((row[column] or "").split(";")) if row[column] else () for column in ("used", "withheld"))
        yield Line(release.id, release.business_date, consumer, row["product"], row["rows"], *classes)


def _basis(rules: dict[str, Any], consumer: str, name: str, proof: dict[str, Any]) -> tuple[str, str]:
    """The legal basis on which a class of data is used, and its article."""
    purpose = PURPOSES[consumer]
    need = rules["policy"]["purposes"][purpose][name]
    if need["needs"] != "bank_basis":
        return need["needs"], need["article"]
    basis = rules["legal_basis"].get(purpose, "")
    if basis == "consent" and proof.get("party_kind") == "organisation":
        return "organisation", need["article"]
    return basis, rules["articles"].get(purpose, need["article"])


def _refused(rules: dict[str, Any], consumer: str, proof: dict[str, Any]) -> Iterable[tuple[Any, ...]]:
    purpose, policy = PURPOSES[consumer], rules["policy"]
    for one in filter(None, str(proof.get(refusal_column(consumer)) or "").split(";")):
        name, _, code = one.partition(":")
        if name == "automated":
            article = policy["automated_marketing"]["article"]
        else:
            article = (policy["minors"] if code == "minor" else policy["purposes"][purpose][name])["article"]
        yield consumer, (name, code), None, article


def _intervals(days: Sequence[date], found: Sequence[Found]) -> Iterable[Interval]:
    """Runs of releases, one after the other, in which the same held."""
    for key in sorted({key for each in found for key in each}, key=str):
        consumer, what, basis, article = key
        start, products = None, set[str]()
        for n, each in enumerate([*found, {}]):
            if key in each:
                start = n if start is None else start
                products |= each[key]
            elif start is not None:
                until = None if n == len(found) else days[n - 1]
                told = tuple(sorted(products))
                yield Interval(consumer, PURPOSES[consumer], what, basis, article, told, days[start], until)
                start, products = None, set()


def _consents(release: Release, who: dict[str, str]) -> Iterable[Consent]:
    """What the bank holds of a customer's consents on the day of the last release."""
    proof = _row(pl.scan_parquet(release.path / PROOF / "risk.parquet"), who["risk"])
    for one in filter(None, str(proof.get("consents") or "").split(";")):
        scope, _, word = one.partition("=")
        purpose, _, name = scope.partition(".")
        yield Consent(purpose, name or None, None, word)
    shared = pl.scan_parquet(release.path / "risk" / "consent_state.parquet").filter(
        pl.col("pseudonym") == who["risk"],
        pl.col("purpose") == "data_sharing",
        pl.col("known_to").is_null(),
        pl.col("valid_from") <= release.business_date,
        pl.col("valid_to").is_null() | (pl.col("valid_to") > release.business_date),
    )
    for row in shared.sort("data_class", "partner").collect().iter_rows(named=True):
        yield Consent(
            row["purpose"], row["data_class"], row["partner"] or None, "given" if row["is_given"] else "withdrawn"
        )
