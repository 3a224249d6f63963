"""A night that something happens to: starting it, ending it, and what must hold whatever happened.

Belongs here: real processes in a home of their own. Does not belong here: the faults.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import duckdb
from project import project_catalog

from pipelines.release.catalogue import MANIFEST, POINTER, current, read_release, verify_release
from pipelines.settings import PROJECT, Home

_ROOM_MB = 1500
_READER = Path(__file__).with_name("reader.py")
CONSUMERS = ("marketing", "risk")
NAME, EVE, DATE = "xiaocheng", "2025-12-30", "2025-12-31"
VAULT_KEY = "5a" * 32
PUBLIC_DATA = Path(os.environ.get("ZHONGTAI_PUBLIC_DATA") or PROJECT.parent / "shared" / "data")


@dataclass(frozen=True)
class Bank:
    """A home before its last night; the release that night comes to, how long it takes, and when its steps begin."""

    eve: Path
    eve_release: str
    release: str
    published: dict[str, str]
    seconds: float
    steps: dict[str, float]


def command(home: Path, *arguments: str) -> list[str]:
    """The platform's command as a user calls it."""
    return [str(Path(sys.executable).with_name("zhongtai")), "--home", str(home), *arguments]


def environment() -> dict[str, str]:
    """That of a run of the platform."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("ZHONGTAI_", "DAGSTER_"))}
    return inherited | {"ZHONGTAI_VAULT_KEY": VAULT_KEY, "ZHONGTAI_PUBLIC_DATA": str(PUBLIC_DATA)}


def made(place: Path) -> dict[str, Any]:
    """The bank in `place`, as a table for JSON."""
    ready = Place(place / "eve", place / "home")
    _ran(ready.home, "backfill", "--bank", NAME, "--to", EVE)
    ready.keep()
    home = ready.home
    started, steps = time.perf_counter(), {}
    process = subprocess.Popen(
        command(home, "nightly", "--bank", NAME, "--date", DATE), env=environment(), stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    for said in process.stderr:
        if begun := re.fullmatch(r"(\S.+) \.\.\.\n", said):
            steps[begun[1]] = time.perf_counter() - started
    assert process.wait() == 0
    seconds = time.perf_counter() - started
    names = [current(Home(each)).id for each in (ready.eve, home)]
    published = published_bytes(home)
    shutil.rmtree(home)
    return asdict(Bank(str(ready.eve), *names, published, seconds, steps))


def read_back(table: dict[str, Any]) -> Bank:
    """The bank of such a table."""
    return Bank(**{**table, "eve": Path(table["eve"])})


@dataclass(frozen=True)
class Place:
    """A path where one home after the other is as on the eve. What is known of the project is known of a home at its
    path: a night elsewhere would read it anew."""

    eve: Path
    home: Path

    @classmethod
    def like(cls, bank: Bank, place: Path) -> Place:
        """One for a worker, where the night of the eve was run once more."""
        mine = cls(bank.eve, place / "home")
        _ran(mine.fresh(), "nightly", "--bank", NAME, "--date", EVE)
        mine = cls(place / "eve", mine.home)
        mine.keep()
        assert current(Home(mine.eve)).id == bank.eve_release
        return mine

    def keep(self) -> None:
        """The home as it is now is what it was on the eve."""
        shutil.copytree(self.home, self.eve, symlinks=True)

    def fresh(self) -> Path:
        """The home as it was on the eve, whatever became of it."""
        if self.home.exists():
            shutil.rmtree(self.home)
        return Path(shutil.copytree(self.eve, self.home, symlinks=True))


def _ran(home: Path, *arguments: str) -> None:
    done = subprocess.run(command(home, *arguments), env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def published_bytes(home: Path) -> dict[str, str]:
    """Hash of every Parquet file of the current release."""
    release = current(Home(home))
    files = sorted(release.path.rglob("*.parquet"))
    return {f"{path.relative_to(release.path)}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class Night:
    """The last night of the bank in a home of its own; `faults`, `lost` and `torn` are counted for the table."""

    def __init__(self, bank: Bank, home: Path) -> None:
        self.bank, self.home = bank, home
        self.faults, self.lost, self.torn = 1, 0, 0
        self.read: set[str] = set()  # the releases that readers saw
        self.during: str | None = None  # the step that the fault fell into, where that was not chosen
        self._running: list[subprocess.Popen[str]] = []

    def start(self, *before: str, **more: str) -> subprocess.Popen[str]:
        """Start the night in a session of its own; `before` are words before the command, `more` its environment."""
        process = subprocess.Popen(
            [*before, *command(self.home, "nightly", "--bank", NAME, "--date", DATE)], env=environment() | more,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self._running.append(process)
        return process

    def end(self) -> None:
        """Kill what this night started and is still there."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def run(self, *before: str, **more: str) -> tuple[int, str]:
        """The night to its end: its exit code, and what it said on standard error."""
        process = self.start(*before, **more)
        _, said = process.communicate()
        return process.returncode, said

    def check(self, *expected: str) -> str:
        """The current release verifies and nothing is half visible; it is one of those expected: if none is named, the
        release of the eve or that of the night. Gives its id."""
        release = current(Home(self.home))
        if release is None or verify_release(release, project_catalog()):
            self.lost += 1
        assert release is not None, "no release is current"
        assert verify_release(release, project_catalog()) == []
        assert release.id in (expected or (self.bank.eve_release, self.bank.release))
        for path in (self.home / "releases").iterdir():
            if path.name == POINTER or path.name.startswith("."):
                continue
            assert (path / MANIFEST).is_file(), f"{path.name} is half there"
            assert verify_release(read_release(path), project_catalog()) == []
        for consumer in CONSUMERS:
            self.torn += self._read(consumer) != release.id
        assert self.torn == 0
        return release.id

    def finish(self) -> None:
        """The next plain night completes, with the release of an undisturbed one."""
        self.complete()
        self.check(self.bank.release)

    def complete(self) -> None:
        """The next plain night completes, with the bytes of an undisturbed one, and leaves nothing half done."""
        code, said = self.run()
        assert code == 0, said
        assert published_bytes(self.home) == self.bank.published
        left = [path.name for path in (self.home / "releases").iterdir() if path.name.startswith(".")]
        assert (left, list((self.home / "candidates").iterdir())) == ([], [])

    @contextmanager
    def read_by(self, readers: int) -> Iterator[None]:
        """So many programs read what is current, over and over, for as long as the `with` lasts; what is torn is
        counted. Each consumer has readers."""
        releases, told = self.home / "releases", []
        with ExitStack() as reading:
            started = [reading.enter_context(_reader(releases, CONSUMERS[n % 2])) for n in range(readers)]
            try:
                yield
            finally:
                told = [reader.communicate() for reader in started]
        assert {reader.returncode for reader in started} == {0}, told
        found = [json.loads(said) for said, _ in told]
        self.torn += sum(len(one["torn"]) for one in found)
        self.read |= {name for one in found for name in one["releases"]}
        assert self.torn == 0, found

    def kill_at(self, seconds: float, victims: tuple[str, ...]) -> bool:
        """Start the night and kill it where an undisturbed one is after so many seconds; whether it was there still.

        Where this one is slower its steps say how far it is.
        """
        reached = [(begins, step) for step, begins in self.bank.steps.items() if begins <= seconds]
        begins, self.during = max(reached, default=(0.0, "starting"))
        started = time.perf_counter()
        process = self.start()
        if reached and not until(process.stderr, f"{self.during} ..."):
            return False
        slower = (time.perf_counter() - started) / begins if reached else 1.0
        try:
            process.communicate(timeout=(seconds - begins) * slower)
        except subprocess.TimeoutExpired:  # it has not ended by then, as is meant
            found = processes_of(process)
            end_at_once([found[name] for name in victims if name in found] or [process.pid])
            process.communicate()
            return True
        return False

    def _read(self, consumer: str) -> str:
        path = self.home / "releases" / POINTER / consumer / f"{consumer}.duckdb"
        with closing(duckdb.connect(str(path.resolve()), read_only=True)) as con:
            return con.execute("select release_id from release").fetchall()[0][0]


def _reader(releases: Path, consumer: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(_READER), str(releases), consumer],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def processes_of(night: subprocess.Popen[str]) -> dict[str, int]:
    """The process of a night and, where it has started, that of dbt."""
    found = {"the night": night.pid}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, parent = int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[1])
            if parent == night.pid and b"dbt_process.py" in (path.parent / "cmdline").read_bytes():
                found["dbt"] = pid
        except (OSError, ValueError, IndexError):  # it has ended meanwhile
            continue
    return found


def end_at_once(pids: list[int]) -> None:
    """End processes at once."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def until(stream: TextIO, line: str) -> bool:
    """Read on until `line` was said; whether it was."""
    return any(said.rstrip("\n") == line for said in stream)


@dataclass(frozen=True)
class Disk:
    """A disk of its own, mounted at `place`."""

    place: Path

    def change(self, options: str) -> None:
        """Mount it anew, for example with `ro`, or with `size=300m`."""
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.place)], check=True)

    def leave(self, megabytes: int) -> None:
        """Make it as small as leaves so much free."""
        found = os.statvfs(self.place)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize >> 20
        self.change(f"size={used + 1 + megabytes}m")

    def widen(self) -> None:
        """Make it as large as any night needs."""
        self.change(f"rw,size={_ROOM_MB}m")


@contextmanager
def small_disk(place: Path) -> Iterator[Disk]:
    """A disk in memory at `place`, for as long as the `with` lasts."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_ROOM_MB}m,mode=700", "tmpfs", str(place)], check=True)
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
