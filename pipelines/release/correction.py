"""A second release of a business date: which one it supersedes, and what changed, of what it was made from and in it.

The same night again, of the same deliveries and by the same rules, is the same release and says the same of itself.
Belongs here: telling these apart, and the words. Does not belong here: landing a corrected delivery
(`pipelines.ingest.correction`), and comparing rows (`diff`).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.audit.content import PROOF, SUPERSEDES, list_content
from pipelines.contracts.load import Catalog
from pipelines.release.diff import compare
from pipelines.release.refused import Refused
from pipelines.release.superseding import leading, of_nights, write_supersession
from pipelines.settings import PRIVATE_FILE, Home

# What a release is made from beside deliveries, as its manifest calls it, and what a change of it is called.
_MADE_FROM = {
    "policy": "policy", "code": "code", "engines": "libraries", "key_fingerprint": "keys",
    "decisions_sha256": "decisions on records", "admission_decisions_sha256": "decisions on admission",
    "identity_before": "who was who before",
}  # fmt: skip
_ITSELF = f"{PROOF}/{SUPERSEDES}"


def tell_correction(catalog: Catalog, home: Home, now: dict[str, Any], bank: str, day: date, candidate: Path) -> None:
    """Write into a candidate which release of its date it supersedes, where there is one that is not the same.

    `now` is what the candidate is made from (`provenance.describe`). Raises Refused where that release was changed.
    """
    nights = [release for release in of_nights(home) if release.business_date == day]
    if not nights:
        return
    last = nights[-1]
    if damaged := last.damaged():
        raise Refused(damaged)
    before = {name: entry["sha256"] for name, entry in last.manifest["files"].items() if name != _ITSELF}
    files = {file.path: file.sha256 for file in list_content(candidate, bank, day).files}
    changed = what_changed(last.manifest, now)
    if files == before and not any(changed.values()):
        if (said := last.path / PROOF / SUPERSEDES).is_file():
            shutil.copyfile(said, candidate / _ITSELF)
            (candidate / _ITSELF).chmod(PRIVATE_FILE)
        return
    same_names = last.manifest["key_fingerprint"] == now["key_fingerprint"]
    found = compare(last.path, candidate, catalog, same_names=same_names)
    write_supersession(
        home, candidate, leading(home, day.isoformat()) or last, None, reason_of(changed),
        compared_with=last.id, changed=changed,
        products={one.product: {"rows_before": one.rows_before, "rows_after": one.rows_after, **one.counts()}
                  for one in found if one.differs},
    )  # fmt: skip


def what_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """What a release was made from otherwise than the one before: deliveries, contracts, and all else by name."""
    contracts = before["contracts"].keys() | now["contracts"].keys()
    return {
        "deliveries": deliveries_changed(before["deliveries"], now["deliveries"]),
        "contracts": sorted(one for one in contracts if before["contracts"].get(one) != now["contracts"].get(one)),
        "other": [words for name, words in _MADE_FROM.items() if before.get(name) != now.get(name)],
    }


def deliveries_changed(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Deliveries that came late, came corrected, are there no more, or were landed otherwise, with their dates."""
    one, other = ({_name(entry): entry for entry in side} for side in (before, now))
    said = []
    for name in sorted(one.keys() | other.keys()):
        old, new = one.get(name), other.get(name)
        if old == new:
            continue
        if old is None:
            how = "new"
        elif new is None:
            how = "gone"
        else:
            how = "corrected" if old["sha256"] != new["sha256"] else "landed otherwise"
        entry = new or old or {}
        told = {part: entry[part] for part in ("contract", "source", "delivery", "first", "last")}
        said.append({**told, "change": how, "rows_before": old and old["rows"], "rows_after": new and new["rows"]})
    return said


def reason_of(changed: dict[str, Any]) -> str:
    """In one line what a release differs by in what it was made from."""
    names = sorted({entry["contract"] for entry in changed["deliveries"]})
    parts = [f"deliveries changed: {', '.join(names)}"] if names else []
    parts += [f"contracts changed: {len(changed['contracts'])}"] if changed["contracts"] else []
    parts += [f"changed: {', '.join(changed['other'])}"] if changed["other"] else []
    return "; ".join(parts) or "the same night came to something else: what was known before it is another"


def _name(entry: dict[str, Any]) -> tuple[str, ...]:
    return entry["contract"], entry["source"], entry["delivery"]
