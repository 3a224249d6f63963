"""Readers of a release are found, whichever way they read; a release under removal is not begun to be read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipelines.release.readers import live_readers, reading
from pipelines.settings import InputError

# Each program holds something of the release named by its argument, says so, and waits for its input to end.
WAIT = "print('ready', flush=True); sys.stdin.read()"
HOLDING = {
    "a connection": "import duckdb, sys; c = duckdb.connect(sys.argv[1] + '/risk/risk.duckdb', read_only=True)",
    "an open file": "import sys; f = open(sys.argv[1] + '/risk/rows.parquet', 'rb')",
    "a file in memory": (
        "import mmap, sys; f = open(sys.argv[1] + '/risk/rows.parquet', 'rb'); "
        "m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); f.close()"
    ),
    "a lock on a directory": (
        "import fcntl, os, sys; d = os.open(sys.argv[1], os.O_RDONLY); fcntl.flock(d, fcntl.LOCK_SH)"
    ),
    "a lock on its own directory": (
        "import fcntl, os, sys; d = os.open(sys.argv[1] + '/risk', os.O_RDONLY); fcntl.flock(d, fcntl.LOCK_SH)"
    ),
    "a working directory": "import os, sys; os.chdir(sys.argv[1] + '/risk')",
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A directory with the files of a consumer."""
    path = tmp_path / "1994-03-31-000000000000"
    (path / "risk").mkdir(parents=True)
    (path / "risk" / "rows.parquet").write_bytes(b"rows")
    with duckdb.connect(str(path / "risk" / "risk.duckdb")) as con:
        con.execute("create table t as select 1 as n")
    return path


def found(release: Path) -> list[str]:
    """Who reads one release."""
    return live_readers([release])[release]


@contextmanager
def running(program: str, release: Path) -> Iterator[int]:
    """A process that holds something, for as long as the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-c", f"{program}; {WAIT}", str(release)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize("way", HOLDING)
def test_whoever_reads_is_found_and_is_gone_afterwards(release: Path, way: str) -> None:
    assert found(release) == []
    with running(HOLDING[way], release) as process:
        told = found(release)
        assert any(f"process {process} has" in words for words in told), told
        assert any("is locked" in words for words in told) == ("lock" in way or way == "a connection"), told
    assert found(release) == []


def test_a_reader_of_another_release_is_not_meant(release: Path) -> None:
    other = release.with_name(f"{release.name}0")  # a name that begins alike
    release.rename(other)
    release.mkdir()
    with running(HOLDING["an open file"], other):
        assert found(release) == []
        assert found(other)


def test_reading_holds_it_and_refuses_what_is_gone(release: Path) -> None:
    with reading(release):
        assert "its directory is locked" in found(release)
    assert found(release) == []
    with pytest.raises(InputError, match="is not there any more: name another release"), reading(release / "gone"):
        pass
