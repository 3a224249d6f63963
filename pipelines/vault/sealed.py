"""Sealed files: a 12-byte nonce, then AES-256-GCM over the content, which opens at its own place alone.

What belongs here: how bytes are sealed. What does not: what they hold (`originals`, `store`).
"""

from __future__ import annotations

import hmac
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pipelines.settings import make_directory, write_private


def seal(path: Path, plain: bytes, key: bytes, depth: int) -> None:
    """Encrypt `plain` to `path`, replacing what is there. The last `depth` parts of the path are authenticated."""
    place = _place(path, depth)
    # The nonce follows from place and content: the same run writes the same bytes, and no two contents share one.
    nonce = hmac.digest(key, place + b"\0" + plain, "sha256")[:12]
    make_directory(path.parent)
    write_private(path, nonce + AESGCM(key).encrypt(nonce, plain, place))


def unseal(path: Path, key: bytes, depth: int) -> bytes:
    """The content of `path`. Raises cryptography's InvalidTag for another key, and a changed or moved file."""
    content = path.read_bytes()
    return AESGCM(key).decrypt(content[:12], content[12:], _place(path, depth))


def _place(path: Path, depth: int) -> bytes:
    return "/".join(path.parts[-depth:]).encode()
