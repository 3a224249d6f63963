"""The statement of a release: what it consists of and what it was published after, signed with the key of the home.

Belongs here: `statement.json`, `signature.json` and the chain of statements. Outside the content hash and the id, so
that the same night gives the same release whoever signs it. Does not belong here: keys (`pipelines.vault.signing`), and
what must hold of a signed release (`verifier`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipelines.audit.content import EVIDENCE
from pipelines.release.verifier.archive import Broken
from pipelines.release.verifier.signed import (
    ALGORITHM,
    FORMAT,
    MANIFEST,
    NAMED,
    RECORD,
    RUN,
    SIGNATURE,
    STATEMENT,
    canonical,
    check_signed,
    encoded,
    read_signature,
)
from pipelines.settings import Home, write_private
from pipelines.vault import signing

ATTACHED = (STATEMENT, SIGNATURE, RECORD)  # what a signed release has beside its content and what describes it
UNSIGNED = "unsigned: it was published before this home signed releases"
assert NAMED.keys() == {MANIFEST, EVIDENCE, RUN, RECORD}


def attach(directory: Path, release_id: str, manifest: dict[str, Any], record: bytes, home: Home, now: str) -> None:
    """Write record, statement and signature into the release that is built in `directory`, as its last files.

    Raises InputError where the home cannot sign.
    """
    last = latest(home)
    at = max(now, last["signed_at"]) if last else now  # a clock that was set back makes nothing older
    key = signing.begin(home.vault, at, _without_statement(home))
    write_private(directory / RECORD, record)
    said = {
        "format": FORMAT,
        "release": release_id,
        **{name: manifest[name] for name in ("bank", "business_date", "content_hash")},
        **{field: _sha256(directory / name) for name, field in NAMED.items()},
        "key": key.fingerprint,
        "signed_at": max(at, key.since),
        "sequence": last["sequence"] + 1 if last else 1,
        "previous": {"release": last["release"], "statement_sha256": last["sha256"]} if last else None,
    }
    statement = encoded(said)
    signature = {
        "algorithm": ALGORITHM,
        "public_key": key.public_key,
        "signature": signing.sign(home.vault, key, statement).hex(),
    }
    write_private(directory / STATEMENT, statement)
    write_private(directory / SIGNATURE, encoded(signature))


def latest(home: Home) -> dict[str, Any] | None:
    """What the last statement among the releases that are there says, with its own hash; None without one."""
    return max(_statements(home), key=lambda said: (said["sequence"], said["release"]), default=None)


def problems(path: Path) -> list[str]:
    """Why the signature of the release in `path` is not to be believed, in plain words; empty where it is."""
    home = Home(path.parents[1])
    known = signing.believed(home.vault)
    if not is_signed(path):
        listed = path.name in known.unsigned
        return [] if listed or not known.keys else ["it is not signed, and was not published before this home signed"]
    try:
        said, public_key = check_signed(lambda name: _read(path, name), signing.fits)
    except Broken as error:
        return [str(error)]
    if said["release"] != path.name:
        return [f"{STATEMENT} is of the release {said['release']}"]
    objection = known.objection(public_key, said["signed_at"])
    return [objection] if objection else _chain(home, said)


def is_signed(path: Path) -> bool:
    """Whether a release has anything of a signature: one from before there were any has nothing of it."""
    return any((path / name).exists() or (path / name).is_symlink() for name in ATTACHED)


def standing(path: Path) -> dict[str, Any] | None:
    """By which key and when a release was signed, as it says itself; None for one without a signature."""
    try:
        said = canonical((path / STATEMENT).read_bytes(), STATEMENT)
    except (OSError, Broken):
        return None
    return {name: said.get(name) for name in ("key", "signed_at", "sequence", "previous")}


def _chain(home: Home, said: dict[str, Any]) -> list[str]:
    """Whether the release that a statement follows on is still the one that it was, where it is there at all."""
    if said["previous"] is None:
        return []
    name = said["previous"]["release"]
    raw = _raw(home.releases / name)
    if raw is None or hashlib.sha256(raw).hexdigest() == said["previous"]["statement_sha256"]:
        return []
    try:  # moved away and published again: it follows on others then
        again = canonical(raw, STATEMENT).get("sequence")
    except Broken:
        again = None
    if isinstance(again, int) and again > said["sequence"]:
        return []
    return [f"it follows on {name}, whose {STATEMENT} is another one now"]


def _statements(home: Home) -> Iterator[dict[str, Any]]:
    """Every statement that is believed. On another one nothing follows; `problems` says what is wrong with it."""
    known = signing.believed(home.vault)
    for path in home.releases.glob(f"[0-9]*/{STATEMENT}"):
        try:
            raw = path.read_bytes()
            public_key, signature = read_signature(path.with_name(SIGNATURE).read_bytes())
            said = canonical(raw, STATEMENT)
        except (OSError, Broken):
            continue
        if signing.fits(public_key, signature, raw) and not known.objection(public_key, said["signed_at"]):
            yield {**said, "sha256": hashlib.sha256(raw).hexdigest()}


def _without_statement(home: Home) -> Iterator[str]:
    for path in home.releases.glob(f"[0-9]*/{MANIFEST}"):
        if not is_signed(path.parent):
            yield path.parent.name


def _read(path: Path, name: str) -> bytes:
    try:
        return (path / name).read_bytes()
    except OSError as error:
        raise Broken(f"{name} is missing") from error


def _raw(path: Path) -> bytes | None:
    try:
        return (path / STATEMENT).read_bytes()
    except OSError:
        return None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
