"""Finds what was audited: a release, or a candidate that was refused or not yet published, with its evidence.

What belongs here: which one a name means. What does not: what its evidence says (`pipelines.audit`), and how it is
shown (`cli.gates`).
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.audit.content import CANDIDATE
from pipelines.audit.earlier import read_past
from pipelines.audit.evidence import Evidence, EvidenceError, read_evidence
from pipelines.audit.tables import NotAudited
from pipelines.contracts.load import Catalog
from pipelines.release import catalogue
from pipelines.release.refused import Refused
from pipelines.settings import Home, InputError


@dataclass(frozen=True)
class Examined:
    """A release or candidate below a home, and what its audit found."""

    path: Path
    kind: str
    business_date: date
    evidence: Evidence

    @property
    def name(self) -> str:
        """Id of a release, or the beginning of a candidate's hash."""
        return self.path.name if self.kind == "release" else self.path.name[:12]


def find_examined(home: Home, name: str | None) -> Examined:
    """The release or candidate that `name` begins; the current release without a name. Raises InputError or Refused."""
    if name is None:
        return examined_release(catalogue.find(home, None))
    releases = [one for one in catalogue.list_releases(home) if one.id.startswith(name)]
    candidates = [path for path in candidates_of(home) if path.name.startswith(name)]
    if name == catalogue.POINTER:
        return examined_release(catalogue.find(home, None))
    if len(releases) + len(candidates) != 1:
        known = ", ".join([*(one.id for one in catalogue.list_releases(home)),
                           *(path.name[:12] for path in candidates_of(home))]) or "none"  # fmt: skip
        raise InputError(
            f"{len(releases) + len(candidates)} releases and candidates begin with '{name}'; there are: {known}"
        )
    return examined_release(releases[0]) if releases else examined(candidates[0])


def examined(path: Path) -> Examined:
    """The audited candidate in `path`. Raises Refused where its evidence cannot be read."""
    told = json.loads((path / CANDIDATE).read_bytes())
    return Examined(path, "candidate", date.fromisoformat(told["business_date"]), _evidence(path))


def candidates_of(home: Home) -> list[Path]:
    """Candidates that were not published, the latest last."""
    found = [path for path in home.candidates.glob("[0-9a-f]*") if (path / CANDIDATE).is_file()]
    return sorted(found, key=lambda path: ((path / CANDIDATE).stat().st_mtime_ns, path.name))


def examined_release(release: catalogue.Release) -> Examined:
    """A release. Raises Refused where its evidence cannot be read."""
    return Examined(release.path, "release", release.business_date, _evidence(release.path))


def _evidence(path: Path) -> Evidence:
    try:
        return read_evidence(path)
    except EvidenceError as error:
        raise Refused(str(error)) from error


def rows_and_usual(found: Examined, catalog: Catalog, home: Home) -> dict[str, tuple[int, float | None]]:
    """Rows of each product, and the median of those of the releases before; None where there is none."""
    numbers = catalog.policy.thresholds
    longest, days = int(numbers["gates.window_releases"]), int(numbers["gates.window_days"])
    try:
        past = read_past(catalogue.shelf(home), found.path, found.business_date, longest, days).standing
    except NotAudited:
        past = ()
    told = {}
    for product in catalog.products.values():
        path = found.path / str(product.consumer) / f"{product.table}.parquet"
        before = [one.rows[product.id] for one in past if product.id in one.rows]
        if path.is_file():
            told[product.id] = (pq.read_metadata(path).num_rows, statistics.median(before) if before else None)
    return told
