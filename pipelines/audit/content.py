"""The hash of a candidate's content, which evidence is bound to and publishing recomputes.

The content is every file below the candidate except its own descriptions, with the bank and the business date.
What does not belong here: anything that may differ between two builds of the same content (times, hosts, run ids).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CANDIDATE, EVIDENCE, SEAL, PAGE = "candidate.json", "evidence.json", "audited.json", "audit.html"
PROOF, RULES = "proof", "rules.json"  # decisions on each party with their facts; what they follow from beside these
SUPERSEDES = "supersedes.json"  # among the proofs: what a release takes the place of, and why
STATED = "stated"  # what its release would say to the history of marts; published to nobody


class ContentError(ValueError):
    """Not a candidate, or not what was published. The message names the file and what is wrong with it."""


@dataclass(frozen=True)
class File:
    """One file of a candidate; `path` is relative, with forward slashes."""

    path: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Content:
    """Everything that a candidate consists of."""

    bank: str
    business_date: date
    files: tuple[File, ...]

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON of bank, business date and files: 64 hex digits."""
        listing = {
            "bank": self.bank,
            "business_date": self.business_date.isoformat(),
            "files": [asdict(file) for file in self.files],
        }
        return hashlib.sha256(canonical_json(listing)).hexdigest()


def canonical_json(value: Any) -> bytes:
    """The one way in which the platform writes JSON that is hashed: sorted keys, no spaces, UTF-8, one line."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def list_content(directory: Path, bank: str, business_date: date) -> Content:
    """Hash every file below `directory`.

    Raises ContentError where one is neither a plain, readable Parquet file nor what the proofs say in words.
    """
    below = (path for path in sorted(directory.rglob("*")) if path.is_symlink() or not path.is_dir())
    files = (_file(directory, path) for path in below if not _describes(directory, path))
    return Content(bank, business_date, tuple(files))


def read_content(directory: Path) -> Content:
    """As `list_content`, with bank and business date as candidate.json declares them."""
    path = directory / CANDIDATE
    try:
        declared = json.loads(path.read_bytes())
        bank, business_date = str(declared["bank"]), date.fromisoformat(declared["business_date"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ContentError(f"{path} does not declare bank and business_date; build the candidate again") from error
    return list_content(directory, bank, business_date)


def content_hash(directory: Path) -> str:
    """The hash of the candidate in `directory`, from its files as they are now."""
    return read_content(directory).hash


def supersession(directory: Path) -> dict[str, Any] | None:
    """What a release or candidate says of the one that it takes the place of; None where it takes nobody's.

    Raises ContentError where that cannot be read.
    """
    path = directory / PROOF / SUPERSEDES
    try:
        told: dict[str, Any] | None = json.loads(path.read_bytes()) if path.is_file() else None
        if not isinstance(told, dict | None):
            raise ValueError("no object")
        return told
    except ValueError as error:
        raise ContentError(
            f"{directory.name}: {PROOF}/{SUPERSEDES} cannot be read: it was changed. Restore {directory.name} from a "
            f"backup, or move it out of its folder and keep it as evidence"
        ) from error


def _describes(directory: Path, path: Path) -> bool:
    """Whether `path` is of the candidate's own descriptions, or what an interrupted write of one left behind."""
    if path.parent == directory / STATED:
        return True
    return path.parent == directory and path.name.removeprefix(".").startswith((CANDIDATE, EVIDENCE, SEAL, PAGE))


def _file(directory: Path, path: Path) -> File:
    name = path.relative_to(directory).as_posix()
    if path.is_symlink() or not path.is_file():
        raise ContentError(f"{directory.name}: {name} is not a plain file; a candidate holds nothing else")
    try:
        told = path.parent == directory / PROOF and path.name in (RULES, SUPERSEDES)
        rows = 0 if told else pq.read_metadata(path).num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise ContentError(f"{directory.name}: {name} is not a readable Parquet file") from error
    with path.open("rb") as file:
        return File(name, hashlib.file_digest(file, "sha256").hexdigest(), rows)
