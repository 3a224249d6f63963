"""`zhongtai proof`: whether what a release handed over follows from consents, policy and law; checked offline."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import JsonOption, State

app = typer.Typer(no_args_is_help=True, help="Proofs of what consumers were given, and of whom.")


@app.command("verify")
def verify(
    context: typer.Context,
    release: Annotated[str | None, typer.Argument(help="A release, or how its id begins; default the current.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Decide on every party again from the release's own facts and rules; hold every row, value and use against it."""
    import duckdb

    from pipelines.audit.lawful import PURPOSES, reasons, unproven
    from pipelines.audit.usage import unaccounted
    from pipelines.release import catalogue
    from pipelines.release.refused import Refused

    state: State = context.obj
    found = catalogue.find(state.settings.home, release)
    problems = catalogue.verify_release(found, state.catalog)
    try:
        with duckdb.connect() as con:
            problems = problems or unproven(con, found.path, state.catalog)
            problems = problems or unaccounted(con, found.path, state.catalog)
            told = {consumer: reasons(con, found.path, consumer) for consumer in PURPOSES}
    except FileNotFoundError as error:
        raise Refused(f"{found.id} has no proofs ({error.filename}): it was published before there were any") from error
    if as_json:
        typer.echo(json.dumps({"release": found.id, "refused": told, "problems": problems}, ensure_ascii=False))
    else:
        table = Table("consumer", "class of data", "why not", "parties", box=None, pad_edge=False)
        for consumer, counts in told.items():
            for reason, parties in counts.items():
                table.add_row(consumer, *reason.split(":"), f"{parties:,}")
        Console(soft_wrap=True, highlight=False).print(table)
    if problems:
        raise Refused(f"{found.id} is not proved:\n" + "\n".join(f"  {problem}" for problem in problems))
    if not as_json:
        typer.echo(
            f"{found.id} is proved: every row and value follows from its decisions, and these from facts and rules"
        )
