"""Publication: verify the evidence, build an immutable release beside the others, move one pointer.

The pointer is the symbolic link `releases/current`. A reader sees the old release or the new one, whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.audit.content import CANDIDATE, EVIDENCE, canonical_json, read_content
from pipelines.audit.evidence import EvidenceError, read_evidence, superseded, verify
from pipelines.audit.gates import expected_checks
from pipelines.contracts.load import Catalog
from pipelines.release import provenance
from pipelines.release.catalogue import MANIFEST, RUN, Release, current, read_release, release_id
from pipelines.release.consumer_file import build_consumer_file
from pipelines.release.refused import Refused
from pipelines.settings import PASSAGE_DIR, Settings, make_directory, write_private
from pipelines.vault.keys import KeyRing

_GROUP_DIR, _GROUP_FILE = 0o750, 0o640


def publish(candidate: Path, catalog: Catalog, settings: Settings, ring: KeyRing, run: dict[str, Any]) -> Release:
    """Publish an audited candidate; `run` is metadata of this run and no part of the release's content.

    Raises Refused unless complete, passing evidence for exactly this content lies beside it.
    """
    manifest = _manifest(candidate, catalog, settings, ring)
    home = settings.home
    target = home.releases / release_id(manifest)
    if not target.exists():
        _build(candidate, target, manifest, catalog, settings, run)
    release = read_release(target)
    before = current(home)
    if before is None or before.business_date <= release.business_date:
        _point(home.releases, release.id)
    shutil.rmtree(candidate, ignore_errors=True)
    return release


def _manifest(candidate: Path, catalog: Catalog, settings: Settings, ring: KeyRing) -> dict[str, Any]:
    if not (candidate / CANDIDATE).is_file():
        raise Refused(f"{candidate} is not a candidate: run the night again")
    content = read_content(candidate)
    try:
        evidence = read_evidence(candidate)
    except EvidenceError as error:
        raise Refused(f"{error}: nothing is published without evidence") from error
    expected = expected_checks(catalog)
    problems = verify(evidence, content.hash, content.business_date, expected)
    if problems := problems + superseded(evidence, catalog):
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise Refused(f"candidate {content.hash[:12]} of {content.business_date} is not published:\n{listed}")
    declared = json.loads((candidate / CANDIDATE).read_bytes())
    return {
        "bank": content.bank,
        "business_date": content.business_date.isoformat(),
        "content_hash": content.hash,
        "files": {file.path: {"sha256": file.sha256, "rows": file.rows} for file in content.files},
        "rows": declared["rows"],
        "checks": {state: evidence.count(state) for state in ("passed", "failed", "not_audited")},
        "evidence_sha256": hashlib.sha256(evidence.to_json()).hexdigest(),
        **provenance.describe(catalog, settings.home, ring, content.business_date),
    }


def _build(
    candidate: Path, target: Path, manifest: dict[str, Any], catalog: Catalog, settings: Settings, run: dict[str, Any]
) -> None:
    staging = target.with_name(f".building-{os.getpid()}-{target.name}")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        make_directory(staging, PASSAGE_DIR)
        for file in manifest["files"]:
            shutil.copyfile(candidate / file, make_directory((staging / file).parent) / Path(file).name)
        shutil.copyfile(candidate / EVIDENCE, staging / EVIDENCE)
        write_private(staging / MANIFEST, canonical_json(manifest))
        recorded = {**run, "published_at": datetime.now(UTC).isoformat(timespec="seconds")}
        write_private(staging / RUN, canonical_json(recorded))
        row = {name: manifest[name] for name in ("bank", "business_date", "content_hash")}
        for consumer, group in (("marketing", settings.group_marketing), ("risk", settings.group_risk)):
            build_consumer_file(staging, consumer, catalog, {"release_id": target.name, **row})
            _open_to_group(staging / consumer, group)
        _make_durable(staging)
        staging.rename(target)
        _sync(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _open_to_group(directory: Path, group: str | None) -> None:
    for path in (directory, *directory.iterdir()):
        path.chmod(_GROUP_DIR if path.is_dir() else _GROUP_FILE)
        if group is not None:
            shutil.chown(path, group=group)


def _make_durable(directory: Path) -> None:
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.stat().st_mode & 0o040 == 0:
            path.chmod(0o600)
        _sync(path)
    _sync(directory)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _point(releases: Path, name: str) -> None:
    temporary = releases / f".current-{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(name)
    os.replace(temporary, releases / "current")
    _sync(releases)
