"""Whether what was handed over was lawful: a second implementation of the rules, over proofs and products alone.

Belongs here: deciding again from the facts of a proof, and holding the rows and values of products against decisions.
Does not belong here: the models that decided (`mart.lawful_use`), and writing proofs (`pipelines.release.proof`).
Articles are those of `lawful_use` in policy.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.audit.content import PROOF, RULES
from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import NotAudited
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract

FACTS = ("party_kind", "is_minor", "consents_known", "consents")
PURPOSES = {"marketing": "marketing", "risk": "risk_management"}  # what each consumer uses data for
_CLASSES = ("basic", "transaction", "bureau", "medical", "public")


def lawful_use(subject: Subject) -> Verdict:
    """Every row and value that a consumer is given of a party follows from the proofs, and these from the rules."""
    try:
        faults = unproven(subject.directory, subject.catalog)
    except FileNotFoundError as error:
        raise NotAudited(f"{Path(error.filename).name} is not among the proofs") from error
    return verdict(faults, f"proofs of {len(PURPOSES)} consumers")


def unproven(directory: Path, catalog: Catalog) -> list[str]:
    """What of a candidate or release does not follow from its proofs, in plain words; empty where all of it does.

    Raises FileNotFoundError where proofs are missing.
    """
    rules = json.loads((directory / PROOF / RULES).read_bytes())
    problems: list[str] = []
    for consumer in PURPOSES:
        proofs = pl.read_parquet(directory / PROOF / f"{consumer}.parquet")
        problems += _wrongly_decided(proofs, consumer, rules)
        for product in catalog.products.values():
            if product.consumer == consumer and product.id in rules["needs"]:
                frame = pl.scan_parquet(directory / consumer / f"{product.table}.parquet")
                problems += _unlawful(frame, product, proofs, rules["needs"][product.id])
    told = {p.id for p in catalog.products.values() if any(party_column(c.name) for c in p.columns)}
    return problems + [f"{name}: no rule says what it needs" for name in sorted(told - rules["needs"].keys())]


def reasons(directory: Path, consumer: str) -> dict[str, int]:
    """How many parties a consumer may not use data of, by `class:reason`."""
    said = pl.read_parquet(directory / PROOF / f"{consumer}.parquet", columns=[f"{consumer}_refusals"]).to_series()
    counts = said.drop_nulls().str.split(";").explode().value_counts().sort(said.name)
    return dict(counts.iter_rows())


def refusals(consumer: str, facts: tuple[Any, ...], rules: dict[str, Any]) -> tuple[str, ...]:
    """Why data of which class may not be used of a party, as `class:reason`, in the order in which the mart tells them.

    `facts` are those of `FACTS`. Empty where everything is lawful.
    """
    purpose = PURPOSES[consumer]
    kind, is_minor, known, consents = facts
    said = dict(one.split("=") for one in consents.split(";")) if consents else {}
    policy, basis = rules["policy"], rules["legal_basis"].get(purpose)
    found = {}
    minor = is_minor and purpose in policy["minors"]["refused"]
    for name in _CLASSES:
        need = policy["purposes"][purpose][name]["needs"]
        found[name] = _reason(need, name, purpose, basis, kind, bool(known), said)
    told = [
        f"{name}:{why}"
        for name in _CLASSES
        for why in (["minor"] if minor else []) + ([found[name]] if found[name] else [])
    ]
    if consumer == "marketing":
        told += ["automated:basic"] if minor or found["basic"] else []
        told += ["automated:withdrawn"] if kind == "person" and said.get("automated_marketing") == "withdrawn" else []
    return tuple(told)


def _reason(
    need: str, name: str, purpose: str, basis: str | None, kind: str, known: bool, said: dict[str, str]
) -> str | None:
    own = said.get(f"{purpose}.{name}")
    if need == "refused" or need not in ("bank_basis", "published", "bureau_authorisation", "separate_consent"):
        return "refused"
    if basis is None:
        return "no_basis"
    if need == "published":
        return "withdrawn" if kind == "person" and said.get(purpose) == "withdrawn" else None
    if need == "bank_basis" and (basis != "consent" or kind == "organisation"):
        return None
    if not known:
        return "consent_unknown"
    if need == "bank_basis":
        return {"given": None, "withdrawn": "withdrawn"}.get(own or "", "no_consent")
    word = said.get("bureau_query" if need == "bureau_authorisation" else "sensitive_processing")
    if word != "given":
        missing = "no_authorisation" if need == "bureau_authorisation" else "no_separate_consent"
        return "withdrawn" if word == "withdrawn" else missing
    if need == "bureau_authorisation" and purpose != "risk_management" and own != "given":
        return "not_authorised_for_purpose"
    return None


def _wrongly_decided(proofs: pl.DataFrame, consumer: str, rules: dict[str, Any]) -> Iterator[str]:
    """Decisions that do not follow from their facts."""
    decide = cache(lambda facts: refusals(consumer, facts, rules))
    decided = [name for name in proofs.columns if name.startswith(f"{consumer}_") and name != f"{consumer}_refusals"]
    told = proofs.select(*FACTS, f"{consumer}_refusals", *decided).unique()
    wrong: dict[str, int] = {}
    for row in told.iter_rows(named=True):
        why = decide(tuple(row[name] for name in FACTS))
        refused = {one.partition(":")[0] for one in why}
        if (row[f"{consumer}_refusals"] or "") != ";".join(why):
            wrong[f"{consumer}_refusals"] = wrong.get(f"{consumer}_refusals", 0) + 1
        for name in decided:
            if row[name] is not (name.removeprefix(f"{consumer}_") not in refused):
                wrong[name] = wrong.get(name, 0) + 1
    for name, count in sorted(wrong.items()):
        yield f"proof of {consumer}: {name} does not follow from the facts in {count} of {told.height} cases"


def _unlawful(rows: pl.LazyFrame, product: Contract, proofs: pl.DataFrame, needs: dict[str, Any]) -> Iterator[str]:
    """Rows and values of a product that no decision allows."""
    parties = [column.name for column in product.columns if party_column(column.name)]
    names = sorted({*needs["rows"], *(n for some in needs["columns"].values() for n in some),
                    *(n for some in needs["tags"].values() for n in some)})  # fmt: skip
    tag = ["tag"] if needs["tags"] else []
    frame = rows.select(*parties, *tag, *(pl.col(name).is_not_null() for name in needs["columns"])).collect()
    for n, party in enumerate(parties):
        of = proofs.select(pl.col("pseudonym").alias(party), *(pl.col(name).alias(f"{name}@{n}") for name in names))
        frame = frame.join(of, on=party, how="left", maintain_order="left")

    def allowed(permissions: list[str]) -> pl.Expr:
        each = [pl.col(f"{name}@{n}").fill_null(value=False) for name in permissions for n in range(len(parties))]
        return pl.all_horizontal(*each) if each else pl.lit(value=True)

    if count := frame.filter(~allowed(needs["rows"])).height:
        yield f"{product.id}: {count} of {frame.height} rows of parties of whom that is not lawful"
    for name, permissions in needs["columns"].items():
        if count := frame.filter(pl.col(name) & ~allowed(permissions)).height:
            yield f"{product.id}.{name}: {count} values of parties of whom that is not lawful"
    for name, permissions in needs["tags"].items():
        if count := frame.filter((pl.col("tag") == name) & ~allowed(permissions)).height:
            yield f"{product.id}: the tag {name} of {count} parties of whom that is not lawful"
