"""The simulated bank that results are measured on: a year of it, published at its middle and at its end.

Belongs here: the commands that make it, each once; a run that was stopped goes on where it was. Does not belong here:
what is measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.release.catalogue import current
from pipelines.settings import Home, make_directory

START, OBSERVED, END = date(2025, 1, 1), date(2025, 6, 30), date(2025, 12, 31)
_DONE = "simulated.done"


@dataclass(frozen=True)
class World:
    """A home, and where the truth about its world is."""

    home: Path

    @property
    def truth(self) -> Path:
        """Tables of what the world knows and no delivery says."""
        return self.home / "simulated" / "truth"


def simulated(place: Path, customers: int, seed: int) -> World:
    """A year of deliveries in `place`, of the bank with so many customers."""
    world = World(place / "home")
    make_directory(place)
    done = place / _DONE
    asked = f"{customers} customers, seed {seed}, {START} to {END}\n"
    if done.exists():
        if done.read_text("utf-8") != asked:
            raise SystemExit(f"{place} holds another bank ({done.read_text('utf-8').strip()}); name an empty directory")
        return world
    _run(world.home, "simulate", "--customers", f"{customers}", "--seed", f"{seed}", "--from", f"{START}", "--to",
         f"{END}", "--history-to", f"{END}", "--out", f"{world.home / 'simulated'}")  # fmt: skip
    done.write_text(asked, "utf-8")
    return world


def published(world: World, day: date) -> None:
    """Publish the bank as of `day`, unless it was published as of then or later."""
    release = current(Home(world.home))
    if release is None or release.business_date < day:
        _run(world.home, "backfill", "--bank", "simbank", "--to", f"{day}")


def _run(home: Path, *arguments: str) -> None:
    started = time.perf_counter()
    print(f"zhongtai {' '.join(arguments[:4])} …", flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHONGTAI_")}
    command = [str(Path(sys.executable).with_name("zhongtai")), "--home", str(home), *arguments]
    if subprocess.run(command, env=environment, check=False).returncode:
        raise SystemExit(f"`{' '.join(command)}` failed; the next run goes on from there")
    print(f"  {time.perf_counter() - started:.0f} s", flush=True)
