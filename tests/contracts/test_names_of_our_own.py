"""Names that the platform makes up, of groups and of cases, never look like an identifier of somebody.

As hexadecimal digits, 4 of 262,832 households were bank cards by shape and check digit, and a night was refused.
"""

from __future__ import annotations

import duckdb
import jinja2
import polars as pl
import pytest

from pipelines.relations.network import group_name
from pipelines.settings import PROJECT
from pipelines.vault.shapes import any_of, recognised, shapes_of

MANY = 200_000
SHAPES = shapes_of("CN") + shapes_of("CZ")
CASE = jinja2.Environment().from_string(
    (PROJECT / "dbt_project/macros/case_key.sql").read_text("utf-8") + "{{ case_key('cast(n as varchar)') }}"
)


def groups(kind: str) -> pl.Series:
    parties = pl.DataFrame({"party": pl.int_range(MANY, eager=True).cast(pl.String)})
    return parties.select(name=group_name(kind, pl.col("party")))["name"]


def cases() -> pl.Series:
    with duckdb.connect() as con:
        return con.execute(f"select {CASE.render()} as name from range({MANY}) as numbers (n)").pl()["name"]


def hexadecimal() -> pl.Series:
    return groups("household").str.replace_many(list("abcdefghijklmnop"), list("0123456789abcdef"))


def identifiers(names: pl.Series) -> dict[str, int]:
    return recognised(names.filter(names.str.contains(any_of(SHAPES))), SHAPES)


@pytest.mark.parametrize("made", [lambda: groups("household"), lambda: groups("ring"), cases],
                         ids=["households", "rings", "cases"])  # fmt: skip
def test_no_name_looks_like_an_identifier(made) -> None:
    names = made()
    assert names.n_unique() == MANY and names.str.contains("^[a-p]{16}$").all()
    assert identifiers(names) == {}


def test_of_as_many_hexadecimal_ones_some_would() -> None:
    assert identifiers(hexadecimal())
