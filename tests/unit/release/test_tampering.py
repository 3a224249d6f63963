"""Any byte changed in any part of a release or its pack is found: by `releases verify` and by the pack's verifier."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.load import Catalog
from pipelines.release.catalogue import Release, read_release, verify_release
from pipelines.release.pack import write_pack
from pipelines.release.refused import Refused
from pipelines.release.verifier.archive import Broken, read_archive
from pipelines.release.verifier.command import look

from .conftest import new_office

BLOCK = 512
# One file of every kind that a release consists of.
IN_A_RELEASE = (
    "manifest.json", "evidence.json", "run.json", "record.tar", "statement.json", "signature.json", "proof/rules.json",
    "proof/risk.parquet", "proof/usage_marketing.parquet", "marketing/low_risk_list.parquet",
    "risk/low_risk_decision.parquet", "shared/coverage.parquet",
)  # fmt: skip
IN_A_PACK = (
    *IN_A_RELEASE, "README.md", "BCBS239.md", "bcbs239.json", "verify.py", "verifier/ed25519.py", "verifier/signed.py",
    "public_key.pem",
)  # fmt: skip
FEW = settings(max_examples=8)
MASKS = st.integers(1, 255)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, shelf: Path) -> Release:
    office = new_office(tmp_path_factory.mktemp("tampered") / "home", catalog, shelf)
    return office.publish(office.approved(parties=3))


@pytest.fixture(scope="module")
def pack(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack with content, in an archive; beside it the same unpacked."""
    out = tmp_path_factory.mktemp("out") / "pack.tar"
    write_pack(release, out, with_content=True)
    with tarfile.open(out) as archive:
        archive.extractall(out.parent, filter="data")
    return out


@contextmanager
def changed(path: Path, at: int, mask: int) -> Iterator[None]:
    """One byte of a file is another one for a while."""
    with path.open("r+b") as file:
        file.seek(at)
        (kept,) = file.read(1)
        file.seek(at)
        file.write(bytes([kept ^ mask]))
    try:
        yield
    finally:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(bytes([kept]))


def said_of(path: Path, catalog: Catalog) -> list[str]:
    try:
        return verify_release(read_release(path), catalog)
    except Refused as error:
        return [str(error)]


@pytest.mark.parametrize("name", IN_A_RELEASE)
@FEW
@given(data=st.data())
def test_a_byte_of_a_release(release: Release, catalog: Catalog, name: str, data: st.DataObject) -> None:
    path = release.path / name
    with changed(path, data.draw(st.integers(0, path.stat().st_size - 1)), data.draw(MASKS)):
        assert said_of(release.path, catalog), "found"


def test_what_was_put_back_is_what_was_published(release: Release, catalog: Catalog, pack: Path) -> None:
    """The tests beside this one find what they changed, and nothing else."""
    assert said_of(release.path, catalog) == []
    assert look(pack)["content"] == len(release.manifest["files"])
    assert look(pack.parent / release.id)["statement"] == look(pack)["statement"]


@pytest.mark.parametrize("name", IN_A_PACK)
@FEW
@given(data=st.data())
def test_a_byte_of_an_unpacked_pack(release: Release, pack: Path, name: str, data: st.DataObject) -> None:
    path = pack.parent / release.id / name
    with (
        changed(path, data.draw(st.integers(0, path.stat().st_size - 1)), data.draw(MASKS)),
        pytest.raises(Broken),
    ):
        look(pack.parent / release.id)


def regions(archive: bytes) -> dict[str, tuple[int, int]]:
    """First byte and length of each part of an archive: of every member header, content and padding, and the end."""
    found, end = {}, 0
    for name, at, size in read_archive(io.BytesIO(archive), "it"):
        inner = name.partition("/")[2]
        found[f"header of {inner}"] = (at - BLOCK, BLOCK)
        found[f"content of {inner}"] = (at, size)
        found[f"padding of {inner}"] = (at + size, -size % BLOCK)
        end = at + size + -size % BLOCK
    return {**{name: region for name, region in found.items() if region[1]}, "end": (end, len(archive) - end)}


@pytest.mark.parametrize("kind", ["header", "content", "padding", "end"])
@FEW
@given(data=st.data())
def test_a_byte_of_an_archive(pack: Path, kind: str, data: st.DataObject) -> None:
    parts = [region for name, region in regions(pack.read_bytes()).items() if name.startswith(kind)]
    first, length = data.draw(st.sampled_from(parts))
    with changed(pack, first + data.draw(st.integers(0, length - 1)), data.draw(MASKS)), pytest.raises(Broken):
        look(pack)


@pytest.mark.slow
def test_every_part_of_an_archive_in_turn_by_its_own_verifier(pack: Path, release: Release, tmp_path: Path) -> None:
    """As an auditor would, in a Python of its own: one byte in the middle of every part."""
    copy = Path(shutil.copy2(pack, tmp_path / "pack.tar"))
    verifier = pack.parent / release.id / "verify.py"
    parts = regions(pack.read_bytes())
    assert len(parts) > 2 * len(IN_A_PACK)
    for name, (first, length) in parts.items():
        with changed(copy, first + length // 2, 0x01):
            done = subprocess.run(
                [sys.executable, "-I", "-S", str(verifier), str(copy)], capture_output=True, text=True, check=False
            )
        assert (done.returncode, done.stdout[:12]) == (1, "NOT VERIFIED"), name
        assert done.stderr == ""


@FEW
@given(data=st.data())
def test_an_archive_cut_off_or_with_more_behind(pack: Path, data: st.DataObject) -> None:
    whole = pack.read_bytes()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    for other in (cut, whole + data.draw(st.binary(min_size=1, max_size=1024))):
        path = pack.with_name("other.tar")
        path.write_bytes(other)
        with pytest.raises(Broken):
            look(path)


@pytest.mark.parametrize("name", IN_A_PACK)
def test_a_file_of_a_pack_gone(release: Release, pack: Path, name: str, tmp_path: Path) -> None:
    folder = pack.parent / release.id
    (folder / name).rename(tmp_path / "aside")
    try:
        with pytest.raises(Broken, match="is missing"):
            look(folder)
    finally:
        (tmp_path / "aside").rename(folder / name)


@pytest.mark.parametrize("name", ["marketing/more.parquet", "run.py", "verifier/json.py", "record/more.yaml"])
def test_a_file_more_in_a_pack(release: Release, pack: Path, name: str) -> None:
    path = pack.parent / release.id / name
    there = path.parent.is_dir()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    try:
        with pytest.raises(Broken, match=f"{name} does not belong to the pack"):
            look(pack.parent / release.id)
    finally:
        path.unlink()
        if not there:
            path.parent.rmdir()
