"""The key ring: one master key, and a key derived from it for every use.

A key never appears in a message, a manifest or a plan; its fingerprint may. Derivation is HMAC-SHA256 of a label
under the master key (the expand step of RFC 5869 with one block).
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from pipelines.settings import PRIVATE_FILE, InputError, make_directory

TOKEN_KEY_VERSION = 1


class KeyRing:
    """Keys as lower-case hex strings of 64 characters."""

    def __init__(self, master: bytes) -> None:
        self._master = master

    def __repr__(self) -> str:
        return f"KeyRing({self.fingerprint()})"

    @classmethod
    def open(cls, vault: Path, from_environment: str | None = None) -> KeyRing:
        """The ring of a home. A key given by the environment wins; else the key file, made on first use.

        Raises InputError where the key is not 64 hex digits or its file is readable by others.
        """
        if from_environment is not None:
            return cls(_parse(from_environment, "ZHONGTAI_VAULT_KEY"))
        path = vault / "master.key"
        if not path.exists():
            _make(path)
        if path.stat().st_mode & 0o077:
            raise InputError(f"{path} can be read by others: chmod 600 it, and consider it known")
        return cls(_parse(path.read_text(), str(path)))

    def token_key(self, kind: str) -> str:
        """Key for tokens of one identifier kind, for example `phone`."""
        return self._derive(f"token/{TOKEN_KEY_VERSION}/{kind}")

    def party_id_key(self) -> str:
        """Key for party ids. It has no version: it never rotates."""
        return self._derive("party-id")

    def pseudonym_key(self, consumer: str) -> str:
        """Key for the pseudonyms that one consumer sees."""
        return self._derive(f"pseudonym/{consumer}")

    def originals_key(self) -> bytes:
        """Key that encrypts quarantined originals: 32 bytes."""
        return bytes.fromhex(self._derive("originals"))

    def fingerprint(self) -> str:
        """What a manifest may say of the master key."""
        return hashlib.sha256(b"zhongtai key fingerprint\0" + self._master).hexdigest()[:16]

    def _derive(self, label: str) -> str:
        return hmac.new(self._master, label.encode(), hashlib.sha256).hexdigest()


def _make(path: Path) -> None:
    """Write a new key to `path`, whole or not at all; where another process was faster, its key stays."""
    make_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()


def _parse(text: str, where: str) -> bytes:
    if not re.fullmatch(r"[0-9a-f]{64}", text.strip().lower()):
        raise InputError(f"{where} is not a key: 64 hex digits are needed, as `openssl rand -hex 32` prints them")
    return bytes.fromhex(text.strip())
