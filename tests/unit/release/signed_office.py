"""A home with two signed releases, and what forgers do with them.

Belongs here: homes and forgeries. Does not belong here: who finds them (the tests).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipelines.release.verifier.signed import NAMED, SIGNATURE, STATEMENT, encoded

EVE, DAY = date(1994, 3, 30), date(1994, 3, 31)
FORGER = Ed25519PrivateKey.from_private_bytes(b"\x66" * 32)


def public(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of a public key."""
    return key.public_key().public_bytes_raw()


def name_of(key: Ed25519PrivateKey) -> str:
    """Its fingerprint, computed on its own."""
    return hashlib.sha256(public(key)).hexdigest()[:16]


def say(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a JSON file and write it in the one form."""
    said = json.loads(path.read_bytes())
    change(said)
    path.write_bytes(encoded(said))


def sign_again(release: Path, key: Ed25519PrivateKey, /, **changed: Any) -> None:
    """Let `key` sign a release as it is now, with whatever the statement is to say otherwise."""
    said = json.loads((release / STATEMENT).read_bytes())
    said |= {field: hashlib.sha256((release / name).read_bytes()).hexdigest() for name, field in NAMED.items()}
    statement = encoded({**said, "key": name_of(key), **changed})
    (release / STATEMENT).write_bytes(statement)
    signature = {
        "algorithm": "Ed25519",
        "public_key": public(key).hex(),
        "signature": key.sign(statement).hex(),
    }
    (release / SIGNATURE).write_bytes(encoded(signature))


def forged(release: Path, key: Ed25519PrivateKey) -> Path:
    """A release of other content, with all hashes right and signed anew. Where it lies then, by its own id."""
    name = "marketing/low_risk_list.parquet"
    content = (release / name).read_bytes() + b"\0"
    (release / name).write_bytes(content)

    def other(manifest: dict[str, Any]) -> None:
        manifest["files"][name]["sha256"] = hashlib.sha256(content).hexdigest()
        files = [{"path": path, **entry} for path, entry in sorted(manifest["files"].items())]
        listing = {"bank": manifest["bank"], "business_date": manifest["business_date"], "files": files}
        manifest["content_hash"] = hashlib.sha256(encoded(listing)).hexdigest()
        say(release / "evidence.json", lambda found: found.update(candidate_hash=manifest["content_hash"]))
        manifest["evidence_sha256"] = hashlib.sha256((release / "evidence.json").read_bytes()).hexdigest()

    say(release / "manifest.json", other)
    raw = (release / "manifest.json").read_bytes()
    manifest, hashed = json.loads(raw), hashlib.sha256(raw).hexdigest()
    named = {field: manifest[field] for field in ("content_hash", "bank", "business_date")}
    target = release.with_name(f"{manifest['business_date']}-{hashed[:12]}")
    release.rename(target)
    sign_again(target, key, release=target.name, **named)
    return target
