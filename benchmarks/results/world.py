"""The simulated bank that results are measured on: a year of it, published at its middle and at its end.

Belongs here: the commands that make it, each once; a run that was stopped goes on where it was. Does not belong here:
what is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pipelines.release.catalogue import current
from pipelines.settings import Home, make_directory

START, OBSERVED, END = date(2025, 1, 1), date(2025, 6, 30), date(2025, 12, 31)
# Warnings ask what was usual in the 210 days before, and are right or wrong within the 120 days after.
WARNED = date(2025, 8, 31)


@dataclass(frozen=True)
class World:
    """A home, and where the truth about its world is."""

    home: Path

    @property
    def simulated(self) -> Path:
        """Deliveries, and the truth beside them."""
        return self.home / "simulated"

    @property
    def truth(self) -> Path:
        """Tables of what the world knows and no delivery says."""
        return self.simulated / "truth"


def made(place: Path, customers: int, seed: int) -> World:
    """The bank with so many customers in `place`, published as of OBSERVED and of END from one history of the year.

    Deliveries of 200,000 customers take 13 GB, what is landed and built of them 10 more.
    """
    world = World(place / "home")
    make_directory(place)
    if not _is_simulated(world, customers, seed):
        _run(world.home, "simulate", "--customers", f"{customers}", "--seed", f"{seed}", "--from", f"{START}", "--to",
             f"{END}", "--history-to", f"{END}", "--out", f"{world.simulated}")  # fmt: skip
    for first, day in ((START, OBSERVED), (OBSERVED + timedelta(days=1), END)):
        release = current(Home(world.home))
        if release is None or release.business_date < day:
            _run(world.home, "backfill", "--bank", "simbank", "--from", f"{first}", "--to", f"{day}")
    return world


def _is_simulated(world: World, customers: int, seed: int) -> bool:
    """Whether the year lies there; ends the program where it is another bank's."""
    book = world.simulated / "world.json"
    if not book.exists():
        return False
    given = json.loads(book.read_text("utf-8"))
    if (held := (given["customers"], given["seed"])) != (customers, seed):
        raise SystemExit(f"{world.home} holds {held[0]} customers of seed {held[1]}: name an empty place")
    return given["last"] == f"{END}"


def _run(home: Path, *arguments: str) -> None:
    started = time.perf_counter()
    print(f"zhongtai {' '.join(arguments[:4])} …", flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHONGTAI_")}
    command = [str(Path(sys.executable).with_name("zhongtai")), "--home", str(home), *arguments]
    ended = subprocess.run(command, env=environment, check=False).returncode
    if ended:
        how = f"failed ({ended})" if ended > 0 else f"was ended by signal {-ended}, 9 where memory ran out"
        raise SystemExit(f"`{' '.join(command)}` {how}; the next run goes on from there")
    print(f"  {time.perf_counter() - started:.0f} s", flush=True)
