"""`zhongtai tags`: what a party may be said to be, by which rule, and of how many it is said."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import JsonOption, State
from pipelines.contracts.document import suggestion
from pipelines.contracts.tags import TagDefinition
from pipelines.release import catalogue
from pipelines.release.catalogue import Release
from pipelines.settings import InputError

app = typer.Typer(no_args_is_help=True, help="The tags of customers: definitions, owners, purposes.")
# Who is told the tags that serve a purpose.
_CONSUMERS = {"marketing": "marketing", "risk_management": "risk"}


@app.command("list")
def list_(
    context: typer.Context,
    domain: Annotated[str | None, typer.Option(help="Only the tags of this domain.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Every tag, and how many parties carry it in the current release."""
    state: State = context.obj
    tags = state.catalog.tags
    domains = {tag.domain for tag in tags.values()}
    if domain is not None and domain not in domains:
        raise InputError(
            f"no domain '{domain}'{suggestion(domain, domains)}; there are: {', '.join(sorted(domains)) or 'none'}"
        )
    counts = _parties(catalogue.current(state.settings.home))
    chosen = [tag for tag in tags.values() if domain in (None, tag.domain)]
    if as_json:
        typer.echo(json.dumps({"tags": [_described(tag, counts) for tag in chosen]}))
        return
    table = Table(box=None, pad_edge=False)
    for header in ("tag", "", "domain", "refresh", "told to", "parties"):
        table.add_column(header, no_wrap=True)
    for tag in chosen:
        carried = _carried(tag, counts)
        parties = "-" if carried is None else f"{carried:,}"
        table.add_row(tag.name, tag.label_zh, tag.domain, tag.refresh, ", ".join(_told_to(tag)), parties)
    Console(soft_wrap=True).print(table)


@app.command()
def show(
    context: typer.Context, name: Annotated[str, typer.Argument(help="Name of a tag.")], as_json: JsonOption = False
) -> None:
    """What a tag means, its rule, and how many parties carry it in the current release."""
    state: State = context.obj
    tags = state.catalog.tags
    if name not in tags:
        raise InputError(f"no tag '{name}'{suggestion(name, set(tags))}; `zhongtai tags list` names them all")
    tag, release = tags[name], catalogue.current(state.settings.home)
    counts = _parties(release)
    if as_json:
        typer.echo(json.dumps(_described(tag, counts)))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{tag.name}  {tag.label_zh}  {tag.label_en}\n{tag.description}", markup=False)
    thresholds = {name: state.catalog.policy.thresholds[name] for name in tag.thresholds}
    rows = {
        "rule" if tag.is_flag else "value": tag.rule,
        "thresholds": ", ".join(f"{name} = {value:g}" for name, value in thresholds.items()) or "none",
        "columns": ", ".join(tag.columns),
        "domain": tag.domain,
        "owner": tag.owner,
        "refresh": tag.refresh,
        "purposes": ", ".join(tag.purposes),
        "since": tag.since,
    }
    for label, text in rows.items():
        console.print(f"  {label:<11}{text}", markup=False)
    if release is None:
        console.print(f"  {'parties':<11}nothing is published in {state.settings.home.path} yet", markup=False)
        return
    values = _values(tag, counts)
    parts = "" if tag.is_flag else "".join(f"; {value}: {n:,}" for value, n in sorted(values.items()))
    console.print(f"  {'parties':<11}{sum(values.values()):,} in release {release.id}{parts}", markup=False)


def _described(tag: TagDefinition, counts: dict[str, dict[tuple[str, str], int]]) -> dict[str, Any]:
    fields = {name: value for name, value in asdict(tag).items() if name != "path"}
    return {**fields, "parties": _carried(tag, counts), "values": _values(tag, counts)}


def _told_to(tag: TagDefinition) -> list[str]:
    """The consumers who are told the tag."""
    return [_CONSUMERS[purpose] for purpose in tag.purposes]


def _carried(tag: TagDefinition, counts: dict[str, dict[tuple[str, str], int]]) -> int | None:
    """How many parties carry it; None where no release says."""
    told = any(consumer in counts for consumer in _told_to(tag))
    return sum(_values(tag, counts).values()) if told else None


def _values(tag: TagDefinition, counts: dict[str, dict[tuple[str, str], int]]) -> dict[str, int]:
    """Parties per value, as any one of the consumers is told who is told the tag."""
    told = [counts[consumer] for consumer in _told_to(tag) if consumer in counts]
    return {value: n for (name, value), n in (told[0] if told else {}).items() if name == tag.name}


def _parties(release: Release | None) -> dict[str, dict[tuple[str, str], int]]:
    """Of each consumer how many parties carry a tag with a value, by tag and value."""
    counts: dict[str, dict[tuple[str, str], int]] = {}
    for consumer in _CONSUMERS.values() if release else ():
        path = release.path / consumer / "customer_tag.parquet" if release else None
        if path is not None and path.is_file():
            import polars as pl

            carried = pl.scan_parquet(path).filter(pl.col("valid_to").is_null())
            rows = carried.group_by("tag", "value").len().sort("tag", "value").collect()
            counts[consumer] = {(tag, value): n for tag, value, n in rows.iter_rows()}
    return counts
