"""Publication: verify the evidence, build an immutable release beside the others, move one pointer.

The pointer is the symbolic link `releases/current`. A reader sees the old release or the new one, whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pipelines.audit.content import CANDIDATE, STATED, Content, ContentError, canonical_json, read_content
from pipelines.audit.evidence import Evidence, EvidenceError, read_evidence, superseded, verify
from pipelines.audit.gates import expected_checks
from pipelines.audit.seal import broken_seal
from pipelines.audit.waivers import waived
from pipelines.contracts.load import Catalog
from pipelines.history.recording import put_down
from pipelines.history.store import count, settle
from pipelines.release import provenance
from pipelines.release.catalogue import (
    CONSUMERS,
    MANIFEST,
    RUN,
    Release,
    is_published,
    read_release,
    release_id,
    release_row,
    verify_release,
)
from pipelines.release.consumer_file import build_consumer_file
from pipelines.release.description import check_still_so, made_from
from pipelines.release.pointer import REMOVED, UNFINISHED, point
from pipelines.release.record import record
from pipelines.release.refused import Refused
from pipelines.release.statement import attach
from pipelines.release.superseding import said_otherwise
from pipelines.release.verifier.archive import Broken
from pipelines.release.verifier.pack import check_record, inside
from pipelines.settings import (
    PASSAGE_DIR,
    PRIVATE_FILE,
    InputError,
    Settings,
    make_directory,
    make_durable,
    write_private,
)
from pipelines.vault.keys import KeyRing

_GROUP_DIR, _GROUP_FILE = 0o750, 0o640


def publish(candidate: Path, catalog: Catalog, settings: Settings, ring: KeyRing, run: dict[str, Any]) -> Release:
    """Publish an audited candidate; `run` is metadata of this run and no part of the release's content.

    Raises Refused unless complete, passing evidence for exactly this content lies beside it, and the night would still
    be made from the same.
    """
    content, evidence = _audited(candidate, catalog, settings)
    releases = settings.home.releases
    with alone(releases):
        manifest = _manifest(content, evidence, catalog, made_from(candidate))
        manifest |= said_otherwise(candidate, settings.home)
        target = releases / release_id(manifest)
        now = provenance.describe(catalog, settings.home, ring, content.business_date)
        check_still_so(candidate, settings.home, now, target.name)
        settle(settings.home, partial(is_published, settings.home))
        said = put_down(settings.home, candidate / STATED, target.name, content.business_date)
        if not target.exists():
            _build(candidate, target, manifest, evidence, catalog, settings, run)
        elif problems := verify_release(read_release(target), catalog):
            raise Refused(
                f"{target} is not what was published: {'; '.join(problems)}. Move it away, then publish again"
            )
        if said is not None:
            count(said)
        point(releases, target.name)
    shutil.rmtree(candidate, ignore_errors=True)
    return read_release(target)


@contextmanager
def alone(releases: Path) -> Iterator[None]:
    """Wait for another publication or removal to end; sweep up what a killed one left behind."""
    descriptor = os.open(releases, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        for leftover in (*releases.glob(f"{UNFINISHED}*"), *releases.glob(f"{REMOVED}*")):
            shutil.rmtree(leftover) if leftover.is_dir() and not leftover.is_symlink() else leftover.unlink()
        yield
    finally:
        os.close(descriptor)


def _audited(candidate: Path, catalog: Catalog, settings: Settings) -> tuple[Content, Evidence]:
    """What the candidate holds now, and the evidence that allows publishing it. Raises Refused."""
    if not (candidate / CANDIDATE).is_file():
        raise Refused(f"{candidate} is not a candidate: run the night again")
    try:
        content = read_content(candidate)
        evidence = read_evidence(candidate)
    except ContentError as error:
        raise Refused(f"{error}: build the candidate again") from error
    except EvidenceError as error:
        raise Refused(f"{error}: nothing is published without evidence") from error
    failed = [check.id for check in evidence.checks if check.state == "failed" and check.id in expected_checks(catalog)]
    waivers = waived(catalog, content.bank, content.business_date, failed)
    problems = verify(evidence, content.hash, content.business_date, expected_checks(catalog), waivers)
    problems += [*broken_seal(candidate), *superseded(evidence, catalog)]
    if content.bank != settings.home.bank():
        problems.append(f"it is of bank {content.bank}, and {settings.home.path} is the home of {settings.home.bank()}")
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise Refused(f"candidate {content.hash[:12]} of {content.business_date} is not published:\n{listed}")
    return content, evidence


def _manifest(content: Content, evidence: Evidence, catalog: Catalog, made_of: dict[str, Any]) -> dict[str, Any]:
    rows = {file.path: file.rows for file in content.files}
    return {
        "bank": content.bank,
        "business_date": content.business_date.isoformat(),
        "content_hash": content.hash,
        "files": {file.path: {"sha256": file.sha256, "rows": file.rows} for file in content.files},
        "rows": {p.id: rows[f"{p.consumer}/{p.table}.parquet"] for p in catalog.products.values()},
        "checks": {state: evidence.count(state) for state in ("passed", "failed", "not_audited")},
        "waivers": [asdict(one) for one in evidence.waivers if one.checks],
        "evidence_sha256": hashlib.sha256(evidence.to_json()).hexdigest(),
        **made_of,
    }


def _build(
    candidate: Path, target: Path, manifest: dict[str, Any], evidence: Evidence, catalog: Catalog, settings: Settings,
    run: dict[str, Any],
) -> None:  # fmt: skip
    staging = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=target.parent))
    try:
        for name, entry in manifest["files"].items():
            make_directory((staging / name).parent)
            _copy(candidate / name, staging / name, entry["sha256"])
        evidence.write(staging)
        write_private(staging / MANIFEST, canonical_json(manifest))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        recorded = {
            "identity": provenance.stood_on(settings.home),
            "followed_on": provenance.followed_on(settings.home, date.fromisoformat(manifest["business_date"])),
            "published_at": now,
            **run,
        }
        write_private(staging / RUN, canonical_json(recorded))
        kept = record(catalog, settings.home, target.name, manifest, evidence)
        _check(kept, manifest)
        attach(staging, target.name, manifest, kept, settings.home, now)
        for consumer, group in zip(CONSUMERS, (settings.group_marketing, settings.group_risk), strict=True):
            build_consumer_file(staging, consumer, catalog, release_row(target.name, manifest))
            _open_to_group(staging / consumer, group)
        staging.chmod(PASSAGE_DIR)
        for path in (*staging.rglob("*"), staging):
            make_durable(path)
        staging.rename(target)
        make_durable(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check(record: bytes, manifest: dict[str, Any]) -> None:
    """Raises Refused where the record, whose files are read now, is not of what the night was held to."""
    try:
        check_record(manifest, inside(record))
    except Broken as error:
        raise Refused(f"{error}: contracts or policy were changed since the night began; run it again") from error


def _copy(source: Path, target: Path, sha256: str) -> None:
    """Copy an audited file. Raises Refused where it is no longer the one that was audited."""
    with source.open("rb") as audited, open(target, "xb", opener=_private) as copy:
        shutil.copyfileobj(audited, copy)
    with target.open("rb") as copy:
        if hashlib.file_digest(copy, "sha256").hexdigest() != sha256:
            raise Refused(f"{source} was changed while it was being published: build the candidate again")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)


def _open_to_group(directory: Path, group: str | None) -> None:
    for path in (*directory.iterdir(), directory):
        if group is not None:
            try:
                shutil.chown(path, group=group)
            except LookupError as error:
                raise InputError(f"there is no group '{group}' on this machine: create it, or name another") from error
        path.chmod(_GROUP_DIR if path.is_dir() else _GROUP_FILE)
