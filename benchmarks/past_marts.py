"""Marts as of past dates, made again from what a home has landed, without touching the home.

Belongs here: the copy, and the build. Does not belong here: what is read from it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from pipelines.contracts.load import load_catalog
from pipelines.history.restatement import write_open
from pipelines.settings import PROJECT, Home, Settings, make_directory
from pipelines.warehouse.control import write_control
from pipelines.warehouse.run import Dbt
from pipelines.warehouse.state import processed_dates

_READ = ("lake", "identity", "relation")  # what dbt reads and does not write


def built(home: Path, place: Path, dates: Iterable[date], models: Sequence[str], bank: str = "simbank") -> Path:
    """The warehouse of a copy of `home` in `place`, with `models` and what they read as of `dates`.

    Facts are as the home has them, so only what is said of parties is made again. Who is who is as the home knows it
    today; who was on a list, or carried a tag, as it was published before the first of `dates`.
    """
    catalog, source = load_catalog(PROJECT / "data_contracts"), Home(home)
    make_directory(place)
    for name in _READ:
        (place / name).symlink_to((home / name).resolve(), target_is_directory=True)
    for name in ("control", "warehouse", "history"):
        shutil.copytree(home / name, place / name)
    settings = Settings(home_dir=place)
    last = max(processed_dates(source))
    past = sorted({*dates} - {last})
    write_control(catalog, settings.home, catalog.bank(bank), [last], past)
    write_open(catalog, settings.home, [*past, last])
    selection = ["--select", *(f"+{model}" for model in models)]
    for _ in Dbt(settings).build(last, last, selection):
        pass
    return settings.home.warehouse
