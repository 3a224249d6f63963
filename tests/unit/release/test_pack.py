"""Packs: the same release gives the same bytes, and whoever gets one verifies it with a bare Python."""

from __future__ import annotations

import ast
import copy
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.audit.evidence import read_evidence
from pipelines.contracts.files import LONGEST
from pipelines.contracts.load import Catalog
from pipelines.release import statement
from pipelines.release.catalogue import Release, read_release
from pipelines.release.pack import write_pack
from pipelines.release.record import record
from pipelines.release.refused import Refused
from pipelines.release.verifier import command
from pipelines.release.verifier.archive import Broken, write_archive
from pipelines.release.verifier.command import look
from pipelines.release.verifier.pack import IMPERSONAL, INSIDE, inside
from pipelines.settings import PROJECT, InputError
from pipelines.vault import signing

from .conftest import new_office
from .signed_office import FORGER, forged, name_of, sign_again
from .warehouse import BANK, Office

VERIFIER = PROJECT / "pipelines" / "release" / "verifier"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, shelf: Path) -> Release:
    """A signed release that no test changes."""
    office = new_office(tmp_path_factory.mktemp("packed") / "home", catalog, shelf)
    return office.publish(office.approved(parties=3))


@pytest.fixture(scope="module")
def pack(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its pack, which no test changes."""
    out = tmp_path_factory.mktemp("out") / "pack.tar"
    write_pack(release, out)
    return out


def unpacked(pack: Path, into: Path) -> Path:
    with tarfile.open(pack) as archive:
        archive.extractall(into, filter="data")
    (folder,) = into.iterdir()
    return folder


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """The pack's own verifier in a Python without packages, settings of this process or a way to them."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verify.py"), *arguments],
        capture_output=True, text=True, check=False, cwd=folder.parent, env={"PATH": os.defpath},
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_the_same_release_gives_the_same_bytes(release: Release, pack: Path, tmp_path: Path) -> None:
    write_pack(release, tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == pack.read_bytes()
    signing.rotate(release.path.parents[1] / "vault", "9999-01-01T00:00:00+00:00")
    write_pack(release, tmp_path / "rotated.tar")
    assert (tmp_path / "rotated.tar").read_bytes() == pack.read_bytes(), "no key of today is in it"


def test_its_own_verifier_verifies_it(release: Release, pack: Path, tmp_path: Path) -> None:
    folder, key = unpacked(pack, tmp_path / "unpacked"), statement.standing(release.path)["key"]
    for arguments in ((), (str(pack),), (str(pack), "--key", key), ("--key", key)):
        code, words = run(folder, *arguments)
        assert code == 0, words
        assert f"VERIFIED: release {release.id} of pkdd99, business date 1994-03-31" in words
        assert ("Anybody can sign" in words) == ("--key" not in arguments)
    assert sorted(path.name for path in folder.rglob("__pycache__")) == []
    assert run(folder, "--key", name_of(FORGER)) == (
        1, f"NOT VERIFIED: it was signed with the key {key}, and not with {name_of(FORGER)}\n",
    )  # fmt: skip


def test_the_record_may_be_unpacked_beside_the_rest(pack: Path, tmp_path: Path) -> None:
    folder = unpacked(pack, tmp_path / "unpacked")
    with tarfile.open(folder / "record.tar") as record:
        record.extractall(folder, filter="data")
    assert run(folder)[0] == 0
    path = folder / "record" / "data_contracts" / "policy.yaml"
    path.write_bytes(path.read_bytes() + b"\n")
    code, words = run(folder)
    assert (code, words) == (
        1, "NOT VERIFIED: record/data_contracts/policy.yaml was changed: it is not the one in record.tar\n",
    )  # fmt: skip


def test_the_record_defends_the_numbers(release: Release, pack: Path, tmp_path: Path) -> None:
    folder = unpacked(pack, tmp_path / "unpacked")
    with tarfile.open(folder / "record.tar") as record:
        names = set(record.getnames())
    contracts = PROJECT / "data_contracts"
    kept = {name.removeprefix("record/data_contracts/") for name in names}
    for path in contracts.rglob("*.yaml"):
        name = path.relative_to(contracts).as_posix()
        assert (name in kept) == (not name.startswith("feeds/") or name.startswith("feeds/pkdd99/")), name


def test_no_row_of_a_party_is_in_a_pack_unless_it_is_asked_for(release: Release, pack: Path, tmp_path: Path) -> None:
    without = look(pack)
    assert without["content"] == len(set(IMPERSONAL) & set(release.manifest["files"])) < without["files"]
    with tarfile.open(pack) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {name for name in inside if name.endswith(".parquet")} < set(IMPERSONAL)
    write_pack(release, tmp_path / "whole.tar", with_content=True)
    whole = look(tmp_path / "whole.tar")
    assert whole["content"] == whole["files"] == len(release.manifest["files"])


def test_content_is_there_as_a_whole_or_not_at_all(release: Release, tmp_path: Path) -> None:
    write_pack(release, tmp_path / "whole.tar", with_content=True)
    folder = unpacked(tmp_path / "whole.tar", tmp_path / "unpacked")
    (folder / "risk" / "customer_360.parquet").unlink()
    with pytest.raises(Broken, match=r"^risk/customer_360.parquet is missing$"):
        look(folder)


def test_a_forgery_is_verified_only_against_the_key_of_the_bank(release: Release, pack: Path, tmp_path: Path) -> None:
    """All hashes right, by a key of nobody: only who asked the bank for its key can tell."""
    place = tmp_path / "home" / "releases" / release.id
    shutil.copytree(release.path, place)
    copy = read_release(forged(place, FORGER))
    write_pack(copy, tmp_path / "forged.tar", with_content=True)
    folder = unpacked(pack, tmp_path / "unpacked")
    key = statement.standing(release.path)["key"]
    code, words = run(folder, str(tmp_path / "forged.tar"), "--key", key)
    assert (code, words) == (1, f"NOT VERIFIED: it was signed with the key {name_of(FORGER)}, and not with {key}\n")
    code, words = run(folder, str(tmp_path / "forged.tar"))
    assert code == 0
    assert f"whether {name_of(FORGER)} is its key" in words


def test_the_verifier_needs_only_the_standard_library() -> None:
    for path in VERIFIER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= sys.stdlib_module_names
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert str(node.module).partition(".")[0] in sys.stdlib_module_names


def test_it_is_written_for_an_older_python_too() -> None:
    for path in VERIFIER.glob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))


@pytest.mark.parametrize("arguments", [["--what"], ["--key"], ["one", "two"], ["not there"]])
def test_bad_usage(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert command.main(arguments, tmp_path) == 2
    assert capsys.readouterr().out.startswith("usage: python verify.py")


def test_a_pack_is_its_owners_alone_and_replaces_nothing(release: Release, pack: Path, tmp_path: Path) -> None:
    assert pack.stat().st_mode & 0o777 == 0o600
    (tmp_path / "there.tar").write_text("mine")
    for out in (tmp_path / "there.tar", tmp_path / "nowhere" / "pack.tar"):
        with pytest.raises(InputError, match="name a new file in a directory of your own"):
            write_pack(release, out)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("there.tar", "mine")]


def test_the_longest_name_of_a_contract_is_kept_and_a_file_that_does_not_count_is_not(
    catalog: Catalog, office: Office, tmp_path: Path
) -> None:
    own = copy.copy(catalog)
    own.root = Path(shutil.copytree(catalog.root, tmp_path / "contracts"))
    name = f"waivers/{'x' * (LONGEST - len('waivers/.yaml'))}.yaml"
    (own.root / "waivers").mkdir(exist_ok=True)
    (own.root / name).write_text("kept")
    (own.root / "waivers" / ".#list churn.yaml").symlink_to("whoever edits it")
    directory = office.approved(parties=3)
    manifest = {"bank": BANK, "business_date": "1994-03-31", "content_hash": directory.name}
    kept = inside(record(own, office.home, "1994-03-31-0123456789ab", manifest, read_evidence(directory)))
    assert kept[f"{INSIDE}data_contracts/{name}"] == b"kept"
    assert not any("churn" in name for name in kept)


def recorded(release: Release, into: Path, change: Callable[[bytes], bytes]) -> Release:
    """A copy of a release whose record was another, signed with it."""
    copied = Path(shutil.copytree(release.path, into / "releases" / release.id))
    (copied / "record.tar").write_bytes(change((copied / "record.tar").read_bytes()))
    sign_again(copied, FORGER)
    return read_release(copied)


def with_a_space(archive: bytes) -> bytes:
    """As records were written once, with a file of contracts that has a space in its name."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as before:
        place = before.getmember("record/data_contracts/policy.yaml").offset
    header = bytearray(archive[place : place + 512])
    at = header.index(b"policy") + 3
    checksum = int(header[148:154], 8) + ord(" ") - header[at]
    header[at], header[148:154] = ord(" "), b"%06o" % checksum
    changed = archive[:place] + header + archive[place + 512 :]
    with tarfile.open(fileobj=io.BytesIO(changed)) as after:
        assert "record/data_contracts/pol cy.yaml" in after.getnames()
    return changed


def without_policy(archive: bytes) -> bytes:
    files, out = inside(archive), io.BytesIO()
    del files["record/data_contracts/policy.yaml"]
    write_archive(out, ((name, len(content), [content]) for name, content in sorted(files.items())))
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_a_space, "record.tar is not as it was written, from byte "),
        (without_policy, "policy.yaml: record.tar does not hold the version that manifest.json names"),
    ],
)
def test_what_the_verifier_would_not_accept_is_not_packed(
    release: Release, tmp_path: Path, change: Callable[[bytes], bytes], words: str
) -> None:
    other = recorded(release, tmp_path, change)
    (tmp_path / "out").mkdir()
    with pytest.raises(Refused) as refused:
        write_pack(other, tmp_path / "out" / "pack.tar")
    assert str(refused.value).startswith(f"{release.id}: whoever verifies a pack of it would be told: {words}")
    assert "publish its night again" in str(refused.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_release_without_a_signature_is_not_packed(release: Release, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(release.path, tmp_path / "releases" / release.id))
    for name in statement.ATTACHED:
        (copy / name).unlink()
    with pytest.raises(Refused, match="unsigned: it was published before this home signed releases"):
        write_pack(read_release(copy), tmp_path / "pack.tar")
