"""Where a delivery comes from, and the private copy that is read where that is no file of this machine.

What belongs here: what every origin can be asked, local files, and the copies. What does not: what is wrong with a
delivery (`deliveries`), and how a URL (`remote`) or a database (`postgres`) is reached.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pipelines.ingest.arrival import instant
from pipelines.settings import PRIVATE_FILE
from pipelines.vault.scratch import scratch


class Unreachable(Exception):
    """What is asked does not answer, refuses, or is no such place. Says why, without a secret; `action` what to do."""

    def __init__(self, reason: str, action: str = "") -> None:
        super().__init__(reason)
        self.action = action


class NotAgreed(Exception):
    """What answers has not what the feed names. Says what."""


class Incomplete(Exception):
    """The delivery is not complete yet. Says how that shows."""


class Origin(Protocol):
    """One delivery, wherever it lies. `str` of it is shown to people: it holds no secret.

    Each method raises Unreachable, NotAgreed or OSError where there is no answer.
    """

    @property
    def name(self) -> str:
        """What the delivery is called."""
        ...

    def is_there(self) -> bool:
        """Whether it has been delivered."""
        ...

    def incomplete(self) -> str:
        """Why it is not complete yet, or nothing."""
        ...

    def stamp(self) -> tuple[object, ...]:
        """What tells whether it is still the same delivery. Raises FileNotFoundError where it is gone."""
        ...

    def arrived(self) -> datetime | None:
        """When it was complete, as its place states; None where the place does not."""
        ...

    def fetch(self, target: Path) -> None:
        """Write it to `target`, an empty private file. A file of this machine is read where it lies."""
        ...


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine, with the flag that says that it is complete."""

    path: Path
    flag: Path | None = None

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.name

    def is_there(self) -> bool:
        """Whether there is such a file."""
        return self.path.is_file()

    def incomplete(self) -> str:
        """Why it is not complete yet: its flag is not there."""
        return without_flag(self.flag.name) if self.flag is not None and not self.flag.is_file() else ""

    def stamp(self) -> tuple[object, ...]:
        """Which file it is, how long and from when."""
        stat = self.path.stat()
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def arrived(self) -> datetime | None:
        """When it and its flag were last written."""
        paths = [self.path, *([self.flag] if self.flag else [])]
        return instant(max(path.stat().st_mtime for path in paths))

    def fetch(self, target: Path) -> None:
        """Nothing: it is read where it lies."""


def without_flag(name: str) -> str:
    """Words for a flag file that is not there."""
    return f"the flag file {name} is not there: not complete yet"


@dataclass
class Staging:
    """Private copies of what is delivered elsewhere, in the vault zone; all gone when the `with` ends.

    A delivery that is asked for twice, as one that others are read together with, is fetched once as long as it stays
    the same.
    """

    vault: Path
    _stack: ExitStack = field(default_factory=ExitStack)
    _room: Path | None = None
    _held: dict[Path, tuple[object, ...]] = field(default_factory=dict)

    def __enter__(self) -> Staging:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._room = None
        self._held.clear()

    def path(self, origin: Origin, key: str) -> Path:
        """Where the copy of the origin lies; `key` tells it from every other."""
        if self._room is None:
            self._room = self._stack.enter_context(scratch(self.vault))
        return self._room / hashlib.sha256(key.encode()).hexdigest()[:16] / origin.name.replace("/", "_")

    def fetch(self, origin: Origin, path: Path, stamp: tuple[object, ...]) -> None:
        """Fetch what bears `stamp` to `path`, unless that is there already."""
        if self._held.get(path) == stamp:
            return
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
        origin.fetch(path)
        self._held[path] = stamp


def shown(url: str) -> str:
    """`url` without who asks and what else it states: neither a user nor a password nor a signature."""
    return re.sub(r"[?#].*", "", re.sub(r"(://)[^/?#]*@", r"\1", url))


def scrubbed(error: object, *secrets: str | None) -> str:
    """The first line of what an error says, without any secret or the user and query of an address."""
    text = (str(error).splitlines() or [type(error).__name__])[0] or type(error).__name__
    for secret in sorted({secret for secret in secrets if secret}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"(://)[^/\s]*@", r"\1", re.sub(r"(://[^\s?]*)\?[^\s'\")]*", r"\1", text))
