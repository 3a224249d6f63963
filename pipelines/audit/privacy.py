"""Checks that parties leave with a candidate under the pseudonyms of one consumer only, and as much as was signed.

What does not belong here: identifiers of people, by their shape (`raw_identifiers`), and whose data is lawful
(`lawful`).
"""

from __future__ import annotations

from itertools import combinations

import pyarrow as pa

from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import NotAudited, Table, exact_path, literal
from pipelines.contracts.expectations import PARTY, PSEUDONYM, party_column

_INTERNAL_ID = "(^|[^0-9A-Za-z])[0-9a-fA-F]{64}([^0-9A-Za-z]|$)"


def no_party_id(subject: Subject) -> Verdict:
    """No party id of this home, and nothing of its shape outside the pseudonym, is published under any name."""
    if not subject.crosswalk.is_file():
        raise NotAudited("the party crosswalk is not there to compare with")
    faults, pseudonyms = [], []
    for table in _readable(subject):
        internal = [name for name in table.columns if name == PARTY or name.endswith(f"_{PARTY}")]
        faults += [f"{table.contract.id} has a column {name}" for name in internal]
        for column in _pseudonyms(table):
            place = literal(f"{table.contract.id}.{column}")
            pseudonyms.append(f'select {place} as place, "{column}" as {PSEUDONYM} from {table.view}')
        for column in _columns(table, _is_text):
            if not party_column(column):
                faults += _distinct_fault(subject, table, column, _INTERNAL_ID, "an internal id")
    if pseudonyms:
        party_ids = f"select party_id from read_parquet('{exact_path(subject.crosswalk)}')"
        published = subject.tables.rows(
            f"select place, count(*) from ({' union all '.join(pseudonyms)}) "
            f"where {PSEUDONYM} in ({party_ids}) group by place order by place"
        )
        faults += [f"{place}: {count} rows hold a party id" for place, count in published]
    return verdict(faults, f"{len(pseudonyms)} columns of pseudonyms")


def _pseudonyms(table: Table) -> list[str]:
    return [name for name in table.columns if party_column(name)]


def pseudonym_per_consumer(subject: Subject) -> Verdict:
    """No two consumers see the same pseudonym, so they cannot join what they hold."""
    seen: dict[str, list[str]] = {}
    for table in _readable(subject):
        for column in _pseudonyms(table):
            selected = f'select "{column}" as {PSEUDONYM} from {table.view}'
            seen.setdefault(str(table.contract.consumer), []).append(selected)
    faults = []
    for one, other in combinations(sorted(seen), 2):
        mine, theirs = (" union all ".join(seen[consumer]) for consumer in (one, other))
        sql = f"select count(distinct {PSEUDONYM}) from ({mine}) where {PSEUDONYM} in ({theirs})"
        if shared := subject.tables.rows(sql)[0][0]:
            faults.append(f"{one} and {other} share {shared} pseudonyms")
    return verdict(faults, f"pseudonyms of {len(seen)} consumers")


def release_point(subject: Subject) -> Verdict:
    """What a release point lets through stays within its signed domain, group size and vocabulary."""
    policy, faults, used = subject.catalog.policy, [], 0
    for product in subject.catalog.products.values():
        if product.release_point is None:
            continue
        used += 1
        if product.release_point not in policy.release_points:
            faults.append(f"{product.id}: the policy has no release point {product.release_point}")
            continue
        point = policy.release_points[product.release_point]
        names = {name.rpartition(".")[2] for name in point["inputs"]}
        released = [column for column in product.columns if column.name in names]
        table = subject.tables.need(product.id, tuple(column.name for column in released))
        size, minimum = point["group_size"], int(point["minimum_group"])
        if size is not None:
            counted = f'"{size.rpartition(".")[2]}"'
            too_few = f"coalesce({counted} < {minimum}, true)"
            faults += _fault(subject, table, size.rpartition(".")[2], too_few, f"fewer than {minimum} people")
        for column in released:
            value = f'"{column.name}"'
            if column.enum:
                domain = ", ".join(literal(str(entry)) for entry in point["output_domain"])
                outside = f"{value} not in ({domain})"
                faults += _fault(subject, table, column.name, outside, "a value outside the domain")
                faults += _small_groups(subject, table, column.name, minimum) if size is None else []
            elif column.type == "string":
                codes = ", ".join(literal(code) for code in policy.marketing_reason_codes)
                beyond = f"len(list_filter(string_split({value}, ';'), lambda code: code not in ({codes}))) > 0"
                faults += _fault(subject, table, column.name, beyond, "a code outside the vocabulary")
    return verdict(faults, f"{used} release points")


def _small_groups(subject: Subject, table: Table, column: str, minimum: int) -> list[str]:
    groups = subject.tables.rows(f'select count(*) from {table.view} group by "{column}"')
    small = sum(size < minimum for (size,) in groups)
    return [f"{table.contract.id}.{column}: {small} groups of fewer than {minimum} parties"] if small else []


def _distinct_fault(subject: Subject, table: Table, column: str, pattern: str, what: str) -> list[str]:
    """As `_fault`, over distinct values: codes repeat, and a regular expression costs more than a grouping."""
    # What is as long as a pseudonym is held to its shape by its contract; only other values are looked at here.
    where = f'where length("{column}") <> 64' if party_column(column) else ""
    source = f'(select distinct "{column}" as value from {table.view} {where})'
    found = subject.tables.rows(f"select count(*) from {source} where regexp_matches(value, {literal(pattern)})")
    count = found[0][0]
    return [f"{table.contract.id}.{column}: {count} distinct values look like {what}"] if count else []


def _fault(subject: Subject, table: Table, column: str, predicate: str, what: str) -> list[str]:
    count = subject.tables.rows(f"select count(*) from {table.view} where {predicate}")[0][0]
    return [f"{table.contract.id}.{column}: {count} rows hold {what}"] if count else []


def _readable(subject: Subject) -> list[Table]:
    """Every table, or NotAudited: what cannot be read cannot be called free of identifiers."""
    return [subject.tables.need(product_id) for product_id in subject.tables.by_product]


def _columns(table: Table, kind: object) -> list[str]:
    return [field.name for field in table.schema if kind(field.type)] if table.schema is not None else []


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)
