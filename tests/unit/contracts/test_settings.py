"""Where things are: the environment, and the home of one bank."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pipelines.settings import PROJECT, Home, InputError, Settings, half_of_memory, write_private
from pipelines.vault.key_file import append
from pipelines.vault.keys import KeyRing


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ZHONGTAI_"):
            monkeypatch.delenv(name)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Settings().home.path == PROJECT / "var"
    monkeypatch.setenv("ZHONGTAI_HOME", str(tmp_path))
    assert Settings().home.path == tmp_path


def test_an_empty_variable_is_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGTAI_HOME", "")
    monkeypatch.setenv("ZHONGTAI_VAULT_KEY", "")
    assert Settings().home.path == PROJECT / "var", "not whatever directory happens to be the working one"
    assert Settings().vault_key is None


@pytest.mark.parametrize("told", ["max", "999999999999999999", None])
def test_duckdb_may_use_half_of_what_the_machine_has(tmp_path: Path, told: str | None) -> None:
    limit = tmp_path / "memory.max"
    if told:
        limit.write_text(f"{told}\n", "ascii")
    has = int(next(line for line in Path("/proc/meminfo").read_text().splitlines() if "MemTotal" in line).split()[1])
    assert half_of_memory(limit) == pytest.approx(has * 1024 / 2, rel=0.01)


def test_duckdb_may_use_half_of_what_a_container_may_have(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text(f"{2**30}\n", "ascii")
    assert half_of_memory(tmp_path / "memory.max") == 2**29
    assert Settings().memory_limit.endswith("MiB")


def test_a_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGTAI_VAULT_KEY", "c0ffee")
    assert "c0ffee" not in repr(Settings())


def test_a_home_belongs_to_one_bank(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare("one")
    home.prepare("one")
    with pytest.raises(InputError, match=r"is the home of bank 'one', not 'another'.*--home or ZHONGTAI_HOME"):
        home.prepare("another")
    assert home.bank() == "one"


def test_a_home_of_nobody(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not the home of a bank yet: name one with --bank$"):
        Settings(home_dir=tmp_path).bank_name()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_home_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        home = Home(tmp_path / "home")
        home.prepare("one")
        write_private(home.control / "note", b"x")
    finally:
        os.umask(before)
    assert mode(home.path) == mode(home.releases) == 0o711
    others = [path for path in home.path.rglob("*") if path != home.releases]
    assert {mode(path) for path in others if path.is_dir()} == {0o700}
    assert {mode(path) for path in others if path.is_file()} == {0o600}


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "note"
    write_private(path, b"before")

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_private(path, b"after")
    assert path.read_bytes() == b"before"


@pytest.mark.parametrize("name", ["a file", "a first key", "another key"])
def test_after_a_power_cut_what_was_written_is_there_under_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content is made durable, and then the directory, which holds the name."""
    if name == "another key":
        KeyRing.open(tmp_path / "vault", None)
    synced, sync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda at: (synced.append(Path(f"/proc/self/fd/{at}").readlink()), sync(at)))
    match name:
        case "a file":
            write_private(tmp_path / "told.json", b"{}")
            last, directory = tmp_path / "told.json", tmp_path
        case "a first key":
            KeyRing.open(tmp_path / "vault", None)
            last, directory = tmp_path / "vault" / "master.key", tmp_path / "vault"
        case _:
            append(tmp_path / "vault")
            last, directory = tmp_path / "vault" / "master.key", tmp_path / "vault"
    file, then = synced[:2]
    assert file.name.startswith(f".{last.name}.") and then == directory
    assert last.exists()
