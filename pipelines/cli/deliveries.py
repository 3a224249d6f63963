"""`zhongtai deliveries`: of each feed what came last, when, and what is due next or has been for how long."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import BankOption, JsonOption, State, parse_date
from pipelines.contracts.frequency import Schedule
from pipelines.settings import Home, InputError

if TYPE_CHECKING:
    from pipelines.contracts.bank import Bank
    from pipelines.contracts.feed import Feed
    from pipelines.contracts.model import Contract
    from pipelines.ingest.ledger import Landing

_SHOWN = 5  # dates that are listed
_HEADS = ("contract", "source", "frequency", "last for", "came", "arrival", "next due for", "by", "behind")


def deliveries(
    context: typer.Context,
    bank: BankOption = None,
    date_: Annotated[
        str | None, typer.Option("--date", help="As of which business date; default the last that was landed.")
    ] = None,
    contract: Annotated[str | None, typer.Option(help="One contract; default all.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Of each feed: for which date it came last, when and whether by its hour; what is due next, and days behind."""
    from pipelines.ingest import ledger

    state: State = context.obj
    settings = state.settings.model_copy(update={"bank": bank}) if bank else state.settings
    chosen = state.catalog.bank(settings.bank_name())
    rows = [one for one in ledger.read_all(settings.home, [contract] if contract else None) if one.measure == "rows"]
    if not any(one.status == "landed" for one in rows):
        raise InputError(f"nothing was landed of {contract or chosen.bank} yet: run a night first")
    as_of = parse_date(date_, "--date") if date_ else max(one.business_date for one in rows)
    told = []
    for feed in state.catalog.feeds(chosen.bank):
        if feed.readable and contract in (None, feed.contract):
            own = [one for one in rows if (one.contract, one.source) == (feed.contract, feed.source)]
            own = [one for one in own if one.business_date <= as_of]
            told.append(_told(settings.home, chosen, state.catalog.sources[feed.contract], feed, own, as_of))
    if as_json:
        typer.echo(json.dumps({"bank": chosen.bank, "business_date": f"{as_of}", "deliveries": told}))
        return
    table = Table(box=None, pad_edge=False)
    for head in _HEADS:
        table.add_column(head, no_wrap=True)
    for row in told:
        table.add_row(*("" if value is None else str(value) for name, value in row.items() if name != "said"))
    console = Console(soft_wrap=True, highlight=False, markup=False, width=160)
    console.print(table)
    for line in [line for row in told for line in row["said"]]:
        console.print(line)


def _told(
    home: Home, bank: Bank, contract: Contract, feed: Feed, landings: list[Landing], as_of: date
) -> dict[str, Any]:
    from pipelines.ingest.arrival import WORDS, arrivals, judged

    schedule, seen = Schedule(contract.frequency, bank, contract.available_at), arrivals(home, feed).seen
    landed = [one.business_date for one in landings if one.status == "landed"]
    newest = max(landed, default=None)
    owed, zone = schedule.owed(newest), ZoneInfo(bank.time_zone)
    last = judged(contract, feed, bank, newest, seen) if newest else None
    said = [last.line] if last is not None and last.state == "late" else []
    served = {schedule.due_date(day) for day in landed}
    due = {one.business_date for one in landings if schedule.due_date(one.business_date) == one.business_date}
    if gone := sorted(due - served):
        never = ", ".join(map(str, gone[-_SHOWN:])) + (f" and {len(gone) - _SHOWN} before" if gone[_SHOWN:] else "")
        said.append(f"{contract.id} from {feed.source}: nothing came for {never}; ask {contract.owner} for it")
    over = bank.last_date is not None and owed > bank.last_date
    return {
        "contract": contract.id,
        "source": feed.source,
        "frequency": str(contract.frequency),
        "last_for": newest and f"{newest}",
        "came": last and last.came and f"{last.came.astimezone(zone):%Y-%m-%d %H:%M}",
        "arrival": WORDS[last.state] if last else None,
        "next_due_for": None if over else f"{owed}",
        "by": None if over else f"{schedule.deadline(owed):%Y-%m-%d %H:%M}",
        "behind": schedule.behind(newest, as_of),
        "said": said,
    }
