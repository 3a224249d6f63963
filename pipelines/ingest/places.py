"""Where a bank or one of its feeds delivers: a directory, a URL or a database.

What belongs here: how the text of bank.yaml or of a feed becomes such a place. What does not: the deliveries in it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.contracts.bank import Bank
from pipelines.contracts.feed import Feed
from pipelines.ingest.remote import RemotePlace
from pipelines.settings import PROJECT, Settings


@dataclass(frozen=True, repr=False)
class Database:
    """The address of a PostgreSQL database, with the password that it may hold."""

    url: str


@dataclass(frozen=True)
class Unnamed:
    """A place whose address is in an environment variable that is not set."""

    variable: str

    def __str__(self) -> str:
        return f"the environment variable {self.variable}, which names the place, is not set"

    def is_dir(self) -> bool:
        """It is nowhere."""
        return False


Place = Path | RemotePlace | Database | Unnamed


def place(bank: Bank, settings: Settings) -> Place:
    """Where a bank delivers: `deliveries` of bank.yaml unless the settings name a directory."""
    return settings.deliveries if settings.deliveries is not None else _resolved(bank.deliveries, settings)


def place_of(feed: Feed, bank: Bank, settings: Settings) -> Place:
    """Where a feed is delivered: its own `at`, or else where the bank delivers."""
    return place(bank, settings) if feed.at is None else _resolved(feed.at, settings)


class _Unset(Exception):
    pass


class _Environment:
    """What `{env:NAME}` of a place stands for."""

    def __format__(self, name: str) -> str:
        if not os.environ.get(name):
            raise _Unset(name)
        return os.environ[name]


def _resolved(text: str, settings: Settings) -> Place:
    try:
        filled = text.format(
            home=settings.home.path, public_data=settings.public_data, project=PROJECT, env=_Environment()
        )
    except _Unset as error:
        return Unnamed(str(error))
    if filled.startswith(("postgresql://", "postgres://")):
        return Database(filled)
    return RemotePlace(filled) if "://" in filled else Path(filled)
