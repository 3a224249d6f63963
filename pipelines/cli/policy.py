"""`zhongtai policy`: what the law asks for, and what enforces it here."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from pipelines.cli.options import JsonOption, State
from pipelines.settings import InputError

app = typer.Typer(no_args_is_help=True, help="What the law asks for, and what enforces it here.")


@app.callback()
def _group() -> None:
    """A group, although it has one command so far."""


@app.command("map")
def map_(
    context: typer.Context,
    article: Annotated[str, typer.Argument(help="Articles that begin so, for example PIPL 28; default all.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Every article with its rule, the checks that enforce it, and the test that shows of each check that it bites."""
    state: State = context.obj
    controls = [one for one in state.catalog.policy_map.controls if one.article.startswith(article)]
    if not controls:
        laws = ", ".join(state.catalog.policy_map.laws)
        raise InputError(f"no article begins with '{article}'; there are articles of: {laws}")
    if as_json:
        typer.echo(json.dumps({"controls": [one.model_dump(mode="json") for one in controls]}, ensure_ascii=False))
        return
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for one in controls:
        console.print(f"{one.article}{' (to be confirmed)' if one.to_be_confirmed else ''}", style="bold")
        console.print(f"  {one.rule.zh}\n  {one.rule.en}")
        for link in one.links:
            console.print(f"  - {link.check}\n    {link.test}")
        if one.gap is not None:
            console.print(f"  gap: {one.gap.zh} {one.gap.en}")
    links, gaps = sum(len(one.links) for one in controls), sum(one.gap is not None for one in controls)
    console.print(f"\n{len(controls)} articles, {links} checks with their tests, {gaps} gaps")
