"""Every example query runs on the file of a real release, and answers where its tables have rows."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest
from homes import ask
from project import project_catalog

CATALOG = project_catalog()
# What this bank has no case of: it has no complaints, no arrears, no gap in its deliveries.
MAY_BE_EMPTY = "where "
EXAMPLES = [
    (consumer, product.table, number)
    for consumer in ("marketing", "risk")
    for product in CATALOG.products.values()
    if product.consumer in (consumer, "shared")
    for number, _ in enumerate(product.examples)
]


@pytest.mark.parametrize(("consumer", "table", "number"), EXAMPLES)
def test_an_example_answers(xiaocheng, consumer: str, table: str, number: int) -> None:
    (product,) = [p for p in CATALOG.products.values() if p.table == table and p.consumer in (consumer, "shared")]
    example = product.examples[number]
    path = (xiaocheng.home / "releases" / "current").resolve() / consumer / f"{consumer}.duckdb"
    with closing(duckdb.connect(str(path), read_only=True)) as con:
        found = con.execute(example.sql)
        assert len(found.description) > 1
        rows = found.fetchall()
        place = f"shared.{table}" if product.consumer == "shared" else table
        held = con.execute(f"select count(*) from {place}").fetchall()[0][0]
    assert rows or not held or MAY_BE_EMPTY in example.sql or " join " in example.sql


def test_the_file_lists_what_the_contracts_say(xiaocheng) -> None:
    for consumer in ("marketing", "risk"):
        told = ask(xiaocheng.home, consumer, "select product, title_zh, title_en, sql from example_queries")
        assert told == [
            (product.id, example.zh, example.en, example.sql)
            for product in sorted(CATALOG.products.values(), key=lambda product: product.id)
            if product.consumer in (consumer, "shared")
            for example in product.examples
        ]
        assert len(told) > 5


def test_examples_are_shown_and_one_can_be_asked(xiaocheng, zhongtai) -> None:
    shown = zhongtai("query", "--consumer", "risk", "--examples", home=xiaocheng.home)
    assert shown.code == 0, shown.err
    assert "-- risk.expected_loss: Exposure, expected loss and capital by class of asset" in shown.out
    neither = zhongtai("query", "--consumer", "risk", home=xiaocheng.home)
    assert neither.code == 2
    assert "write one SQL statement, or --examples" in neither.err
