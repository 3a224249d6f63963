"""What thresholds a home's own releases suggest: how far releases that were published lay from those before them.

What belongs here: what was seen, and the threshold that follows from it. What does not: writing policy, which two
people sign. A suggestion is the 95 % quantile of what was seen and half as much again, never below what chance makes:
releases with a fault in them do not raise it much, and what is usual does not alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from pipelines.audit import churn, drift
from pipelines.audit.content import Content
from pipelines.audit.gates import REGISTRY, checked_of
from pipelines.audit.subject import Subject
from pipelines.audit.tables import open_tables
from pipelines.contracts.load import Catalog

_QUANTILE, _ROOM = 0.95, 1.5
# The smallest that is suggested: below it chance alone alarms.
_LEAST = {
    "gates.volume_max_change": 0.05,
    "gates.churn_max_entries": 0.05,
    "gates.churn_max_exits": 0.05,
    "gates.drift_max_psi": 0.1,
}


@dataclass(frozen=True)
class Suggestion:
    """A threshold as it is and as it would be, from so many comparisons, the largest of which is told."""

    name: str
    now: float
    suggested: float | None
    seen: int
    largest: float


def suggestions(catalog: Catalog, seen: Mapping[str, list[float]]) -> list[Suggestion]:
    """What follows from values that were `seen`, by threshold; nothing where they are fewer than a window needs."""
    least = catalog.policy.thresholds["gates.min_releases"]
    found = []
    for name, floor in _LEAST.items():
        values = seen.get(name, [])
        wide = float(np.quantile(values, _QUANTILE)) * _ROOM if len(values) >= least else None
        suggested = None if wide is None else round(max(wide, floor), 2)
        found.append(
            Suggestion(name, catalog.policy.thresholds[name], suggested, len(values), max(values, default=0.0))
        )
    return found


def observe(
    catalog: Catalog, shelf: Path, releases: Iterable[tuple[Path, str, date]], room: Path
) -> dict[str, list[float]]:
    """How far each release, as (directory, bank, business date), lay from those before it on its date, by threshold."""
    seen: dict[str, list[float]] = {}
    for directory, bank, day in releases:
        with open_tables(directory, catalog, threads=1, memory_limit="1GB", room=room) as tables:
            subject = Subject(directory, Content(bank, day, ()), catalog, tables, directory, shelf)
            for name, value in _of(subject):
                seen.setdefault(name, []).append(value)
    return seen


def as_policy(found: Iterable[Suggestion]) -> str:
    """Suggestions as they would stand in policy.yaml, for people to judge and sign."""
    lines = ["thresholds:", "  gates:"]
    for one in found:
        key, value = one.name.removeprefix("gates."), one.now if one.suggested is None else one.suggested
        why = f"{one.seen} comparisons, the largest {one.largest:.3f}; now {one.now:g}"
        lines.append(f"    {key}: {value:g}  # {'too few to say: ' if one.suggested is None else ''}{why}")
    return "\n".join(lines)


def _of(subject: Subject) -> Iterator[tuple[str, float]]:
    latest = subject.past.latest
    if latest is None:
        return
    for product_id, table in subject.tables.by_product.items():
        before = [one.rows[product_id] for one in subject.past.standing if product_id in one.rows]
        usual = float(np.median(before)) if before else 0.0
        if max(usual, table.rows) >= subject.threshold("gates.volume_min_rows") and before:
            few, many = sorted((table.rows, usual))
            yield "gates.volume_max_change", 1 - few / max(many, 1)
    for product_id in checked_of(REGISTRY["list.churn"], subject.catalog):
        table = subject.tables.by_product[product_id]
        if (path := latest.file(table.contract)) is not None and table.schema is not None:
            found = churn.turnover(subject, table, path, str(table.contract.member))
            if found.before >= subject.threshold("gates.churn_min_members"):
                yield "gates.churn_max_entries", found.entered
                yield "gates.churn_max_exits", found.left
    aged = (subject.content.business_date - latest.business_date).days
    for product_id in checked_of(REGISTRY["distribution.drift"], subject.catalog):
        table = subject.tables.by_product[product_id]
        if (path := latest.file(table.contract)) is not None and table.schema is not None:
            compared = drift.compare(subject, table, path, aged)
            if min(compared.rows) >= subject.threshold("gates.drift_min_rows"):
                for one in compared.drifts:
                    yield "gates.drift_max_psi", one.psi
