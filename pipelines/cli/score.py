"""`zhongtai score`: train a scorecard on what was published and what came of it, show one, write its page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import State, parse_date
from pipelines.contracts.scorecards import Scorecard, points_text, range_text
from pipelines.settings import PROJECT, InputError

if TYPE_CHECKING:
    from pipelines.scoring.train import Arguments

app = typer.Typer(no_args_is_help=True, help="Scorecards: train one, show one, write their pages.")
FEWEST_DEFAULTS = 30
_PAST_DUE = "grade.default_days"

CardArgument = Annotated[str, typer.Argument(help="Name of a card under data_contracts/scorecards.")]


@app.command("train")
def train(
    context: typer.Context,
    scorecard: Annotated[str, typer.Option("--scorecard", help="Card whose columns to consider.")],
    observe: Annotated[str, typer.Option("--observe", help="Dates to train on, with commas; each was published.")],
    test: Annotated[str, typer.Option("--test", help="Dates to measure on, once all of the training is known.")],
    write: Annotated[bool, typer.Option("--write", help="Write the card into the contracts.")] = False,
    world: Annotated[str, typer.Option(help="Whose data this is, as the card will say.")] = "simulated bank",
    seed: Annotated[int, typer.Option(help="Seed of that world, as the card will say.")] = 0,
    fine_classes: Annotated[int, typer.Option(help="Classes of equal size in which binning begins.")] = 20,
    min_share: Annotated[float, typer.Option(help="Least share of the rows in a bin.")] = 0.005,
    min_bads: Annotated[int, typer.Option(help="Least defaults in a bin.")] = 15,
    min_information: Annotated[float, typer.Option(help="Least information value of a column.")] = 0.05,
    penalty: Annotated[float, typer.Option(help="L2 penalty of the regression.")] = 1.0,
) -> None:
    """Bins, points, calibration and figures of a card anew; look at them before you commit the file."""
    from pipelines.scoring.card_file import write_card
    from pipelines.scoring.sample import check_dates, observed
    from pipelines.scoring.train import Arguments, trained

    state: State = context.obj
    card, home = _card(state, scorecard), state.settings.home
    dates, tested = ([parse_date(day.strip(), name) for day in given.split(",")]
                     for name, given in (("--observe", observe), ("--test", test)))  # fmt: skip
    check_dates(dates, tested, card.calibration.performance_days)
    past_due = int(state.catalog.policy.thresholds[_PAST_DUE])
    bank = home.bank()
    if bank not in card.banks:
        raise InputError(f"{home.path} is the home of {bank}; {scorecard} is a card for {', '.join(card.banks)}")
    arguments: Arguments = Arguments(fine_classes, min_share, min_bads, min_information, penalty)
    console = Console(highlight=False, soft_wrap=True, stderr=True)
    with console.status("reading what was published, and what came of it"):
        rows, later = observed(home, card, dates, past_due), observed(home, card, tested, past_due)
    found = int(rows.bad.sum())
    console.print(
        f"{len(rows.rows):,} rows with {found} defaults; tested on {len(later.rows):,} with {later.bad.sum()}"
    )
    if found < FEWEST_DEFAULTS:
        raise InputError(f"{found} defaults are too few to train on (least {FEWEST_DEFAULTS}); leave it to experts")
    mart = state.catalog.marts[card.mart]
    with console.status("estimating"):
        new = trained(card, mart, rows, later, arguments, world, seed)
    show_card(new)
    if write:
        path = state.catalog.root / "scorecards" / f"{scorecard}.yaml"
        write_card(path, new)
        console.print(f"written to {path}; next: `zhongtai contracts sync`, `zhongtai score pages`", markup=False)


@app.command("show")
def show(context: typer.Context, scorecard: CardArgument) -> None:
    """The points table, what it was trained on, and how good it was there."""
    show_card(_card(context.obj, scorecard))


@app.command("pages")
def pages(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="Directory for the pages.")] = PROJECT / "docs" / "models",
) -> None:
    """Write the model card of every scorecard."""
    from pipelines.contracts.model_card import write_model_cards

    state: State = context.obj
    written = write_model_cards(state.catalog, out)
    Console().print(f"wrote {len(written)} pages to {out}")


def show_card(card: Scorecard) -> None:
    """Print a card."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{card.name} {card.version}  {card.title.zh}  {card.title.en}  ({card.method})", markup=False)
    console.print(f"{card.purpose}\nbase {card.base_points} points", markup=False)
    table = Table("characteristic", "value", "points", "reason", box=None, pad_edge=False)
    for one in card.characteristics:
        for place in range(len(one.bins)):
            first = place == 0
            points = points_text(one.bins[place])
            table.add_row(one.column if first else "", range_text(one, place), points, one.reason.en if first else "")
    console.print(table)
    if card.training:
        for name, sample in (("trained", card.training.train), ("tested", card.training.test)):
            console.print(
                f"{name:<8}{', '.join(map(str, sample.observed))}: {sample.rows:,} rows, {sample.defaults} defaults, "
                f"AUC {sample.auc} ({sample.auc_from} to {sample.auc_to}), KS {sample.ks}",
                markup=False,
            )
        deciles = Table("decile", "rows", "defaults", "expected", "observed", box=None, pad_edge=False)
        for each in card.training.calibration:
            deciles.add_row(*map(str, (each.decile, each.rows, each.defaults, each.expected, each.observed)))
        console.print(deciles)
    for one in card.set_aside:
        console.print(f"aside   {one.column}: {one.why}", markup=False)


def _card(state: State, name: str) -> Scorecard:
    cards = state.catalog.scorecards
    if name not in cards:
        raise InputError(f"no scorecard '{name}'; there are: {', '.join(cards)}")
    return cards[name]
