"""One run at a time per home: a lock that the operating system releases when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.settings import PRIVATE_FILE, Home, InputError


@contextmanager
def exclusive(home: Home) -> Iterator[None]:
    """Hold the lock of `home`. Raises InputError naming the process that holds it."""
    descriptor = os.open(home.lock, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 32).decode().strip() or "unknown"
            raise InputError(
                f"another run works in {home.path} (process {owner}): wait for it to end, then run again"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield
    finally:
        os.close(descriptor)


def holder(home: Home) -> int | None:
    """Process id of the run under way in `home`, or None."""
    if not home.lock.exists():
        return None
    descriptor = os.open(home.lock, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(descriptor, 32).decode() or 0) or None
    finally:
        os.close(descriptor)
    return None
