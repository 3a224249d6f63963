"""Which file a feed delivers for a business date, and whether it is there and complete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from pipelines.contracts.bank import Bank
from pipelines.contracts.feed import Feed
from pipelines.contracts.model import Contract
from pipelines.ingest.faults import DeliveryFault
from pipelines.settings import PROJECT, Settings


def place(bank: Bank, settings: Settings) -> Path:
    """The directory a bank delivers into: `deliveries` of bank.yaml unless the settings name another."""
    if settings.deliveries is not None:
        return settings.deliveries
    return Path(bank.deliveries.format(public_data=settings.public_data, project=PROJECT))


@dataclass(frozen=True)
class Delivery:
    """One delivered file. `date` is its business date; a history file carries the last date asked of it."""

    feed: Feed
    contract: Contract
    date: date
    path: Path
    flag: Path | None = None
    is_history: bool = False

    def fault(self, rule: str, message: str, action: str = "") -> DeliveryFault:
        """A whole-file fault of this delivery."""
        action = action or f"ask {self.contract.owner} for a corrected file and run the night again"
        return DeliveryFault(
            self.contract.id, self.feed.source, self.date.isoformat(), rule, str(self.path), message, action
        )

    @property
    def sha256(self) -> str:
        """Hash of the file as delivered. Raises DeliveryFault where it cannot be read."""
        return self._taken[0]

    @cached_property
    def _taken(self) -> tuple[str, tuple[int, int, int]]:
        """Hash of the file, and what tells whether it is still the file that was hashed."""
        try:
            with self.path.open("rb") as file:
                stamp = self._stamp()
                return hashlib.file_digest(file, "sha256").hexdigest(), stamp
        except FileNotFoundError:
            raise self.missing() from None
        except OSError as error:
            raise self.unreadable(error) from error

    def missing(self) -> DeliveryFault:
        """The fault of a file that is not there."""
        return self.fault("missing_delivery", "no such file", self._again())

    def unreadable(self, error: object) -> DeliveryFault:
        """The fault of a file whose bytes cannot be read as what its name says."""
        reason = str(error).splitlines()[0]
        return self.fault("unreadable", f"cannot be opened, decompressed or read to its end: {reason}")

    def require(self) -> None:
        """Raise DeliveryFault unless the file is there, flagged complete and not empty."""
        if not self.path.is_file():
            raise self.missing()
        if self.flag is not None and not self.flag.is_file():
            message = f"the flag file {self.flag.name} is not there: not complete yet"
            raise self.fault("missing_flag", message, self._again())
        if self.path.stat().st_size == 0:
            raise self.empty()

    def empty(self) -> DeliveryFault:
        """The fault of a file that holds nothing, also once decompressed."""
        return self.fault("empty_file", "the file holds no line, not even a header", self._again())

    def require_untouched(self) -> None:
        """Raise DeliveryFault where the file was replaced or written to since its hash was taken."""
        if self._taken[1] != self._stamp():
            again = "run the night again once it is complete"
            raise self.fault("changed_while_read", "the file was written to while it was read", again)

    def _again(self) -> str:
        due = f" (due {self.contract.available_at} bank time)" if self.contract.available_at else ""
        return f"ask {self.contract.owner} for it{due} and run the night again"

    def _stamp(self) -> tuple[int, int, int]:
        stat = self.path.stat()
        return stat.st_ino, stat.st_size, stat.st_mtime_ns


def history_delivery(feed: Feed, contract: Contract, until: date, directory: Path) -> Delivery:
    """The history file of a feed."""
    assert feed.history is not None
    return Delivery(feed, contract, until, directory / feed.history.path, is_history=True)


def daily_delivery(feed: Feed, contract: Contract, day: date, directory: Path) -> Delivery:
    """The file of one business date."""
    assert feed.daily is not None
    flag = feed.daily.flag
    return Delivery(
        feed, contract, day, directory / feed.daily.path.format(date=day),
        flag=directory / flag.format(date=day) if flag else None,
    )  # fmt: skip


def companion(delivery: Delivery, other: Feed, contracts: Callable[[str], Contract], directory: Path) -> Delivery:
    """The delivery of another feed of the bank that `delivery` is read together with."""
    contract = contracts(other.contract)
    if other.history and (delivery.is_history or other.daily is None):
        return history_delivery(other, contract, delivery.date, directory)
    return daily_delivery(other, contract, delivery.date, directory)
