"""Example queries of products: what a reader of a consumer's file may ask, with a title in both languages.

What belongs here: the form of an example in a product's contract, and whether it reads tables that its readers have.
What does not: whether it runs (`tests/pipeline/test_example_queries.py`), and how it is handed over (`release`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from pipelines.contracts.document import Strict, faults, suggestion
from pipelines.contracts.model import Contract, ContractError

Text = Annotated[str, StringConstraints(min_length=1)]
_READ = re.compile(r"\b(?:from|join)\s+([a-z_][a-z_0-9]*(?:\.[a-z_][a-z_0-9]*)?)", re.IGNORECASE)
_NAMED = re.compile(r"(?:\bwith|,)\s+([a-z_][a-z_0-9]*)\s+as\s*\(", re.IGNORECASE)


class Example(Strict):
    """A question, and the SQL that answers it."""

    zh: Text
    en: Text
    sql: Annotated[str, Field(pattern=r"^\s*(select|with|from)\s")]


_EXAMPLES = TypeAdapter(tuple[Example, ...])


def read_examples(path: Path, given: Any) -> tuple[Example, ...]:
    """The examples of a product. Raises ContractError for one without a title or SQL."""
    try:
        return _EXAMPLES.validate_python(given or ())
    except ValidationError as error:
        raise ContractError(f"{path}: customProperties.examples: {faults(error, given)}") from error


def check_examples(products: dict[str, Contract]) -> None:
    """Raise ContractError for an example that reads a table which is not in the file of its readers, or not its own."""
    tables: dict[str | None, set[str]] = {}
    for product in products.values():
        name = f"shared.{product.table}" if product.consumer == "shared" else product.table
        tables.setdefault(product.consumer, set()).add(name)
    for product in products.values():
        known = tables[product.consumer] | tables.get("shared", set())
        for number, example in enumerate(product.examples, start=1):
            at = f"{product.path}: customProperties.examples.{number}.sql"
            read = {name.lower() for name in _READ.findall(example.sql)} - set(_NAMED.findall(example.sql))
            if unknown := sorted(read - known):
                hint = suggestion(unknown[0], known)
                raise ContractError(f"{at}: no table {unknown[0]} for {product.consumer}{hint}; name one that is there")
            own = f"shared.{product.table}" if product.consumer == "shared" else product.table
            if own not in read:
                raise ContractError(f"{at}: does not read {own}; move it to the product that it is an example of")
