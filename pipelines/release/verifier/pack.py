"""What must hold of a pack, as an archive or unpacked: each of its files follows from what was signed.

Belongs here: which files a pack has, and that they are what they should be. Does not belong here: what is said of it to
whoever looks (`command`).
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from .archive import Broken, read_archive
from .signed import EVIDENCE, MANIFEST, NAMED, RECORD, SIGNATURE, STATEMENT, check_signed, fingerprint

PEM, INDEX, INSIDE = "public_key.pem", "bcbs239.json", "record/"
# Of the content, what tells of no party: it is in every pack.
IMPERSONAL = (
    "proof/rules.json",
    "proof/supersedes.json",
    "shared/coverage.parquet",
    "shared/reconciliation.parquet",
)
PRINCIPLES = range(1, 15)
_PIECE = 1 << 20


class Pack(Protocol):
    """Files by name."""

    def names(self) -> list[str]:
        """Every file."""

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a file. Raises Broken where it is not there."""


class Archive:
    """A pack as it was handed over."""

    def __init__(self, file: BinaryIO, what: str) -> None:
        found = {name: (place, size) for name, place, size in read_archive(file, what)}
        folders = {name.partition("/")[0] for name in found}
        if len(folders) != 1:
            raise Broken(f"{what} does not hold one folder, so it is no pack")
        self.folder = folders.pop()
        self._file, self._found = file, {name.partition("/")[2]: at for name, at in found.items()}

    def names(self) -> list[str]:
        """Every file."""
        return list(self._found)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a file. Raises Broken where it is not there."""
        if name not in self._found:
            raise Broken(f"{name} is missing")
        place, left = self._found[name]
        while left:
            self._file.seek(place)
            piece = self._file.read(min(left, _PIECE))
            place, left = place + len(piece), left - len(piece)
            yield piece


class Folder:
    """A pack that was unpacked."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Every file."""
        return sorted(p.relative_to(self._path).as_posix() for p in self._path.rglob("*") if not p.is_dir())

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a file. Raises Broken where it is not there."""
        path = self._path / name
        if path.is_symlink() or not path.is_file():
            raise Broken(f"{name} is missing or no file of its own")
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def check_pack(pack: Pack, key: str | None = None) -> dict[str, Any]:
    """What was found of a pack in which everything fits: statement and counts. Raises Broken at the first fault."""

    def read(name: str) -> bytes:
        return b"".join(pack.pieces(name))

    said, public_key = check_signed(read)
    if key is not None and not _is_key(public_key, key):
        raise Broken(f"it was signed with the key {fingerprint(public_key)}, and not with {key}")
    if read(PEM) != pem(public_key):
        raise Broken(f"{PEM} was changed: it is not the key of {SIGNATURE}")
    manifest, record = json.loads(read(MANIFEST)), inside(read(RECORD))
    content = _check_names(pack, manifest, record)
    for name in pack.names():
        if name in record and read(name) != record[name]:
            raise Broken(f"{name} was changed: it is not the one in {RECORD}")
    for name in content:
        _check_content(pack, name, manifest["files"][name]["sha256"])
    check_record(manifest, record)
    check_index(json.loads(record[INDEX]), {*pack.names(), *record})
    checks = json.loads(read(EVIDENCE))["checks"]
    return {
        "statement": said, "content": len(content), "files": len(manifest["files"]), "checks": len(checks),
        "not_passed": [f"{check['id']} {check['state']}: {check['observed']}" for check in checks
                       if check["state"] != "passed"],
    }  # fmt: skip


def _is_key(public_key: bytes, named: str) -> bool:
    """Whether a key is the one that was named: by its fingerprint or more of that hash, or whole."""
    named = named.strip().lower()
    return named == public_key.hex() or (len(named) >= 16 and hashlib.sha256(public_key).hexdigest().startswith(named))


def pem(public_key: bytes) -> bytes:
    """A public key as other tools read it (RFC 8410)."""
    inner = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + public_key).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{inner}\n-----END PUBLIC KEY-----\n".encode()


def inside(record: bytes) -> dict[str, bytes]:
    """The files of a record. Raises Broken."""
    found = read_archive(io.BytesIO(record), RECORD)
    return {name: record[place : place + size] for name, place, size in found}


def _check_names(pack: Pack, manifest: dict[str, Any], record: dict[str, bytes]) -> list[str]:
    """The files of the content that are there: all of them, or those that tell of no party. Raises Broken."""
    names, listed = set(pack.names()), set(manifest["files"])
    needed = {*NAMED, STATEMENT, SIGNATURE, PEM, *(name for name in record if not name.startswith(INSIDE))}
    content, impersonal = names & listed, listed & set(IMPERSONAL)
    missing = (needed - names) | (impersonal - names if content <= impersonal else listed - names)
    for name in sorted(missing):
        raise Broken(f"{name} is missing")
    for name in sorted(names - needed - listed - set(record)):
        raise Broken(f"{name} does not belong to the pack")
    return sorted(content)


def _check_content(pack: Pack, name: str, sha256: str) -> None:
    digest = hashlib.sha256()
    for piece in pack.pieces(name):
        digest.update(piece)
    if digest.hexdigest() != sha256:
        raise Broken(f"{name} was changed: its hash is not the one in {MANIFEST}")


def check_record(manifest: dict[str, Any], record: dict[str, bytes]) -> None:
    """Contracts and policy in the record are those that the manifest names. Raises Broken."""
    kept = {hashlib.sha256(content).hexdigest() for content in record.values()}
    for name, version in {**manifest["contracts"], "policy.yaml": manifest["policy"]}.items():
        if version["sha256"] not in kept:
            raise Broken(f"{name}: {RECORD} does not hold the version that {MANIFEST} names")


def check_index(index: dict[str, Any], names: set[str]) -> None:
    """Every principle is answered or said to be somebody else's, by files that are there. Raises Broken."""
    for number in PRINCIPLES:
        answer = index["principles"].get(str(number), {})
        if not answer.get("gates") and not answer.get("files") and not answer.get("others"):
            raise Broken(f"{INDEX}: nothing answers principle {number}")
        for file in answer.get("files", []):
            if not any(name == file or (file.endswith("/") and name.startswith(file)) for name in names):
                raise Broken(f"{INDEX}: principle {number} names {file}, which is not in the pack")
