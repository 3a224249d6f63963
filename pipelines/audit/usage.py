"""Whether the ledger of data usage says what products hold: a second implementation, in SQL over their files.

Belongs here: the ledger against products and proofs. Does not belong here: writing it (`pipelines.release.usage`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from pipelines.audit.content import PROOF, RULES
from pipelines.audit.gates import Verdict
from pipelines.audit.lawful import PURPOSES
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import NotAudited, literal, parquet
from pipelines.contracts.expectations import party_column
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import DATA_CLASSES, Contract

SHARED = "shared_classes"  # the column of proofs that says of which of these classes records of the party count
BY_RECORD = ("partner", "bureau", "medical")


def ledger_name(consumer: str) -> str:
    """What the ledger of a consumer is called among the proofs."""
    return f"usage_{consumer}.parquet"


def ledger(directory: Path, consumer: str) -> Path:
    """The ledger of a consumer in a candidate or release."""
    return directory / PROOF / ledger_name(consumer)


def data_usage(subject: Subject) -> Verdict:
    """The ledger has a line of everybody in a product, and of nobody else, with the classes that were used."""
    try:
        faults = unaccounted(subject.tables.connection, subject.directory, subject.catalog)
    except FileNotFoundError as error:
        raise NotAudited(f"{Path(error.filename).name} is not there") from error
    return verdict(faults, f"ledgers of {len(PURPOSES)} consumers")


def unaccounted(con: duckdb.DuckDBPyConnection, directory: Path, catalog: Catalog) -> list[str]:
    """What of the ledgers does not follow from products and proofs, in plain words; empty where all of it does.

    Raises FileNotFoundError where a ledger is missing.
    """
    problems: list[str] = []
    rules = json.loads((directory / PROOF / RULES).read_bytes())
    for consumer in PURPOSES:
        path = ledger(directory, consumer)
        if not path.is_file():
            raise FileNotFoundError(2, "no ledger", str(path))
        told = {p.id: p for p in catalog.products.values() if p.consumer == consumer and p.id in rules["classes"]}
        written, proofs = parquet(path), parquet(path.with_name(f"{consumer}.parquet"))
        strangers = ", ".join(map(literal, told)) or "''"
        (count,) = _rows(con, f"select count(*) from {written} where product not in ({strangers})")[0]
        problems += [f"usage by {consumer}: {count} lines of products that have no customers"] if count else []
        for product in told.values():
            rows = parquet(directory / consumer / f"{product.table}.parquet")
            problems += _differing(con, product, rows, written, proofs, rules)
        problems += _unlawful(con, consumer, written, proofs)
    return problems


def _differing(
    con: duckdb.DuckDBPyConnection, product: Contract, rows: str, written: str, proofs: str, rules: dict[str, Any]
) -> Iterator[str]:
    """A product's rows against its lines: the same customers, rows, classes used and classes withheld."""
    classes = rules["classes"][product.id]
    needs = rules["needs"].get(product.id, {"columns": {}, "tags": {}})
    masked = {name for some in (*needs["columns"].values(), *needs["tags"].values()) for name in some}
    parties = [column.name for column in product.columns if party_column(column.name)]
    each = " union all ".join(
        f'select "{party}" as who, * from {rows} where "{party}" is not null' for party in parties
    )
    used = _listed({name: f"bool_or({_is_used(name, classes)})" for name in DATA_CLASSES})
    held = {
        name: f"not any_value(proof.{product.consumer}_{name})"
        for name in DATA_CLASSES
        if f"{product.consumer}_{name}" in masked
    }
    expected = (
        f"select who as pseudonym, any_value(proof.business_date) as business_date, count(*) as rows, {used} as used, "
        f"{_listed(held)} as withheld from ({each}) left join {proofs} as proof on who = proof.pseudonym group by who"
    )
    said = f"select pseudonym, business_date, rows, used, withheld from {written} where product = {literal(product.id)}"
    customers, listed, distinct, differing = _rows(
        con,
        f"with expected as ({expected}), said as ({said}) select (select count(*) from expected), "
        f"(select count(*) from said), (select count(distinct pseudonym) from said), "
        f"(select count(*) from (from expected except from said))",
    )[0]
    if (customers, customers) != (listed, distinct):
        yield f"{product.id}: {customers} customers, and {listed} lines of {distinct} customers in the ledger"
    if differing:
        yield f"{product.id}: the ledger does not say what was used of {differing} of {customers} customers"


def _is_used(name: str, classes: dict[str, Any]) -> str:
    """SQL that holds where a row uses a class of data; what others tell counts only where they told something."""
    columns = [column for column, some in classes["columns"].items() if name in some]
    tags = ", ".join(literal(tag) for tag, some in classes["tags"].items() if name in some)
    ways = ["true"] if name in classes["rows"] else [f'"{column}" is not null' for column in columns]
    ways += [f"tag in ({tags})"] if tags else []
    known = f"coalesce(list_contains(string_split(proof.{SHARED}, ';'), '{name}'), false)"
    return f"({' or '.join(ways) or 'false'}) and {known if name in BY_RECORD else 'true'}"


def _unlawful(con: duckdb.DuckDBPyConnection, consumer: str, written: str, proofs: str) -> Iterator[str]:
    """Uses of a class that the proof of the customer refuses: what was taken back is used no more.

    Whoever has no proof at all is a matter of `pipelines.audit.lawful`.
    """
    columns = {name for name, *_ in _rows(con, f"describe from {proofs}")}
    for name in (name for name in DATA_CLASSES if f"{consumer}_{name}" in columns):
        uses = f"list_contains(string_split(said.used, ';'), '{name}')"
        (count,) = _rows(
            con,
            f"select count(*) from {written} as said inner join {proofs} as proof on said.pseudonym = proof.pseudonym "
            f"where {uses} and not proof.{consumer}_{name}",
        )[0]
        if count:
            yield f"usage by {consumer}: {count} uses of {name} data of customers of whom that is not lawful"


def _listed(conditions: dict[str, str]) -> str:
    cases = ", ".join(f"case when {condition} then '{name}' end" for name, condition in conditions.items())
    return f"nullif(concat_ws(';', {cases}), '')" if cases else "cast(null as varchar)"


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()
