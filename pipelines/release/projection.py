"""Projects one product from its mart: its columns and rows, pseudonyms for parties, and only what is lawful of each.

Belongs here: the one query that hands data to a consumer. Does not belong here: what is lawful of whom
(`mart.lawful_use`), and which product needs what of it (`pipelines.lineage.needs`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import duckdb
import polars as pl
import pyarrow as pa

from pipelines.contracts.arrow import arrow_schema
from pipelines.contracts.expectations import party_column
from pipelines.contracts.model import Contract
from pipelines.lineage.needs import LAWFUL_USE, Needs
from pipelines.release.refused import Refused
from pipelines.vault.keys import KeyRing
from pipelines.vault.tokens import hmac_sha256


def project(
    con: duckdb.DuckDBPyConnection, product: Contract, mart: Contract, ring: KeyRing, business_date: date, needs: Needs
) -> tuple[pa.Table, int]:
    """The rows of `product` as of `business_date`, in the columns, types and order of its contract.

    Beside them how many rows the product chooses of its mart: the difference is withheld, for want of a legal basis.
    """
    stands_for = {column.name: party for column in product.columns if (party := party_column(column.name))}
    lawful = _lawful(stands_for.values())
    selected = [_value(column.name, needs, lawful) for column in product.columns if column.name not in stands_for]
    selected += [f"mart.{party}" for party in stands_for.values()]
    of_the_date = f"business_date = date '{business_date}'"
    chosen = f"{of_the_date} and ({product.filter})" if product.filter else of_the_date
    joined = "".join(
        f" left join marts.{LAWFUL_USE.partition('.')[2]} as {alias}"
        f" on mart.{party} = {alias}.party_id and mart.business_date = {alias}.business_date"
        for party, alias in lawful.items()
    )
    try:
        held, present, rows = con.execute(
            f"select count(*), count(*) filter ({of_the_date}), count(*) filter ({chosen}) from marts.{mart.table}"
        ).fetchall()[0]
        frame = con.execute(
            f"select {', '.join(selected)} from (from marts.{mart.table} where {chosen}) as mart{joined} "
            f"where {' and '.join(['true', *_rows(needs, lawful)])}"
        ).pl()
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise Refused(
            f"{mart.table} is not what {mart.id} {mart.version} says ({str(error).splitlines()[0]}). "
            f"Materialise the marts for {business_date}, or run `zhongtai nightly --date {business_date}`"
        ) from error
    if held and not present:
        raise Refused(
            f"{mart.table} holds other dates than {business_date}: it was built for another night. "
            f"Materialise the marts for {business_date}, or run `zhongtai nightly --date {business_date}`"
        )
    for name, party in stands_for.items():
        frame = frame.with_columns(hmac_sha256(pl.col(party), ring.pseudonym_key(str(product.consumer))).alias(name))
    schema = arrow_schema(product)
    table = frame.select(schema.names).sort(product.key).to_arrow()
    # What must be filled and is not is for the audit to say, with the keys of the rows.
    empty = [field.with_nullable(True) if table.column(field.name).null_count else field for field in schema]
    return table.cast(pa.schema(empty)), rows


def _lawful(parties: Iterable[str]) -> dict[str, str]:
    """What the row of `mart.lawful_use` of each party of a row is called."""
    return {party: f"lawful_{n}" for n, party in enumerate(parties)}


def _holds(permissions: Iterable[str], lawful: Mapping[str, str]) -> str:
    """SQL that holds where every party of the row may be used so. Of whom nothing is known, nothing is lawful."""
    both = [f"coalesce({alias}.{name}, false)" for name in sorted(permissions) for alias in lawful.values()]
    return " and ".join(both) or "true"


def _value(name: str, needs: Needs, lawful: Mapping[str, str]) -> str:
    if name not in needs.columns:
        return f"mart.{name}"
    return f"case when {_holds(needs.columns[name], lawful)} then mart.{name} end as {name}"


def _rows(needs: Needs, lawful: Mapping[str, str]) -> list[str]:
    found = [_holds(needs.rows, lawful)] if lawful else []
    if needs.tags:
        cases = " ".join(f"when '{tag}' then {_holds(names, lawful)}" for tag, names in sorted(needs.tags.items()))
        found.append(f"case mart.tag {cases} else true end")
    return found
