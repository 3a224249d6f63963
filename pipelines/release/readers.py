"""Who reads a release now: processes that hold a lock on it, or have one of its files open.

A reader that wants a release to stay holds a shared lock (flock) on its directory, or on one below it: `reading` does,
and so does `flock --shared DIR command`. Who holds none is found by what it has open: a DuckDB connection locks its
file, and the files of every process that this user may look into stand in /proc. Belongs here: finding readers. Does
not belong here: what is removed (`retention`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.settings import InputError

_PROCESSES = Path("/proc")


@contextmanager
def reading(release: Path) -> Iterator[None]:
    """Keep a release from being removed while it is read. Raises InputError where it is gone."""
    try:
        descriptor = os.open(release, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"{release.name} is not there any more: name another release") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if not release.is_dir():  # it was removed while this waited
            raise InputError(f"{release.name} is not there any more: name another release")
        yield
    finally:
        os.close(descriptor)


def live_readers(releases: Sequence[Path]) -> dict[Path, list[str]]:
    """Who reads each release, in plain words; nothing where nobody is found."""
    found = {release: {f"{name} is locked" for name in _locked(release)} for release in releases}
    for release, process, name in _open_files(releases):
        found[release].add(f"process {process} has {name} open")
    return {release: sorted(words) for release, words in found.items()}


def _locked(release: Path) -> Iterator[str]:
    """What of a release somebody holds a lock on."""
    for path in (release, *sorted(release.rglob("*"))):
        if path.is_symlink():
            continue
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.is_file():  # DuckDB locks by the other kind of lock
                    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield "its directory" if path == release else path.relative_to(release).as_posix()
            finally:
                os.close(descriptor)


def _open_files(releases: Sequence[Path]) -> Iterator[tuple[Path, int, str]]:
    """What of each release a process has open, or in memory; but of processes that may not be looked into."""
    below = {f"{release.resolve()}/": release for release in releases}
    for process in (int(path.name) for path in _PROCESSES.glob("[0-9]*")) if below else ():
        for name in {*_descriptors(process), *_mapped(process)}:
            for start, release in below.items():
                if f"{name}/".startswith(start):
                    yield release, process, name.removeprefix(start) if len(name) > len(start) else "its directory"


def _descriptors(process: int) -> Iterator[str]:
    with suppress(OSError):
        for entry in (_PROCESSES / str(process) / "fd").iterdir():
            with suppress(OSError):
                yield str(entry.readlink())
    with suppress(OSError):
        yield str((_PROCESSES / str(process) / "cwd").readlink())


def _mapped(process: int) -> Iterator[str]:
    with suppress(OSError):
        for line in (_PROCESSES / str(process) / "maps").read_text(errors="replace").splitlines():
            yield line.partition("/")[1] + line.partition("/")[2]
