"""`zhongtai contracts`: check, sync, diff, docs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.cli.options import State
from pipelines.contracts import dbt, diff, docs
from pipelines.contracts.model import ContractError
from pipelines.settings import PROJECT

app = typer.Typer(no_args_is_help=True, help="Check contracts, derive files from them, compare them.")
DBT_PROJECT = PROJECT / "dbt_project"


@app.command()
def check(context: typer.Context) -> None:
    """Read every contract, feed, bank and the policy; say whether a derived file has drifted."""
    state: State = context.obj
    catalog = state.catalog
    feeds = sum(len(catalog.feeds(bank)) for bank in catalog.banks)
    for bank in catalog.banks:
        catalog.bank(bank)
    if stale := dbt.drifted(catalog, DBT_PROJECT):
        names = ", ".join(str(path.relative_to(PROJECT)) for path in stale)
        raise ContractError(f"not what the contracts say: {names}; run `zhongtai contracts sync`")
    Console().print(
        f"{len(catalog.all())} contracts, {feeds} feeds of {len(catalog.banks)} banks and policy "
        f"{catalog.policy.version} are complete; derived files agree"
    )


@app.command()
def sync(context: typer.Context) -> None:
    """Write what dbt has from the contracts."""
    state: State = context.obj
    touched = dbt.sync(state.catalog, DBT_PROJECT)
    for path in touched:
        Console().print(f"{'wrote' if path.exists() else 'removed'} {path.relative_to(PROJECT)}")
    if not touched:
        Console().print("nothing to do: derived files agree with the contracts")


@app.command("diff")
def show_diff(
    context: typer.Context,
    base: Annotated[str, typer.Option(help="Git revision to compare with.")] = "HEAD",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Name what changed since a revision; exit 2 where a version does not announce it."""
    state: State = context.obj
    before = diff.catalog_at(PROJECT, state.settings.contracts, base)
    differences = diff.compare(before, state.catalog)
    faults = [d.fault for d in differences if d.fault]
    console = Console(highlight=False, soft_wrap=True)
    if as_json:
        found = [
            {
                "contract": d.contract, "before": d.before, "after": d.after, "breaking": d.breaking, "fault": d.fault,
                "changes": [{"description": c.description, "breaking": c.breaking} for c in d.changes],
            }
            for d in differences
        ]  # fmt: skip
        typer.echo(json.dumps({"base": base, "contracts": found}))
    else:
        for difference in differences:
            console.print(f"{difference.contract} {difference.before or '-'} -> {difference.after or '-'}")
            for change in difference.changes:
                console.print(
                    f"  {'BREAKING' if change.breaking else 'compatible'}: {change.description}", markup=False
                )
        if not differences:
            console.print(f"no contract differs from {base}")
    if faults:
        raise ContractError("\n".join(faults))


@app.command("docs")
def write_docs(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Directory for the pages.")] = PROJECT / "docs" / "contracts",
) -> None:
    """Write a page per contract."""
    state: State = context.obj
    pages = docs.write_pages(state.catalog, out)
    Console().print(f"wrote {len(pages)} pages to {out}")
