"""Sealed rows: they come back as they were, for the key they were sealed with, at the place they were sealed for."""

from __future__ import annotations

import json
import shutil
import stat

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.vault import originals
from pipelines.vault.keys import KeyRing

RING = KeyRing(bytes(range(32)))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ROWS = st.lists(st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.none())), max_size=5)
PLACE = ("core.party", "core", "2030-01-07.sealed")


def sealed(root, rows, place=PLACE, ring=RING):
    path = root.joinpath(*place)
    originals.keep(path, rows, ring)
    return path


@settings(suppress_health_check=list(HealthCheck), max_examples=60)
@given(rows=ROWS)
def test_rows_come_back_as_they_were(tmp_path, rows):
    path = sealed(tmp_path, rows)
    assert originals.read(path, RING) == rows
    content = path.read_bytes()
    assert sealed(tmp_path, rows).read_bytes() == content
    for row in rows:
        assert len(line := json.dumps(row, ensure_ascii=False).encode()) < 8 or line not in content


def test_characters_that_some_take_for_line_ends_are_kept(tmp_path):
    rows = [{"name": f"a{end}b"} for end in "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"]
    assert originals.read(sealed(tmp_path, rows), RING) == rows


def test_only_the_owner_may_read_the_file(tmp_path):
    path = sealed(tmp_path, [{"a": "b"}])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and [*path.parent.iterdir()] == [path]


def test_whatever_is_changed_it_does_not_open(tmp_path):
    path = sealed(tmp_path, [{"name": "Ann Example"}])
    content = path.read_bytes()
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(InvalidTag):
            originals.read(path, RING)
    path.write_bytes(content[:-1])
    with pytest.raises(InvalidTag):
        originals.read(path, RING)


def test_with_another_key_or_at_another_place_it_does_not_open(tmp_path):
    path = sealed(tmp_path, [{"name": "Ann Example"}])
    with pytest.raises(InvalidTag):
        originals.read(path, KeyRing(bytes(32)))
    for place in (("core.account", *PLACE[1:]), ("core.party", "other", PLACE[2]), (*PLACE[:2], "2030-01-08.sealed")):
        moved = tmp_path.joinpath(*place)
        moved.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, moved)
        with pytest.raises(InvalidTag):
            originals.read(moved, RING)
    home = tmp_path / "restored"
    shutil.copytree(tmp_path / "core.party", home / "core.party")  # a home may move as a whole
    assert originals.read(home.joinpath(*PLACE), RING) == [{"name": "Ann Example"}]


def test_no_two_contents_or_places_share_a_nonce(tmp_path):
    paths = [sealed(tmp_path, [{"a": str(n)}], (*PLACE[:2], f"{p}.sealed")) for n in range(5) for p in "xy"]
    contents = []
    for n in range(5):
        for p in "xy":
            contents.append(sealed(tmp_path, [{"a": str(n)}], (*PLACE[:2], f"{p}.sealed")).read_bytes()[:12])
    assert len(set(contents)) == len(paths) == 10
