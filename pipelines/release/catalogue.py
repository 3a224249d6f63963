"""What has been published: the releases of a home, the current one, and whether a release is still what it was."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.audit.content import EVIDENCE, Content, ContentError, File, canonical_json, supersession
from pipelines.audit.evidence import EvidenceError, read_evidence
from pipelines.contracts.load import Catalog
from pipelines.release import statement
from pipelines.release.consumer_file import differences
from pipelines.release.refused import Refused
from pipelines.settings import Home, InputError

MANIFEST, RUN, POINTER = "manifest.json", "run.json", "current"
CONSUMERS = ("marketing", "risk")
_NAMED_IN_FILE = ("bank", "business_date", "content_hash")
_ID = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9a-f]+")


@dataclass(frozen=True)
class Release:
    """One release directory. Its manifest is read when it is asked for: a damaged one is in nobody else's way."""

    path: Path
    given: dict[str, Any] | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """Business date and the first twelve digits of the manifest's hash."""
        return self.path.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the release says of itself. Raises Refused where that cannot be read."""
        return _read(self.path, MANIFEST) if self.given is None else self.given

    @property
    def business_date(self) -> date:
        """Business date the release is as of, by its name."""
        return date.fromisoformat(self.id[:10])

    def damaged(self) -> str | None:
        """What is wrong with what it says of itself, and what to do; None where it is its own. `verify_release` looks
        further."""
        try:
            if release_id(self.manifest) != self.id:
                raise _changed(self.path, MANIFEST)
            self.run()
            supersession(self.path)
        except (Refused, ContentError) as error:
            return str(error)
        return None

    @property
    def content_hash(self) -> str:
        """Hash of the published content."""
        return self.manifest["content_hash"]

    def run(self) -> dict[str, Any]:
        """When and by which run it was published. Raises Refused where that cannot be read."""
        told = _read(self.path, RUN)
        if "published_at" not in told:
            raise _changed(self.path, RUN)
        return told


def release_id(manifest: dict[str, Any]) -> str:
    """The id that follows from a manifest: the same release has the same id, whenever it is made."""
    return f"{manifest.get('business_date')}-{hashlib.sha256(canonical_json(manifest)).hexdigest()[:12]}"


def read_release(path: Path) -> Release:
    """The release in directory `path`. Raises Refused where its manifest cannot be read."""
    return Release(path, _read(path, MANIFEST))


def _read(release: Path, name: str) -> dict[str, Any]:
    try:
        told = json.loads((release / name).read_bytes())
        if not isinstance(told, dict):
            raise ValueError(f"{name} is no object")
    except (OSError, ValueError) as error:
        raise _changed(release, name, " cannot be read: it") from error
    return told


def _changed(release: Path, name: str, how: str = "") -> Refused:
    return Refused(
        f"{release.name}: {name}{how} was changed. Restore releases/{release.name} from a backup, or move it out of "
        f"releases/, keep it as evidence, and publish its night again"
    )


def release_row(release_id: str, manifest: dict[str, Any]) -> dict[str, str]:
    """What a consumer's file says of the release it belongs to."""
    return {"release_id": release_id, **{name: manifest[name] for name in _NAMED_IN_FILE}}


def shelf(home: Home) -> Path:
    """Where the releases of a home lie, for the audit, which holds a candidate against those before it."""
    return home.releases


def list_releases(home: Home) -> list[Release]:
    """Every release, oldest business date first, damaged ones too: their manifests are not read here."""
    if not home.releases.is_dir():
        return []
    paths = [path for path in home.releases.iterdir() if (path / MANIFEST).is_file() and not path.is_symlink()]
    return [Release(path) for path in sorted(paths, key=lambda path: path.name) if _ID.fullmatch(path.name)]


def is_published(home: Home, release_id: str) -> bool:
    """Whether there is a release of this id."""
    return (home.releases / release_id / MANIFEST).is_file()


def current(home: Home) -> Release | None:
    """The release that consumers see; None before the first, or where that one is gone (`why_none`)."""
    pointer = home.releases / POINTER
    # Resolved once: what follows reads one release, even while the pointer moves.
    return read_release(pointer.resolve(strict=True)) if pointer.exists() else None


def pointed(home: Home) -> str | None:
    """The id of the release that the pointer names, be it there, whole, or gone; None without a pointer."""
    pointer = home.releases / POINTER
    return pointer.readlink().name if pointer.is_symlink() else None


def was_published(home: Home) -> bool:
    """Whether anything was ever published in a home, be it there still or not."""
    return pointed(home) is not None or bool(list_releases(home))


def why_none(home: Home) -> str:
    """Why no release is current, and what to do: nothing was published yet, or what was current is gone."""
    there = list_releases(home)
    if (gone := pointed(home)) is not None:
        day = max([gone[:10], *(f"{release.business_date}" for release in there)])
        return (
            f"no release is current: releases/{gone}, which was, is gone. Restore it from a backup, or publish "
            f"the last night again: `zhongtai nightly --date {day}`. No earlier one takes its place: it may hold who "
            f"withdrew since"
        )
    if there:
        day = there[-1].business_date
        return (
            f"no release is current: {home.releases / POINTER} is gone. "
            f"Run `zhongtai nightly --date {day}`, which points again"
        )
    return f"nothing is published in {home.path} yet: run `zhongtai nightly`"


def find(home: Home, name: str | None) -> Release:
    """The release called `name`, or beginning with it; the current one without a name. Raises InputError."""
    if name in (None, POINTER):
        release = current(home)
        if release is None:
            raise InputError(why_none(home))
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
    problems = [*_changed_files(release), *_check_place(release), *statement.problems(release.path)]
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


def check_release(release: Release, catalog: Catalog) -> None:
    """Raises Refused where a release is not what was published: nothing is made of it then."""
    if problems := verify_release(release, catalog):
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise Refused(
            f"{release.id} is not what was published:\n{listed}\n"
            f"restore releases/{release.id} from a backup; without one move it out of releases/, keep it as evidence, "
            f"and publish its night again"
        )


def _changed_files(release: Release) -> list[str]:
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
