"""Why a party is in or out of a product: read from one published release, and from nothing later.

Belongs here: the answer, as data, told to the consumer that asks. Does not belong here: how it is printed
(`pipelines.cli.explain`), and whether it is lawful (`pipelines.audit.lawful`).

Risk is told everything: every rule with what it means, the limit of that day and the value of the party. Marketing is
told what its own product says, and the consents that it must itself honour; of what risk decided nothing, and of a
refusal that tells more than a consent no more than that the law says no.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from pipelines.audit.content import PROOF, RULES
from pipelines.audit.lawful import PURPOSES
from pipelines.contracts.document import suggestion
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.lineage.needs import TAGGED
from pipelines.release import words
from pipelines.release.catalogue import Release
from pipelines.release.proof import RULE, refusal_column
from pipelines.release.refused import Refused
from pipelines.release.whom import Ring, proof_of
from pipelines.settings import InputError

# What a person said or did not say. Other refusals tell what somebody is.
_OWN_WORD = {"no_basis", "no_consent", "withdrawn", "consent_unknown", "no_separate_consent", "no_authorisation",
             "not_authorised_for_purpose"}  # fmt: skip

_LAWFUL = "rule_lawful_use"  # whether marketing may use what a list rests on, of a party


@dataclass(frozen=True)
class Reason:
    """One reason. `code` is the rule, `<class>:<refusal>`, or empty; `values` are of the party, `limits` of policy."""

    code: str
    text: str
    article: str | None = None
    outcome: str | None = None
    values: dict[str, str | None] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What a row of the product says: its key beside the party, its verdict, and every rule that does not pass."""

    key: dict[str, str]
    verdict: dict[str, str | None]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Answer:
    """`is_in` is whether the product has a row of the party; `withheld` are columns and tags emptied, with reasons."""

    release: str
    business_date: date
    product: str
    consumer: str
    pseudonym: str
    is_in: bool
    rows: int
    decisions: tuple[Decision, ...]
    reasons: tuple[Reason, ...]
    withheld: dict[str, tuple[Reason, ...]]


def explain(catalog: Catalog, release: Release, consumer: str, product_name: str, party: str, ring: Ring) -> Answer:
    """Why `party` is in or out of a product of `consumer`. Raises InputError where one of them is not known."""
    product = product_of(catalog, release, consumer, product_name)
    proof = proof_of(release, consumer, party, ring)
    rules = json.loads((release.path / PROOF / RULES).read_bytes())
    if "rules" not in rules:
        raise Refused(f"{release.id} was published before releases held what their rules mean")
    who = str(proof["pseudonym"])
    rows = _rows(release, product, who)
    needs = rules["needs"].get(product.id, {"rows": [], "columns": {}, "tags": {}})
    lacking = _lacking(proof, needs["rows"])
    masked = {**needs["columns"], **{f"tag {tag}": names for tag, names in needs["tags"].items()}}
    withheld = {
        name: tuple(_lawful(proof, rules, consumer, gone))
        for name, some in masked.items()
        if (gone := _lacking(proof, some))
    }
    reasons = () if rows.height else tuple(_lawful(proof, rules, consumer, lacking)) or _absent(catalog, product)
    return Answer(
        release.id, release.business_date, product.id, consumer, who, bool(rows.height), rows.height,
        tuple(_decisions(catalog, release, product, rows, rules)), reasons, withheld if rows.height else {},
    )  # fmt: skip


def product_of(catalog: Catalog, release: Release, consumer: str, name: str) -> Contract:
    """The product that a consumer calls so: by its id, its table, or the mart that it is projected from."""
    own = {product.id: product for product in catalog.products.values() if product.consumer == consumer}
    chosen = own.get(name) or next((p for p in own.values() if p.table == name), None)
    chosen = chosen or next((p for p in own.values() if str(p.mart).removeprefix("mart.") == name), None)
    if chosen is None:
        other = catalog.products.get(name) or next((p for p in catalog.products.values() if p.table == name), None)
        if other is None:
            raise InputError(f"no product '{name}'{suggestion(name, {p.table for p in own.values()} | own.keys())}")
        same = [product.id for product in own.values() if product.mart == other.mart]
        instead = f"; {consumer} has {' and '.join(same)} of the same mart" if same else ""
        raise InputError(f"{other.id} is a product of {other.consumer}, not of {consumer}{instead}")
    if not any(party_column(column.name) for column in chosen.columns):
        raise InputError(f"{chosen.id} is of no party: nobody is in it or out of it")
    if f"{consumer}/{chosen.table}.parquet" not in release.manifest["files"]:
        raise InputError(f"{release.id} has no {chosen.id}: it was published before there was one")
    return chosen


def _rows(release: Release, product: Contract, who: str) -> pl.DataFrame:
    parties = [column.name for column in product.columns if party_column(column.name)]
    path = release.path / str(product.consumer) / f"{product.table}.parquet"
    return pl.scan_parquet(path).filter(pl.any_horizontal(pl.col(name) == who for name in parties)).collect()


def _lacking(proof: dict[str, Any], permissions: list[str]) -> list[str]:
    """The classes of data that are needed and may not be used."""
    return [name.partition("_")[2] for name in permissions if not proof[name]]


def _lawful(proof: dict[str, Any], rules: dict[str, Any], consumer: str, classes: list[str]) -> Iterator[Reason]:
    """Why classes of data may not be used, each with its article, in the order in which the proof tells them."""
    policy, purpose = rules["policy"], PURPOSES[consumer]
    told = str(proof[refusal_column(consumer)] or "").split(";")
    for name, _, code in (one.partition(":") for one in told if one.partition(":")[0] in classes):
        if consumer == "marketing" and code not in _OWN_WORD:
            yield Reason("", "the law does not let marketing use data of this party; data protection can say why")
            return
        need = policy["purposes"][purpose][name]
        article = policy["minors"]["article"] if code == "minor" else need["article"]
        if need["needs"] == "bank_basis" and code != "minor":
            article = rules["articles"].get(purpose, article)
        text = f"{words.CLASSES[name].en}: {words.REFUSALS[code].en}"
        yield Reason(f"{name}:{code}", text, article)


def _absent(catalog: Catalog, product: Contract) -> tuple[Reason, ...]:
    if product.release_point is not None:
        point = catalog.policy.release_points[product.release_point]
        told = "not on the list; who is on it is decided by risk, and no more than that is told"
        return (Reason("", told, str(point["article"])),)
    if product.filter:
        return (Reason("", f"{product.mart} has no row of the party of which holds: {product.filter}"),)
    return (Reason("", f"{product.mart} has no row of the party: there is nothing of the kind to say of it"),)


def _decisions(
    catalog: Catalog, release: Release, product: Contract, rows: pl.DataFrame, rules: dict[str, Any]
) -> Iterator[Decision]:
    meant = rules["rules"].get(product.mart, {})
    # A release from before a column was contracted does not have it, and is answered by what it has.
    columns = [column for column in product.columns if column.name in rows.columns]
    own = [column for column in columns if column.name in meant]
    if product.release_point is None and not own:
        return
    for row in rows.iter_rows(named=True):
        key = {
            column.name: str(row[column.name])
            for column in columns
            if column.key and column.name != "business_date" and not party_column(column.name)
        }
        verdict: dict[str, str | None] = {
            column.name: _text(row[column.name])
            for column in columns
            if not column.key and column not in own and (column.enum or column.type in ("boolean", "date"))
        }
        if product.release_point is not None:
            codes = [code for code in str(row.get("inclusion_reasons") or "").split(";") if code]
            known = catalog.policy.marketing_reason_codes
            yield Decision(key, verdict, tuple(Reason(code, known.get(code, code)) for code in codes))
            continue
        around = _around(catalog, release, product, row) if own else {}
        failing = [column.name for column in own if row[column.name] != "pass"]
        articles = {name: _article(catalog, product, name, rules) for name in failing}
        yield Decision(key, verdict, tuple(_rule(name, row, meant[name], around, articles[name]) for name in failing))


def _article(catalog: Catalog, product: Contract, rule: str, rules: dict[str, Any]) -> str:
    """What a rule rests on: the law where it asks whether marketing may know the party, else the bank's policy."""
    if rule != _LAWFUL:
        return "the bank's policy"
    policy, purpose = rules["policy"], PURPOSES["marketing"]
    lists = [one.id for one in catalog.products.values() if (one.consumer, one.mart) == ("marketing", product.mart)]
    classes = [name.partition("_")[2] for one in lists for name in rules["needs"].get(one, {"rows": []})["rows"]]
    articles = [
        rules["articles"].get(purpose, need["article"]) if need["needs"] == "bank_basis" else need["article"]
        for need in (policy["purposes"][purpose][name] for name in classes if name in policy["purposes"][purpose])
    ]
    return "; ".join(dict.fromkeys((*articles, policy["automated_marketing"]["article"], policy["minors"]["article"])))


def _rule(name: str, row: dict[str, Any], meant: dict[str, Any], around: dict[str, Any], article: str) -> Reason:
    """A rule that does not pass, with the figures that its words name."""
    named = dict.fromkeys(re.findall(r"[a-z][a-z_0-9]+", meant["words"]))
    known = {word: row if word in row else around for word in named if word in row or word in around}
    values = {word: _text(place[word]) for word, place in known.items() if not word.startswith(RULE)}
    outcome = "fails" if row[name] == "fail" else "cannot be evaluated"
    return Reason(name, meant["words"], article, outcome, values, meant["limits"])


def _around(catalog: Catalog, release: Release, product: Contract, row: dict[str, Any]) -> dict[str, Any]:
    """What the same consumer was told of the party in general, in the same release."""
    of = [p for p in catalog.products.values() if (p.consumer, p.mart) == (product.consumer, TAGGED)]
    if not of or "pseudonym" not in row:
        return {}
    known = _rows(release, of[0], row["pseudonym"])
    return known.row(0, named=True) if known.height else {}


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)
