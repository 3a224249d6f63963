"""The form of archives: other programs read it, and the reader takes no byte that the writer would not write."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.release.verifier.archive import Broken, read_archive, write_archive

NAMES = st.from_regex(r"[a-z0-9._-]{1,40}(/[a-z0-9._-]{1,25}){0,2}", fullmatch=True)
ANY_NAMES = st.text(st.characters(max_codepoint=0x17F, exclude_characters="\0"), max_size=110) | NAMES
FILES = st.dictionaries(NAMES, st.binary(max_size=1500), max_size=5)


def written(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    write_archive(out, ((name, len(files[name]), [files[name]]) for name in sorted(files)))
    return out.getvalue()


def read(archive: bytes) -> dict[str, bytes]:
    return {name: archive[at : at + size] for name, at, size in read_archive(io.BytesIO(archive), "it")}


@given(FILES)
def test_what_was_written_is_read(files: dict[str, bytes]) -> None:
    assert read(written(files)) == files


@given(ANY_NAMES)
def test_whatever_name_is_written_is_read(name: str) -> None:
    try:
        archive = written({name: b"x"})
    except ValueError as error:
        assert "does not fit into an archive" in str(error)
    else:
        assert read(archive) == {name: b"x"}


@given(FILES)
def test_other_programs_read_it(files: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(written(files))) as archive:
        members = archive.getmembers()
        assert [(m.name, m.size, m.mode, m.uid, m.gid, m.mtime, m.uname, m.gname) for m in members] == [
            (name, len(files[name]), 0o644, 0, 0, 0, "", "") for name in sorted(files)
        ]
        assert {m.name: archive.extractfile(m).read() for m in members} == files


@given(FILES, st.data())
def test_a_byte_changed_is_read_as_other_content_or_refused(files: dict[str, bytes], data: st.DataObject) -> None:
    archive = bytearray(written(files))
    archive[data.draw(st.integers(0, len(archive) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert read(bytes(archive)) != files
    except Broken as error:
        assert "it " in str(error)


@given(FILES, st.binary(min_size=1, max_size=1200))
def test_nothing_stands_behind_the_end(files: dict[str, bytes], more: bytes) -> None:
    with pytest.raises(Broken, match="does not end as it was written"):
        read(written(files) + more)


@given(FILES, st.data())
def test_an_archive_cut_off(files: dict[str, bytes], data: st.DataObject) -> None:
    archive = written(files)
    with pytest.raises(Broken):
        read(archive[: data.draw(st.integers(0, len(archive) - 1))])


@given(FILES, FILES)
def test_other_files_are_other_bytes(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assume(one != other)
    assert written(one) != written(other)


def test_members_in_another_order_or_twice() -> None:
    for names in ("ba", "aa"):
        out = io.BytesIO()
        write_archive(out, ((name, 1, [b"x"]) for name in names))
        with pytest.raises(Broken, match="from byte 1024 on"):
            read(out.getvalue())


@pytest.mark.parametrize(("name", "size"), [("x" * 101, 0), ("é", 0), ("list churn.yaml", 0), ("", 0), ("x", 8**11)])
def test_what_does_not_fit_is_not_written(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="does not fit into an archive"):
        write_archive(io.BytesIO(), [(name, size, [])])
