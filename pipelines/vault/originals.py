"""Quarantined rows as they were delivered, encrypted: nothing is lost, and nobody reads them by accident.

One file per contract, source and business date: a 12-byte nonce, then AES-256-GCM over JSON lines.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.settings import make_directory, write_private
from pipelines.vault.keys import KeyRing


def keep(path: Path, rows: list[dict[str, Any]], ring: KeyRing) -> None:
    """Encrypt `rows` to `path`, replacing what is there."""
    plain = "\n".join(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows).encode()
    # The nonce follows from content and place, so that the same run writes the same bytes and no two contents share one.
    nonce = hashlib.sha256(ring.originals_key() + str(path.name).encode() + plain).digest()[:12]
    make_directory(path.parent)
    write_private(path, nonce + AESGCM(ring.originals_key()).encrypt(nonce, plain, None))


def read(path: Path, ring: KeyRing) -> list[dict[str, Any]]:
    """The rows kept at `path`. Raises cryptography's InvalidTag for another key or a changed file."""
    sealed = path.read_bytes()
    plain = AESGCM(ring.originals_key()).decrypt(sealed[:12], sealed[12:], None)
    return [json.loads(line) for line in plain.decode().splitlines()]
