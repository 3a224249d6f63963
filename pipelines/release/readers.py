"""Who reads a release now: processes that hold a lock on it, or have one of its files open.

A reader that wants a release to stay holds a shared lock (flock) on its directory, or on one below it: `reading` does,
and so does `flock --shared DIR command`. Who holds none is found by what it has open: a DuckDB connection locks its
file, and the files of every process that this user may look into stand in /proc. Of the others it is known who they
are, and so what modes let them read; root, whom no mode keeps out, is taken to read nothing. Belongs here: finding
readers, and who might be one. Does not belong here: what is removed (`retention`).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import InputError

_PROCESSES = Path("/proc")
_ROOT = 0
_READ, _PASS = 0o4, 0o1
_ACCESS_LIST = "system.posix_acl_access"


@dataclass(frozen=True)
class Unseen:
    """A process that this user may not look into, and as whom it reads."""

    process: int
    user: int
    groups: frozenset[int]

    def may_read(self, release: Path) -> bool:
        """Whether modes let it read any file of a release."""
        if not all(self._may(_PASS, path) for path in (release, *release.parents)):
            return False
        return any(self._may(_READ, path) for path in release.rglob("*") if path.is_file() and not path.is_symlink())

    def _may(self, what: int, path: Path) -> bool:
        found = path.stat()
        bits = found.st_mode >> (6 if self.user == found.st_uid else 3 if found.st_gid in self.groups else 0)
        # Where an access list has the word as well, it is taken to say yes.
        return bool(bits & what) or _has_access_list(path)


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


def unseen() -> list[Unseen]:
    """Processes of users other than root that this one may not look into."""
    found = []
    for process in _processes():
        try:
            next((_PROCESSES / str(process) / "fd").iterdir(), None)
        except PermissionError:
            with suppress(OSError):
                found.append(_identified(process))
        except OSError:
            continue  # it has ended
    return [one for one in found if one.user != _ROOT]


def possible_readers(releases: Sequence[Path], processes: Sequence[Unseen]) -> dict[Path, list[str]]:
    """Of each release, which of `processes` may read anything of it, in plain words; nothing where none may."""
    told = {}
    for release in releases:
        names = [f"process {one.process} of user {one.user}" for one in processes if one.may_read(release)]
        told[release] = [f"{', '.join(names)} may be reading it, and cannot be looked into"] if names else []
    return told


def _identified(process: int) -> Unseen:
    lines = (_PROCESSES / str(process) / "status").read_text().splitlines()
    said = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    # Real, effective, saved, and the one that files are opened by.
    return Unseen(process, int(said["Uid"][3]), frozenset(map(int, (said["Gid"][3], *said["Groups"]))))


def _has_access_list(path: Path) -> bool:
    try:
        return _ACCESS_LIST in os.listxattr(path)
    except OSError:
        return False


def _processes() -> list[int]:
    return [int(path.name) for path in _PROCESSES.glob("[0-9]*")]


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
    for process in _processes() if below else ():
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
