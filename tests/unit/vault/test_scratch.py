"""Room for spilled raw values: private, gone afterwards, and cleared of what killed processes left."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest

from pipelines.vault.scratch import scratch


def test_the_room_is_private_and_gone_afterwards(tmp_path):
    with scratch(tmp_path) as room:
        (room / "spill").write_bytes(b"raw")
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
        with scratch(tmp_path) as other:
            assert other != room
        assert (room / "spill").exists()
    with pytest.raises(KeyError), scratch(tmp_path) as room:
        (room / "spill").write_bytes(b"raw")
        raise KeyError
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_killed_processes_left_is_cleared_and_others_are_left_alone(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living:
        for name in (dead.pid, living.pid, "of nobody"):
            (tmp_path / "tmp" / str(name)).mkdir(parents=True)
        with scratch(tmp_path) as room:
            assert {path.name for path in (tmp_path / "tmp").iterdir()} == {str(living.pid), room.name}
            assert room.name.startswith(f"{os.getpid()}.")
        living.communicate(b"\n")
