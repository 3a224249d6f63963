"""How steady party ids are: re-runs, rows in another order, new keys, new feeds, and 30 nights against one full run.

    .venv/bin/python -m benchmarks.identity_stability [--customers 20000] [--write docs/identity.md]

One simulated world is landed in a temporary directory and resolved in copies of that home. What belongs here: what is
done to the homes, and how much may change. What counts as a change is in `identity_worlds.partitions`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from benchmarks.identity_worlds import another_order
from benchmarks.identity_worlds.drift import Drift, drift
from benchmarks.identity_worlds.page import machine, replaced
from benchmarks.identity_worlds.partitions import PARTIES, Change, change, untold
from benchmarks.identity_worlds.worlds import BANK, HISTORY, LAST, World, land, landed, needed
from pipelines.contracts.load import load_catalog
from pipelines.identity import events, state
from pipelines.identity.run import resolve
from pipelines.ingest import rotation
from pipelines.ingest.batch import Desk
from pipelines.ingest.night import open_desk
from pipelines.settings import Home, Settings, make_directory
from pipelines.vault import key_file

#: Share of parties that may change otherwise than by an event of kind merge or split when a feed is new.
UNTOLD = 0.0005
#: Share of parties, and of pairs of records, that 30 deltas and one full run may see differently: a delta sees evidence
#: as it comes, a full run what is stated at the end.
DRIFT = 0.002
NIGHTS = 30
_SEED = 8001
_FEEDS = ("crm", "app", "taobu", "pinhao")  # those with the most records beside core
_NEXT = LAST + timedelta(1)  # on which nothing is landed
_KINDS = (events.MERGE, events.SPLIT, events.MOVED)


@dataclass(frozen=True)
class NewFeed:
    """What came of a source that begins to deliver: its `records`, the `change`, and what of it no merge or split tells
    of (`other`), and no event at all (`silent`)."""

    source: str
    records: int
    change: Change
    other: Change
    silent: Change


def main() -> int:
    """Measure, print, write if asked to; 1 where more changes than is demanded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--write", type=Path, help="replace the section of this Markdown file")
    given = parser.parse_args()
    os.environ.pop(key_file.VARIABLE, None)  # homes with a key of their own, which can be rotated
    with tempfile.TemporaryDirectory(prefix="zhongtai-stability-") as directory:
        room = Path(directory)
        base = landed(World(_SEED, given.customers), room / "landed")
        full, nights = (_copied(base, room / name) for name in ("full", "nights"))
        _resolve(full, LAST)
        _resolve(nights, *(LAST - timedelta(NIGHTS - n) for n in range(NIGHTS + 1)))
        same = dict(_done_again(full, nights, room))
        new = [_new_feed(base, source, room / source) for source in _FEEDS]
        found = drift(full, nights)
        late = _copied(nights, room / "late")
        before = state.on(late.home, LAST - timedelta(1)).assignment.select(PARTIES)
        _resolve(late, LAST, full=True)
        text = _section(given.customers, full, same, new, found, _with_untold("", before, late))
    print(text)
    if given.write:
        replaced(given.write, "How steady it is", text)
    steady = not any(one.changed for one in same.values()) and max(found.shares) <= DRIFT
    return int(not steady or any(one.other.share >= UNTOLD for one in new))


def _copied(desk: Desk, place: Path) -> Desk:
    """The home of a desk with its keys at another place, which reads the same deliveries."""
    shutil.copytree(desk.home.path, place, ignore=shutil.ignore_patterns("simulated"))
    return _open(place, desk.settings.deliveries)


def _begun(desk: Desk, place: Path) -> Path:
    """A home in which nothing has landed, with the keys of a desk."""
    vault = make_directory(make_directory(place) / "vault")
    for path in desk.home.vault.iterdir():
        if path.is_file():
            shutil.copy2(path, vault)
    return place


def _open(place: Path, deliveries: Path | None) -> Desk:
    settings = Settings(ZHONGTAI_HOME=str(place), bank=BANK, deliveries=deliveries)
    return open_desk(load_catalog(settings.contracts), settings)


def _resolve(desk: Desk, *days: date, full: bool = False) -> None:
    for day in days:
        resolve(desk.catalog, desk.settings, desk.feeds, desk.ring, day, full=full)


def _parties(desk: Desk) -> pl.DataFrame:
    return state.latest(desk.home).assignment.select(PARTIES)


def _done_again(full: Desk, nights: Desk, room: Path) -> Iterator[tuple[str, Change]]:
    """What must change nothing: what it is, and what it changed."""
    before, whole = _parties(nights), _parties(full)
    again = _copied(nights, room / "again")
    _resolve(again, LAST)
    yield "the last of 31 nights again", change(before, _parties(again))
    other = _copied(full, room / "anew")
    _resolve(other, LAST, full=True)
    yield "a full run again", change(whole, _parties(other))
    _resolve(other, _NEXT, full=True)
    yield "a full run on the next date, on which nothing is delivered", change(whole, _parties(other))

    wanted = needed(full.catalog, full.feeds)
    another_order.rewrite(full, wanted, HISTORY, LAST, room / "deliveries", _SEED)
    place = _begun(full, room / "shuffled")
    settings = Settings(ZHONGTAI_HOME=str(place), bank=BANK, deliveries=room / "deliveries")
    shuffled = land(full.catalog, settings)
    rows, moved = another_order.moved(full, shuffled, wanted)
    _resolve(shuffled, LAST)
    yield (
        f"rows delivered in another order ({moved / rows:.1%} of {rows:,} on another line)",
        change(whole, _parties(shuffled)),
    )

    for desk, name, day, how in (
        (nights, "the last of 31 nights again", LAST, False),
        (full, "a full run on the next date", _NEXT, True),
    ):
        place = _copied(desk, room / f"rotated-{day}").home.path
        tokens = rotation.rotate(desk.catalog, Home(place), None).tokens
        rotated = _open(place, desk.settings.deliveries)
        _resolve(rotated, day, full=how)
        yield f"new token keys ({tokens:,} tokens), then {name}", change(_parties(desk), _parties(rotated))


def _new_feed(base: Desk, source: str, place: Path) -> NewFeed:
    """Let `source` begin to deliver on the last date, with all that it had before."""
    settings = Settings(ZHONGTAI_HOME=str(_begun(base, place)), bank=BANK, deliveries=base.settings.deliveries)
    desk = land(base.catalog, settings, without=(source,))
    _resolve(desk, LAST - timedelta(1))
    before = _parties(desk)
    land(base.catalog, settings)
    _resolve(desk, LAST)
    records = state.latest(desk.home).assignment.filter(pl.col("source") == source).height
    return _with_untold(source, before, desk, records)


def _with_untold(source: str, before: pl.DataFrame, desk: Desk, records: int = 0) -> NewFeed:
    came, told = change(before, _parties(desk)), state.events(desk.home).filter(pl.col("business_date") == LAST)
    other, silent = untold(came, told, events.MERGE, events.SPLIT), untold(came, told, *_KINDS)
    return NewFeed(source, records, came, other, silent)


def _section(
    customers: int, full: Desk, same: dict[str, Change], new: list[NewFeed], found: Drift, late: NewFeed
) -> str:
    """The section of the page."""
    whole = _parties(full)
    of_parties, lost, gained = found.shares
    same_rows = [
        (name, one.records, one.moved.height, one.parties, one.changed, one.share) for name, one in same.items()
    ]
    new_rows = [
        (one.source, one.records, one.change.parties, one.change.changed, one.other.changed, one.silent.changed,
         one.other.share) for one in new
    ]  # fmt: skip
    text = Path(another_order.__file__).with_name("steady.md").read_text("utf-8")
    return text.format(
        customers=customers, seed=_SEED, measured=machine(), records=whole.height,
        parties=whole["party_id"].n_unique(), untold=UNTOLD, drift=DRIFT, moved=found.change.moved.height,
        changed=found.change.changed, of_parties=of_parties, differing=found.differing, lost=lost, gained=gained,
        same=_table("what was done", ("records", "changed", "parties", "changed", "share"), same_rows),
        new=_table(
            "source",
            ("its records", "parties before", "changed", "not by merge or split", "by no event", "share"), new_rows,
        ),
        which=_table("contract, role", ("in the nights", "in the full run", "records"), found.which.rows()),
        why=_table("joined by", ("changed since of what they state", "pairs"), found.why),
        late=late.change.changed, of_late=late.change.share, late_other=late.other.changed,
        late_silent=late.silent.changed,
    )  # fmt: skip


def _table(first: str, others: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A Markdown table; whole numbers and shares stand to the right."""
    made = list(rows)
    columns = zip(*made, strict=True) if made else ((),) * (len(others) + 1)
    right = ["---:" if all(isinstance(cell, int | float) for cell in column) else "---" for column in columns]
    cells = [[first, *others], right, *([_cell(cell) for cell in row] for row in made)]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _cell(cell: object) -> str:
    return f"{cell:.4%}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else str(cell)


if __name__ == "__main__":
    sys.exit(main())
