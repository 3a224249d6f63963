"""Going back: what an earlier release said is published again in the place of the current one.

The pointer does not move to the earlier release itself: it may hold parties who withdrew since. Belongs here: the order
of things. Does not belong here: what is left out (`left_out`), the audit, and publishing.
"""

from __future__ import annotations

from typing import Any

from pipelines.audit.content import PAGE
from pipelines.audit.run import audit_candidate
from pipelines.audit.upstream import Finder
from pipelines.contracts.load import Catalog
from pipelines.release.audit_page import where_to_look, write_page
from pipelines.release.catalogue import Release, check_release, find
from pipelines.release.examined import examined
from pipelines.release.publish import publish
from pipelines.release.refused import Refused
from pipelines.release.restored import restore
from pipelines.release.standing import deciding, standing
from pipelines.settings import InputError, Settings
from pipelines.vault.keys import KeyRing
from pipelines.vault.shapes import recognised, shapes_of, with_article

_OF_THEN = ("identity", "followed_on")


def roll_back(catalog: Catalog, settings: Settings, ring: KeyRing, name: str, reason: str) -> Release:
    """Publish a release that supersedes the current one by the content of another; the pointer names it then.

    Raises InputError where there is nothing to go back to, or the reason holds an identifier, Refused where that
    release, the current one or the one whose word on parties counts is not what was published, where it does not meet
    the contracts of today, or the audit finds anything against it.
    """
    home = settings.home
    superseded, restored = find(home, None), find(home, name)
    if superseded.id == restored.id:
        raise InputError(f"{restored.id} is the current release: name an earlier one; see `zhongtai releases list`")
    if not reason.strip():
        raise InputError("say why, for whoever asks later: --reason TEXT")
    if told := recognised([reason], shapes_of(catalog.bank(restored.manifest["bank"]).jurisdiction)):
        found = ", ".join(map(with_article, told))
        raise InputError(f"--reason holds what looks like {found}: it is published with the release, say it without")
    if restored.manifest["key_fingerprint"] != ring.fingerprint():
        raise Refused(f"{restored.id} was made with other keys: its parties cannot be held against decisions of today")
    decided_by = deciding(catalog, home)
    for release in (restored, superseded):
        if release.id != decided_by.id:  # that one was verified
            check_release(release, catalog)
    stands = standing(home, ring, decided_by, restored.business_date)
    candidate = restore(catalog, home, ring, restored, superseded, stands, reason.strip())
    crosswalk = home.identity / "party_crosswalk.parquet"
    limits = {"threads": settings.threads, "memory_limit": settings.memory_limit}
    finder = Finder(catalog, home, restored.business_date, ring)
    audit_candidate(candidate, catalog, crosswalk, home.releases, upstream=finder, **limits)
    page = write_page(examined(candidate), catalog, home, candidate / PAGE)
    recorded = restored.run()
    run: dict[str, Any] = {"run_id": None, "job": "rollback"} | {n: recorded[n] for n in _OF_THEN if n in recorded}
    try:
        return publish(candidate, catalog, settings, ring, run)
    except Refused as error:
        raise Refused(f"{error}\n{where_to_look(page)}") from error
