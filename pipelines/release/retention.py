"""Which releases are kept, and removing the others: by what policy says, and never under a reader.

Kept are the current one; the latest, as many as policy says; the last of each month, as long as policy says; those
that a kept release supersedes, restores or was decided by; and each that somebody reads, or may be reading. Belongs
here: the plan, and carrying it out. Does not belong here: finding readers (`readers`), and what a release holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.audit.content import supersession
from pipelines.release.catalogue import Release, current, list_releases
from pipelines.release.documents import sweep
from pipelines.release.pointer import REMOVED, place_of
from pipelines.release.publish import alone
from pipelines.release.readers import live_readers, possible_readers, unseen
from pipelines.settings import Home, make_durable

LATEST, MONTHS = "retention.releases", "retention.month_ends"


@dataclass(frozen=True)
class Fate:
    """What becomes of a release: it is kept for `reasons`, or removed where there are none."""

    release: Release
    reasons: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether it stays."""
        return bool(self.reasons)


def plan(home: Home, thresholds: Mapping[str, float], *, in_doubt: bool = False) -> list[Fate]:
    """What becomes of each release, in the order of their places.

    One that a process may be reading which cannot be looked into stays; `in_doubt` has it removed all the same.
    """
    releases = sorted(list_releases(home), key=lambda one: (place_of(one.path), one.id))
    why: dict[str, list[str]] = {release.id: [] for release in releases}
    pointed = current(home)
    if pointed is not None:
        why[pointed.id].append("it is the current one")
    latest = max(1, int(thresholds[LATEST]))
    for release in releases[-latest:]:
        why[release.id].append(f"it is among the latest {latest}")
    for release in _month_ends(releases, int(thresholds[MONTHS])):
        why[release.id].append(f"it is the last of {release.business_date:%Y-%m}")
    for release in releases:
        if release.damaged():
            why[release.id].append("it was changed: somebody has to look into that")
    for release in reversed(releases):
        if why[release.id]:
            for name, words in _named(release):
                if name in why:
                    why[name].append(words)
    for path, words in live_readers([one.path for one in releases if not why[one.id]]).items():
        why[path.name] += words
    going = [] if in_doubt else [one.path for one in releases if not why[one.id]]
    for path, words in possible_readers(going, unseen() if going else ()).items():
        why[path.name] += words
    return [Fate(release, tuple(why[release.id])) for release in releases]


def remove(home: Home, thresholds: Mapping[str, float], *, in_doubt: bool = False) -> list[Fate]:
    """Remove what `plan` does not keep, each at once or not at all; returns what became of each release.

    Documents go with their release, after it.
    """
    with alone(home.releases):
        fates = [fate if fate.kept else _removed(home, fate) for fate in plan(home, thresholds, in_doubt=in_doubt)]
        sweep(home)
    return fates


def _removed(home: Home, fate: Fate) -> Fate:
    path = fate.release.path
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # Whoever begins to read from here on finds it gone, not half of it.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        gone = path.rename(home.releases / f"{REMOVED}{path.name}")
        make_durable(home.releases)
    except BlockingIOError:
        return Fate(fate.release, ("its directory is locked",))
    finally:
        os.close(descriptor)
    shutil.rmtree(gone)
    return fate


def _month_ends(releases: list[Release], months: int) -> list[Release]:
    last = {(one.business_date.year, one.business_date.month): one for one in releases}
    return [last[month] for month in sorted(last)[max(0, len(last) - months) :]]


def _named(release: Release) -> list[tuple[str, str]]:
    """Releases that a superseding release needs to be understood, each with why."""
    told = supersession(release.path)
    if told is None:
        return []
    named = [(told["supersedes"], f"{release.id} supersedes it")]
    named += [(told["restores"], f"{release.id} restores it")] if told["restores"] else []
    return named + [(one, f"{release.id} was decided by it") for one in [told.get("decided", {}).get("release")] if one]
