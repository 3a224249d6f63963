"""Checks that published figures of groups stand for enough people.

The policy says how many people a row stands for and the threshold that it may not fall below (`gates.groups`). What
does not belong here: what a release point lets through (`privacy`).
"""

from __future__ import annotations

from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict
from pipelines.contracts.expectations import mentioned


def large_enough(subject: Subject, product_id: str) -> Verdict:
    """No row of a product whose figure is told stands for fewer people than the policy asks for."""
    group = subject.catalog.policy.gates.groups[product_id]
    product = subject.catalog.products[product_id]
    columns = {*mentioned(group.people, product), *mentioned(group.where, product)}
    table = subject.tables.need(product_id, tuple(sorted(columns)))
    minimum = subject.threshold(group.minimum)
    told, small = subject.tables.rows(
        f"select count(*), count_if(coalesce({group.people} < {minimum}, true)) from {table.view} where {group.where}"
    )[0]
    fault = f"{small} of {told} rows stand for fewer than {minimum:.0f} people"
    return verdict([fault] if small else [], f"{told} rows of at least {minimum:.0f} people")
