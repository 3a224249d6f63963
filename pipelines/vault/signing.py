"""Keys that sign releases: the private one of this home, and the public ones that were or are believed, with validity.

Belongs here: `vault/signing/`, making and rotating keys, signatures (Ed25519, RFC 8032), and why a key is not believed.
Does not belong here: what is signed (`pipelines.release.statement`). Times are given by whoever asks.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from pipelines.settings import InputError, make_directory, write_private

_KEYS = "keys.json"


@dataclass(frozen=True)
class PublicKey:
    """A key of which signatures made from `since` through `until` (UTC) are believed, unless it is `distrusted`.

    `own` says whether this home made it; `distrusted` says why, or is None.
    """

    public_key: str
    own: bool
    since: str  # empty: ever
    until: str | None = None
    distrusted: str | None = None

    @property
    def fingerprint(self) -> str:
        """What the key is called."""
        return fingerprint(bytes.fromhex(self.public_key))


@dataclass(frozen=True)
class Believed:
    """The public keys of a home, oldest first, and the releases that it had published before it first had one."""

    keys: tuple[PublicKey, ...] = ()
    unsigned: tuple[str, ...] = ()

    @property
    def current(self) -> PublicKey | None:
        """The key with which this home signs; None before its first."""
        return next((key for key in reversed(self.keys) if key.own and key.until is None), None)

    def named(self, name: str) -> PublicKey:
        """The key whose fingerprint begins with `name`. Raises InputError unless there is one."""
        found = [key for key in self.keys if name and key.fingerprint.startswith(name.lower())]
        if len(found) != 1:
            known = ", ".join(key.fingerprint for key in self.keys) or "none"
            raise InputError(f"{len(found)} keys are called '{name}'; there are: {known}")
        return found[0]

    def objection(self, public_key: bytes, signed_at: str) -> str | None:
        """Why a signature of that key and time is not believed; None where it is."""
        name = fingerprint(public_key)
        key = next((key for key in self.keys if key.public_key == public_key.hex()), None)
        if key is None:
            return f"it was signed with the key {name}, which this home does not trust"
        if key.distrusted is not None:
            return f"it was signed with the key {name}, which is distrusted: {key.distrusted}"
        if signed_at < key.since or (key.until is not None and signed_at > key.until):
            return f"it was signed at {signed_at} with the key {name}, valid from {key.since} to {key.until or 'now'}"
        return None


def fingerprint(public_key: bytes) -> str:
    """What a key is called: the first 16 hex digits of SHA-256 over its 32 bytes."""
    return sha256(public_key).hexdigest()[:16]


def fits(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is the one of `message` by the owner of `public_key`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def believed(vault: Path) -> Believed:
    """The public keys of a home. Raises InputError where their file cannot be read."""
    path = _directory(vault) / _KEYS
    if not path.exists():
        return Believed()
    try:
        said = json.loads(path.read_bytes())
        return Believed(tuple(PublicKey(**key) for key in said["keys"]), tuple(said["unsigned"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read: restore it from a backup") from error


def begin(vault: Path, at: str, unsigned: Iterable[str]) -> PublicKey:
    """The key with which the home signs; made where there is none, when the releases `unsigned` had been published.

    Raises InputError where it is distrusted.
    """
    known = believed(vault)
    if known.current is None:
        before = known.unsigned if known.keys else tuple(sorted(unsigned))
        known = replace(_with_new_key(vault, known, at), unsigned=before)
        _write(vault, known)
    assert known.current is not None
    if known.current.distrusted is not None:
        raise InputError(f"the key {known.current.fingerprint} is distrusted: `zhongtai signing rotate` makes another")
    return known.current


def sign(vault: Path, key: PublicKey, message: bytes) -> bytes:
    """The signature of `message`. Raises InputError where the private key is gone, or others can read it."""
    path = _private(vault, key)
    if not path.is_file():
        raise InputError(f"{path} is gone: restore it, or let `zhongtai signing rotate` make another key")
    if path.stat().st_mode & 0o077:
        raise InputError(f"{path} can be read by others: consider it known, and run `zhongtai signing rotate`")
    private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    if private.public_key().public_bytes_raw().hex() != key.public_key:
        raise InputError(f"{path} is not the key of that fingerprint: restore it")
    return private.sign(message)


def rotate(vault: Path, at: str) -> PublicKey:
    """Sign with a new key from `at` on; signatures of the key before stay believed, and its private half is deleted.

    Raises InputError where there is no key yet.
    """
    known = believed(vault)
    if (before := known.current) is None:
        raise InputError("there is no signing key yet: the first publication makes one")
    retired = tuple(replace(key, until=max(at, key.since)) if key == before else key for key in known.keys)
    known = _with_new_key(vault, replace(known, keys=retired), max(at, before.since))
    _write(vault, known)
    assert known.current is not None
    _sweep(vault, known.current)
    return known.current


def trust(vault: Path, public_key: bytes) -> PublicKey:
    """Believe releases of another home that were signed with this key, whenever. Raises InputError for no key."""
    known = believed(vault)
    if len(public_key) != 32:
        raise InputError("a public key has 64 hex digits, or is the file public_key.pem of a pack")
    if any(key.public_key == public_key.hex() for key in known.keys):
        raise InputError(f"the key {fingerprint(public_key)} is known already; see `zhongtai signing status`")
    key = PublicKey(public_key.hex(), own=False, since="")
    _write(vault, replace(known, keys=(*known.keys, key)))
    return key


def distrust(vault: Path, name: str, reason: str, at: str) -> PublicKey:
    """Believe no signature of a key any more, whenever it was made. Raises InputError where it is not known."""
    known = believed(vault)
    key = known.named(name)
    now = replace(key, distrusted=f"{reason} ({at})")
    _write(vault, replace(known, keys=tuple(now if one == key else one for one in known.keys)))
    return now


def _with_new_key(vault: Path, known: Believed, at: str) -> Believed:
    secret = secrets.token_bytes(32)
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    key = PublicKey(public.hex(), own=True, since=at)
    make_directory(_directory(vault))
    write_private(_private(vault, key), f"{secret.hex()}\n".encode())
    return replace(known, keys=(*known.keys, key))


def _write(vault: Path, known: Believed) -> None:
    make_directory(_directory(vault))
    said = {"keys": [asdict(key) for key in known.keys], "unsigned": known.unsigned}
    write_private(_directory(vault) / _KEYS, json.dumps(said, indent=1, ensure_ascii=False).encode())


def _sweep(vault: Path, kept: PublicKey) -> None:
    """Delete private keys that sign no more, and what an interrupted rotation left behind."""
    for path in _directory(vault).glob("*.key"):
        if path != _private(vault, kept):
            path.unlink()


def _private(vault: Path, key: PublicKey) -> Path:
    return _directory(vault) / f"{key.fingerprint}.key"


def _directory(vault: Path) -> Path:
    return vault / "signing"
