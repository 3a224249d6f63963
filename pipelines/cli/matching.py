"""`zhongtai identity train` and `resolve`: the model that matching reads, and matching everything again by it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import State, parse_date
from pipelines.settings import InputError


def train(
    context: typer.Context,
    entity: Annotated[Literal["person", "organisation"], typer.Argument(help="Whose records the model compares.")],
    out: Annotated[Path | None, typer.Option(help="Where to write; default the model in the contracts.")] = None,
    seed: Annotated[int, typer.Option(help="Of the random pairs: the same records and seed give the same model.")] = 1,
) -> None:
    """Estimate a match model on the records of this home; look at what it says before you commit it."""
    from pipelines.identity.model import read_model, write_model
    from pipelines.identity.run import model_path
    from pipelines.identity.training import trained
    from pipelines.vault.keys import KeyRing

    state: State = context.obj
    settings = state.settings
    path = model_path(settings.contracts, entity)
    before, _ = read_model(path)
    ring = KeyRing.of_home(settings.home.vault, settings.vault_key)
    console = Console(highlight=False, soft_wrap=True)
    with console.status("estimating"):
        after = trained(settings, ring, before, seed)
    table = Table("comparison", "level", "weight before", "weight now", box=None, pad_edge=False)
    for one, was in zip(after.comparisons, before.comparisons, strict=True):
        for level, old in zip(one.levels, was.levels, strict=True):
            if not level.unknown:
                table.add_row(one.name, level.level, _bits(old.weight), _bits(level.weight))
    console.print(table)
    sha256 = write_model(out or path, after)
    console.print(f"written to {out or path} ({sha256[:12]}), from {after.trained.records:,} records", markup=False)
    console.print("next        raise its version, commit it; the next night matches everything again by it")


def resolve(
    context: typer.Context,
    day: Annotated[str | None, typer.Option("--date", help="Business date; default the last one resolved.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Match everything again, not only what is new.")] = False,
) -> None:
    """Resolve the records of the lake into parties, without building anything on them."""
    from pipelines.assets.lock import exclusive
    from pipelines.identity import run
    from pipelines.identity import state as remembered
    from pipelines.ingest.night import open_desk

    state: State = context.obj
    desk = open_desk(state.catalog, state.settings)
    with exclusive(desk.home):
        on = parse_date(day, "--date") if day else remembered.last_begun(desk.home)
        if on is None:
            raise InputError(f"{desk.home.path} has no parties yet; run `zhongtai nightly`, or say --date")
        outcome = run.resolve(state.catalog, state.settings, desk.feeds, desk.ring, on, full=full)
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"{on}: {outcome.records:,} records are {outcome.parties:,} parties; {outcome.changed:,} rows changed, "
        f"{outcome.events:,} events, {outcome.review:,} pairs to review"
        + (", everything matched anew" if outcome.full else "")
    )
    for name in outcome.unknown:
        console.print(f"a decision names {name}, and no record answers to it", style="yellow")
    console.print("next        zhongtai identity events, zhongtai identity review")


def _bits(weight: float | None) -> str:
    return "" if weight is None else f"{weight:+.1f}"
