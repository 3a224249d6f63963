"""The key ring: a founding key that never changes, token keys by version, and a key derived for every use.

A key never appears in a message, a manifest or a plan; its fingerprint may. Derivation is HMAC-SHA256 of a label
under a secret (the expand step of RFC 5869 with one block). The secret of version 1 is the founding key; each rotation
adds one, from which nothing but token keys is derived.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path

from pipelines.settings import InputError
from pipelines.vault import key_file


class KeyRing:
    """Keys as lower-case hex strings of 64 characters, unless it says bytes."""

    def __init__(self, founding: bytes, later: Sequence[bytes] = (), version: int = 1) -> None:
        self._secrets = (founding, *later)
        self.version = version
        if not 1 <= version <= len(self._secrets):
            raise ValueError(f"there is no key version {version}")

    def __repr__(self) -> str:
        return f"KeyRing({self.fingerprint()}, version {self.version})"

    @classmethod
    def open(cls, vault: Path, from_environment: str | None = None) -> KeyRing:
        """The ring of a home, at the version of its tokens. Keys of the environment win; else the key file.

        Raises InputError where a key is not 64 hex digits, the file is readable by others, or the key of the version
        that the home's tokens have is missing or another.
        """
        found = key_file.read(vault, from_environment)
        now = key_file.token_version(vault)
        if now is None:
            return cls(found[0], found[1:])
        if len(found) < now.version:
            raise InputError(
                f"the tokens of {vault.parent} have key version {now.version}, but only {len(found)} keys are given: "
                f"all are needed, oldest first, with commas in {key_file.VARIABLE} or one per line in the key file"
            )
        if (given := key_file.fingerprint(found[now.version - 1])) != now.fingerprint:
            raise InputError(
                f"key number {now.version} is {given}, but the tokens of {vault.parent} are made with "
                f"{now.fingerprint}: give the keys of this home, oldest first"
            )
        return cls(found[0], found[1:], now.version)

    @classmethod
    def of_home(cls, vault: Path, from_environment: str | None = None) -> KeyRing:
        """`open`, for a home that must not have been begun with another founding key. Raises InputError for one."""
        key_file.check_home(vault, from_environment)
        ring = cls.open(vault, from_environment)
        key_file.claim(vault, ring.fingerprint())
        return ring

    @property
    def newest(self) -> int:
        """The last version that there is a secret for: above `version` where a rotation is due or was undone."""
        return len(self._secrets)

    def at(self, version: int) -> KeyRing:
        """The same ring, making tokens with the keys of another version."""
        return KeyRing(self._secrets[0], self._secrets[1:], version)

    def token_key(self, kind: str) -> str:
        """Key for tokens of one identifier kind, for example `phone`, in the version of the ring."""
        return _derive(self._secrets[self.version - 1], f"token/{self.version}/{kind}")

    def row_hash_key(self, kind: str) -> str:
        """Key for what a row hash holds of an identifier, so that a rotation changes no row."""
        return self._founded(f"row-hash/{kind}")

    def party_id_key(self) -> str:
        """Key for party ids. It has no version: it never rotates."""
        return self._founded("party-id")

    def record_reference_key(self) -> str:
        """Key for references to records that outlive a rotation, of records that are known by an identifier only."""
        return self._founded("record-reference")

    def pseudonym_key(self, consumer: str) -> str:
        """Key for the pseudonyms that one consumer sees."""
        return self._founded(f"pseudonym/{consumer}")

    def partner_key(self, partner: str) -> str:
        """Key for what is exchanged with one partner, who holds it too; nothing else is ever made with it."""
        return self._founded(f"partner/{partner}")

    def originals_key(self) -> bytes:
        """Key that encrypts quarantined originals: 32 bytes."""
        return bytes.fromhex(self._founded("originals"))

    def store_key(self) -> bytes:
        """Key that encrypts the vault store: 32 bytes."""
        return bytes.fromhex(self._founded("store"))

    def fingerprint(self) -> str:
        """What a manifest may say of the founding key."""
        return key_file.fingerprint(self._secrets[0])

    def token_version(self) -> key_file.TokenVersion:
        """What a home may say of the version of its tokens."""
        return key_file.TokenVersion(self.version, key_file.fingerprint(self._secrets[self.version - 1]))

    def _founded(self, label: str) -> str:
        return _derive(self._secrets[0], label)


def _derive(secret: bytes, label: str) -> str:
    return hmac.new(secret, label.encode(), hashlib.sha256).hexdigest()
