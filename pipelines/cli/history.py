"""`zhongtai history`: the row of any past business date, as it was published then and as it is known now."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import State, parse_date
from pipelines.settings import InputError

app = typer.Typer(no_args_is_help=True, help="What marts said of a past business date, and what is known of it now.")

MartArgument = Annotated[str, typer.Argument(help="A mart that keeps a history, for example customer_360.")]
PartyArgument = Annotated[str, typer.Argument(help="Party id, or how it begins.")]
_CHANGED = "≠"


@app.command("show")
def show(
    context: typer.Context,
    mart: MartArgument,
    party: PartyArgument,
    date_: Annotated[str, typer.Option("--date", help="Business date.")],
    published: Annotated[bool, typer.Option("--published", help="Only what was published then.")] = False,
    known: Annotated[bool, typer.Option("--known", help="Only what is known now.")] = False,
) -> None:
    """The row of a party as of a business date: as published then beside as known now, where they differ marked."""
    from pipelines.history.reading import View, as_of, find_key

    state: State = context.obj
    home, day = state.settings.home, parse_date(date_, "--date")
    key = find_key(home, mart, party)
    asked: list[View] = [name for name, wanted in (("published", published), ("known", known)) if wanted]  # type: ignore[misc]
    found = {view: as_of(home, mart, day, view, key).rows(named=True) for view in asked or ("published", "known")}
    if not any(found.values()):
        raise InputError(f"{mart} says nothing of {key} as of {day}")
    for n in range(max(map(len, found.values()))):
        _print({view: rows[n] if n < len(rows) else {} for view, rows in found.items()})


@app.command("intervals")
def intervals(context: typer.Context, mart: MartArgument, party: PartyArgument) -> None:
    """Everything that was ever believed of a party: from when to when it held, and which releases said so."""
    from pipelines.history.reading import find_key
    from pipelines.history.reading import intervals as of_key

    state: State = context.obj
    rows = of_key(state.settings.home, mart, find_key(state.settings.home, mart, party)).rows(named=True)
    table = Table("holds from", "to", "said by", "until", "what changed", box=None, pad_edge=False)
    before: dict[str, Any] = {}
    for row in rows:
        interval = [row.pop(name) for name in ("holds_from", "holds_to", "recorded_from", "recorded_to")]
        changed = [f"{name} {_text(value)}" for name, value in row.items() if before and value != before.get(name)]
        table.add_row(*map(_text, interval), ", ".join(changed) if before else "first known")
        before = row
    Console(soft_wrap=True, highlight=False).print(table)


def _print(views: dict[Any, dict[str, Any]]) -> None:
    table = Table("column", *views, "", box=None, pad_edge=False)
    for name in next(row for row in views.values() if row):
        values = [row.get(name) for row in views.values()]
        missing = [not row for row in views.values()]
        differ = len(set(values)) > 1 or any(missing)
        shown = ["no row" if gone else _text(value) for gone, value in zip(missing, values, strict=True)]
        table.add_row(name, *shown, _CHANGED if differ else "")
    Console(soft_wrap=True, highlight=False).print(table)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
