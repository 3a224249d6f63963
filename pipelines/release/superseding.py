"""What a superseding release says of itself: which release it takes the place of, what it restores, why, what changed.

It stands in `proof/supersedes.json`, inside the content: evidence and hash are bound to it. Belongs here: its form,
and what a manifest says of it. Does not belong here: who makes one (`restored`, `correction`), and moving the pointer.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.audit.content import PROOF, SUPERSEDES, canonical_json, supersession
from pipelines.release.catalogue import Release, find, list_releases
from pipelines.release.pointer import next_order, place_of
from pipelines.release.refused import Refused
from pipelines.settings import Home, write_private

# Of what a restored release was made from: all that the release says that it restores.
_AS_RESTORED = ("deliveries", "decisions_sha256", "admission_decisions_sha256", "identity_before")


def write_supersession(
    home: Home, directory: Path, superseded: Release, restores: str | None, reason: str, **told: Any
) -> dict[str, Any]:
    """Write beside the proofs of a candidate that its release takes the place of `superseded`, one further on."""
    day = place_of(superseded.path).business_date
    said = {
        "supersedes": superseded.id,
        "restores": restores,
        "reason": reason,
        "place": {"business_date": day, "order": next_order(home.releases, day)},
        **told,
    }
    write_private(directory / PROOF / SUPERSEDES, canonical_json(said))
    return said


def said_otherwise(candidate: Path, home: Home) -> dict[str, Any]:
    """What the manifest of a superseding release says otherwise than that of a night; nothing for any other.

    Raises Refused for one that restores another, where something was published since it was built: decisions on
    parties may be others.
    """
    told = supersession(candidate)
    if told is None:
        return {}
    said: dict[str, Any] = {"supersedes": {name: told[name] for name in ("supersedes", "restores", "reason")}}
    if told["restores"] is not None:
        restored, place = find(home, told["restores"]), told["place"]
        last = [release.id for release in of_nights(home)][-1:]
        taken = next_order(home.releases, place["business_date"]) != place["order"]
        if taken or last != [told["decided"]["release"]]:
            name = candidate.name[:12]
            raise Refused(f"{name} is of before the last release: run `zhongtai releases rollback` again")
        said |= {name: restored.manifest.get(name) for name in _AS_RESTORED}
    return said


def leading(home: Home, business_date: str) -> Release | None:
    """The release with the last place of a business date, or None."""
    of_date = [one for one in list_releases(home) if place_of(one.path).business_date == business_date]
    return max(of_date, key=lambda one: (place_of(one.path), one.id), default=None)


def of_nights(home: Home) -> list[Release]:
    """The releases that nights made, none of them restored, in the order of their places."""
    found = [one for one in list_releases(home) if (supersession(one.path) or {"restores": None})["restores"] is None]
    return sorted(found, key=lambda one: (place_of(one.path), one.id))
