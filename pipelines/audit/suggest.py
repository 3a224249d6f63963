"""What thresholds a home's own releases suggest: how far releases that were published lay from those before them.

What belongs here: what was seen, and the threshold that follows from it. What does not: writing policy, which two
people sign. A suggestion is a high quantile of what was seen and half as much again, never below what chance makes:
releases with a fault in them do not raise it much, and what is usual does not alarm. Each value that is seen is the
smallest limit with which that comparison would have passed. Nothing is learned of how small a group may be, which is
chosen to protect people: of that only what was published is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from pipelines.audit import churn, drift, group_size, volume
from pipelines.audit.content import Content
from pipelines.audit.gates import REGISTRY, checked_of
from pipelines.audit.subject import Subject
from pipelines.audit.tables import NotAudited, open_tables
from pipelines.contracts.load import Catalog
from pipelines.contracts.release_rules import Turnover

QUANTILE, _ROOM, _LOW = 0.95, 1.5, 0.05
_SECTION = "gates."
# The smallest that is suggested: below it chance alone alarms.
_LEAST = {
    "gates.volume_max_change": 0.05,
    "gates.volume_max_robust_z": 4.0,
    "gates.fresh_max_carried_days": 0.0,
    "gates.churn_max_entries": 0.05,
    "gates.churn_max_exits": 0.05,
    "gates.drift_max_psi": 0.1,
}
# Of these releases give no distribution.
_CHOSEN = {
    "window_releases": "how far back is looked",
    "window_days": "how far back is looked",
    "min_releases": "how many releases make something usual",
    "volume_min_rows": "how few rows say nothing",
    "churn_min_members": "how few members say nothing",
    "drift_min_rows": "how few rows say nothing",
    "drift_sample_rows": "what a comparison may cost",
    "drift_bins": "how finely is compared",
    "drift_max_p": "how often chance may alarm",
    "waiver_max_days": "how long a waiver may last",
}


@dataclass(frozen=True)
class Seen:
    """What one release showed of a product or contract."""

    of: str
    release: str
    value: float


@dataclass(frozen=True)
class Suggestion:
    """A threshold as it is and as it would be: from so many values of so many releases, and how these are spread.

    `suggested` is None where they are too few, or where the threshold is not learned; `why` says which.
    """

    name: str
    now: float
    suggested: float | None
    seen: int = 0
    nights: int = 0
    median: float = 0.0
    quantile: float = 0.0
    largest: float = 0.0
    of: str | None = None
    why: str = ""

    @property
    def words(self) -> str:
        """How it came about, in one line."""
        if not self.seen:
            return self.why
        spread = f"median {self.median:.3g}, {self.quantile:.3g} at {QUANTILE:.0%}, largest {self.largest:.3g}"
        told = f"{self.seen} comparisons of {self.nights} releases: {spread}"
        return f"{self.why}: {told}" if self.why else told


def suggestions(catalog: Catalog, seen: Mapping[str, list[Seen]]) -> list[Suggestion]:
    """What follows from what was `seen`, for every threshold of the gates, and for each list by itself."""
    found = []
    for name, now in catalog.policy.thresholds.items():
        if not name.startswith(_SECTION):
            continue
        values = seen.get(name, [])
        if chosen := _CHOSEN.get(name.removeprefix(_SECTION)):
            found.append(Suggestion(name, now, None, why=f"chosen, not learned: {chosen}"))
            continue
        found.append(_suggested(catalog, name, now, values))
        parts = sorted({one.of for one in values}) if name in _of_lists(catalog) else []
        found += [_suggested(catalog, name, now, [one for one in values if one.of == part], part) for part in parts]
    return found


def smallest_groups(catalog: Catalog, seen: Mapping[str, list[Seen]]) -> list[str]:
    """What was published of groups of people, beside the minimum of each: told, and no suggestion."""
    lines = []
    for product_id, group in sorted(catalog.policy.gates.groups.items()):
        sizes = seen.get(product_id, [])
        told = f"{group.minimum} {catalog.policy.thresholds[group.minimum]:g}, chosen to protect people: "
        if sizes:
            values = [one.value for one in sizes]
            told += f"{len(sizes)} rows of {_releases(sizes)} releases, the smallest of {min(values):g}, "
            told += f"{float(np.quantile(values, _LOW)):.3g} at {_LOW:.0%}"
        else:
            told += "no row was published"
        lines.append(f"{product_id}: {told}")
    return lines


def observe(
    catalog: Catalog, shelf: Path, releases: Iterable[tuple[Path, str, date]], room: Path
) -> dict[str, list[Seen]]:
    """How far each release, as (directory, bank, business date), lay from those before it on its date, by threshold.

    Beside them the sizes of groups, by product.
    """
    seen: dict[str, list[Seen]] = {}
    for directory, bank, day in releases:
        with open_tables(directory, catalog, threads=1, memory_limit="1GB", room=room) as tables:
            subject = Subject(directory, Content(bank, day, ()), catalog, tables, directory, shelf)
            for name, of, value in _of(subject):
                seen.setdefault(name, []).append(Seen(of, directory.name, value))
    return seen


def as_policy(found: Iterable[Suggestion], groups: Iterable[str] = ()) -> str:
    """Suggestions as they would stand in policy.yaml, for people to judge and sign."""
    lines = ["thresholds:", "  gates:"]
    for one in found:
        value = one.now if one.suggested is None else one.suggested
        if one.of is None:
            now = "" if one.now == value else f"; now {one.now:g}"
            lines.append(f"    {one.name.removeprefix(_SECTION)}: {value:g}  # {one.words}{now}")
        else:
            alone = "" if one.suggested is None else f"{one.suggested:g} by itself, "
            lines.append(f"    #   {one.of}: {alone}{one.words}")
    return "\n".join([*lines, *(f"# {line}" for line in groups)])


def _suggested(catalog: Catalog, name: str, now: float, seen: list[Seen], of: str | None = None) -> Suggestion:
    if not seen:
        return Suggestion(name, now, None, of=of, why="no two releases could be compared")
    values, releases = [one.value for one in seen], _releases(seen)
    high = float(np.quantile(values, QUANTILE))
    least = int(catalog.policy.thresholds["gates.min_releases"])
    enough = releases >= least
    why = "" if enough else f"too few releases to say, {least} are needed"
    floor = _LEAST.get(name, _LEAST["gates.churn_max_entries"])
    return Suggestion(
        name, now, round(max(high * _ROOM, floor), 2) if enough else None, len(values), releases,
        float(np.median(values)), high, max(values), of, why,
    )  # fmt: skip


def _releases(seen: Iterable[Seen]) -> int:
    return len({one.release for one in seen})


def _of_lists(catalog: Catalog) -> set[str]:
    """The thresholds that lists are held to."""
    limits = (Turnover(), *catalog.policy.gates.turnover.values())
    return {name for one in limits for name in (one.entries, one.exits)}


def _of(subject: Subject) -> Iterator[tuple[str, str, float]]:
    for product_id in checked_of(REGISTRY["privacy.group_size"], subject.catalog):
        try:
            yield from ((product_id, product_id, size) for size in group_size.sizes(subject, product_id))
        except NotAudited:
            continue  # a release of before the product was there
    if subject.past.latest is not None:
        yield from _volumes(subject)
        yield from _ages(subject)
        yield from _turnovers(subject)
        yield from _drifts(subject)


def _volumes(subject: Subject) -> Iterator[tuple[str, str, float]]:
    least = subject.threshold("gates.min_releases")
    compared = [
        (name, table.rows, [one.rows[name] for one in subject.past.standing if name in one.rows])
        for name, table in subject.tables.by_product.items()
        if table.schema is not None
    ]
    for name in checked_of(REGISTRY["volume.delivered"], subject.catalog):
        rows, counts = volume.delivered_rows(subject, name), volume.delivered_before(subject, name)
        if rows is not None and len(counts) >= least:
            compared.append((name, rows, counts))
    for name, rows, counts in compared:
        found = volume.change(subject, rows, counts) if counts else None
        if found is not None:
            yield "gates.volume_max_change", name, found.share
            if found.deviations is not None:
                yield "gates.volume_max_robust_z", name, found.deviations


def _ages(subject: Subject) -> Iterator[tuple[str, str, float]]:
    for name in checked_of(REGISTRY["coverage.fresh"], subject.catalog):
        days, before = volume.behind(subject, name)
        if before:
            yield "gates.fresh_max_carried_days", name, float(days if days > max(before) else 0)


def _turnovers(subject: Subject) -> Iterator[tuple[str, str, float]]:
    latest = subject.past.latest
    for product_id in checked_of(REGISTRY["list.churn"], subject.catalog):
        table, limits = subject.tables.by_product[product_id], subject.catalog.policy.gates.turnover_of(product_id)
        if latest and (path := latest.file(table.contract)) is not None and table.schema is not None:
            found = churn.turnover(subject, table, path, str(table.contract.member))
            if found.before >= subject.threshold("gates.churn_min_members"):
                yield limits.entries, product_id, found.entered
                yield limits.exits, product_id, found.left


def _drifts(subject: Subject) -> Iterator[tuple[str, str, float]]:
    latest = subject.past.latest
    for product_id in checked_of(REGISTRY["distribution.drift"], subject.catalog):
        table = subject.tables.by_product[product_id]
        if latest and (path := latest.file(table.contract)) is not None and table.schema is not None:
            aged = (subject.content.business_date - latest.business_date).days
            compared = drift.compare(subject, table, path, aged)
            if min(compared.rows) >= subject.threshold("gates.drift_min_rows"):
                for one in compared.drifts:
                    yield "gates.drift_max_psi", product_id, one.psi
