"""Checks that what a key names is there: parties in the customer 360 of their consumer, codes in their definitions.

The policy says which columns refer to which product (`gates.references`). What does not belong here: keys of
deliveries, which ingest holds against each other.
"""

from __future__ import annotations

from pipelines.audit.failures import failing_keys
from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict

ENDS = "valid_to"  # the date from which on a row of a product with a validity holds no more


def complete(subject: Subject, product_id: str) -> Verdict:
    """Every value of a referring column of a product is found in the product that it refers to."""
    products = subject.catalog.products
    found = subject.catalog.policy.gates.references_of(products, products[product_id])
    table = subject.tables.need(product_id, tuple(one.column for one in found))
    # A row that has ended may name somebody who has left since.
    ended = any(column.name == ENDS for column in products[product_id].columns)
    held = f"not coalesce({ENDS} <= date '{subject.content.business_date}', false)" if ended else "true"
    faults, dangling = [], []
    for one in found:
        other, column = subject.tables.need(one.to, (one.column,)), f'"{one.column}"'
        sql = (
            f"from (select * from {table.view} where {held}) as child "
            f"anti join {other.view} as parent using ({column}) where {column} is not null"
        )
        count = subject.tables.rows(f"select count(*) {sql}")[0][0]
        if count:
            faults.append(f"{count} of {table.rows} rows name a {one.column} that {one.to} does not have")
            dangling.append(f"({held} and {column} in (select {column} {sql}))")
    keys = failing_keys(subject.tables, table, " or ".join(dangling)) if dangling else ()
    return verdict(faults, f"{table.rows} rows, {len(found)} columns", keys)
