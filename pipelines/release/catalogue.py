"""What has been published: the releases of a home, the current one, and whether a release is still what it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.audit.content import EVIDENCE, Content, File, canonical_json
from pipelines.audit.evidence import EvidenceError, read_evidence
from pipelines.contracts.load import Catalog
from pipelines.release import statement
from pipelines.release.consumer_file import differences
from pipelines.release.refused import Refused
from pipelines.settings import Home, InputError

MANIFEST, RUN, POINTER = "manifest.json", "run.json", "current"
CONSUMERS = ("marketing", "risk")
_NAMED_IN_FILE = ("bank", "business_date", "content_hash")


@dataclass(frozen=True)
class Release:
    """One release directory and its manifest."""

    path: Path
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        """Business date and the first twelve digits of the manifest's hash."""
        return self.path.name

    @property
    def business_date(self) -> date:
        """Business date the release is as of."""
        return date.fromisoformat(self.manifest["business_date"])

    @property
    def content_hash(self) -> str:
        """Hash of the published content."""
        return self.manifest["content_hash"]

    def run(self) -> dict[str, Any]:
        """When and by which run it was published."""
        return json.loads((self.path / RUN).read_bytes())


def release_id(manifest: dict[str, Any]) -> str:
    """The id that follows from a manifest: the same release has the same id, whenever it is made."""
    return f"{manifest['business_date']}-{hashlib.sha256(canonical_json(manifest)).hexdigest()[:12]}"


def read_release(path: Path) -> Release:
    """The release in directory `path`. Raises Refused where its manifest cannot be read."""
    try:
        return Release(path, json.loads((path / MANIFEST).read_bytes()))
    except (OSError, ValueError) as error:
        raise Refused(f"{path.name}: {MANIFEST} cannot be read: it was changed; publish the night again") from error


def release_row(release_id: str, manifest: dict[str, Any]) -> dict[str, str]:
    """What a consumer's file says of the release it belongs to."""
    return {"release_id": release_id, **{name: manifest[name] for name in _NAMED_IN_FILE}}


def shelf(home: Home) -> Path:
    """Where the releases of a home lie, for the audit, which holds a candidate against those before it."""
    return home.releases


def list_releases(home: Home) -> list[Release]:
    """Every release, oldest business date first."""
    if not home.releases.is_dir():
        return []
    paths = [path for path in home.releases.iterdir() if (path / MANIFEST).is_file() and not path.is_symlink()]
    return [read_release(path) for path in sorted(paths, key=lambda path: path.name) if not path.name.startswith(".")]


def is_published(home: Home, release_id: str) -> bool:
    """Whether there is a release of this id."""
    return (home.releases / release_id / MANIFEST).is_file()


def current(home: Home) -> Release | None:
    """The release that consumers see, or None before the first."""
    pointer = home.releases / POINTER
    # Resolved once: what follows reads one release, even while the pointer moves.
    return read_release(pointer.resolve(strict=True)) if pointer.exists() else None


def find(home: Home, name: str | None) -> Release:
    """The release called `name`, or beginning with it; the current one without a name. Raises InputError."""
    if name in (None, POINTER):
        release = current(home)
        if release is None:
            raise InputError(f"nothing is published in {home.path} yet: run `zhongtai nightly`")
        return release
    matches = [release for release in list_releases(home) if release.id.startswith(str(name))]
    if len(matches) != 1:
        known = ", ".join(release.id for release in list_releases(home)) or "none"
        raise InputError(f"{len(matches)} releases are called '{name}'; there are: {known}")
    return matches[0]


def verify_release(release: Release, catalog: Catalog) -> list[str]:
    """What is wrong with a release, in plain words; empty where it is what was published."""
    if release_id(release.manifest) != release.id:
        return [f"{MANIFEST} was changed: it does not give the id {release.id}"]
    problems = [*changed_files(release), *_check_place(release), *statement.problems(release.path)]
    if problems:
        return list(dict.fromkeys(problems))
    problems = _check_content(release)
    told = release.manifest["contracts"]
    products = [p for p in catalog.products.values() if told.get(p.id, {}).get("sha256") == p.sha256]
    for consumer in CONSUMERS:
        described = [product for product in products if product.consumer in (consumer, "shared")]
        row = release_row(release.id, release.manifest)
        problems += differences(release.path, consumer, release.manifest["files"], described, row)
    return problems


def changed_files(release: Release) -> list[str]:
    """Published files that are not what the manifest says, in plain words."""
    problems = []
    for name, entry in release.manifest["files"].items():
        path = release.path / name
        if not path.is_file() or path.is_symlink():
            problems.append(f"{name} is missing" if not path.exists() else f"{name} is no longer a file of its own")
            continue
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
                problems.append(f"{name} was changed: its hash is not the one in {MANIFEST}")
    return problems


def _check_place(release: Release) -> list[str]:
    """Files that do not belong to the release, are not there, or can be read by everyone."""
    derived = {f"{consumer}/{consumer}.duckdb" for consumer in CONSUMERS}
    expected = {*release.manifest["files"], *derived, MANIFEST, RUN, EVIDENCE, *statement.ATTACHED}
    problems = [f"{name} is missing" for name in sorted({*derived, RUN}) if not (release.path / name).is_file()]
    for path in sorted(release.path.rglob("*")):
        name = path.relative_to(release.path).as_posix()
        if name not in expected and not path.is_dir():
            problems.append(f"{name} does not belong to the release")
        elif path.stat(follow_symlinks=False).st_mode & 0o007:
            problems.append(f"{name} can be read by everyone")
    return problems


def _check_content(release: Release) -> list[str]:
    try:
        evidence = read_evidence(release.path)
    except EvidenceError as error:
        return [str(error)]
    # As it lies there: written anew it would say what gates there are today.
    if hashlib.sha256((release.path / EVIDENCE).read_bytes()).hexdigest() != release.manifest["evidence_sha256"]:
        return ["evidence.json was changed"]
    problems = [] if evidence.candidate_hash == release.content_hash else ["evidence.json is for other content"]
    files = tuple(
        File(name, entry["sha256"], entry["rows"]) for name, entry in sorted(release.manifest["files"].items())
    )
    content = Content(release.manifest["bank"], release.business_date, files)
    return problems if content.hash == release.content_hash else [*problems, "the content hash does not fit the files"]
