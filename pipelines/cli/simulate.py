"""`zhongtai simulate`: writes what the simulated bank and its partners deliver, at any size, for any days."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.cli.options import State, parse_date
from pipelines.settings import InputError

if TYPE_CHECKING:
    from pipelines.simulation.book import Request
    from pipelines.simulation.run import Summary

_LIST = "list"


def simulate(
    context: typer.Context,
    to: Annotated[str | None, typer.Option("--to", help="Last date to simulate.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", help="First date; default the one after the last simulated.")
    ] = None,
    customers: Annotated[int, typer.Option(help="Customers of the bank when the world begins.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed, customers and dates give the same bytes.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Where to write; default `simulated` in the home.")] = None,
    history_to: Annotated[
        str | None, typer.Option("--history-to", help="Dates through this one are delivered as one history.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Spoil the last date in this way; `list` shows them.")
    ] = None,
    crm: Annotated[Literal["csv", "postgres"], typer.Option(help="How the CRM delivers.")] = "csv",
) -> None:
    """Simulate a city bank with its partners: deliveries in a dozen formats, and the truth beside them."""
    faults = tuple(fault or ())
    if _LIST in faults:
        _show_faults()
        return
    if to is None:
        raise InputError("--to: say up to which date to simulate, as 2025-04-30")
    # Imported here: the other commands need none of it.
    from pipelines.simulation.book import Request
    from pipelines.simulation.run import simulate as run

    state: State = context.obj
    request = Request(
        out=(out or state.settings.home.path / "simulated").expanduser().resolve(),
        customers=customers,
        seed=seed,
        last=parse_date(to, "--to"),
        first=parse_date(from_, "--from") if from_ else None,
        through=parse_date(history_to, "--history-to") if history_to else None,
        crm=crm,
        faults=faults,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("the world", total=None)
        shown: list[date] = []

        def progress(day: date, summary: Summary) -> None:
            shown.append(day)
            total = len(shown) + (request.last - day).days
            rate = summary.rows / max(bar.tasks[task].elapsed or 0.0, 0.001)
            said = f"{day}  {summary.rows:,} rows  {rate:,.0f} a second"
            bar.update(task, total=total, completed=len(shown), description=said)

        summary = run(request, state.catalog, progress)
    _report(request, summary)


def _report(request: Request, summary: Summary) -> None:
    console = Console(highlight=False, soft_wrap=True)
    rate = summary.rows / max(summary.seconds, 0.001)
    console.print(
        f"{summary.files:,} files, {summary.rows:,} rows, {summary.bytes / 1e6:,.1f} MB in {summary.seconds:.1f} s "
        f"({rate:,.0f} rows a second)",
        markup=False,
    )
    console.print(f"deliveries  {request.deliveries}\ntruth       {request.truth} (nobody delivers it)", markup=False)
    for path in summary.expected:
        console.print(f"expected    {path}", markup=False)
    bank = "simbank"
    if summary.crm_url:
        from pipelines.simulation.crm import VARIABLE

        bank = "simbank_postgres"
        start = f"pgserver = __import__('pgserver'); pgserver.get_server('{request.out / 'crm'}', cleanup_mode=None)"
        console.print(f"CRM         a PostgreSQL server is running on {request.out / 'crm'}", markup=False)
        console.print(f'            start it again with  python -c "{start}"', markup=False)
        console.print(
            f"            stop it with         kill $(head -1 {request.out / 'crm'}/postmaster.pid)", markup=False
        )
        console.print(f"            tell the feed with   export {VARIABLE}='{summary.crm_url}'", markup=False)
    elsewhere = "" if _is_default(request.out) else f"ZHONGTAI_DELIVERIES={request.deliveries} "
    run = f"nightly --bank {bank} --date" if summary.dates == 1 else f"backfill --bank {bank} --to"
    console.print(f"next        {elsewhere}zhongtai {run} {summary.last}", markup=False)


def _is_default(out: Path) -> bool:
    from pipelines.settings import Settings

    return out == Settings().home.path / "simulated" and not os.environ.get("ZHONGTAI_DELIVERIES")


def _show_faults() -> None:
    from pipelines.simulation.faults.catalogue import FAULTS

    table = Table("fault", "delivery", "what", "verdict", box=None, pad_edge=False)
    for fault in FAULTS.values():
        verdict = " ".join(filter(None, (fault.verdict, str(fault.bad or ""), fault.rule)))
        table.add_row(fault.name, f"{fault.source}/{fault.contract}", fault.description, verdict)
    Console(highlight=False, soft_wrap=True, width=160).print(table)
