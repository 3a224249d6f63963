"""Checks that products of one mart tell their consumers the same.

Two consumers know a party under different pseudonyms, so rows cannot be joined: what both may see of the same
parties must be the same collection of rows. What does not belong here: rules of a single product.
"""

from __future__ import annotations

from itertools import combinations

from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import Table
from pipelines.contracts.expectations import mentioned, party_column
from pipelines.contracts.model import Contract


def consistent(subject: Subject) -> Verdict:
    """For each mart with several consumers: as many parties, and the same rows in every column that both see."""
    faults, compared = [], 0
    for first, second in _pairs(subject):
        columns = [name for name in first.columns if name in second.columns and not party_column(name)]
        narrowed = (_narrowed(subject, first, second), _narrowed(subject, second, first))
        if not columns or None in narrowed:
            continue
        compared += 1
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
