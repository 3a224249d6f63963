"""Quarantined rows as they were delivered, encrypted: nothing is lost, and nobody reads them by accident.

One sealed file of JSON lines per contract, source and business date.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipelines.vault.keys import KeyRing
from pipelines.vault.sealed import seal, unseal

_PLACE = 3  # contract, source, file


def keep(path: Path, rows: list[dict[str, Any]], ring: KeyRing) -> None:
    """Encrypt `rows` to `path`, replacing what is there."""
    plain = "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows).encode()
    seal(path, plain, ring.originals_key(), _PLACE)


def read(path: Path, ring: KeyRing) -> list[dict[str, Any]]:
    """The rows kept at `path`. Raises cryptography's InvalidTag for another key, and a changed or moved file."""
    plain = unseal(path, ring.originals_key(), _PLACE)
    # Not splitlines: it takes characters for line ends that a value may hold.
    return [json.loads(line) for line in plain.decode().split("\n")[:-1]]
