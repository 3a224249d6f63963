"""Checks that products of one mart tell their consumers the same.

Two consumers know a party under different pseudonyms, so rows cannot be joined: what both may see of the same
parties must be the same collection of rows. What is withheld from one for want of a legal basis is missing there, and
what is left must be rows of the other. What does not belong here: rules of a single product.
"""

from __future__ import annotations

import json
from itertools import combinations

from pipelines.audit.content import CANDIDATE, PROOF, RULES
from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import Table
from pipelines.contracts.expectations import mentioned, party_column
from pipelines.contracts.model import Contract


def consistent(subject: Subject) -> Verdict:
    """For each mart with several consumers: as many parties, and the same rows in every column that both see."""
    faults, compared = [], 0
    withheld, masked = _held_back(subject)
    for first, second in _pairs(subject):
        hidden = masked[first.contract.id] | masked[second.contract.id]
        columns = [n for n in first.columns if n in second.columns and not party_column(n) and n not in hidden]
        narrowed = (_narrowed(subject, first, second), _narrowed(subject, second, first))
        lacking = [one.contract.id for one in (first, second) if withheld[one.contract.id]]
        # Of two that both lack parties, neither says which the other should have.
        if not columns or None in narrowed or len(lacking) > 1:
            continue
        compared += 1
        if lacking == [first.contract.id]:
            faults += _strangers(subject, (first, second), columns, narrowed)
        elif lacking:
            faults += _strangers(subject, (second, first), columns, narrowed[::-1])
        else:
            faults += _difference(subject, first, second, columns, narrowed)
    return verdict(faults, f"{compared} pairs of products")


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
    """Of each product: the rows that were withheld, and the columns of which values may be."""
    products = subject.catalog.products
    told = json.loads((subject.directory / CANDIDATE).read_bytes())["withheld"]
    needs = json.loads((subject.directory / PROOF / RULES).read_bytes())["needs"]
    return {name: told.get(name, 0) for name in products}, {
        name: set(needs.get(name, {}).get("columns", ())) for name in products
    }


def _strangers(
    subject: Subject, tables: tuple[Table, Table], columns: list[str], narrowed: tuple[str | None, ...]
) -> list[str]:
    """The first of two products lacks parties of the second: every row of it must be there, as often as it is here."""
    row = ", ".join(f'"{name}"' for name in columns)
    fewer, more = (f"select {row} from {side}" for side in narrowed)
    strangers = subject.tables.rows(f"select count(*) from ({fewer} except all {more})")[0][0]
    names = f"{tables[0].contract.id} and {tables[1].contract.id}"
    return [f"{names} differ: {strangers} rows of the first are not in the second"] if strangers else []


def _difference(
    subject: Subject, first: Table, second: Table, columns: list[str], narrowed: tuple[str | None, str | None]
) -> list[str]:
    row = ", ".join(f'"{name}"' for name in columns)
    digest = f"select count(*), sum(hash({row})) from "
    (rows, mine), (other_rows, theirs) = (subject.tables.rows(digest + str(side))[0] for side in narrowed)
    names = f"{first.contract.id} and {second.contract.id}"
    if rows != other_rows:
        return [f"{names} differ in parties: {rows} and {other_rows} rows"]
    if mine != theirs:
        one, two = (f"select {row} from {side}" for side in narrowed)
        differing = subject.tables.rows(f"select count(*) from ({one} except all {two})")[0][0]
        return [f"{names} differ in {differing} of {rows} rows"]
    return []
