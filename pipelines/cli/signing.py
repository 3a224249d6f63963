"""`zhongtai signing`: status, rotate, trust, distrust."""

from __future__ import annotations

import base64
import getpass
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.cli.options import JsonOption, State
from pipelines.settings import Home, InputError
from pipelines.vault import access, signing
from pipelines.vault.signing import PublicKey

app = typer.Typer(no_args_is_help=True, help="Keys that sign releases, and whose signatures are believed.")
OperatorOption = Annotated[str | None, typer.Option(help="Who asks; default the user of this process.")]
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END PUBLIC KEY-----")


@app.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Every key by fingerprint, from when to when its signatures are believed, and which one signs."""
    known = signing.believed(_home(context).vault)
    rows = [
        {**vars(key), "fingerprint": key.fingerprint, "signs": key == known.current, "state": _state(key)}
        for key in known.keys
    ]
    if as_json:
        typer.echo(json.dumps({"keys": rows, "unsigned": known.unsigned}, ensure_ascii=False))
        return
    table = Table("key", "of", "from", "to", "state", "public key", box=None, pad_edge=False)
    for row in rows:
        of = "this home" if row["own"] else "another"
        until = row["until"] or ("now" if row["signs"] else "ever")
        table.add_row(row["fingerprint"], of, row["since"] or "ever", until, row["state"], row["public_key"])
    console = Console(highlight=False, soft_wrap=True)
    console.print(table if rows else "there is no signing key yet: the first publication makes one")
    if known.unsigned:
        console.print(f"{len(known.unsigned)} releases were published before there was a key, and are unsigned")


def _state(key: PublicKey) -> str:
    if key.distrusted is not None:
        return f"distrusted: {key.distrusted}"
    return "believed" if key.until is not None or not key.own else "signs"


@app.command()
def rotate(context: typer.Context, operator: OperatorOption = None, as_json: JsonOption = False) -> None:
    """Sign with a new key from now on. What the key before it signed stays believed; its private half is deleted."""
    from pipelines.release.statement import latest

    home = _home(context)
    with _alone(home):
        last = latest(home)
        key = signing.rotate(home.vault, max(_now(), last["signed_at"]) if last else _now())
        _log(home, "signing-rotate", key, operator)
    _tell(key, f"releases are signed with {key.fingerprint} from now on: tell whoever gets packs", as_json)


@app.command()
def trust(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Public key: 64 hex digits, or a file such as a pack's public_key.pem.")],
    operator: OperatorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Believe what another home signed, for instance of releases that are restored from it. Compare its fingerprint."""
    home = _home(context)
    with _alone(home):
        trusted = signing.trust(home.vault, _public_key(key))
        _log(home, "signing-trust", trusted, operator)
    _tell(trusted, f"releases signed with {trusted.fingerprint} are believed", as_json)


@app.command()
def distrust(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="Fingerprint of the key, or its beginning.")],
    reason: Annotated[str, typer.Option(help="Why, in a few words; `releases verify` says so.")],
    operator: OperatorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Believe nothing that a key signed, whenever it did: for a key that somebody else had."""
    home = _home(context)
    if not reason.strip():
        raise InputError("--reason: say why in a few words")
    with _alone(home):
        refused = signing.distrust(home.vault, key, reason.strip(), _now())
        _log(home, "signing-distrust", refused, operator, reason=reason.strip())
    more = (
        "; `zhongtai signing rotate` before the next night" if signing.believed(home.vault).current == refused else ""
    )
    _tell(refused, f"releases signed with {refused.fingerprint} are no longer believed{more}", as_json)


def _home(context: typer.Context) -> Home:
    state: State = context.obj
    home = state.settings.home
    if home.bank() is None:
        raise InputError(f"{home.path} is not the home of a bank yet: it has no keys")
    return home


def _alone(home: Home) -> Any:
    from pipelines.assets.lock import exclusive

    return exclusive(home)


def _public_key(given: str) -> bytes:
    """The 32 bytes of a public key, as hex digits or in a PEM file. Raises InputError."""
    path = Path(given)
    text = path.read_text("ascii", "replace") if path.is_file() else given
    if found := _PEM.search(text):
        try:
            return base64.b64decode("".join(found[1].split()), validate=True)[-32:]
        except ValueError:
            raise InputError(f"{given} is no public key in PEM") from None
    if not re.fullmatch(r"[0-9a-f]{64}", text.strip().lower()):
        raise InputError(f"'{given}' is neither a public key of 64 hex digits nor a file that holds one")
    return bytes.fromhex(text.strip())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _log(home: Home, action: str, key: PublicKey, operator: str | None, **more: str) -> None:
    entry = {"action": action, "key": key.fingerprint, "operator": operator or getpass.getuser(), **more}
    access.record(home.vault, [entry])


def _tell(key: PublicKey, words: str, as_json: bool) -> None:
    typer.echo(json.dumps({**vars(key), "fingerprint": key.fingerprint}, ensure_ascii=False) if as_json else words)
