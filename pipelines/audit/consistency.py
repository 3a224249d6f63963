"""Checks that products of one mart tell their consumers the same.

Two consumers know a party under different pseudonyms, so rows cannot be joined: what both may see of the same
parties must be the same collection of rows, however often each row is there. What is withheld from one for want of a
legal basis is missing there, and no more than that: where both lack parties, a difference smaller than what both lack
goes unseen. Two products with rows of which nothing could be compared are not audited, unless the policy says why that
is no loss (`gates.incomparable`). What does not belong here: rules of a single product.
"""

from __future__ import annotations

import json
from itertools import combinations

from pipelines.audit.content import CANDIDATE, PROOF, RULES
from pipelines.audit.earlier import superseded_by
from pipelines.audit.failures import failing_keys
from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import Table
from pipelines.contracts.expectations import mentioned, party_column
from pipelines.contracts.model import Contract


def consistent(subject: Subject) -> Verdict:
    """For each mart with several consumers: the same rows in every column that both see, but for what is withheld."""
    faults, keys, compared, apart, unlike = [], [], 0, [], []
    withheld, masked = _held_back(subject)
    for first, second in _pairs(subject):
        names = f"{first.contract.id} and {second.contract.id}"
        hidden = masked[first.contract.id] | masked[second.contract.id]
        columns = [n for n in first.columns if n in second.columns and not party_column(n) and n not in hidden]
        ways = [
            (one, other, rows)
            for one, other in ((first, second), (second, first))
            if (rows := _narrowed(subject, one, other)) is not None
        ]
        if columns and ways:
            compared += 1
            different, of_rows = _differences(subject, names, ways, columns, withheld)
            faults += different
            keys += of_rows
        elif first.contract.mart in subject.catalog.policy.gates.incomparable:
            apart.append(names)
        elif first.rows and second.rows:
            why = "each leaves out what the other chooses by" if columns else "no column is seen by both"
            unlike.append(f"{names} have rows, of which nothing could be compared: {why}")
    words = f"{compared} pairs of products" + "".join(
        f"; {pair} have nothing in common, by the policy" for pair in apart
    )
    if unlike and not faults:
        return Verdict("not_audited", "; ".join(unlike))
    return verdict([*faults, *unlike] if faults else [], words, keys)


def _pairs(subject: Subject) -> list[tuple[Table, Table]]:
    products = sorted(subject.catalog.products.values(), key=lambda product: product.id)
    return [
        (subject.tables.need(a.id, _names(a)), subject.tables.need(b.id, _names(b)))
        for a, b in combinations(products, 2)
        if a.mart == b.mart and a.consumer != b.consumer
    ]


def _names(product: Contract) -> tuple[str, ...]:
    return tuple(column.name for column in product.columns)


def _narrowed(subject: Subject, table: Table, other: Table) -> str | None:
    """The rows of `table` that the filter of `other` lets through; None where `table` lacks what it filters by."""
    if other.contract.filter is None or other.contract.filter == table.contract.filter:
        return table.view
    mart = subject.catalog.marts[str(table.contract.mart)]
    if not set(mentioned(other.contract.filter, mart)).issubset(table.columns):
        return None
    return f"(from {table.view} where {other.contract.filter})"


def _held_back(subject: Subject) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Of each product: how many rows at most were withheld, and the columns of which values may be."""
    products, restored = subject.catalog.products, superseded_by(subject.directory).get("restores") is not None
    told = json.loads((subject.directory / CANDIDATE).read_bytes())["withheld"]
    rules = json.loads((subject.directory / PROOF / RULES).read_bytes())
    masked = {name: set(rules["needs"].get(name, {}).get("columns", ())) for name in products}
    if not restored:
        return {name: told.get(name, 0) for name in products}, masked
    # Of a restored release parties are counted, and whoever shares a class of data no more is left out of its columns.
    for name in products:
        masked[name] |= set(rules["classes"].get(name, {}).get("columns", ()))
    return {
        name: told.get(name, 0) and told[name] * _rows_of_one(subject, subject.tables.need(name)) for name in products
    }, masked


def _rows_of_one(subject: Subject, table: Table) -> int:
    """The most rows that a product has of one party."""
    parties = [f'"{name}"' for name in table.columns if party_column(name)]
    counts = [
        subject.tables.rows(
            f"select coalesce(max(n), 1) from (select count(*) as n from {table.view} group by {party})"
        )
        for party in parties
    ]
    return max(1, sum(most for ((most,),) in counts))


def _differences(
    subject: Subject, names: str, ways: list[tuple[Table, Table, str]], columns: list[str], withheld: dict[str, int]
) -> tuple[list[str], list[dict[str, str | None]]]:
    """What of two products cannot be: in each way that they can be compared, more is missing than is withheld.

    With the keys of a few rows that are missing from the other.
    """
    told = ", ".join(f'"{name}"' for name in columns)
    row = f"select hash({told}) as it from "
    narrowed = {one.contract.id: rows for one, _, rows in ways}
    in_parties = []
    if len(ways) == 2 and not any(withheld[name] for name in narrowed):
        digest = f"select count(*), sum(it) from ({row}{{}})"
        (rows, mine), (others, theirs) = (subject.tables.rows(digest.format(side))[0] for side in narrowed.values())
        if (rows, mine) == (others, theirs):
            return [], []
        if rows != others:
            in_parties.append(f"{names} differ in parties: {rows} and {others} rows")
    faults, keys = [], []
    for one, other, rows in ways:
        there = narrowed.get(other.contract.id, other.view)
        more = f"{row}{rows} except all {row}{there}"
        missing = subject.tables.rows(f"select count(*) from ({more})")[0][0]
        most = withheld[other.contract.id]
        if missing > most:
            why = f", from which at most {most} are withheld" if most else ""
            faults.append(f"{names} differ: {missing} rows of {one.contract.id} are not in {other.contract.id}{why}")
            found = failing_keys(subject.tables, one, f"hash({told}) in (select it from ({more}))")
            keys += [{"product": one.contract.id, **key} for key in found]
    return in_parties or faults, keys
