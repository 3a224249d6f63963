"""The SQL that holds products against proofs, beside the same in plain Python, on invented decisions and products."""

from __future__ import annotations

import copy
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import project_catalog

from pipelines.audit.content import PROOF, RULES
from pipelines.audit.lawful import FACTS, PURPOSES, reasons, refusals, unproven
from pipelines.release.proof import rules

# Products with values that may be held back, with tags, with two parties in a row: their parties and those values.
PRODUCTS = {
    "marketing.customer_segment": (("pseudonym",), ("rfm_group", "social_role")),
    "marketing.customer_tag": (("pseudonym",), ()),
    "risk.party_relation": (("from_pseudonym", "to_pseudonym"), ("kind",)),
}
TAGS, CLASSES = ["young", "rich", "it's"], ["basic", "bureau", "public"]
TRUE_OR_FALSE = {"is_minor", "consents_known", *(f"{consumer}_{name}" for consumer in PURPOSES for name in CLASSES)}
Rows = list[dict[str, Any]]
CATALOG = copy.copy(project_catalog())
CATALOG.products = {name: CATALOG.products[name] for name in PRODUCTS}

unknown = st.sampled_from([True, False, None])
people = st.sampled_from([*"abcde", None])  # of whom e never has a proof
consents = st.sampled_from([None, "marketing=given;marketing.basic=given", "bureau_query=withdrawn"])
facts = st.tuples(st.sampled_from(["person", "organisation"]), unknown, unknown, consents)
texts = st.sampled_from(["x", None])


def permissions(consumer: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([f"{consumer}_{name}" for name in CLASSES]), unique=True, max_size=3)


@st.composite
def proofs(draw: st.DrawFn, consumer: str) -> Rows:
    """Proofs of some people, of which some decisions follow from their facts."""
    said, found = rules(CATALOG, "simbank", {}), []
    for person in draw(st.lists(st.sampled_from("abcd"), unique=True, min_size=1)):
        known = draw(facts)
        why = refusals(consumer, known, said)
        refused = {one.partition(":")[0] for one in why}
        right = {f"{consumer}_{name}": name not in refused for name in CLASSES}
        right[f"{consumer}_refusals"] = ";".join(why) or None
        spoiled = {name: draw(unknown) for name in right if name != f"{consumer}_refusals" and draw(st.booleans())}
        if draw(st.booleans()):
            spoiled[f"{consumer}_refusals"] = draw(st.sampled_from(["basic:minor", "", None]))
        found.append({"pseudonym": person, **dict(zip(FACTS, known, strict=True)), **right, **spoiled})
    return found


@st.composite
def candidates(draw: st.DrawFn) -> tuple[dict[str, Rows], dict[str, Rows], dict[str, Any]]:
    """Proofs by consumer, rows by product, and what each product needs."""
    products, needs = {}, {}
    for name, (parties, values) in PRODUCTS.items():
        allowed = permissions(CATALOG.products[name].consumer)
        needs[name] = {
            "rows": draw(allowed),
            "columns": {value: draw(allowed) for value in values},
            "tags": {tag: draw(allowed) for tag in TAGS[1:]} if not values else {},
        }
        columns = {**dict.fromkeys(parties, people), **dict.fromkeys(values, texts)}
        columns |= {} if values else {"tag": st.sampled_from([*TAGS, None])}
        products[name] = draw(st.lists(st.fixed_dictionaries(columns), max_size=8))
    return {consumer: draw(proofs(consumer)) for consumer in PURPOSES}, products, needs


def expected(told: dict[str, Rows], products: dict[str, Rows], said: dict[str, Any]) -> Iterator[str]:
    """What is to be told of a candidate, row by row."""
    for consumer, of in told.items():
        cases = {tuple(sorted((k, v) for k, v in row.items() if k != "pseudonym")) for row in of}
        wrong: Counter[str] = Counter()
        for case in map(dict, cases):
            why = refusals(consumer, tuple(case[name] for name in FACTS), said)
            lawful = {f"{consumer}_{name}": not any(one.startswith(f"{name}:") for one in why) for name in CLASSES}
            wrong.update(name for name, value in lawful.items() if case[name] is not value)
            wrong.update([f"{consumer}_refusals"] if (case[f"{consumer}_refusals"] or "") != ";".join(why) else [])
        for name, count in sorted(wrong.items()):
            yield f"proof of {consumer}: {name} does not follow from the facts in {count} of {len(cases)} cases"
        by_person = {row["pseudonym"]: row for row in of}
        for product, rows in products.items():
            if CATALOG.products[product].consumer == consumer:
                yield from of_product(product, rows, by_person, said["needs"][product])


def of_product(product: str, rows: Rows, by_person: dict[str, dict[str, Any]], needs: dict[str, Any]) -> Iterator[str]:
    def unlawful(row: dict[str, Any], names: list[str]) -> bool:
        return any(
            by_person.get(row[party], {}).get(name) is not True for party in PRODUCTS[product][0] for name in names
        )

    if count := sum(unlawful(row, needs["rows"]) for row in rows):
        yield f"{product}: {count} of {len(rows)} rows of parties of whom that is not lawful"
    for name, some in needs["columns"].items():
        if count := sum(row[name] is not None and unlawful(row, some) for row in rows):
            yield f"{product}.{name}: {count} values of parties of whom that is not lawful"
    for name, some in needs["tags"].items():
        if count := sum(row["tag"] == name and unlawful(row, some) for row in rows):
            yield f"{product}: the tag {name} of {count} parties of whom that is not lawful"


@pytest.mark.slow
@given(candidates())
@settings(max_examples=30, deadline=None)
def test_it_tells_what_plain_python_tells(candidate: tuple[dict[str, Rows], dict[str, Rows], dict[str, Any]]) -> None:
    told, products, needs = candidate
    said = rules(CATALOG, "simbank", {}) | {"needs": needs}
    with tempfile.TemporaryDirectory() as place, duckdb.connect() as con:
        directory = Path(place)
        for consumer, rows in told.items():
            write(directory / PROOF / f"{consumer}.parquet", rows[0], rows)
        (directory / PROOF / RULES).write_text(json.dumps(said))
        for name, rows in products.items():
            parties, values = PRODUCTS[name]
            write(directory / f"{name.replace('.', '/')}.parquet", (*parties, *(values or ["tag"])), rows)
        assert unproven(con, directory, CATALOG) == list(expected(told, products, said))
        for consumer, rows in told.items():
            whys = Counter(why for row in rows if (words := row[f"{consumer}_refusals"]) is not None
                           for why in words.split(";"))  # fmt: skip
            assert reasons(con, directory, consumer) == dict(sorted(whys.items()))


def write(path: Path, columns: Iterable[str], rows: Rows) -> None:
    """Rows with just these columns, the facts and decisions among them true or false, all others text."""
    schema = {name: pl.Boolean if name in TRUE_OR_FALSE else pl.String for name in columns}
    path.parent.mkdir(exist_ok=True)
    pl.DataFrame(rows, schema=schema).write_parquet(path)
