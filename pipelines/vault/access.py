"""The access log of the vault: who was shown which token's value, when, for what. Lines are added and never changed.

What belongs here: one JSON line per token that was asked for, or per key that was handed over. What does not: values.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.settings import PRIVATE_FILE, make_directory


def log_path(vault: Path) -> Path:
    """Where the log of a home lies."""
    return vault / "access.log"


def record(vault: Path, entries: Iterable[dict[str, Any]]) -> None:
    """Add `entries`, each with the time (UTC), durably: whoever prints afterwards has been seen."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    lines = "".join(json.dumps({"at": now, **entry}, ensure_ascii=False) + "\n" for entry in entries)
    make_directory(vault)
    descriptor = os.open(log_path(vault), os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
    with os.fdopen(descriptor, "ab") as file:
        file.write(lines.encode())
        file.flush()
        os.fsync(file.fileno())


def read(vault: Path) -> list[dict[str, Any]]:
    """Every entry, oldest first."""
    path = log_path(vault)
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]] if path.exists() else []
