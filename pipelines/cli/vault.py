"""`zhongtai vault`: status, rotate, reveal, partner-key."""

from __future__ import annotations

import getpass
import json
import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import JsonOption, State
from pipelines.settings import PRIVATE_FILE, Home, InputError

if TYPE_CHECKING:
    from pipelines.contracts.load import Catalog
    from pipelines.contracts.model import Contract
    from pipelines.contracts.subjects import Subject
    from pipelines.vault.keys import KeyRing

app = typer.Typer(no_args_is_help=True, help="Raw identifiers: what there is, new token keys, and who is shown what.")
OperatorOption = Annotated[str, typer.Option(help="Who asks; goes into the access log.")]
_HANDED_OVER = "partner-key"


def _ring(state: State) -> KeyRing:
    """The keys of a home in use. Raises InputError for another one, or for other keys."""
    from pipelines.vault.keys import KeyRing

    home = state.settings.home
    if home.bank() is None:
        raise InputError(f"{home.path} is not the home of a bank yet: there is nothing in its vault")
    return KeyRing.of_home(home.vault, state.settings.vault_key)


@app.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Keys by fingerprint, how many identifiers there are and how many are wrong, what can be enumerated."""
    state: State = context.obj
    told = _status(state, _ring(state))
    if as_json:
        typer.echo(json.dumps(told))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"founding key  {told['fingerprint']}")
    console.print(f"token keys    version {told['token_version']} of {told['key_versions']}")
    if told["interrupted"]:
        console.print("a rotation was interrupted: the next night, or `zhongtai vault rotate`, finishes it")
    table = Table("kind", "values", "invalid", "bytes", box=None, pad_edge=False)
    for kind, of in told["kinds"].items():
        table.add_row(kind, f"{of['values']:,}", f"{of['invalid_share']:.2%}", f"{of['bytes']:,}")
    console.print(table)
    console.print(f"store         {told['files']:,} files, {told['bytes']:,} bytes")
    for each in told["enumerable"]:
        console.print(
            f"enumerable    {each['column']} of {each['contract']} from {each['source']}: plain SHA-256, "
            f"whoever has it can try all numbers; agree on a partner key",
            markup=False,
        )
    reveals = told["reveals"]
    console.print(
        f"revealed      {reveals['count']:,} tokens" + (f", last {reveals['last']}" if reveals["last"] else "")
    )


def _status(state: State, ring: KeyRing) -> dict[str, Any]:
    import polars as pl

    from pipelines.ingest import rotation
    from pipelines.vault import access, reveal, store

    home = state.settings.home
    length = pl.col("value").str.len_bytes() + pl.col("raw").str.len_bytes().fill_null(0)
    by_value = store.delivered_values(home, ring).with_columns(bytes=length).group_by("kind", "value")
    by_kind = by_value.agg(pl.col("valid").first(), pl.col("bytes").sum()).group_by("kind").agg(
        values=pl.len(), invalid_share=1 - pl.col("valid").mean(), bytes=pl.col("bytes").sum()
    )  # fmt: skip
    files = list(store.files(home))
    shown = [entry for entry in access.read(home.vault) if entry["action"] == reveal.ACTION and entry["found"]]
    return {
        "fingerprint": ring.fingerprint(),
        "token_version": ring.version,
        "key_versions": ring.newest,
        "interrupted": rotation.is_interrupted(home),
        "kinds": {row.pop("kind"): row for row in by_kind.sort("kind").to_dicts()},
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "enumerable": [
            {"source": feed.source, "contract": feed.contract, "column": column}
            for feed in state.catalog.feeds(state.settings.bank_name())
            for column, how in feed.hashing(state.catalog.contract(feed.contract)).items()
            if how == "sha256"
        ],
        "reveals": {"count": len(shown), "last": shown[-1]["at"] if shown else None},
    }


@app.command()
def rotate(context: typer.Context, as_json: JsonOption = False) -> None:
    """Make every token anew under new keys. Party ids, pseudonyms and published products stay what they are."""
    from pipelines.assets.lock import exclusive
    from pipelines.ingest import rotation

    state: State = context.obj
    home = state.settings.home
    if home.bank() is None:
        raise InputError(f"{home.path} is not the home of a bank yet: there are no tokens to rotate")
    with exclusive(home):
        finished = rotation.recover(home)
        ring = _ring(state)
        if finished:
            done = {"token_version": ring.version, "finished_earlier": True}
        else:
            made = rotation.rotate(state.catalog, home, state.settings.vault_key)
            done = {"token_version": made.version, "files": made.files, "tokens": made.tokens}
    if as_json:
        typer.echo(json.dumps(done))
    elif finished:
        typer.echo(
            f"an interrupted rotation is finished: tokens have key version {ring.version}. Once more rotates again"
        )
    else:
        typer.echo(f"{made.tokens:,} tokens in {made.files:,} files have key version {made.version} now")
        typer.echo(
            "the next night makes anew what was computed from them; keep the key file, or the keys before it, too"
        )


@app.command()
def reveal(
    context: typer.Context,
    purpose: Annotated[str, typer.Option(help="Purpose of the contracts for which it is asked.")],
    operator: OperatorOption,
    reason: Annotated[str, typer.Option(help="Why, in a few words; goes into the access log.")],
    tokens: Annotated[list[str] | None, typer.Argument(help="Tokens, of this or an earlier key version.")] = None,
    party: Annotated[
        str | None, typer.Option(help="Every identifier in the records of this party: its id, or its beginning.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Look among identifiers of this kind only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print what tokens stand for. Who asked for which is logged first, in vault/access.log."""
    from pipelines.vault.reveal import Inquiry
    from pipelines.vault.reveal import reveal as reveal_

    state: State = context.obj
    inquiry = Inquiry(operator, purpose, reason)
    ring, home = _ring(state), state.settings.home
    if bool(tokens) == bool(party):
        raise InputError("name either tokens or a --party")
    asked = [token.strip().lower() for token in tokens] if tokens else tokens_of(state.catalog, home, str(party))
    shown = reveal_(home, ring, inquiry, list(dict.fromkeys(asked)), kind)
    if as_json:
        typer.echo(json.dumps({"revealed": [vars(each) for each in shown]}, ensure_ascii=False))
        return
    for each in shown:
        if each.kind is None:
            typer.echo(f"{each.token}  stands for nothing in this vault")
            continue
        wrong = "" if each.valid else "  (not valid)"
        written = f"  as delivered: {' | '.join(each.delivered)}" if each.delivered else ""
        typer.echo(f"{each.token}  {each.kind}  {each.value}{wrong}{written}")


def tokens_of(catalog: Catalog, home: Home, party: str) -> list[str]:
    """Every token in the lake's rows of the records of the party whose id begins with `party`, and of nobody else.

    Raises InputError unless that is one party.
    """
    import duckdb

    from pipelines.identity import explain, state
    from pipelines.ingest import lake
    from pipelines.ingest.sql import pattern

    path = home.identity / "party_crosswalk.parquet"
    if not path.exists():
        raise InputError("no party is known yet: run a night first")
    party_id, found = explain.find(state.latest(home).assignment, party), set[str]()
    with closing(duckdb.connect()) as con:
        con.execute(f"create table linked as from read_parquet('{pattern(path)}') where party_id = ?", [party_id])
        for name, role in con.execute("select distinct contract, role from linked order by all").fetchall():
            contract, records = catalog.sources[name], "from linked where contract = ? and role = ?"
            for subject in (one for one in contract.subjects if one.role == role):
                told, key = ", ".join(_told_of(contract, subject)), contract.column(subject.key)
                held = (
                    f"select unnest([{told}]) from {lake.scan(home, name)} "
                    f"where (source, {key.lake_name}) in (select source, record_key {records})"
                )
                # Known by an identifier only, whose token may be of the key version before.
                also = f" union select record_key {records}" if key.identifier else ""
                given = [name, role] * (2 if also else 1)
                found |= {token for (token,) in con.execute(f"{held}{also}", given).fetchall() if token}
    return sorted(found)


def _told_of(contract: Contract, subject: Subject) -> list[str]:
    """Columns of the lake with the identifiers that a row tells of a subject, and not of another one that it names."""
    own = {subject.key, *subject.columns.values()}
    of_others = {name for one in contract.subjects if one.role != subject.role for name in one.columns.values()} - own
    return [each.lake_name for each in contract.columns if each.identifier and each.name not in of_others]


@app.command("partner-key")
def partner_key(
    context: typer.Context,
    partner: Annotated[str, typer.Argument(help="Source of a feed: the partner with whom the key is shared.")],
    out: Annotated[Path, typer.Option(help="New file for the key; readable by its owner alone.")],
    operator: Annotated[str | None, typer.Option(help="Who hands it over; default the user of this process.")] = None,
) -> None:
    """Write the key of one partner to a file, once. It is never printed."""
    from pipelines.vault import access

    state: State = context.obj
    ring, home = _ring(state), state.settings.home
    sources = {feed.source for feed in state.catalog.feeds(state.settings.bank_name())}
    if partner not in sources:
        raise InputError(
            f"no feed of {state.settings.bank_name()} comes from '{partner}'; use {', '.join(sorted(sources))}"
        )
    for entry in access.read(home.vault):
        if entry["action"] == _HANDED_OVER and entry["partner"] == partner:
            raise InputError(
                f"the key of {partner} was handed over at {entry['at']} by {entry['operator']}, and only once"
            )
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    except OSError as error:
        raise InputError(f"--out {out}: {error.strerror}; name a new file in a directory of your own") from error
    with os.fdopen(descriptor, "w") as file:
        entry = {"action": _HANDED_OVER, "partner": partner, "operator": operator or getpass.getuser(), "out": str(out)}
        access.record(home.vault, [entry])
        file.write(ring.partner_key(partner) + "\n")
        file.flush()
        os.fsync(file.fileno())
    typer.echo(f"the key of {partner} is in {out}: hand it over on a safe way, then delete the file")
