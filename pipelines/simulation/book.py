"""Whose world a folder holds, and how far it has been simulated: `world.json`, and what a request may ask of it.

Belongs here: the folder's layout, and every reason to refuse a request. Does not belong here: simulating.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from pipelines.settings import PRIVATE_DIR, InputError, make_directory, write_private
from pipelines.simulation.settings import Settings

FEWEST = 500  # customers: with fewer, some kinds of people and companies do not occur at all
MOST = 20_000_000  # customers: keys have room for so many people, companies and accounts


@dataclass(frozen=True)
class Request:
    """What is to be simulated. Without `first`, what follows the last date; `through` is the last in the history."""

    out: Path
    customers: int
    seed: int
    last: date
    first: date | None = None
    through: date | None = None
    crm: str = "csv"
    faults: tuple[str, ...] = ()

    @property
    def deliveries(self) -> Path:
        """Where the bank and its partners deliver."""
        return self.out / "deliveries"

    @property
    def truth(self) -> Path:
        """What nobody who delivers knows."""
        return self.out / "truth"


@dataclass(frozen=True)
class Book:
    """What `world.json` says: whose world it is, which dates are its history, and its last date."""

    customers: int
    seed: int
    crm: str
    history: date | None = None
    last: date | None = None

    def write(self, out: Path) -> None:
        """Replace the folder's `world.json`."""
        make_directory(out, PRIVATE_DIR)
        write_private(out / "world.json", (json.dumps(asdict(self), default=str, indent=1) + "\n").encode())


def read_book(out: Path) -> Book | None:
    """What the folder holds, or None. Raises InputError where it holds something else."""
    path = out / "world.json"
    if not path.exists():
        if out.is_dir() and any(out.iterdir()):
            raise InputError(f"{out} is not empty and holds no simulated world: give another folder with --out")
        return None
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        dates = {name: given[name] and date.fromisoformat(given[name]) for name in ("history", "last")}
        return Book(**{**given, **dates})
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} does not say whose world it is ({error}): give another folder with --out") from error


def open_book(request: Request, settings: Settings) -> tuple[Request, Book]:
    """The request with its first date, and the book it continues. Raises InputError for what cannot be done."""
    begin, last = settings.world_start, settings.world_start + timedelta(days=settings.horizon_days - 1)
    if not FEWEST <= request.customers <= MOST:
        raise InputError(f"--customers {request.customers}: a world has {FEWEST:,} to {MOST:,} customers")
    if not begin <= (request.first or begin) or request.last > last:
        raise InputError(f"--from {request.first or begin} --to {request.last}: the world has {begin} to {last}")
    if request.through and not begin <= request.through <= request.last:
        raise InputError(f"--history-to {request.through}: lies before {begin} or after --to {request.last}")
    book = read_book(request.out)
    new = book is None
    if book is None:
        book = Book(request.customers, request.seed, request.crm, request.through)
    for option, mine, asked in (
        ("customers", book.customers, request.customers),
        ("seed", book.seed, request.seed),
        ("crm", book.crm, request.crm),
        ("history-to", book.history, request.through or book.history),
    ):
        if mine != asked:
            raise InputError(
                f"{request.out} holds the world with --{option} {mine or 'none'}, not {asked}: "
                f"give another folder with --out"
            )
    follows = begin if new or book.last is None else book.last + timedelta(days=1)
    first = request.first or follows
    if first > follows:
        raise InputError(f"--from {first}: the dates from {follows} on would be missing; simulate from there")
    if request.last < first:
        raise InputError(f"--to {request.last} lies before {first}: that is simulated already, or not asked for")
    if book.history and begin < first <= book.history:
        raise InputError(f"--from {first}: dates through {book.history} are one history; simulate from {begin}")
    return replace(request, first=first, through=book.history), book
