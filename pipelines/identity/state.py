"""State of the identity layer in a home: what each business date changed, and what was known before it.

What belongs here: files under `identity/state/<date>/`, and which of them count. What does not: what they mean.

A date holds the rows that it changed; now and then, when as much was written as a fourth of the whole, it holds the
whole, so that writing follows the change and reading never goes far back. A date counts once `finished.json` is there,
which is written last and taken away first. So a run that is killed leaves the date before it as the last.
"""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.identity.assign import Night, Prior
from pipelines.identity.events import EVENTS
from pipelines.identity.evidence import EDGES
from pipelines.identity.naming import ASSIGNMENT, with_later
from pipelines.identity.review import PAIRS, REVIEW
from pipelines.ingest import lake
from pipelines.settings import Home, make_directory, write_private

_FINISHED = "finished.json"
_SHAPES = {"assignment": ASSIGNMENT, "evidence": EDGES, "pairs": PAIRS, "review": REVIEW, "events": EVENTS}
_EDGE = ["left_ref", "right_ref", "rule"]


def dates(home: Home) -> list[date]:
    """Dates that are finished, in order."""
    return sorted(date.fromisoformat(path.parent.name) for path in _root(home).glob(f"*/{_FINISHED}"))


def before(home: Home, day: date) -> Prior:
    """What was known before `day`, whatever was run after it."""
    return _read(home, [one for one in dates(home) if one < day])


def latest(home: Home) -> Prior:
    """What is known after the last finished date."""
    return _read(home, dates(home))


def on(home: Home, day: date) -> Prior:
    """What was known after `day`."""
    return _read(home, [one for one in dates(home) if one <= day])


def last_begun(home: Home) -> date | None:
    """The last date that a run came to write, finished or not; None where none did."""
    return max((date.fromisoformat(path.name) for path in _root(home).glob("*")), default=None)


def forget(home: Home, day: date) -> None:
    """Let `day` and later dates count no more: `day` is about to be written, and they stood on what it was."""
    for path in sorted(_root(home).glob("*"), reverse=True):
        if path.name >= day.isoformat():
            (path / _FINISHED).unlink(missing_ok=True)
        if path.name > day.isoformat():
            shutil.rmtree(path)


def finish(home: Home, prior: Prior, night: Night, **made_from: str) -> None:
    """Write what a night came to, and then that it is finished. `made_from` is kept with it, for example digests."""
    day = night.business_date.isoformat()
    changed = night.changed
    written, total = changed.height + _written(home), prior.assignment.height
    complete = night.full or not dates(home) or written * 4 >= total
    evidence = night.evidence
    if complete and not night.full:
        evidence = _within_parties(pl.concat([prior.evidence.collect(), evidence]), night.assignment)
    frames = {
        "assignment": night.assignment if complete else changed,
        "evidence": evidence.sort(_EDGE),
        "pairs": night.pairs,
        "review": night.review,
        "events": night.events,
    }
    make_directory(_root(home))  # by itself: a parent that is made in passing is open to others
    for name, frame in frames.items():
        table = frame.select(_SHAPES[name].keys()).to_arrow(compat_level=pl.CompatLevel.oldest())
        lake.write_parquet(home.identity / "state" / day / f"{name}.parquet", table)
    said = {"complete": complete, "rows": changed.height, "made_from": made_from}
    write_private(_root(home) / day / _FINISHED, json.dumps(said, sort_keys=True).encode())


def made_from(home: Home, day: date) -> dict[str, str]:
    """What a finished date was made from, as `finish` was told."""
    made: dict[str, str] = _said(home, day)["made_from"]
    return made


def events(home: Home) -> pl.DataFrame:
    """Every event of the finished dates, in order of date and id."""
    frames = [pl.read_parquet(path) for day in dates(home) if (path := _file(home, day, "events")).exists()]
    return pl.concat(frames).sort("business_date", "event_id") if frames else pl.DataFrame(schema=EVENTS)


def review(home: Home) -> pl.DataFrame:
    """Pairs that asked for a decision after the last finished date."""
    return pl.read_parquet(_file(home, dates(home)[-1], "review")) if dates(home) else pl.DataFrame(schema=REVIEW)


def _read(home: Home, days: list[date]) -> Prior:
    if not days:
        return Prior.nothing()
    since = _since_complete(home, days)
    rows, *parts = [pl.read_parquet(_file(home, day, "assignment")) for day in since]
    if parts:
        later = pl.concat(parts).unique("record_ref", keep="last").sort("record_ref")
        rows = with_later(rows, later)
    evidence = pl.concat([pl.scan_parquet(_file(home, day, "evidence")) for day in since])
    return Prior(rows, evidence, pl.read_parquet(_file(home, days[-1], "pairs")))


def _since_complete(home: Home, days: list[date]) -> list[date]:
    """The dates from the last one that holds the whole."""
    for at in range(len(days) - 1, 0, -1):
        if _said(home, days[at])["complete"]:
            return days[at:]
    return days


def _written(home: Home) -> int:
    days = dates(home)
    return sum(_said(home, day)["rows"] for day in _since_complete(home, days)[1:]) if days else 0


def _within_parties(edges: pl.DataFrame, assignment: pl.DataFrame) -> pl.DataFrame:
    """Edges that still hold a party together, each once as it was last known."""
    party = assignment.select("record_ref", "party_id")
    found = edges.unique(_EDGE, keep="last", maintain_order=True)
    for side in ("left", "right"):
        found = found.join(party, left_on=f"{side}_ref", right_on="record_ref", how="left", suffix="_of_other")
    return found.filter(pl.col("party_id") == pl.col("party_id_of_other")).select(EDGES.keys())


def _said(home: Home, day: date) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((_root(home) / day.isoformat() / _FINISHED).read_text())
    return said


def _root(home: Home) -> Path:
    return home.identity / "state"


def _file(home: Home, day: date, name: str) -> Path:
    return _root(home) / day.isoformat() / f"{name}.parquet"
