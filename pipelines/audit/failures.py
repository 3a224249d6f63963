"""Says which rows break an expectation: how many, and the keys of a few.

What belongs here: the SQL of a broken row. What does not: whether the check passed (`engine` says that). A key is
shown only as published pseudonym or by columns without a personal class; no other value of the data is shown.
"""

from __future__ import annotations

from datetime import date

from pipelines.audit.tables import Table, Tables, literal
from pipelines.contracts.expectations import Expectation, party_column
from pipelines.contracts.model import Contract

SAMPLE_SIZE = 5
PSEUDONYM_SHAPE = "regexp_full_match({}, '[0-9a-f]{{64}}')"


def broken_row(expectation: Expectation, table: Table, business_date: date) -> str:
    """SQL predicate that is true of a row that breaks the expectation; an empty value breaks only `required`."""
    arguments = expectation.arguments
    column = f'"{expectation.columns[0]}"' if expectation.columns else ""
    match expectation.kind:
        case "required":
            return f"{column} is null"
        case "values":
            return f"{column} not in ({', '.join(literal(value) for value in arguments['values'])})"
        case "range":
            limits = (("<", arguments["minimum"]), (">", arguments["maximum"]))
            return " or ".join(f"{column} {sign} {literal(limit)}" for sign, limit in limits if limit is not None)
        case "rule":
            return f"not ({arguments['predicate']})"
        case "business_date":
            return f"{column} <> {literal(business_date)}"
        case "pseudonym":
            return f"not ({PSEUDONYM_SHAPE.format(column)})"
        case "key":
            key = ", ".join(f'"{name}"' for name in expectation.columns)
            return f"({key}) in (select ({key}) from {table.view} group by all having count(*) > 1)"
    raise ValueError(f"no row breaks an expectation of kind {expectation.kind}")


def observed(tables: Tables, table: Table, expectation: Expectation, business_date: date, failed: bool) -> str:
    """What was seen, in words that hold no value of the data."""
    if expectation.kind == "columns":
        return _column_differences(table) if failed else f"{len(table.columns)} columns"
    if not failed:
        return f"0 of {table.rows} rows"
    predicate = broken_row(expectation, table, business_date)
    return f"{tables.rows(f'select count(*) from {table.view} where {predicate}')[0][0]} of {table.rows} rows"


def failing_keys(tables: Tables, table: Table, predicate: str) -> tuple[dict[str, str | None], ...]:
    """Keys of the first rows for which `predicate` is true, in order of their keys."""
    columns = [name for name in shown_key(table.contract) if name in table.columns]
    if not columns:
        return ()
    shown = {name: f'cast("{name}" as varchar)' for name in columns}
    shown |= {
        name: f'case when {PSEUDONYM_SHAPE.format(name)} then "{name}" end' for name in shown if party_column(name)
    }
    rows = tables.rows(
        f"select distinct {', '.join(shown.values())} from {table.view} "
        f"where {predicate} order by all limit {SAMPLE_SIZE}"
    )
    return tuple(dict(zip(columns, row, strict=True)) for row in rows)


def shown_key(contract: Contract) -> list[str]:
    """Names of the key columns that may be told of a row."""
    return [c.name for c in contract.columns if c.key and (party_column(c.name) or c.personal_class is None)]


def _column_differences(table: Table) -> str:
    expected = [column.name for column in table.contract.columns]
    unknown = [name for name in table.columns if name not in expected]
    missing = [name for name in expected if name not in table.columns]
    parts = [f"{what}: {', '.join(names)}" for what, names in (("unknown", unknown), ("missing", missing)) if names]
    return "; ".join(parts) or "the columns are in another order"
