"""The pointer `releases/current`, and the one rule by which it moves: never to a release whose place is before its own.

A release has the place of its business date. One that supersedes another takes that one's place, further on: so a
restored release of an earlier date leads, until a night of a later date, or one that supersedes it in turn, is
published. Belongs here: places, and moving the link. Does not belong here: what a superseding release holds.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pipelines.audit.content import supersession
from pipelines.release.catalogue import MANIFEST, POINTER
from pipelines.settings import make_durable

# How names begin of what is not there yet, and of what is there no more.
UNFINISHED, REMOVED = ".building-", ".removing-"


class Place(NamedTuple):
    """Where a release stands among the others: places compare as they follow each other."""

    business_date: str
    order: int


def place_of(release: Path) -> Place:
    """The place of a release. One that cannot be read has that of its name, which begins with its business date."""
    try:
        told = supersession(release)
        if told is not None:
            return Place(told["place"]["business_date"], int(told["place"]["order"]))
    except (ValueError, KeyError, TypeError):
        pass
    return Place(release.name[:10], 0)


def published(releases: Path) -> list[Path]:
    """The directories of releases, in the order of their places, then of their names."""
    found = [path for path in releases.glob("[0-9]*") if not path.is_symlink() and (path / MANIFEST).is_file()]
    return sorted(found, key=lambda path: (*place_of(path), path.name))


def next_order(releases: Path, business_date: str) -> int:
    """The order that a release takes which supersedes what is published in the place of a business date."""
    return 1 + max((p.order for p in map(place_of, published(releases)) if p.business_date == business_date), default=0)


def point(releases: Path, name: str) -> None:
    """Let the pointer name this release, unless the one it names has a later place.

    Where the pointer was lost, it names the release with the last place of all. Where the release that it names is
    gone, no earlier one takes its place: who withdrew by then would be public again.
    """
    pointer = releases / POINTER
    others = [pointer.readlink().name] if pointer.is_symlink() else []
    if not (pointer / MANIFEST).is_file():  # the place of one that is gone is known by its name: at most too early
        others += [path.name for path in published(releases)]
    last = max(others, key=lambda other: place_of(releases / other), default=name)
    if place_of(releases / last) > place_of(releases / name):
        if pointer.is_symlink():
            return
        name = last
    temporary = releases / f"{UNFINISHED}{POINTER}"
    temporary.symlink_to(name)
    temporary.replace(pointer)
    make_durable(releases)
