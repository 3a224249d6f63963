"""`zhongtai releases diff | rollback | gc`: what changed between two releases, going back, and taking old ones away."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.audit.content import supersession
from pipelines.cli.options import JsonOption, State
from pipelines.release import catalogue
from pipelines.release.catalogue import Release
from pipelines.release.diff import ProductDiff, compare

Confirmed = Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would be done.")]

_WIDTH = 160


def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(help="Release id or its beginning.")],
    after: Annotated[str | None, typer.Argument(help="The other release; default the current one.")] = None,
    movements: Annotated[int, typer.Option(help="How many of the biggest movements to show.")] = 15,
    as_json: JsonOption = False,
) -> None:
    """Columns, rows, who entered and left each list, and the biggest movements between two releases."""
    state: State = context.obj
    one, other = (catalogue.find(state.settings.home, name) for name in (before, after))
    same_names = one.manifest["key_fingerprint"] == other.manifest["key_fingerprint"]
    found = compare(one.path, other.path, state.catalog, same_names=same_names)
    if as_json:
        products = {each.product: each.as_json() for each in found}
        typer.echo(json.dumps({"before": one.id, "after": other.id, "same_keys": same_names, "products": products}))
        return
    console = wide_console()
    console.print(f"{one.id} (as of {one.business_date}) and {other.id} (as of {other.business_date})")
    if not same_names:
        console.print("made with other keys: rows of parties cannot be matched")
    _show_products(console, [each for each in found if each.differs])
    _show_lists(console, found)
    _show_movements(console, found, movements)


def in_words(told: dict[str, Any] | None) -> str:
    """What a release says of the one that it takes the place of, in one line."""
    if told is None:
        return ""
    return f"supersedes {told['supersedes']}" + (f", restores {told['restores']}" if told["restores"] else "")


def show_supersession(release: Release) -> None:
    """What a superseding release says of itself: why it is there, and what changed."""
    told, console = supersession(release.path), wide_console()
    if told is None:
        return
    console.print(f"  {in_words(told)}\n  because  {told['reason']}")
    table = Table("changed", "source", "file", "dates", "how", "rows", "now", box=None, pad_edge=False)
    for entry in told.get("changed", {}).get("deliveries", ()):
        dates = entry["first"] if entry["first"] == entry["last"] else f"{entry['first']} to {entry['last']}"
        counts = ("-" if entry[name] is None else f"{entry[name]:,}" for name in ("rows_before", "rows_after"))
        table.add_row(entry["contract"], entry["source"], entry["delivery"], dates, entry["change"], *counts)
    if table.row_count:
        console.print(table)
    table = Table("came to", "rows", "now", "added", "removed", "changed", box=None, pad_edge=False)
    for name, counts in told.get("products", {}).items():
        told_of = (counts[one] for one in ("rows_before", "rows_after", "added", "removed", "changed"))
        table.add_row(name, *("-" if n is None else f"{n:,}" for n in told_of))
    if table.row_count:
        console.print(table)


def wide_console() -> Console:
    """Wide enough for the names of columns, wherever it is read."""
    found = Console(highlight=False, soft_wrap=True)
    return Console(highlight=False, soft_wrap=True, width=max(found.width, _WIDTH))


def _show_products(console: Console, found: list[ProductDiff]) -> None:
    table = Table("product", "rows", "now", "added", "removed", "changed", "columns", box=None, pad_edge=False)
    for each in found:
        counts = (each.rows_before, each.rows_after, each.added, each.removed, each.changed)
        table.add_row(each.product, *("-" if n is None else f"{n:,}" for n in counts), "; ".join(each.columns))
    console.print(table if found else "every row of every product is the same")


def _show_lists(console: Console, found: list[ProductDiff]) -> None:
    table = Table("list", "on it", "now", "entered", "left", box=None, pad_edge=False)
    for each in found:
        if (told := each.members) is not None:
            table.add_row(each.product, *(f"{n:,}" for n in (told.before, told.after, told.entered, told.left)))
    if table.row_count:
        console.print()
        console.print(table)


def _show_movements(console: Console, found: list[ProductDiff], most: int) -> None:
    moved = [(each.product, movement) for each in found for movement in each.movements if movement.shift is not None]
    moved.sort(key=lambda pair: (-abs(pair[1].shift or 0.0), pair[0], pair[1].column))
    table = Table("column", "mean", "now", "shift (sd)", "filled", "now", box=None, pad_edge=False)
    for product, one in moved[:most]:
        table.add_row(
            f"{product}.{one.column}", f"{one.before:.6g}", f"{one.after:.6g}", f"{one.shift:+.3f}",
            f"{one.filled_before:,}", f"{one.filled_after:,}",
        )  # fmt: skip
    if table.row_count:
        console.print()
        console.print(table)


def make_documents(state: State) -> None:
    """Make what people read of what was just published, and say where it could not be made."""
    from pipelines.release.documents import write_missing

    for fault in write_missing(state.catalog, state.settings.home):
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"warned: {fault}", markup=False)


def rollback(
    context: typer.Context,
    to: Annotated[str, typer.Argument(help="Release id or its beginning.")],
    reason: Annotated[str, typer.Option(help="Why; it is published with the release.")],
    as_json: JsonOption = False,
) -> None:
    """Publish an earlier release again in the place of the current one, without what may no longer be used."""
    from pipelines.assets.lock import exclusive
    from pipelines.release.rollback import roll_back
    from pipelines.vault.keys import KeyRing

    state: State = context.obj
    settings = state.settings
    with exclusive(settings.home):
        ring = KeyRing.open(settings.home.vault, settings.vault_key)
        release = roll_back(state.catalog, settings, ring, to, reason)
        make_documents(state)
    told = supersession(release.path) or {}
    if as_json:
        typer.echo(json.dumps({"release": release.id, "path": str(release.path), **told}))
        return
    console = wide_console()
    console.print(
        f"published {release.id}: it supersedes {told['supersedes']} and restores {told['restores']}\n"
        f"what is lawful of whom is as of {told['decided']['business_date']}, by {told['decided']['release']}; "
        f"{told['decided']['spoke_since']} parties who spoke of consent since, and "
        f"{told['decided']['parted_since']} between whom records went, are left out"
    )
    table = Table("product", "rows left out", "values left out", box=None, pad_edge=False)
    for product, out in told["left_out"].items():
        table.add_row(product, f"{out['rows']:,}", f"{out['values']:,}")
    console.print(table if told["left_out"] else "nothing else was left out")


def gc(
    context: typer.Context,
    confirmed: Confirmed = False,
    in_doubt: Annotated[
        bool,
        typer.Option("--in-doubt", help="Also what may be read by processes of others that cannot be looked into."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove releases that policy does not keep and nobody reads; without --yes only say which and why."""
    from pipelines.assets.lock import exclusive
    from pipelines.release.readers import unseen
    from pipelines.release.retention import Fate, plan, remove

    state: State = context.obj
    home, thresholds = state.settings.home, state.catalog.policy.thresholds
    fates: list[Fate]
    if confirmed:
        with exclusive(home):
            fates = remove(home, thresholds, in_doubt=in_doubt)
    else:
        fates = plan(home, thresholds, in_doubt=in_doubt)
    hidden = len(unseen())
    told: list[dict[str, Any]] = [
        {"release": fate.release.id, "kept": fate.kept, "reasons": list(fate.reasons)} for fate in fates
    ]
    if as_json:
        typer.echo(json.dumps({"done": confirmed, "releases": told, "unseen_processes": hidden}))
        return
    verb = "removed" if confirmed else "would be removed"
    table = Table("release", "", "why", box=None, pad_edge=False)
    for fate in fates:
        table.add_row(
            fate.release.id, "kept" if fate.kept else verb, "; ".join(fate.reasons) or "policy keeps it no longer"
        )
    console = wide_console()
    console.print(table if fates else f"nothing is published in {home.path} yet")
    if hidden:
        console.print(
            f"{hidden} processes of other users cannot be looked into; what modes let them read stays: end them, run "
            f"this as root, or say --in-doubt"
        )
    if not confirmed and any(not fate.kept for fate in fates):
        console.print("nothing was removed: say --yes to remove them")
