"""Deliveries at a URL: whatever fsspec reaches, an object store, SFTP or a web server.

What belongs here: asking for a file at a URL and fetching it. What does not: addresses and secrets. They come from the
environment, those of a place through `{env:NAME}`, those of a protocol through fsspec's own
`FSSPEC_<PROTOCOL>_<OPTION>`. fsspec is imported at the first use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pipelines.ingest.arrival import instant
from pipelines.ingest.origin import Unreachable, scrubbed, shown, without_flag

# What a store says of a file that changes when the file does; each store says some of it.
_MARKS = ("size", "ETag", "VersionId", "LastModified", "Last-Modified", "Content-MD5", "Digest", "mtime", "created")
_TIMES = ("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created")
_CHECK = "check the address and the access in the environment and run the night again"


@dataclass(frozen=True, repr=False)
class RemotePlace:
    """A URL below which a bank delivers."""

    url: str

    def __str__(self) -> str:
        return shown(self.url)

    __repr__ = __str__

    def file(self, path: str, flag: str | None = None) -> RemoteFile:
        """The file at `path` below the place."""
        return RemoteFile(self._below(path), self._below(flag) if flag else None)

    def is_dir(self) -> bool:
        """Whether the place answers and is there."""
        try:
            system, path = _system(self.url)
            return bool(system.exists(path))
        except Exception:  # each protocol fails in its own way; why is told by the run
            return False

    def _below(self, path: str) -> str:
        base, mark, query = self.url.partition("?")
        return f"{base.rstrip('/')}/{path}{mark}{query}"


@dataclass(frozen=True, repr=False)
class RemoteFile:
    """One file at a URL, and the flag beside it."""

    url: str
    flag: str | None = None

    def __str__(self) -> str:
        return shown(self.url)

    __repr__ = __str__

    @property
    def name(self) -> str:
        """The last part of the path."""
        return shown(self.url).rpartition("/")[2]

    def is_there(self) -> bool:
        """Whether the store has such a file. Raises Unreachable where it does not say."""
        return _info(self.url) is not None

    def incomplete(self) -> str:
        """Why it is not complete yet: its flag is not there."""
        return without_flag(shown(self.flag).rpartition("/")[2]) if self.flag and _info(self.flag) is None else ""

    def stamp(self) -> tuple[object, ...]:
        """Its size, time and tag, as far as the store states them."""
        info = _info(self.url)
        if info is None:
            raise FileNotFoundError(str(self))
        return tuple(str(info.get(mark)) for mark in _MARKS)

    def arrived(self) -> datetime | None:
        """When it and its flag were last written, where the store states both."""
        stated = []
        for url in (self.url, *([self.flag] if self.flag else [])):
            info = _info(url) or {}
            stated.append(next((at for mark in _TIMES if (at := instant(info.get(mark)))), None))
        return None if None in stated else max(at for at in stated if at is not None)

    def fetch(self, target: Path) -> None:
        """Write the file to `target`."""
        try:
            system, path = _system(self.url)
            system.get_file(path, str(target))
        except (FileNotFoundError, Unreachable):
            raise
        except Exception as error:
            raise _unreachable(self.url, error) from None


def _info(url: str) -> dict[str, Any] | None:
    """What the store says of a file; None where it has none."""
    try:
        system, path = _system(url)
        system.invalidate_cache()
        info = system.info(path)
    except FileNotFoundError as error:
        # A web server that does not answer is told as a file that is not there.
        cause = error.__cause__
        if type(cause).__module__.startswith("aiohttp") and getattr(cause, "status", 0) not in (404, 410):
            raise _unreachable(url, cause) from None
        return None
    except Unreachable:
        raise
    except Exception as error:
        raise _unreachable(url, error) from None
    return info if info.get("type", "file") == "file" else None


def _system(url: str) -> tuple[Any, str]:
    """The file system of a URL and the path in it."""
    import fsspec
    from fsspec.config import conf

    options = {}
    if urlsplit(url).scheme in ("sftp", "ssh") and "host_key_policy" not in conf.get("sftp", {}):
        options["host_key_policy"] = _known_hosts()
    try:
        return fsspec.url_to_fs(url, **options)
    except ImportError as error:
        raise Unreachable(scrubbed(error), "install it, or the project with its extra `remote`") from None
    except ValueError as error:
        raise Unreachable(scrubbed(error), _CHECK) from None


def _known_hosts() -> Any:
    """Refuses a server whose key is not in `~/.ssh/known_hosts`; fsspec would trust any."""
    import paramiko

    class KnownHosts(paramiko.MissingHostKeyPolicy):
        def missing_host_key(self, _: Any, hostname: str, key: Any) -> None:
            known = Path("~/.ssh/known_hosts").expanduser()
            if not known.is_file() or not paramiko.HostKeys(str(known)).check(hostname, key):
                raise paramiko.SSHException(f"the key of {hostname} is not in {known}")

    return KnownHosts()


def _unreachable(url: str, error: object) -> Unreachable:
    from fsspec import get_filesystem_class

    parts = urlsplit(url)
    get_filesystem_class(parts.scheme).clear_instance_cache()  # a connection that broke is not used again
    said = scrubbed(error, parts.password, unquote(parts.password or ""), parts.username, parts.query)
    status = getattr(error, "status", None)
    if isinstance(status, int):
        said = f"the server answers {status} {re.sub('[^ -~]', '', getattr(error, 'message', ''))}".rstrip()
    return Unreachable(said, _CHECK)
