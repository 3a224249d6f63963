"""Room in the vault zone for what an engine spills to disk while it works on raw values."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.settings import make_directory, runs


@contextmanager
def scratch(vault: Path) -> Iterator[Path]:
    """A private directory, gone afterwards; so are those of processes that were killed."""
    root = make_directory(vault / "tmp")
    for left in root.iterdir():
        if not runs(left.name.partition(".")[0]):
            shutil.rmtree(left, ignore_errors=True)
    room = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}.", dir=root))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
