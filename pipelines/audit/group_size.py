"""Checks that published figures of groups stand for enough people.

The policy says how many people a row stands for and the threshold that it may not fall below (`gates.groups`). What
does not belong here: what a release point lets through (`privacy`).
"""

from __future__ import annotations

from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import Table
from pipelines.contracts.expectations import mentioned
from pipelines.contracts.release_rules import Group


def large_enough(subject: Subject, product_id: str) -> Verdict:
    """No row of a product whose figure is told stands for fewer people than the policy asks for."""
    group, table = _told(subject, product_id)
    minimum = subject.threshold(group.minimum)
    told, small = subject.tables.rows(
        f"select count(*), count_if(coalesce({group.people} < {minimum}, true)) from {table.view} where {group.where}"
    )[0]
    fault = f"{small} of {told} rows stand for fewer than {minimum:.0f} people"
    return verdict([fault] if small else [], f"{told} rows of at least {minimum:.0f} people")


def sizes(subject: Subject, product_id: str) -> list[float]:
    """How many people each row stands for whose figure is told."""
    group, table = _told(subject, product_id)
    sql = f"select cast(coalesce({group.people}, 0) as double) from {table.view} where {group.where}"
    return [size for (size,) in subject.tables.rows(sql)]


def _told(subject: Subject, product_id: str) -> tuple[Group, Table]:
    group, product = subject.catalog.policy.gates.groups[product_id], subject.catalog.products[product_id]
    columns = {*mentioned(group.people, product), *mentioned(group.where, product)}
    return group, subject.tables.need(product_id, tuple(sorted(columns)))
