"""`zhongtai quarantine`: which delivered rows were not landed, and why."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import duckdb
import typer
from rich.console import Console

from pipelines.cli.options import State, parse_date

app = typer.Typer(no_args_is_help=True, help="Rows that were not landed, and why.")


@app.command()
def show(
    context: typer.Context,
    date: Annotated[str | None, typer.Option("--date", help="One business date; default all.")] = None,
    contract: Annotated[str | None, typer.Option(help="One contract; default all.")] = None,
    limit: Annotated[int, typer.Option(help="Most rows to print.")] = 50,
) -> None:
    """Print each fault with file, line, key, rule and reason; personal values are masked."""
    state: State = context.obj
    day = parse_date(date, "--date") if date else None
    console = Console(highlight=False, soft_wrap=True)
    pattern = (
        state.settings.home.quarantine
        / (contract or "*")
        / "*"
        / (f"business_date={day}" if day else "*")
        / "part.parquet"
    )
    if not list(state.settings.home.quarantine.glob(str(pattern.relative_to(state.settings.home.quarantine)))):
        console.print("nothing is in quarantine there")
        return
    with closing(duckdb.connect()) as con:
        found = f"read_parquet('{pattern}', hive_partitioning=false)"
        total = con.execute(f"select count(*) from {found}").fetchall()[0][0]
        rows = con.execute(
            f"select contract, business_date, delivery, line, record_key, rule, column_name || ' ' || reason "
            f"from {found} "
            f"order by business_date, contract, line, rule limit {limit}"
        ).fetchall()
    for name, day_, delivery, line, key, rule, reason in rows:
        where = f"{name} {day_} {delivery} line {line}" + (f" key {key}" if key else "")
        console.print(f"{where}\n  {rule}: {reason.strip()}", markup=False)
    console.print(f"{total} faults" + (f", the first {limit} shown" if total > limit else ""))
