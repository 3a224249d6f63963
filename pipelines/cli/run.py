"""`zhongtai nightly`, `backfill` and `ui`: the Dagster job, in this process or in Dagster's own server."""

from __future__ import annotations

import os
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.instance import prepare_instance
from pipelines.cli.options import BankOption, JsonOption, State, parse_date
from pipelines.contracts.bank import Bank
from pipelines.contracts.model import ContractError
from pipelines.settings import PROJECT, InputError, Settings

if TYPE_CHECKING:
    from pipelines.contracts.load import Catalog
    from pipelines.reporting.outcome import Outcome


def nightly(
    context: typer.Context,
    bank: BankOption = None,
    date_: Annotated[
        str | None, typer.Option("--date", help="Business date; default the last one that has ended.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Land one business date, build, audit, publish."""
    settings, chosen = _told_of_faults(context, bank, date_)
    day = parse_date(date_, "--date") if date_ else _last_ended(chosen)
    _check(chosen, day, "--date")
    _run(context, settings, day, day, as_json=as_json)


def backfill(
    context: typer.Context,
    bank: BankOption = None,
    from_: Annotated[str | None, typer.Option("--from", help="First business date; default the bank's first.")] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Last business date; default the last one that has ended.")
    ] = None,
    release_each: Annotated[
        bool, typer.Option("--release-each", help="A night for every date: each is published.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Land many business dates in one pass and publish the last; or have a night for each, in their order."""
    settings, chosen = _told_of_faults(context, bank, to)
    first = parse_date(from_, "--from") if from_ else chosen.first_date
    last = parse_date(to, "--to") if to else _last_ended(chosen)
    _check(chosen, first, "--from")
    _check(chosen, last, "--to")
    if first > last:
        raise InputError(f"--from {first} lies after --to {last}")
    if not release_each:
        _run(context, settings, first, last, as_json=as_json)
        return
    days = chosen.business_dates(first, last)
    for number, day in enumerate(days, start=1):
        said = Console(stderr=True, highlight=False, soft_wrap=True)
        said.print(f"{day}, {number} of {len(days)}")
        try:
            _run(context, settings, day, day, as_json=as_json)
        except BaseException:
            # What comes after a date stands on it: lists and gates are held against the release before.
            said.print(f"left     {day} to {last}: `zhongtai backfill --from {day} --to {last} --release-each`")
            raise


def ui(
    context: typer.Context,
    bank: BankOption = None,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000,
) -> None:
    """Open the Dagster UI with its daemon. A schedule that is switched on there runs while it is open."""
    settings, _ = _settings(context, bank)
    settings.home.prepare(settings.bank_name())
    prepare_instance(settings.home)
    environment = os.environ | {
        "ZHONGTAI_HOME": str(settings.home.path),
        "ZHONGTAI_BANK": settings.bank_name(),
        "DAGSTER_HOME": str(settings.home.dagster),
    }
    program = Path(sys.executable).with_name("dagster")
    Console(stderr=True).print(f"Dagster UI of {settings.bank_name()} on http://localhost:{port} (Ctrl-C ends it)")
    command = [str(program), "dev", "-w", str(PROJECT / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(port)]
    os.execve(
        program, command, environment
    )  # in the place of this process: whoever ends it ends Dagster and its children


def _settings(context: typer.Context, bank: str | None) -> tuple[Settings, Bank]:
    state: State = context.obj
    settings = _of_bank(state, bank)
    chosen = state.catalog.bank(settings.bank_name())
    return settings.model_copy(update={"bank": chosen.bank}), chosen


def _told_of_faults(context: typer.Context, bank: str | None, day: str | None) -> tuple[Settings, Bank]:
    """As `_settings`. Where contracts cannot be read no night begins, and who is to be told of nights is told so."""
    try:
        return _settings(context, bank)
    except ContractError as error:
        settings = _of_bank(context.obj, bank)
        _alert(None, settings, {"bank": settings.bank_name(), "business_date": day}, error)
        raise


def _of_bank(state: State, bank: str | None) -> Settings:
    """The settings of this call. Raises InputError where neither an option nor the home names a bank."""
    settings = state.settings.model_copy(update={"bank": bank}) if bank else state.settings
    return settings.model_copy(update={"bank": settings.bank_name()})


def _last_ended(bank: Bank) -> date:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    yesterday = datetime.now(ZoneInfo(bank.time_zone)).date() - timedelta(days=1)
    last = min(yesterday, bank.last_date or yesterday)
    days = bank.business_dates(bank.first_date, last)
    if not days:
        raise InputError(f"{bank.bank} has no business date yet: its first is {bank.first_date}")
    return days[-1]


def _check(bank: Bank, day: date, option: str) -> None:
    if not bank.is_business_date(day):
        span = f"{bank.first_date} to {bank.last_date or 'today'}"
        raise InputError(
            f"{option} {day}: not a business date of {bank.bank}, which has {span} without its closed days"
        )


def _run(context: typer.Context, settings: Settings, first: date, last: date, *, as_json: bool) -> None:
    """Run the job, say what came of it, and tell who is to be told."""
    state: State = context.obj
    try:
        outcome = _outcome(settings, first, last)
    except Exception as error:
        _alert(state.catalog, settings, {"bank": settings.bank_name(), "business_date": last.isoformat()}, error)
        raise
    if as_json:
        import json

        typer.echo(json.dumps(outcome.as_json()))
    else:
        _report(outcome)
    for each in (*outcome.lost, outcome):
        _alert(state.catalog, settings, each.as_json(), each.error)
    if outcome.error is not None:
        raise outcome.error


def _outcome(settings: Settings, first: date, last: date) -> Outcome:
    from pipelines.warehouse.manifest import begin
    from pipelines.warehouse.run import Dbt

    started = time.perf_counter()
    settings.home.prepare(settings.bank_name())
    prepare_instance(settings.home)
    dbt = Dbt(settings)
    begin(dbt)  # it reads its project while Dagster is still being imported and deliveries are being read
    try:
        from pipelines.cli.execute import execute

        outcome, began = execute(settings, dbt, first, last)
    finally:
        dbt.close()
    outcome.seconds["start-up"] = round(began - started, 2)
    outcome.seconds["total"] = round(time.perf_counter() - started, 2)
    return outcome


def _alert(catalog: Catalog | None, settings: Settings, outcome: dict[str, Any], error: Exception | None) -> None:
    from pipelines.reporting import alerts

    if not settings.alerts:
        return
    for fault in alerts.send(settings, alerts.told(catalog, outcome, error)):
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"alert not delivered: {fault}", markup=False)


def _report(outcome: Outcome) -> None:
    from pipelines.audit.content import supersession
    from pipelines.ingest.arrival import WORDS

    console = Console(highlight=False, soft_wrap=True)
    table = Table("contract", "read", "accepted", "unchanged", "quarantined", "tombstones", box=None, pad_edge=False)
    for name, counts in outcome.rows.items():
        table.add_row(
            name, *(f"{counts[of]:,}" for of in ("read", "accepted", "unchanged", "quarantined", "tombstones"))
        )
    if outcome.rows:
        console.print(table)
    console.print("seconds  " + "   ".join(f"{step} {seconds:g}" for step, seconds in outcome.seconds.items()))
    checks = outcome.checks
    console.print(f"checks   {checks['passed']} passed, {checks['failed']} failed, {checks['warned']} warned")
    told = ", ".join(f"{count} {WORDS[state]}" for state, count in outcome.arrivals.items() if count)
    if told:
        console.print(f"arrival  {told}; `zhongtai deliveries` says of each")
    for line in outcome.warnings:
        console.print(f"warned   {line}", markup=False)
    for before in outcome.lost:
        console.print(f"before   the run of {before.business_date} was killed; this one found what it left")
    if outcome.status != "published":
        return
    console.print(f"release  {outcome.release} as of {outcome.business_date}\n         {outcome.path}")
    told = supersession(Path(str(outcome.path)))
    if told is not None:
        console.print(f"         supersedes {told['supersedes']}: {told['reason']}")
    if outcome.current != outcome.release:
        console.print(f"current  {outcome.current}, which comes after it: consumers see that one still")
    console.print("next     zhongtai releases show")
    console.print(
        '         zhongtai query --consumer marketing "select band, count(*) from low_risk_list group by all"'
    )
    console.print(
        "         zhongtai quarantine show"
        if any(c["quarantined"] for c in outcome.rows.values())
        else "         make ui"
    )
