"""`zhongtai releases`: list, show, verify, publish, pack; what changes releases is in `releases_change`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.audit.content import supersession
from pipelines.cli import rebuild, releases_change
from pipelines.cli.options import JsonOption, State
from pipelines.release import catalogue, statement
from pipelines.release.catalogue import Release
from pipelines.release.pointer import place_of
from pipelines.release.refused import Refused
from pipelines.settings import InputError
from pipelines.vault.keys import KeyRing

app = typer.Typer(no_args_is_help=True, help="What was published, and whether it still is what it was.")
app.command("diff")(releases_change.diff)
app.command("rollback")(releases_change.rollback)
app.command("rebuild")(rebuild.rebuild)
app.command("gc")(releases_change.gc)
NameArgument = Annotated[str | None, typer.Argument(help="Release id or its beginning; default the current one.")]


@app.command("list")
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Every release, in the order in which they follow each other."""
    state: State = context.obj
    pointed = catalogue.pointed(state.settings.home)
    ordered = sorted(catalogue.list_releases(state.settings.home), key=lambda one: (place_of(one.path), one.id))
    rows = [_row(release, pointed) for release in ordered]
    if as_json:
        typer.echo(json.dumps({"releases": rows}))
        return
    table = Table("release", "business date", "published (UTC)", "rows", "current", "", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            row["release"], row["business_date"], row["published_at"], str(row["rows"] or ""),
            "*" if row["current"] else "",
            "damaged" if row["damaged"] else releases_change.in_words(row["supersedes"]),
        )  # fmt: skip
    console = releases_change.wide_console()
    console.print(table if rows else f"nothing is published in {state.settings.home.path} yet")
    for row in rows:
        if row["damaged"]:
            console.print(f"damaged  {row['damaged']}", markup=False)


def _row(release: Release, pointed: str | None) -> dict[str, Any]:
    known = {
        "release": release.id, "business_date": f"{release.business_date}", "current": pointed == release.id,
        "path": str(release.path),
    }  # fmt: skip
    if damaged := release.damaged():
        told = dict.fromkeys(("published_at", "rows", "content_hash", "supersedes"))
    else:
        told = {
            "published_at": release.run().get("published_at", ""), "rows": sum(release.manifest["rows"].values()),
            "content_hash": release.content_hash, "supersedes": release.manifest.get("supersedes"),
        }  # fmt: skip
    return known | told | {"damaged": damaged}


@app.command()
def show(context: typer.Context, name: NameArgument = None, as_json: JsonOption = False) -> None:
    """What a release holds and what it was made from."""
    from pipelines.release.documents import documents_of

    state: State = context.obj
    release = catalogue.find(state.settings.home, name)
    documents = documents_of(state.settings.home, release.id)
    look = documents.told() if documents else {}
    if as_json:
        told = {"release": release.id, "path": str(release.path), **release.manifest, "run": release.run()}
        typer.echo(json.dumps(told | {"supersedes": supersession(release.path), "documents": look}))
        return
    console, manifest = Console(highlight=False, soft_wrap=True), release.manifest
    console.print(f"release {release.id} of {manifest['bank']}, business date {manifest['business_date']}")
    console.print(f"  content  {manifest['content_hash']}\n  path     {release.path}")
    checks = ", ".join(f"{count} {state_}" for state_, count in sorted(manifest["checks"].items()))
    console.print(
        f"  checks   {checks}\n  policy   {manifest['policy']['version']}   code {manifest['code']['version']}"
    )
    for path in look.values():
        console.print(f"  look     {path}")
    releases_change.show_supersession(release)
    for one in manifest.get("waivers", ()):
        signed = ", ".join(one["approved_by"])
        console.print(f"  waiver   {one['name']}: {', '.join(one['checks'])}; {one['reason']} (approved by {signed})")
    table = Table("product", "rows", "contract", box=None, pad_edge=False)
    for product, rows in sorted(manifest["rows"].items()):
        table.add_row(product, f"{rows:,}", manifest["contracts"][product]["version"])
    console.print(table)
    table = Table("made from", "source", "file", "dates", "rows", box=None, pad_edge=False)
    for entry in manifest["deliveries"]:
        dates = entry["first"] if entry["first"] == entry["last"] else f"{entry['first']} to {entry['last']}"
        table.add_row(entry["contract"], entry["source"], entry["delivery"], dates, f"{entry['rows']:,}")
    console.print(table)


@app.command()
def verify(context: typer.Context, name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Hash every file of a release again and compare its DuckDB files table by table; exit 3 where it differs."""
    state: State = context.obj
    release = catalogue.find(state.settings.home, name)
    problems = catalogue.verify_release(release, state.catalog)
    if as_json:
        told = {"release": release.id, "verified": not problems, "problems": problems}
        typer.echo(json.dumps(told | {"signed": statement.standing(release.path)}))
    if problems:
        raise Refused(f"{release.id} is not what was published:\n" + "\n".join(f"  {p}" for p in problems))
    if not as_json:
        Console(highlight=False, soft_wrap=True).print(
            f"{release.id} is what was published: {len(release.manifest['files'])} files"
        )
        signed = statement.standing(release.path)
        typer.echo(f"signed {signed['signed_at']} with the key {signed['key']}" if signed else statement.UNSIGNED)


@app.command()
def publish(
    context: typer.Context, candidate: Annotated[str, typer.Argument(help="Hash of a candidate, or its beginning.")]
) -> None:
    """Publish an audited candidate on its own; its evidence is verified here again."""
    from pipelines.assets.lock import exclusive
    from pipelines.release.publish import publish as publish_candidate

    state: State = context.obj
    home = state.settings.home
    matches = [path for path in home.candidates.glob(f"{candidate}*") if path.is_dir()] if candidate else []
    if len(matches) != 1:
        known = ", ".join(sorted(path.name[:12] for path in home.candidates.glob("[0-9a-f]*"))) or "none"
        raise InputError(f"{len(matches)} candidates begin with '{candidate}'; there are: {known}")
    with exclusive(home):
        ring = KeyRing.open(home.vault, state.settings.vault_key)
        release = publish_candidate(Path(matches[0]), state.catalog, state.settings, ring, run={"run_id": None})
        Console(highlight=False, soft_wrap=True).print(f"published {release.id} at {release.path}")
        releases_change.make_documents(state)


@app.command()
def pack(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Release id or its beginning, or `current`.")],
    out: Annotated[Path, typer.Option(help="New file for the archive; readable by its owner alone.")],
    with_content: Annotated[
        bool, typer.Option("--with-content", help="Also every published Parquet file: rows of parties, pseudonyms.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write one archive for an auditor: evidence, contracts, lineage, hashes, signature, and what verifies them."""
    from pipelines.release.pack import write_pack

    state: State = context.obj
    release = catalogue.find(state.settings.home, name)
    catalogue.check_release(release, state.catalog)
    files, signed = write_pack(release, out, with_content=with_content), statement.standing(release.path)
    key = signed and signed["key"]
    if as_json:
        typer.echo(json.dumps({"release": release.id, "out": str(out), "files": files, "key": key}))
        return
    typer.echo(f"{release.id} is packed in {out}: {files} files, {out.stat().st_size:,} bytes")
    typer.echo(f"on another way than with the pack, tell its reader the key: {key}")
