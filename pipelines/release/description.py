"""What a candidate says of itself beside its content: rows, what it was made from, and what was published by then.

It stands in `candidate.json`, outside the content: the same content may be built again when other releases are there.
The audit seals it (`pipelines.audit.seal`). Belongs here: writing it, reading it, and whether it still holds when the
candidate is to be published. Does not belong here: content (`pipelines.audit.content`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.audit.content import CANDIDATE, STATED, Content, canonical_json, list_content, supersession
from pipelines.release.correction import reason_of, what_changed
from pipelines.release.refused import Refused
from pipelines.release.superseding import leading
from pipelines.settings import Home, write_private


def describe_candidate(
    directory: Path, home: Home, bank: str, business_date: date, made_from: Mapping[str, Any],
    *, rows: Mapping[str, int], withheld: Mapping[str, int],
) -> Content:  # fmt: skip
    """Write candidate.json of the finished files in `directory`; returns what its content is.

    `made_from` is what `provenance.describe` says now, `rows` and `withheld` are by product.
    """
    content, before = list_content(directory, bank, business_date), leading(home, business_date.isoformat())
    described = {
        "bank": bank,
        "business_date": business_date.isoformat(),
        "content_hash": content.hash,
        "rows": dict(rows),
        "withheld": dict(withheld),
        "made_from": dict(made_from),
        "leading": before and before.id,
        "stated": _stated(directory),
    }
    write_private(directory / CANDIDATE, canonical_json(described))
    return content


def made_from(candidate: Path) -> dict[str, Any]:
    """What a candidate was made from. Raises Refused where it does not say so, or `stated` is not what it was."""
    told = json.loads((candidate / CANDIDATE).read_bytes())
    said: dict[str, Any] | None = told.get("made_from")
    if said is None:
        raise Refused(f"{candidate.name[:12]} does not say what it was made from: run the night again")
    if told["stated"] != _stated(candidate):
        raise Refused(f"{candidate.name[:12]}: {STATED}/ was changed after it was built: run the night again")
    return said


def check_still_so(candidate: Path, home: Home, now: Mapping[str, Any], release: str) -> None:
    """Raises Refused where a night of today would be made from something else, or another release took the lead.

    `now` is what `provenance.describe` says now, `release` the id that the candidate comes to. What was landed or
    decided since may be that somebody withdrew: an older candidate would bring them back.
    """
    told = json.loads((candidate / CANDIDATE).read_bytes())
    day = told["business_date"]
    name, again = f"candidate {candidate.name[:12]} of {day}", f"Run `zhongtai nightly --date {day}` again"
    changed = what_changed(told["made_from"], now)
    if any(changed.values()):
        raise Refused(f"{name}: since it was built, {reason_of(changed)}. {again}")
    if (supersession(candidate) or {"restores": None})["restores"] is not None:
        return  # it takes the place of another date's, maybe; `superseding.said_otherwise` looks at that
    before = leading(home, day)
    if before is not None and before.id not in (told["leading"], release):
        raise Refused(f"{name}: since it was built, {before.id} was published. {again}")


def _stated(directory: Path) -> dict[str, str]:
    """The hash of each file of what its release would say to the history."""
    found = {}
    for path in sorted((directory / STATED).iterdir()):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
