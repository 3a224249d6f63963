"""Keys: made once, readable by their owner alone, and never shown."""

from __future__ import annotations

import hashlib
import hmac
import multiprocessing
import os
import re
import stat
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.settings import InputError, Settings
from pipelines.vault import key_file
from pipelines.vault.keys import KeyRing

KEY = "0123456789abcdef" * 4
LATER = ("c3" * 32, "17" * 32)


def every_key(ring: KeyRing) -> list[str]:
    return [
        ring.token_key("phone"), ring.token_key("name"), ring.party_id_key(), ring.pseudonym_key("risk"),
        ring.pseudonym_key("marketing"), ring.originals_key().hex(), ring.store_key().hex(), ring.row_hash_key("phone"),
        ring.record_reference_key(), ring.partner_key("taobu"), ring.partner_key("phone"),
    ]  # fmt: skip


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    previous = os.umask(0)
    try:
        ring = KeyRing.open(tmp_path / "vault")
    finally:
        os.umask(previous)
    path = tmp_path / "vault" / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert re.fullmatch("[0-9a-f]{64}", path.read_text()) and list(path.parent.iterdir()) == [path]
    assert KeyRing.open(tmp_path / "vault").fingerprint() == ring.fingerprint()


def _open(vault: Path) -> str:
    return KeyRing.open(vault).fingerprint()


def test_processes_that_start_together_share_one_key(tmp_path):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert len(set(pool.map(_open, [tmp_path / "vault"] * 24))) == 1


def test_a_process_that_is_killed_leaves_no_half_key(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        KeyRing.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    KeyRing.open(tmp_path)
    (tmp_path / "master.key").chmod(mode)
    with pytest.raises(InputError, match="chmod 600") as caught:
        KeyRing.open(tmp_path)
    assert (tmp_path / "master.key").read_text() not in str(caught.value)


def test_the_environment_wins_over_the_file_and_makes_none(tmp_path, monkeypatch):
    ring = KeyRing.open(tmp_path / "vault", KEY)
    assert not (tmp_path / "vault").exists()
    kept = KeyRing.open(tmp_path / "vault")
    assert (
        KeyRing.open(tmp_path / "vault", f" {KEY.upper()}\n").fingerprint() == ring.fingerprint() != kept.fingerprint()
    )
    monkeypatch.setenv("ZHONGTAI_VAULT_KEY", KEY)
    assert Settings().vault_key == KEY and KEY not in repr(Settings()) + str(Settings())


@pytest.mark.parametrize("text", ["", KEY[:-1], KEY + "0", "x" * 64, KEY[:32]])
def test_what_is_no_key_is_not_repeated(tmp_path, text):
    with pytest.raises(InputError, match="is not a key: 64 hex digits") as caught:
        KeyRing.open(tmp_path, text)
    assert text == "" or text not in "".join(traceback.format_exception(caught.value))
    (tmp_path / "master.key").write_text(text)
    (tmp_path / "master.key").chmod(0o600)
    with pytest.raises(InputError, match=r"master\.key is not a key") as caught:
        KeyRing.open(tmp_path)
    assert text == "" or text not in str(caught.value)


def test_no_key_is_shown(tmp_path):
    ring = KeyRing.open(tmp_path, KEY)
    shown = repr(ring) + str(ring) + f"{ring}" + ring.fingerprint()
    assert not [key for key in (KEY, *every_key(ring)) if key in shown or key[:16] in shown]


@given(label=st.text(max_size=20))
def test_a_derived_key_is_the_hmac_of_its_label(label):
    ring = KeyRing(bytes.fromhex(KEY))
    assert (
        ring.pseudonym_key(label)
        == hmac.new(bytes.fromhex(KEY), f"pseudonym/{label}".encode(), hashlib.sha256).hexdigest()
    )


def test_every_use_has_its_own_key():
    one, other = KeyRing(bytes.fromhex(KEY)), KeyRing(bytes(32))
    assert len({*every_key(one), *every_key(other)}) == 22
    # Keys outlive the code: the same master gives these for ever.
    assert one.party_id_key()[:16] == "1460ea9173cf7f7c"
    assert one.token_key("phone")[:16] == "6d3cbf4e08516454" and one.fingerprint() == "4b49803085c34d41"


def test_a_later_secret_makes_token_keys_and_nothing_else():
    founding, later = bytes.fromhex(KEY), [bytes.fromhex(key) for key in LATER]
    first = KeyRing(founding)
    rings = [KeyRing(founding, later, version) for version in (1, 2, 3)]
    assert every_key(rings[0]) == every_key(first) and rings[0].newest == 3
    for ring in rings:
        assert ring.fingerprint() == first.fingerprint() and every_key(ring)[2:] == every_key(first)[2:]
        assert every_key(rings[0].at(ring.version)) == every_key(ring)
        shown = repr(ring) + repr(ring.token_version())
        assert not [key for key in (KEY, *LATER, *every_key(ring)) if key[:16] in shown]
    assert len({ring.token_key("phone") for ring in rings}) == 3
    # The same secret in another place makes other tokens: the label has its version.
    assert KeyRing(founding, later[::-1], 3).token_key("phone") not in {ring.token_key("phone") for ring in rings}
    assert rings[1].token_key("phone")[:16] == "f76bdc919cab126c"
    with pytest.raises(ValueError, match="no key version 4"):
        first.at(4)


@pytest.mark.parametrize("text", [f"{KEY}\n", f"{KEY}\n{LATER[0]}", f"{KEY}\n{LATER[0]}\n{LATER[1]}\n\n"])
def test_a_key_file_has_a_line_for_each_version(tmp_path, text):
    path = tmp_path / "master.key"
    path.write_text(text)
    path.chmod(0o600)
    lines = text.split()
    ring = KeyRing.open(tmp_path)
    assert (ring.version, ring.newest) == (1, len(lines))
    assert (
        every_key(ring) == every_key(KeyRing.open(tmp_path, ",".join(lines))) == every_key(KeyRing(bytes.fromhex(KEY)))
    )
    key_file.append(tmp_path)
    *kept, added = path.read_text().split("\n")
    assert kept == lines and re.fullmatch("[0-9a-f]{64}", added) and added not in lines
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and list(tmp_path.iterdir()) == [path]


def test_the_version_of_a_home_needs_its_key(tmp_path):
    keys = ",".join((KEY, *LATER))
    ring = KeyRing.of_home(tmp_path, keys)
    assert ring.version == 1 and KeyRing.of_home(tmp_path, KEY).version == 1
    key_file.write_token_version(tmp_path, ring.at(3).token_version())
    assert KeyRing.of_home(tmp_path, keys).version == 3
    for wrong, said in (
        (KEY, "only 1 keys"), (f"{KEY},{LATER[0]}", "only 2 keys"), (f"{KEY},{LATER[1]},{LATER[0]}", "key number 3 is"),
        (f"{LATER[0]},{KEY},{LATER[1]}", "is not the key"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said) as caught:
            KeyRing.of_home(tmp_path, wrong)
        assert not [key for key in (KEY, *LATER) if key in str(caught.value)]
    for path in (tmp_path / "token_version.json", tmp_path / "fingerprint"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 and not [k for k in (KEY, *LATER) if k in path.read_text()]


@pytest.mark.parametrize(
    "text, said",
    [
        (f"{KEY},{KEY}", "has one key twice"), (f"{KEY},{KEY.upper()}", "has one key twice"),
        (f"{KEY},x", "number 2 is"),
        (f",{KEY}", "number 1 is"), (f"{KEY},,{LATER[0]}", "number 2 is"), (f"{KEY};{LATER[0]}", "is not a key"),
    ],
)  # fmt: skip
def test_keys_that_cannot_be_told_apart_are_refused(tmp_path, text, said):
    with pytest.raises(InputError, match=said) as caught:
        KeyRing.open(tmp_path, text)
    assert KEY not in str(caught.value) and LATER[0] not in str(caught.value)


def test_a_home_in_use_gets_no_second_first_key(tmp_path):
    KeyRing.of_home(tmp_path)
    (tmp_path / "master.key").unlink()
    with pytest.raises(InputError, match=r"master\.key is gone: restore it"):
        KeyRing.of_home(tmp_path)
    assert not (tmp_path / "master.key").exists()
    with pytest.raises(InputError, match="is not the key"):
        KeyRing.of_home(tmp_path, KEY)
