"""The seal of an audit: which description of a candidate and which evidence belong together.

Evidence is bound to the content by its hash, and is part of a release. What a candidate says of itself beside its
content (`candidate.json`) is neither, and yet decides: how many rows were withheld, what it was made from, what is
stated to the history. So the audit writes down which one it read. Belongs here: that file alone.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pipelines.audit.content import CANDIDATE, EVIDENCE, SEAL, canonical_json
from pipelines.settings import write_private


def description_hash(candidate: Path) -> str:
    """SHA-256 of what the candidate says of itself now."""
    return _sha256(candidate / CANDIDATE)


def seal(candidate: Path, description: str) -> None:
    """Write down that the evidence beside a candidate was found while its description had that hash."""
    said = {"description_sha256": description, "evidence_sha256": _sha256(candidate / EVIDENCE)}
    write_private(candidate / SEAL, canonical_json(said))


def broken_seal(candidate: Path) -> list[str]:
    """What was changed beside the content after the audit; empty where nothing was."""
    try:
        said = json.loads((candidate / SEAL).read_bytes())
        told = said["description_sha256"], said["evidence_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{SEAL} is not there or cannot be read: the audit was not finished; audit the candidate again"]
    return [
        f"{name}: it was changed after the audit; run the night again"
        for name, sha256 in zip((CANDIDATE, EVIDENCE), told, strict=True)
        if _sha256(candidate / name) != sha256
    ]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
