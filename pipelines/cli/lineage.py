"""`zhongtai lineage`: where a published column comes from, what it may serve, and what must be lawful of a party."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import JsonOption, State
from pipelines.contracts.document import suggestion
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.settings import InputError

app = typer.Typer(no_args_is_help=True, help="Where published columns come from, and what they may be used for.")

ProductArgument = Annotated[str, typer.Argument(help="A product, for example marketing.low_risk_list.")]


@app.command("show")
def show(
    context: typer.Context,
    product: ProductArgument,
    column: Annotated[str | None, typer.Argument(help="One of its columns; without it, every column.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The contracts' columns that each column of a product is made from, by the SQL that was built last."""
    from pipelines.lineage.compiled import lineage_of
    from pipelines.lineage.purpose import data_classes, published, reach, released_columns

    state: State = context.obj
    catalog, contract = state.catalog, _product(state.catalog, product)
    lineage = lineage_of(catalog, state.settings.home)
    found = published(catalog, contract)
    if column is not None and column not in found:
        raise InputError(f"{product} has no column '{column}'{suggestion(column, set(found))}")
    told = {}
    for name in [column] if column else found:
        reached = reach(lineage, found[name], released_columns(catalog))
        told[name] = {
            "classes": sorted(data_classes(catalog, lineage, found[name])),
            "from": sorted(
                f"{lineage.contracts[one.table].id}.{one.column}" for one in reached if one.table in lineage.contracts
            ),
        }
    if as_json:
        typer.echo(json.dumps({"product": product, "columns": told}, ensure_ascii=False))
        return
    console = Console(soft_wrap=True, highlight=False)
    table = Table("column", "classes of data", "made from", box=None, pad_edge=False)
    for name, of in told.items():
        table.add_row(name, ", ".join(of["classes"]), _by_contract(of["from"], whole=column is not None))
    console.print(table)
    console.print(
        f"\n{product} serves {', '.join(contract.purposes)}; release point: {contract.release_point or 'none'}"
    )


@app.command("path")
def path(
    context: typer.Context,
    product: ProductArgument,
    column: Annotated[str, typer.Argument(help="One of its columns.")],
    ancestor: Annotated[str, typer.Argument(help="A column of a contract, for example core.transaction.amount.")],
) -> None:
    """A shortest way from a column of a product back to a column of a contract."""
    from pipelines.lineage.compiled import lineage_of
    from pipelines.lineage.purpose import published
    from pipelines.lineage.trace import Origin, named

    state: State = context.obj
    found = published(state.catalog, _product(state.catalog, product))
    if column not in found:
        raise InputError(f"{product} has no column '{column}'{suggestion(column, set(found))}")
    lineage = lineage_of(state.catalog, state.settings.home)
    contract_id, _, name = ancestor.rpartition(".")
    if named(contract_id) not in lineage.contracts:
        raise InputError(f"'{ancestor}' is no column of a source or derived contract; write <contract>.<column>")
    ways = [lineage.path(origin, [Origin(named(contract_id), name)]) for origin in sorted(found[column])]
    if not any(ways):
        raise InputError(f"{product}.{column} does not descend from {ancestor}")
    for step in min(filter(None, ways), key=len):
        typer.echo(f"{step.table}.{step.column}")


def _product(catalog: Catalog, name: str) -> Contract:
    if name not in catalog.products:
        raise InputError(f"no product '{name}'{suggestion(name, set(catalog.products))}")
    return catalog.products[name]


def _by_contract(columns: list[str], whole: bool) -> str:
    grouped = defaultdict(list)
    for one in columns:
        contract, _, name = one.rpartition(".")
        grouped[contract].append(name)
    if whole:
        return "\n".join(f"{contract}: {', '.join(names)}" for contract, names in grouped.items())
    return ", ".join(f"{contract} ({len(names)})" for contract, names in grouped.items())
