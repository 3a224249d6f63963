"""The secrets of a home: where they come from, one per version of the token keys, and which version its tokens have.

What belongs here: the key file, the keys of the environment, the files that say what a home was begun and is kept with.
What does not: the keys that are derived from them (`keys`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from pipelines.settings import PRIVATE_FILE, InputError, make_directory, make_durable, write_private

VARIABLE = "ZHONGTAI_VAULT_KEY"
_FORM = "64 hex digits are needed, as `openssl rand -hex 32` prints them"


@dataclass(frozen=True)
class TokenVersion:
    """The version of the keys that the tokens of a home are made with, and the fingerprint of its secret."""

    version: int
    fingerprint: str


def fingerprint(secret: bytes) -> str:
    """What a message or a manifest may say of a secret."""
    return hashlib.sha256(b"zhongtai key fingerprint\0" + secret).hexdigest()[:16]


def read(vault: Path, from_environment: str | None) -> tuple[bytes, ...]:
    """The secrets, oldest first: those of the environment, or of the key file, which is made on first use.

    Raises InputError where one is not 64 hex digits, or the file is readable by others.
    """
    if from_environment is not None:
        return _parse(from_environment.split(","), VARIABLE)
    path = _path(vault)
    if not path.exists():
        _write(path, [secrets.token_hex(32)], first=True)
    if path.stat().st_mode & 0o077:
        raise InputError(f"{path} can be read by others: chmod 600 it, and consider it known")
    return _parse(path.read_text().split("\n"), str(path))


def append(vault: Path) -> None:
    """Add a secret to the key file: that of the next version."""
    path = _path(vault)
    kept = [line.strip() for line in path.read_text().split("\n") if line.strip()]
    _write(path, [*kept, secrets.token_hex(32)], first=False)


def token_version(vault: Path) -> TokenVersion | None:
    """What was written when the tokens were last rotated; None where they never were."""
    path = vault / "token_version.json"
    return TokenVersion(**json.loads(path.read_text())) if path.exists() else None


def write_token_version(vault: Path, version: TokenVersion) -> None:
    """Say with which keys the tokens of the home are made from now on."""
    write_private(vault / "token_version.json", json.dumps(vars(version)).encode())


def check_home(vault: Path, from_environment: str | None) -> None:
    """Raise InputError where the key file of a home in use is gone, before another one is made in its place."""
    if (vault / "fingerprint").exists() and from_environment is None and not _path(vault).exists():
        raise InputError(f"{_path(vault)} is gone: restore it, or give the key in {VARIABLE}; no other key will do")


def claim(vault: Path, founding: str) -> None:
    """Remember the fingerprint of the first key with which a home is used.

    Raises InputError where the home was begun with another key: one person would become two.
    """
    begun_with = vault / "fingerprint"
    if not begun_with.exists():
        write_private(begun_with, founding.encode())
    if (known := begun_with.read_text()) != founding:
        raise InputError(
            f"the key {founding} is not the key {known} that {vault.parent} was begun with: "
            f"give that one in {VARIABLE} or restore {_path(vault)}"
        )


def _path(vault: Path) -> Path:
    return vault / "master.key"


def _write(path: Path, lines: list[str], *, first: bool) -> None:
    """Write `lines` to `path`, whole or not at all; a first key stays where another process was faster."""
    make_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write("\n".join(lines))
            file.flush()
            os.fsync(file.fileno())
        if first:
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
        else:
            temporary.replace(path)
        make_durable(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _parse(texts: list[str], where: str) -> tuple[bytes, ...]:
    given = [text.strip().lower() for text in texts]
    while len(given) > 1 and not given[-1]:
        given.pop()  # the end of the last line
    for number, text in enumerate(given, 1):
        if not re.fullmatch(r"[0-9a-f]{64}", text):
            which = f"{where} is not a key" if len(given) == 1 else f"{where}: number {number} is not a key"
            raise InputError(f"{which}: {_FORM}")
    if len(set(given)) < len(given):
        raise InputError(f"{where} has one key twice: every version needs its own")
    return tuple(bytes.fromhex(text) for text in given)
