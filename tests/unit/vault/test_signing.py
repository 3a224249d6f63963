"""Keys that sign: made once, private, rotated, trusted and distrusted, and whose signatures are believed when."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from pipelines.settings import InputError
from pipelines.vault import signing
from pipelines.vault.signing import Believed, PublicKey

FIRST, SECOND, THIRD = (f"2026-01-0{n}T00:00:00+00:00" for n in (1, 2, 3))
OTHER = Ed25519PrivateKey.from_private_bytes(b"\7" * 32).public_key().public_bytes_raw()
TIMES = st.datetimes().map(lambda time: f"{time.replace(microsecond=0).isoformat()}+00:00")


def begun(vault: Path) -> PublicKey:
    return signing.begin(vault, FIRST, ["2025-12-31-000000000000"])


def private_files(vault: Path) -> list[Path]:
    return sorted((vault / "signing").glob("*.key"))


def test_a_home_begins_with_one_key_and_keeps_it(tmp_path: Path) -> None:
    assert signing.believed(tmp_path) == Believed()
    key = begun(tmp_path)
    assert signing.begin(tmp_path, SECOND, ["another"]) == key
    assert signing.believed(tmp_path) == Believed((key,), ("2025-12-31-000000000000",))
    assert (key.own, key.since, key.until, key.distrusted) == (True, FIRST, None, None)


def test_only_the_owner_can_read_a_key(tmp_path: Path) -> None:
    begun(tmp_path)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert set(modes.values()) == {0o600, 0o700}
    assert modes["signing"] == 0o700


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    assert begun(tmp_path / "one").fingerprint != begun(tmp_path / "two").fingerprint


@given(st.binary(max_size=300))
def test_what_a_home_signs_fits_its_key_and_nothing_else(tmp_path_factory: pytest.TempPathFactory, message: bytes):
    vault = tmp_path_factory.mktemp("vault")
    key = begun(vault)
    signature = signing.sign(vault, key, message)
    assert signing.fits(bytes.fromhex(key.public_key), signature, message)
    assert not signing.fits(bytes.fromhex(key.public_key), signature, message + b"\0")
    assert not signing.fits(OTHER, signature, message)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_private_key_that_others_can_read_signs_nothing(tmp_path: Path, mode: int) -> None:
    key = begun(tmp_path)
    private_files(tmp_path)[0].chmod(mode)
    with pytest.raises(InputError, match="can be read by others"):
        signing.sign(tmp_path, key, b"")


def test_a_private_key_that_is_gone_or_another(tmp_path: Path) -> None:
    key = begun(tmp_path)
    path = private_files(tmp_path)[0]
    path.write_text("00" * 32)
    with pytest.raises(InputError, match="is not the key of that fingerprint"):
        signing.sign(tmp_path, key, b"")
    path.unlink()
    with pytest.raises(InputError, match="is gone: restore it"):
        signing.sign(tmp_path, key, b"")
    assert signing.rotate(tmp_path, SECOND) == signing.believed(tmp_path).current, "which is the way out"


def test_a_rotation_leaves_one_private_key_and_believes_what_was_signed(tmp_path: Path) -> None:
    before = begun(tmp_path)
    after = signing.rotate(tmp_path, SECOND)
    known = signing.believed(tmp_path)
    assert known.current == after != before
    assert [path.stem for path in private_files(tmp_path)] == [after.fingerprint]
    assert known.unsigned == ("2025-12-31-000000000000",)
    old, new = (bytes.fromhex(key.public_key) for key in (before, after))
    assert known.objection(old, FIRST) is known.objection(old, SECOND) is known.objection(new, THIRD) is None
    assert "valid from" in str(known.objection(old, THIRD))
    assert "valid from" in str(known.objection(new, FIRST))


def test_an_interrupted_rotation_changed_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = begun(tmp_path)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(signing, "_write", killed)
        with pytest.raises(KeyboardInterrupt):
            signing.rotate(tmp_path, SECOND)
    assert len(private_files(tmp_path)) == 2
    assert signing.begin(tmp_path, SECOND, []) == key
    assert signing.sign(tmp_path, key, b"")
    assert [path.stem for path in private_files(tmp_path) if path.stem != key.fingerprint]
    after = signing.rotate(tmp_path, SECOND)
    assert [path.stem for path in private_files(tmp_path)] == [after.fingerprint]


@given(TIMES, TIMES)
def test_validity_never_ends_before_it_begins(tmp_path_factory: pytest.TempPathFactory, first: str, second: str):
    """Whatever the clock said: a key is believed of what it signed between."""
    vault = tmp_path_factory.mktemp("vault")
    signing.begin(vault, first, [])
    signing.rotate(vault, second)
    before, after = signing.believed(vault).keys
    assert before.since <= str(before.until) == after.since


def test_nothing_to_rotate(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the first publication makes one"):
        signing.rotate(tmp_path, FIRST)


def test_a_key_of_another_home_is_believed_once_it_is_trusted(tmp_path: Path) -> None:
    key = begun(tmp_path)
    assert "which this home does not trust" in str(signing.believed(tmp_path).objection(OTHER, FIRST))
    trusted = signing.trust(tmp_path, OTHER)
    known = signing.believed(tmp_path)
    assert known.objection(OTHER, FIRST) is None
    assert known.current == key, "it is believed, and signs nothing here"
    assert signing.distrust(tmp_path, trusted.fingerprint[:6], "stolen", THIRD).distrusted == f"stolen ({THIRD})"
    assert "is distrusted: stolen" in str(signing.believed(tmp_path).objection(OTHER, FIRST))


def test_what_cannot_be_trusted(tmp_path: Path) -> None:
    key = begun(tmp_path)
    with pytest.raises(InputError, match="is known already"):
        signing.trust(tmp_path, bytes.fromhex(key.public_key))
    with pytest.raises(InputError, match="64 hex digits"):
        signing.trust(tmp_path, b"short")


def test_a_distrusted_key_signs_no_more_until_it_is_rotated(tmp_path: Path) -> None:
    key = begun(tmp_path)
    signing.distrust(tmp_path, key.fingerprint, "stolen", SECOND)
    with pytest.raises(InputError, match=r"is distrusted: `zhongtai signing rotate`"):
        signing.begin(tmp_path, SECOND, [])
    after = signing.rotate(tmp_path, THIRD)
    assert signing.begin(tmp_path, THIRD, []) == after
    assert "is distrusted" in str(signing.believed(tmp_path).objection(bytes.fromhex(key.public_key), FIRST))


@pytest.mark.parametrize("name", ["", "zz"])
def test_no_key_of_that_name(tmp_path: Path, name: str) -> None:
    key = begun(tmp_path)
    with pytest.raises(InputError, match=f"0 keys are called '{name}'; there are: {key.fingerprint}"):
        signing.distrust(tmp_path, name, "stolen", FIRST)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": [{}], "unsigned": []}'])
def test_a_list_of_keys_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path, content: str) -> None:
    begun(tmp_path)
    (tmp_path / "signing" / "keys.json").write_text(content)
    with pytest.raises(InputError, match="cannot be read: restore it"):
        signing.believed(tmp_path)


def test_the_list_of_keys_holds_no_secret(tmp_path: Path) -> None:
    begun(tmp_path)
    secret = private_files(tmp_path)[0].read_text().strip()
    said = (tmp_path / "signing" / "keys.json").read_text()
    assert secret not in said
    assert json.loads(said).keys() == {"keys", "unsigned"}
