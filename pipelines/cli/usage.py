"""`zhongtai usage`: which data of one customer were used, for what and by whom, over many releases."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.cli.options import JsonOption, State, parse_date

if TYPE_CHECKING:
    from pipelines.release.usage_history import Interval, UsageHistory


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
    if every:
        told = [
            (line.release, line.product, str(line.rows), ", ".join(line.used), ", ".join(line.withheld))
            for line in history.lines
        ]
        _columns(("release", "product", "rows", "used", "withheld"), told)
        return
    used = [
        (one.consumer, *one.what, *_when(one), str(len(one.products)), str(one.basis), one.article)
        for one in history.used
    ]
    _columns(("used by", "data", "from", "to", "products", "basis", "article"), used)
    withheld = [(one.consumer, *one.what, *_when(one), one.article) for one in history.withheld]
    typer.echo()
    _columns(("withheld from", "data", "why", "from", "to", "article"), withheld)
    count = len(history.published)
    typer.echo(f"\n{count} release{'s' * (count > 1)} of {history.first} to {history.last}")
    if history.silent:
        typer.echo(f"{len(history.silent)} more were published before there were ledgers")


def _when(one: Interval) -> tuple[str, str]:
    return str(one.since), str(one.until or "still")


def _columns(headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table that no terminal cuts off: it is for the record."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    for row in (headers, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
