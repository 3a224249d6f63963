"""Quarantined rows as they were delivered, encrypted: nothing is lost, and nobody reads them by accident.

One file per contract, source and business date: a 12-byte nonce, then AES-256-GCM over JSON lines. Its place is
authenticated with it, so that a file that was moved does not open.
"""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.settings import make_directory, write_private
from pipelines.vault.keys import KeyRing


def keep(path: Path, rows: list[dict[str, Any]], ring: KeyRing) -> None:
    """Encrypt `rows` to `path`, replacing what is there."""
    plain = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows).encode()
    place = _place(path)
    # The nonce follows from place and content: the same run writes the same bytes, and no two contents share one.
    nonce = hmac.digest(ring.originals_key(), place + b"\0" + plain, "sha256")[:12]
    make_directory(path.parent)
    write_private(path, nonce + AESGCM(ring.originals_key()).encrypt(nonce, plain, place))


def read(path: Path, ring: KeyRing) -> list[dict[str, Any]]:
    """The rows kept at `path`. Raises cryptography's InvalidTag for another key, and a changed or moved file."""
    sealed = path.read_bytes()
    plain = AESGCM(ring.originals_key()).decrypt(sealed[:12], sealed[12:], _place(path))
    # Not splitlines: it takes characters for line ends that a value may hold.
    return [json.loads(line) for line in plain.decode().split("\n")[:-1]]


def _place(path: Path) -> bytes:
    return "/".join(path.parts[-3:]).encode()
