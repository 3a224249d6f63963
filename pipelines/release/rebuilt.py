"""Making a release again in an empty home: what that home is given first, and whether the same came of it.

One that a rollback made is of no night. It is made again from the release that it restores, as it lies there, once the
night is run whose word on parties it followed.

It is given what no delivery holds: keys, who was who before that night, what people decided, what earlier releases said
to the history. Belongs here: giving it, and comparing content bytes. Does not belong here: the run in between, which is
the night itself (`pipelines.cli.rebuild`).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.audit.content import PROOF, SUPERSEDES, Content, File, read_content, supersession
from pipelines.contracts.load import Catalog
from pipelines.history.store import statements
from pipelines.release import provenance
from pipelines.release.catalogue import Release, check_release, find, list_releases
from pipelines.release.correction import what_changed
from pipelines.release.restored import restore
from pipelines.release.standing import deciding, standing
from pipelines.settings import Home, InputError, make_directory
from pipelines.vault.keys import KeyRing

_ITSELF = f"{PROOF}/{SUPERSEDES}"
_KEYS = ("master.key", "token_version.json")
_DECIDED = ("identity/decisions.yaml", "risk/admission_decisions.yaml")


@dataclass(frozen=True)
class Rebuilt:
    """What came of making a release again: the content of each side, what was made otherwise, which files differ.

    `content_hash` is that of the files that came of it, but for `taken_over`: what a superseding release says of the
    one in whose place it stands. An empty home has no such release, so that file is the original's.
    """

    release: str
    content_hash: str
    original_hash: str
    made_otherwise: dict[str, Any]
    differing: tuple[str, ...]
    taken_over: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether every byte of content that was made again is the same."""
        return self.content_hash == self.original_hash


def night_of(source: Home, release: Release) -> Release:
    """The release whose night is to be run: itself, or of one that a rollback made the one whose word it followed."""
    told = supersession(release.path)
    return find(source, told["decided"]["release"]) if told is not None and told["restores"] is not None else release


def restore_again(catalog: Catalog, source: Home, release: Release, ring: KeyRing, into: Home) -> Path:
    """The candidate of a release that a rollback made, built once more in the home `into`, where its night was run.

    Raises InputError where what stood against parties then is not in a home any more, Refused where the release that it
    restores is not what was published.
    """
    told = supersession(release.path) or {}
    restored, superseded = (find(source, told[name]) for name in ("restores", "supersedes"))
    check_release(restored, catalog)
    stands = standing(into, ring, deciding(catalog, into), restored.business_date)
    for name, found in (("spoke_since", stands.spoke_since), ("parted_since", stands.parted_since)):
        if found != told["decided"][name]:
            raise InputError(
                f"{release.id} leaves out {told['decided'][name]} parties who spoke of consent, or gave records to one "
                f"another, after {told['decided']['release']} and before any night had decided on it, and now it would "
                f"be {found}: no home keeps what was landed in that hour. Rebuild {restored.id}, whose rows it has; "
                f"`zhongtai releases diff {restored.id} {release.id}` shows what was left out"
            )
    return restore(catalog, into, ring, restored, superseded, stands, told["reason"])


def prepare(source: Home, release: Release, ring: KeyRing, into: Home, *, key_file: bool) -> None:
    """Give the empty home `into` what the night of `release` stood on, out of the home it was published in.

    `key_file` says that the keys are those of the source's own file. Raises InputError where the home is not empty, the
    keys are others, or the state that it names is not there any more.
    """
    if into.path.exists() and any(into.path.iterdir()):
        raise InputError(f"{into.path} is not empty: name a directory that is, or one that is not there")
    if ring.fingerprint() != release.manifest["key_fingerprint"]:
        raise InputError(
            f"{release.id} was made with the key {release.manifest['key_fingerprint']}, and this is "
            f"{ring.fingerprint()}: give that one"
        )
    before = _named_state(release)
    _check_state(source, release, before)
    into.prepare(release.manifest["bank"])
    for name in _KEYS if key_file else _KEYS[1:]:
        _give(source.vault / name, into.vault / name)
    for name in _DECIDED:
        _give(source.path / name, into.path / name)
    for day in _nights(source, before):
        _give(source.identity / "state" / day, make_directory(into.identity / "state") / day)
        _give(source.vault / "golden" / day, make_directory(into.vault / "golden") / day)
    for name in _said_before(source, release, release.run()["followed_on"]):
        _give(source.history / "changes" / name, make_directory(into.history / "changes") / name)


def _named_state(release: Release) -> dict[str, Any] | None:
    """Who was who before the night, by date and hash; None before the first one."""
    try:
        named: dict[str, Any] | None = release.manifest["identity_before"]
    except KeyError:
        raise InputError(
            f"{release.id} does not name the state of who is who that it stands on: it was published before manifests "
            f"named it. Publish its night again, and rebuild what comes of it"
        ) from None
    return named


def _check_state(source: Home, release: Release, before: dict[str, Any] | None) -> None:
    """Whether who was who before the night is still what the release names."""
    if before is None:
        return
    day = date.fromisoformat(before["business_date"])
    there = provenance.kept_states(source).get(day)
    if there is None:
        raise InputError(
            f"{release.id} stands on who was who after {day}, and there is no finished identity/state/{day}: restore "
            f"identity/state and vault/golden of before from a backup"
        )
    if there != before["sha256"]:
        raise InputError(
            f"{release.id} stands on who was who after {day}, state {before['sha256'][:12]}, and identity/state "
            f"through {day} is not what it was but state {there[:12]}: a night until then was run again since; "
            f"restore identity/state and vault/golden of before from a backup"
        )


def _nights(source: Home, before: dict[str, Any] | None) -> list[str]:
    if before is None:
        return []
    return sorted(path.name for path in (source.identity / "state").iterdir() if path.name <= before["business_date"])


def _said_before(source: Home, release: Release, followed_on: dict[str, str] | None) -> list[str]:
    """Names of what releases said to the history before this one did."""
    made = statements(source)
    own = [one.sequence for one in made if one.release == release.id]
    last = [one.sequence for one in made if followed_on is not None and one.release == followed_on["release"]]
    end = min(own) if own else max(last, default=0) + 1
    return [one.name for one in made if one.sequence < end]


def _give(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.is_file():
        shutil.copy2(source, make_directory(target.parent) / target.name)


def made_with_others(catalog: Catalog, release: Release) -> dict[str, Any]:
    """What of today is not what a release was made with: contracts, policy, code, libraries."""
    now = release.manifest | provenance.of_project(catalog)
    return {name: found for name, found in what_changed(release.manifest, now).items() if found}


def compare_content(release: Release, into: Home, restored: Path | None = None) -> Rebuilt:
    """Hold what the run in `into` came to against a release, file by file, or the candidate that restores one.

    Raises InputError where there is nothing.
    """
    day = release.business_date
    found = [one for one in list_releases(into) if one.business_date == day and restored is None]
    if found:
        manifest = found[-1].manifest
        now = {name: File(name, entry["sha256"], entry["rows"]) for name, entry in manifest["files"].items()}
        otherwise = {name: some for name, some in what_changed(release.manifest, manifest).items() if some}
        name = found[-1].id
    else:
        built = [restored] if restored is not None else into.candidates.glob("[0-9a-f]*")
        candidates = [path for path in built if read_content(path).business_date == day]
        if not candidates:
            raise InputError(f"the run in {into.path} came to no candidate of {day}: see what it said")
        content = read_content(candidates[-1])
        now, otherwise, name = {file.path: file for file in content.files}, {}, f"candidate {content.hash[:12]}"
    before = {n: File(n, entry["sha256"], entry["rows"]) for n, entry in release.manifest["files"].items()}
    taken_over = (_ITSELF,) if _ITSELF in before else ()
    now |= {name: before[name] for name in taken_over}
    differing = tuple(sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n)))
    content = Content(release.manifest["bank"], day, tuple(now[n] for n in sorted(now)))
    return Rebuilt(name, content.hash, release.content_hash, otherwise, differing, taken_over)
