"""`zhongtai identity`: why records are one party, what changed, what waits for a decision; decide, and take back."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import JsonOption, State
from pipelines.settings import Home, InputError

if TYPE_CHECKING:
    import polars as pl

    from pipelines.identity.explain import Explanation

# Modules of the identity layer are imported where they are used: the other commands need none of them.
app = typer.Typer(no_args_is_help=True, help="Who is who: parties, their changes, pairs that wait for a decision.")
ByOption = Annotated[str, typer.Option("--by", help="Who decides.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for whoever asks later.")]
LimitOption = Annotated[int, typer.Option(help="Most rows to print.")]
_WIDE = 240
_SHORT = 12  # digits of an id on the terminal: enough to be one of a million
_TOKEN = 64


class Verdict(StrEnum):
    """What can be decided of two."""

    together = "together"
    apart = "apart"


@app.command()
def explain(
    context: typer.Context,
    party: Annotated[str, typer.Argument(help="Party id or record reference, or its beginning.")],
    as_json: JsonOption = False,
) -> None:
    """Why records are one party: its records, the evidence that holds them, the weakest link, its events."""
    from pipelines.identity.explain import explain as explained

    found = explained(_home(context), party)
    if as_json:
        typer.echo(json.dumps(_as_json(found), default=str))
        return
    console = Console(highlight=False, soft_wrap=True)
    kind = found.records["entity_kind"][0]
    console.print(f"party {found.party_id}: {kind}, {found.records.height} records")
    if found.parties:
        console.print(f"  also known as {', '.join(found.parties)}")
    _print(
        found.records, "record_ref", "contract", "source", "role", "record_key", "first_seen", "linked_by",
        "match_weight",
    )  # fmt: skip
    if found.weakest is not None:
        marks = ["weakest" if n == found.weakest else "" for n in range(found.evidence.height)]
        holding = found.evidence.with_columns(link=_series(marks)).filter(found.evidence["holds"])
        console.print(f"\nheld together by {holding.height} of {found.evidence.height} pieces of evidence")
        _print(holding, "left_ref", "right_ref", "rule", "weight", "link")
        console.print("not one party? zhongtai identity decide LEFT RIGHT apart --by NAME --reason TEXT")
    if found.events.height:
        console.print("\nevents")
        _print(found.events, *_EVENT)
        console.print("take one back: zhongtai identity undo EVENT --by NAME --reason TEXT")


_EVENT = ("event_id", "business_date", "kind", "party_id", "other_party_id", "records", "cause")


@app.command()
def events(context: typer.Context, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """Merges, splits, moves and undos, the latest first."""
    from pipelines.identity import state

    found = state.events(_home(context)).reverse()
    if as_json:
        typer.echo(json.dumps({"events": found.to_dicts()}, default=str))
        return
    console = Console(highlight=False, soft_wrap=True)
    _print(found.head(limit), *_EVENT)
    console.print(f"{found.height} events" + (f", the latest {limit} shown" if found.height > limit else ""))
    if found.height:
        console.print("why: zhongtai identity explain PARTY; take back: zhongtai identity undo EVENT")


@app.command()
def review(context: typer.Context, limit: LimitOption = 50, as_json: JsonOption = False) -> None:
    """Pairs of parties that wait for a decision, each by its weightiest pair of records, the weightiest first."""
    import polars as pl

    from pipelines.identity import decisions, state
    from pipelines.identity.explain import as_in_the_lake

    home = _home(context)
    found = state.review(home).sort("reason", pl.col("weight"), descending=[False, True], nulls_last=True)
    if as_json:
        typer.echo(json.dumps({"pairs": found.to_dicts()}, default=str))
        return
    console = Console(highlight=False, soft_wrap=True)
    parties = ["left_party_id", "right_party_id"]
    pairs = found.with_columns(pl.len().over(parties).alias("pairs")).unique(parties, keep="first", maintain_order=True)
    known_as = as_in_the_lake(home).select("record_ref", record=pl.concat_str("contract", "role", separator=" "))
    for side in ("left", "right"):
        of_side = known_as.rename({"record_ref": f"{side}_ref", "record": f"{side}_record"})
        pairs = pairs.join(of_side, on=f"{side}_ref", how="left", maintain_order="left")
    _print(
        pairs.head(limit), "left_party_id", "left_record", "right_party_id", "right_record", "pairs", "rule", "weight",
        "reason", "first_seen", "levels",
    )  # fmt: skip
    shown = f", the first {limit} shown" if pairs.height > limit else ""
    console.print(f"{pairs.height} pairs of parties, by {found.height} pairs of records{shown}")
    if found.height:
        console.print("look: zhongtai identity explain PARTY")
        console.print("decide: zhongtai identity decide LEFT RIGHT together|apart --by NAME --reason TEXT")
    file = decisions.path(home)
    known = state.latest(home).assignment
    answering = {*known["record_ref"], *known["own_party_id"]}
    if unknown := sorted(decisions.named(decisions.read(file)) - answering):
        console.print(f"{file} names {len(unknown)} that nothing answers to: {', '.join(unknown)}", style="yellow")


@app.command()
def decide(
    context: typer.Context,
    left: Annotated[str, typer.Argument(help="Record reference or party id, or its beginning.")],
    right: Annotated[str, typer.Argument(help="The other one.")],
    verdict: Annotated[Verdict, typer.Argument(help="Are they one, or not?")],
    by: ByOption,
    reason: ReasonOption,
) -> None:
    """Decide whether two are one; the next run and every later one keeps to it."""
    from pipelines.identity import decisions, state
    from pipelines.identity.explain import records_named

    home = _home(context)
    known = state.latest(home).assignment
    sides = [records_named(known, name) for name in (left, right)]
    if shared := set(sides[0]) & set(sides[1]):
        raise InputError(
            f"{len(shared)} records are on both sides: {left} and {right} are one party now; name two of its records, "
            f"from `zhongtai identity explain {left}`"
        )
    _said(by, reason)
    entry = decisions.Decision(verdict=verdict.value, left=sides[0], right=sides[1], decided_by=by, reason=reason)
    _add(home, [entry])


@app.command()
def undo(
    context: typer.Context,
    event: Annotated[str, typer.Argument(help="Event id, or its beginning.")],
    by: ByOption,
    reason: ReasonOption,
) -> None:
    """Take an event back; it stays taken back on every later run, unless the undo is itself taken back."""
    from pipelines.identity.undo import undo as taken_back

    home = _home(context)
    _said(by, reason)
    _add(home, taken_back(home, event, by, reason))


def _home(context: typer.Context) -> Home:
    from pipelines.identity import state

    command: State = context.obj
    home = command.settings.home
    if not state.dates(home):
        raise InputError(f"{home.path} has no parties yet; run `zhongtai nightly` or `zhongtai backfill` first")
    return home


def _said(by: str, reason: str) -> None:
    for option, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise InputError(f"{option}: says nothing; a decision is signed and has a reason")


def _add(home: Home, entries: list[Any]) -> None:
    from pipelines.identity import decisions

    file = decisions.path(home)
    decisions.add(file, entries)
    console = Console(highlight=False, soft_wrap=True)
    for entry in entries:
        console.print(f"{entry.verdict}: {len(entry.left)} and {len(entry.right)} records", markup=False)
    console.print(
        f"written to {file}; the next `zhongtai nightly` keeps to it, `zhongtai identity events` then shows it"
    )


def _print(frame: pl.DataFrame, *columns: str) -> None:
    table = Table(*(name.replace("_", " ") for name in columns), box=None, pad_edge=False)
    for row in frame.select(columns).iter_rows():
        table.add_row(*map(_cell, columns, row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE  # a file or a pipe has one row per line
    console.print(table)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    token = name == "record_key" and len(value) == _TOKEN
    return str(value)[:_SHORT] if token or name.endswith(("_ref", "_id")) else str(value)


def _series(values: list[str]) -> pl.Series:
    import polars as pl

    return pl.Series(values, dtype=pl.String)


def _as_json(found: Explanation) -> dict[str, Any]:
    return {
        "party_id": found.party_id,
        "former_party_ids": list(found.parties),
        "records": found.records.to_dicts(),
        "evidence": found.evidence.to_dicts(),
        "weakest": found.evidence.row(found.weakest, named=True) if found.weakest is not None else None,
        "events": found.events.to_dicts(),
    }
