"""`zhongtai usage`: which data of one customer were used, for what and by whom, over many releases."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import JsonOption, State, parse_date

if TYPE_CHECKING:
    from pipelines.release.usage_history import UsageHistory


def usage(
    context: typer.Context,
    party: Annotated[str, typer.Argument(help="Internal party id or a consumer's pseudonym, or how it begins.")],
    from_: Annotated[str | None, typer.Option("--from", help="First business date.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Last business date.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page for the customer to this file.")] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Every product of every release.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What was used of a customer, by the ledgers of the releases: for whoever answers for data protection."""
    from pipelines.release.usage_history import usage_of
    from pipelines.settings import write_private
    from pipelines.vault.keys import KeyRing

    state: State = context.obj
    home = state.settings.home
    first, last = (parse_date(text, name) if text else None for text, name in ((from_, "--from"), (to, "--to")))
    history = usage_of(home, party, lambda: KeyRing.open(home.vault, state.settings.vault_key), first, last)
    if html is not None:
        from pipelines.release.usage_page import page

        write_private(html, page(history, state.catalog, state.settings.bank_name()).encode())
        typer.echo(f"wrote {html}, readable by you alone: write the customer's name on it by hand")
    elif as_json:
        typer.echo(json.dumps(asdict(history), default=str, ensure_ascii=False))
    else:
        _print(history, every=lines)


def _print(history: UsageHistory, *, every: bool) -> None:
    console = Console(soft_wrap=True, highlight=False)
    if every:
        table = Table("release", "product", "rows", "used", "withheld", box=None, pad_edge=False)
        for line in history.lines:
            table.add_row(line.release, line.product, str(line.rows), ", ".join(line.used), ", ".join(line.withheld))
        console.print(table)
        return
    used = Table("used by", "for", "data", "basis", "article", "from", "to", "products", box=None, pad_edge=False)
    for one in history.used:
        when = (str(one.since), str(one.until or "still"))
        used.add_row(one.consumer, one.purpose, *one.what, one.basis, one.article, *when, str(len(one.products)))
    console.print(used)
    withheld = Table("withheld from", "data", "why", "article", "from", "to", box=None, pad_edge=False)
    for one in history.withheld:
        withheld.add_row(one.consumer, *one.what, one.article, str(one.since), str(one.until or "still"))
    console.print()
    console.print(withheld)
    console.print(f"\n{len(history.releases)} releases of {history.first} to {history.last}", markup=False)
    if history.silent:
        console.print(f"{len(history.silent)} more were published before there were ledgers", markup=False)
