"""The table `data_usage` of one release, for whoever answers for data protection: a row per use of a class of data.

Belongs here: the ledger as a table that can be asked in SQL. Does not belong here: one customer over many releases
(`usage_history`). It is made in memory when it is asked: no consumer's file holds it.
"""

from __future__ import annotations

import json

import duckdb

from pipelines.audit.content import PROOF, RULES
from pipelines.audit.lawful import PURPOSES
from pipelines.audit.tables import exact_path
from pipelines.audit.usage import ledger
from pipelines.contracts.model import DATA_CLASSES
from pipelines.release.catalogue import Release
from pipelines.release.refused import Refused

_TABLE = """
    create table data_usage (
        consumer varchar, pseudonym varchar, business_date date, product varchar, rows bigint, purpose varchar,
        data_class varchar, is_used boolean, is_withheld boolean, needs varchar, legal_basis varchar, article varchar
    )
"""
_FILL = """
    insert into data_usage
    select
        $consumer, said.pseudonym, said.business_date, said.product, said.rows, $purpose, law.data_class,
        coalesce(list_contains(string_split(said.used, ';'), law.data_class), false) as is_used,
        coalesce(list_contains(string_split(said.withheld, ';'), law.data_class), false) as is_withheld,
        law.needs, law.legal_basis, law.article
    from read_parquet('{path}', hive_partitioning = false) as said
    cross join law
    where is_used or is_withheld
    order by all
"""


def open_data_usage(release: Release) -> duckdb.DuckDBPyConnection:
    """A database in memory with `data_usage` of a release. Raises Refused where the release has no ledger.

    `legal_basis` is the bank's basis for the purpose; for classes of data that need something else, `needs` says what.
    """
    con = duckdb.connect()
    con.execute(_TABLE)
    for consumer, purpose in PURPOSES.items():
        path = ledger(release.path, consumer)
        if not path.is_file():
            raise Refused(f"{release.id} has no ledger of data usage: it was published before there were any")
        rules = json.loads((release.path / PROOF / RULES).read_bytes())
        needs = rules["policy"]["purposes"][purpose]
        by_bank = {name for name in DATA_CLASSES if needs[name]["needs"] == "bank_basis"}
        law = [
            (name, needs[name]["needs"], rules["legal_basis"].get(purpose) if name in by_bank else None,
             rules["articles"].get(purpose) if name in by_bank else needs[name]["article"])
            for name in DATA_CLASSES
        ]  # fmt: skip
        con.execute("create or replace table law (data_class text, needs text, legal_basis text, article text)")
        con.executemany("insert into law values (?, ?, ?, ?)", law)
        con.execute(_FILL.format(path=exact_path(path)), {"consumer": consumer, "purpose": purpose})
    con.execute("drop table law")
    return con
