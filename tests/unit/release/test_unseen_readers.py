"""Where processes of others cannot be looked into, only what modes keep them from is known not to be read.

The tests give themselves the rights of somebody else, for which they have to be root.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.release.catalogue import MANIFEST, RUN, release_id
from pipelines.release.readers import possible_readers, unseen
from pipelines.release.retention import LATEST, MONTHS, plan, remove
from pipelines.settings import Home

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
OWNER, READER, STRANGER, GROUP = 64001, 64002, 64003, 64100
OLD, NEW = (release_id({"business_date": day}) for day in ("2025-01-01", "2025-01-02"))
POLICY = {LATEST: 1.0, MONTHS: 0.0}


@contextmanager
def being(user: int) -> Iterator[None]:
    """With the rights of a user in no group but his own."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


@contextmanager
def process_of(user: int, path: Path, *groups: int) -> Iterator[int]:
    """A process of a user that has a file open and holds no lock on it."""
    with path.open("rb") as file:
        process = subprocess.Popen(["sleep", "60"], stdin=file, user=user, group=user, extra_groups=groups)
    with process:
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.fixture
def home() -> Iterator[Home]:
    """A home of OWNER with two releases, of which GROUP may read one consumer's files; the later one is current."""
    with tempfile.TemporaryDirectory() as folder:
        found = Home(Path(folder) / "home")
        for name in (OLD, NEW):
            release = found.releases / name
            (release / "risk").mkdir(parents=True)
            (release / MANIFEST).write_text(json.dumps({"business_date": name[:10]}))
            (release / RUN).write_text(json.dumps({"published_at": name[:10]}))
            (release / "risk" / "rows.parquet").write_bytes(b"rows")
            for path in (release, *release.rglob("*")):
                os.chown(path, OWNER, GROUP if path.parent != found.releases else OWNER)
                path.chmod(0o600 if path.name in (MANIFEST, RUN) else 0o640 if path.is_file() else 0o750)
            release.chmod(0o711)
        (found.releases / "current").symlink_to(NEW)
        for path in (Path(folder), found.path, found.releases):
            os.chown(path, OWNER, OWNER)
            path.chmod(0o711)
        with being(OWNER):
            try:
                list(found.releases.iterdir())
            except PermissionError:
                pytest.skip(f"{folder} cannot be reached by others")
        yield found


def kept(home: Home, **options: bool) -> dict[str, tuple[str, ...]]:
    """Why each release is kept, as OWNER finds it."""
    with being(OWNER):
        return {fate.release.id: fate.reasons for fate in plan(home, POLICY, **options)}


def test_what_the_group_of_a_hidden_process_may_read_stays(home: Home) -> None:
    with process_of(READER, home.releases / OLD / "risk" / "rows.parquet", GROUP) as reader:
        (words,) = kept(home)[OLD]
        assert f"process {reader} of user {READER}" in words
        assert words.endswith("may be reading it, and cannot be looked into")
        with being(OWNER):
            assert [fate.kept for fate in remove(home, POLICY)] == [True, True]
        assert kept(home, in_doubt=True)[OLD] == ()
        with being(OWNER):
            assert [fate.kept for fate in remove(home, POLICY, in_doubt=True)] == [False, True]
    assert not (home.releases / OLD).exists()


def test_whom_modes_keep_out_is_no_doubt_but_is_counted(home: Home) -> None:
    with process_of(STRANGER, home.releases / OLD / "risk" / "rows.parquet") as stranger:
        with being(OWNER):
            hidden = unseen()
        assert stranger in {one.process for one in hidden} and 0 not in {one.user for one in hidden}
        assert not any(f"process {stranger} " in words for words in kept(home)[OLD])
        (home.releases / OLD / "risk" / "rows.parquet").chmod(0o644)
        assert any(f"process {stranger} " in words for words in kept(home)[OLD])
        home.path.chmod(0o700)
        assert kept(home)[OLD] == (), "nobody else passes through the home"


def test_owner_only_is_nobody_elses(home: Home) -> None:
    for path in (home.releases / OLD).rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    with process_of(READER, home.releases / OLD / "risk" / "rows.parquet", GROUP):
        assert kept(home)[OLD] == ()


def test_whoever_may_look_into_it_sees_who_reads(home: Home) -> None:
    path = home.releases / OLD / "risk" / "rows.parquet"
    with process_of(READER, path, GROUP) as reader:
        assert reader not in {one.process for one in unseen()}
        assert possible_readers([home.releases / OLD], unseen())[home.releases / OLD] == []
        assert {f.release.id: f.reasons for f in plan(home, POLICY)}[OLD] == (
            f"process {reader} has risk/rows.parquet open",
        )
