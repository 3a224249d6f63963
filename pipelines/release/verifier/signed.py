"""What must hold of a signed release: statement, signature, and everything that the statement names by its hash.

Belongs here: files that are small and read whole. Does not belong here: content, which may be left out of a pack
(`pack`), and whose key may be trusted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from .archive import Broken
from .ed25519 import is_signed

STATEMENT, SIGNATURE, RECORD = "statement.json", "signature.json", "record.tar"
MANIFEST, EVIDENCE, RUN = "manifest.json", "evidence.json", "run.json"
NAMED = {
    MANIFEST: "manifest_sha256", EVIDENCE: "evidence_sha256", RECORD: "record_sha256", RUN: "run_sha256",
}  # fmt: skip
FORMAT, ALGORITHM = 1, "Ed25519"
_FIELDS = {
    "format", "release", "bank", "business_date", "content_hash", "key", "signed_at", "sequence", "previous",
    *NAMED.values(),
}  # fmt: skip
_FROM_MANIFEST = ("bank", "business_date", "content_hash", "evidence_sha256")


def check_signed(
    read: Callable[[str], bytes], fits: Callable[[bytes, bytes, bytes], bool] = is_signed
) -> tuple[dict[str, Any], bytes]:
    """The statement of a release, and the public key with which it and all that it names was signed. Raises Broken.

    `read` gives a file by its name; `fits` says whether a signature is one of a key over a message.
    """
    public_key, signature = read_signature(read(SIGNATURE))
    raw = read(STATEMENT)
    if not fits(public_key, signature, raw):
        raise Broken(f"{STATEMENT} or {SIGNATURE} was changed: the signature does not fit")
    said = canonical(raw, STATEMENT)
    if said.get("format") != FORMAT or said.keys() != _FIELDS:
        raise Broken(f"{STATEMENT} is not of format {FORMAT}: use the verifier of a pack of its time")
    if said["key"] != fingerprint(public_key):
        raise Broken(f"{STATEMENT} names the key {said['key']}, and {SIGNATURE} is of {fingerprint(public_key)}")
    for name, field in NAMED.items():
        if hashlib.sha256(read(name)).hexdigest() != said[field]:
            raise Broken(f"{name} was changed: its hash is not the one in {STATEMENT}")
    try:
        _check_manifest(said, canonical(read(MANIFEST), MANIFEST), canonical(read(EVIDENCE), EVIDENCE))
    except (KeyError, TypeError, AttributeError) as error:
        raise Broken(f"{MANIFEST} does not have the form of a manifest") from error
    return said, public_key


def _check_manifest(said: dict[str, Any], manifest: dict[str, Any], evidence: dict[str, Any]) -> None:
    """Id and content hash follow from the manifest, and evidence is of that content. Raises Broken."""
    if (made := f"{manifest.get('business_date')}-{said['manifest_sha256'][:12]}") != said["release"]:
        raise Broken(f"{MANIFEST} gives the id {made}, and {STATEMENT} is of the release {said['release']}")
    for field in _FROM_MANIFEST:
        if manifest.get(field) != said[field]:
            raise Broken(f"{MANIFEST} and {STATEMENT} say different things of {field}")
    files = [{"path": name, **entry} for name, entry in sorted(manifest["files"].items())]
    listing = {"bank": manifest["bank"], "business_date": manifest["business_date"], "files": files}
    if hashlib.sha256(encoded(listing)).hexdigest() != said["content_hash"]:
        raise Broken(f"the content hash does not follow from the files in {MANIFEST}")
    if evidence.get("candidate_hash") != said["content_hash"]:
        raise Broken(f"{EVIDENCE} is of other content")


def encoded(value: Any) -> bytes:
    """The one way in which JSON is written that is hashed or signed."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode("utf-8", "surrogatepass")


def canonical(raw: bytes, name: str) -> dict[str, Any]:
    """The object in a JSON file. Raises Broken unless it is written in the one way."""
    try:
        said = json.loads(raw)
        if isinstance(said, dict) and encoded(said) == raw:
            return said
    except (ValueError, RecursionError):
        pass
    raise Broken(f"{name} was changed: it is not in the form in which it was written")


def read_signature(raw: bytes) -> tuple[bytes, bytes]:
    """Public key and signature in a signature file. Raises Broken."""
    said = canonical(raw, SIGNATURE)
    if said.keys() != {"algorithm", "public_key", "signature"} or said["algorithm"] != ALGORITHM:
        raise Broken(f"{SIGNATURE} is no signature of {ALGORITHM}")
    return _bytes(said, "public_key", 32), _bytes(said, "signature", 64)


def _bytes(said: dict[str, Any], name: str, length: int) -> bytes:
    text = said[name]
    if not isinstance(text, str) or len(text) != 2 * length or set(text) - set("0123456789abcdef"):
        raise Broken(f"{SIGNATURE} was changed: {name} is not {2 * length} hex digits")
    return bytes.fromhex(text)


def fingerprint(public_key: bytes) -> str:
    """What a key is called: the first 16 hex digits of SHA-256 over its 32 bytes."""
    return hashlib.sha256(public_key).hexdigest()[:16]
