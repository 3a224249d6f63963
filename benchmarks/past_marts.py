"""Marts as of past dates, made again from what a home has landed, without touching the home.

Belongs here: the copy, and the build. Does not belong here: what is read from it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.contracts.load import load_catalog
from pipelines.history.restatement import write_open
from pipelines.settings import PROJECT, Home, Settings, make_directory
from pipelines.warehouse.control import write_control
from pipelines.warehouse.run import Dbt
from pipelines.warehouse.state import processed_dates

_READ = ("lake", "identity", "relation")  # what dbt reads and does not write


@dataclass(frozen=True)
class Copy:
    """What is built and said of a home, copied to where it may be changed; what dbt only reads is the home's own."""

    settings: Settings
    last: date

    def built(self, dates: Iterable[date], models: Sequence[str], bank: str = "simbank") -> Path:
        """The warehouse of the copy, with `models` and what they read as of `dates` and of the home's last date.

        Facts are as the home has them, so only what is said of parties is made again. Who is who is as the home knows
        it today; who was on a list, or carried a tag, as it was published before the first of `dates`. Disk is needed
        for each date, so ask for few dates at a time of a large bank; what was built before is replaced.
        """
        catalog, home = load_catalog(PROJECT / "data_contracts"), self.settings.home
        past = sorted({*dates} - {self.last})
        write_control(catalog, home, catalog.bank(bank), self.last, past)
        write_open(catalog, home, [*past, self.last])
        selection = ["--select", *(f"+{model}" for model in models)]
        for _ in Dbt(self.settings).build(self.last, self.last, selection):
            pass
        return home.warehouse


def copied(home: Path, place: Path) -> Copy:
    """A copy of `home` in `place` to build marts in."""
    make_directory(place)
    for name in _READ:
        (place / name).symlink_to((home / name).resolve(), target_is_directory=True)
    for name in ("control", "warehouse", "history"):
        shutil.copytree(home / name, place / name)
    return Copy(Settings(home_dir=place), max(processed_dates(Home(home))))
