"""Checks that what a key names is there: parties in the customer 360 of their consumer, codes in their definitions.

The policy says which columns refer to which product (`gates.references`). What does not belong here: keys of
deliveries, which ingest holds against each other.
"""

from __future__ import annotations

from pipelines.audit.failures import failing_keys
from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict


def complete(subject: Subject, product_id: str) -> Verdict:
    """Every value of a referring column of a product is found in the product that it refers to."""
    products = subject.catalog.products
    found = subject.catalog.policy.gates.references_of(products, products[product_id])
    table = subject.tables.need(product_id, tuple(one.column for one in found))
    faults, dangling = [], []
    for one in found:
        other = subject.tables.need(one.to, (one.column,))
        unknown = f'"{one.column}" is not null and "{one.column}" not in (select "{one.column}" from {other.view} ' \
                  f'where "{one.column}" is not null)'  # fmt: skip
        count = subject.tables.rows(f"select count(*) from {table.view} where {unknown}")[0][0]
        if count:
            faults.append(f"{count} of {table.rows} rows name a {one.column} that {one.to} does not have")
            dangling.append(f"({unknown})")
    keys = failing_keys(subject.tables, table, " or ".join(dangling)) if dangling else ()
    return verdict(faults, f"{table.rows} rows, {len(found)} columns", keys)
