"""Whether what was handed over was lawful: a second implementation of the rules, over proofs and products alone.

Belongs here: deciding again from the facts of a proof, and holding the rows and values of products against decisions.
Does not belong here: the models that decided (`mart.lawful_use`), and writing proofs (`pipelines.release.proof`).
Articles are those of `lawful_use` in policy.yaml.

Rows stay in DuckDB, within its memory limit. What comes out of it is counts, and of proofs the cases that differ, a
few at a time: these are decided here, so that what the SQL of the mart decided is not held against its like.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from pipelines.audit.content import PROOF, RULES
from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import NotAudited, literal, parquet
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract

FACTS = ("party_kind", "is_minor", "consents_known", "consents")
PURPOSES = {"marketing": "marketing", "risk": "risk_management"}  # what each consumer uses data for
_CLASSES = ("basic", "transaction", "bureau", "medical", "public")
_AT_ONCE = 1000  # cases that are looked at together


def lawful_use(subject: Subject) -> Verdict:
    """Every row and value that a consumer is given of a party follows from the proofs, and these from the rules."""
    try:
        faults = unproven(subject.tables.connection, subject.directory, subject.catalog)
    except FileNotFoundError as error:
        raise NotAudited(f"{Path(error.filename).name} is not among the proofs") from error
    return verdict(faults, f"proofs of {len(PURPOSES)} consumers")


def unproven(con: duckdb.DuckDBPyConnection, directory: Path, catalog: Catalog) -> list[str]:
    """What of a candidate or release does not follow from its proofs, in plain words; empty where all of it does.

    Raises FileNotFoundError where proofs are missing.
    """
    rules = json.loads((directory / PROOF / RULES).read_bytes())
    problems: list[str] = []
    for consumer in PURPOSES:
        proofs = _there(_proofs(directory, consumer))
        problems += _wrongly_decided(con, proofs, consumer, rules)
        for product in catalog.products.values():
            if product.consumer == consumer and product.id in rules["needs"]:
                rows = _there(directory / consumer / f"{product.table}.parquet")
                problems += _unlawful(con, rows, product, proofs, rules["needs"][product.id])
    told = {p.id for p in catalog.products.values() if any(party_column(c.name) for c in p.columns)}
    return problems + [f"{name}: no rule says what it needs" for name in sorted(told - rules["needs"].keys())]


def reasons(con: duckdb.DuckDBPyConnection, directory: Path, consumer: str) -> dict[str, int]:
    """How many parties a consumer may not use data of, by `class:reason`."""
    each = f"select unnest(string_split({consumer}_refusals, ';')) as why from {_there(_proofs(directory, consumer))}"
    return dict(con.execute(f"select why, count(*) from ({each}) group by why order by why").fetchall())


def _proofs(directory: Path, consumer: str) -> Path:
    return directory / PROOF / f"{consumer}.parquet"


def _there(path: Path) -> str:
    """A file as a table in SQL. Raises FileNotFoundError where there is none."""
    if not path.is_file():
        raise FileNotFoundError(2, "not there", str(path))
    return parquet(path)


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


def _wrongly_decided(
    con: duckdb.DuckDBPyConnection, proofs: str, consumer: str, rules: dict[str, Any]
) -> Iterator[str]:
    """Decisions that do not follow from their facts."""
    told = f"{consumer}_refusals"
    there = [name for name, *_ in con.execute(f"describe from {proofs}").fetchall()]
    decided = [name for name in there if name.startswith(f"{consumer}_") and name != told]
    decide = lru_cache(_AT_ONCE)(lambda facts: refusals(consumer, facts, rules))
    found = con.execute(f"select distinct {_listed((*FACTS, told, *decided))} from {proofs}")
    wrong, cases = Counter[str](), 0
    while some := found.fetchmany(_AT_ONCE):
        cases += len(some)
        for case in some:
            facts, (said, *values) = case[: len(FACTS)], case[len(FACTS) :]
            why = decide(facts)
            refused = {one.partition(":")[0] for one in why}
            wrong[told] += (said or "") != ";".join(why)
            for name, value in zip(decided, values, strict=True):
                wrong[name] += value is not (name.removeprefix(f"{consumer}_") not in refused)
    for name, count in sorted((+wrong).items()):
        yield f"proof of {consumer}: {name} does not follow from the facts in {count} of {cases} cases"


def _unlawful(
    con: duckdb.DuckDBPyConnection, rows: str, product: Contract, proofs: str, needs: dict[str, Any]
) -> Iterator[str]:
    """Rows and values of a product that no decision allows; of whoever has no proof, none does.

    Rows are counted by what is lawful of their parties, of which there are few ways.
    """
    parties = [column.name for column in product.columns if party_column(column.name)]
    columns, tags = needs["columns"], needs["tags"]
    names = sorted({*needs["rows"], *(n for some in (*columns.values(), *tags.values()) for n in some)})
    tagged = f"case when given.tag in ({', '.join(map(literal, tags))}) then given.tag end" if tags else "null"
    lawful = [" and ".join(f'coalesce(proof_{n}."{name}", false)' for n in range(len(parties))) for name in names]
    values = [f'count(given."{name}")' for name in columns]
    joined = [
        f'left join {proofs} as proof_{n} on given."{party}" = proof_{n}.pseudonym' for n, party in enumerate(parties)
    ]
    counted = con.execute(
        f"select {', '.join([tagged, *lawful, 'count(*)', *values])} from {rows} as given {' '.join(joined)} "
        f"group by {', '.join(map(str, range(1, len(names) + 2)))}"
    ).fetchall()
    height, unlawful = 0, Counter[str]()
    for tag, *way in counted:
        allowed = {name for name, yes in zip(names, way, strict=False) if yes}
        count, *filled = way[len(names) :]
        height += count
        unlawful["rows"] += 0 if allowed.issuperset(needs["rows"]) else count
        for (name, some), there in zip(columns.items(), filled, strict=True):
            unlawful[f"column {name}"] += 0 if allowed.issuperset(some) else there
        if tag is not None:
            unlawful[f"tag {tag}"] += 0 if allowed.issuperset(tags[tag]) else count
    if count := unlawful["rows"]:
        yield f"{product.id}: {count} of {height} rows of parties of whom that is not lawful"
    for name in columns:
        if count := unlawful[f"column {name}"]:
            yield f"{product.id}.{name}: {count} values of parties of whom that is not lawful"
    for name in tags:
        if count := unlawful[f"tag {name}"]:
            yield f"{product.id}: the tag {name} of {count} parties of whom that is not lawful"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)
