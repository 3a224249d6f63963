"""Which file or table a feed delivers for a business date, and whether it is there and complete."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from pipelines.contracts.feed import Feed
from pipelines.contracts.form import Daily, History
from pipelines.contracts.model import Contract
from pipelines.ingest.faults import DeliveryFault
from pipelines.ingest.mark import check_mark
from pipelines.ingest.origin import Incomplete, LocalFile, NotAgreed, Origin, Staging, Unreachable
from pipelines.ingest.places import Database, Place, Unnamed
from pipelines.ingest.places import place as place
from pipelines.ingest.postgres import Extract
from pipelines.ingest.remote import RemotePlace


@dataclass(frozen=True)
class Delivery:
    """One delivered file. `date` is its business date; a history file carries the last date asked of it.

    `path` is the file that is read: a private copy where the delivery comes from elsewhere, that is from `origin`.
    """

    feed: Feed
    contract: Contract
    date: date
    path: Path
    flag: Path | None = None
    is_history: bool = False
    origin: Origin | None = None
    staging: Staging | None = None

    def fault(self, rule: str, message: str, action: str = "") -> DeliveryFault:
        """A whole-file fault of this delivery."""
        action = action or f"ask {self.contract.owner} for a corrected file and run the night again"
        return DeliveryFault(
            self.contract.id, self.feed.source, self.date.isoformat(), rule, str(self._origin), message, action
        )

    @property
    def sha256(self) -> str:
        """Hash of the file as delivered. Raises DeliveryFault where it cannot be read."""
        return self._taken[0]

    @cached_property
    def _taken(self) -> tuple[str, tuple[object, ...]]:
        """Hash of the file, and what tells whether it is still the file that was hashed."""
        with self._asked():
            stamp = self._origin.stamp()
            if self.staging is not None:
                self.staging.fetch(self._origin, self.path, stamp)
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest(), stamp

    def missing(self) -> DeliveryFault:
        """The fault of a file that is not there."""
        return self.fault("missing_delivery", "no such file", self._again())

    def unreadable(self, error: object, action: str = "") -> DeliveryFault:
        """The fault of a file whose bytes cannot be read as what its name says."""
        reason = str(error).splitlines()[0]
        return self.fault("unreadable", f"cannot be opened, decompressed or read to its end: {reason}", action)

    def is_there(self) -> bool:
        """Whether it has been delivered. Raises DeliveryFault where the place does not say."""
        with self._asked():
            return self._origin.is_there()

    def arrived(self) -> datetime | None:
        """When it was complete, as its place states; None where the place does not, or not now."""
        try:
            with self._asked():
                return self._origin.arrived()
        except DeliveryFault:
            return None

    def require(self) -> None:
        """Raise DeliveryFault unless the file is there, flagged complete, not empty and marked as agreed."""
        with self._asked():
            if not self._origin.is_there():
                raise self.missing()
            if incomplete := self._origin.incomplete():
                raise Incomplete(incomplete)
            _ = self.sha256  # fetched by that
            if self.path.stat().st_size == 0:
                raise self.empty()
        if self.feed.format.is_text:
            check_mark(self)

    def empty(self) -> DeliveryFault:
        """The fault of a file that holds nothing, also once decompressed."""
        return self.fault("empty_file", "the file holds no line, not even a header", self._again())

    def require_untouched(self) -> None:
        """Raise DeliveryFault where the file was replaced or written to since its hash was taken."""
        with self._asked():
            untouched = self._taken[1] == self._origin.stamp()
        if not untouched:
            again = "run the night again once it is complete"
            raise self.fault("changed_while_read", "the file was written to while it was read", again)

    @cached_property
    def _origin(self) -> Origin:
        return self.origin or LocalFile(self.path, self.flag)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Tell what keeps the place from answering as a fault of this delivery."""
        try:
            yield
        except FileNotFoundError:
            raise self.missing() from None
        except Incomplete as error:
            raise self.fault("missing_flag", str(error), self._again()) from None
        except NotAgreed as error:
            raise self.fault("bad_mapping", str(error), f"correct {self.feed.path}") from None
        except Unreachable as error:
            raise self.unreadable(error, error.action) from None
        except OSError as error:
            raise self.unreadable(error) from error

    def _again(self) -> str:
        due = f" (due {self.contract.available_at} bank time)" if self.contract.available_at else ""
        return f"ask {self.contract.owner} for it{due} and run the night again"


@dataclass(frozen=True)
class Office:
    """Where the deliveries of a run come in: finds the place of each feed, and holds the copies from elsewhere."""

    place_of: Callable[[Feed], Place]
    staging: Staging

    def history(self, feed: Feed, contract: Contract, until: date) -> Delivery:
        """The history of a feed."""
        assert feed.history is not None
        return self._delivery(feed, contract, until, feed.history, feed.history.path)

    def daily(self, feed: Feed, contract: Contract, day: date) -> Delivery:
        """The delivery of one business date."""
        assert feed.daily is not None
        flag = feed.daily.flag.format(date=day) if feed.daily.flag else None
        return self._delivery(feed, contract, day, feed.daily, feed.daily.path.format(date=day), flag)

    def companion(self, delivery: Delivery, other: Feed, contracts: Callable[[str], Contract]) -> Delivery:
        """The delivery of another feed of the bank that `delivery` is read together with."""
        contract = contracts(other.contract)
        if other.history and (delivery.is_history or other.daily is None):
            return self.history(other, contract, delivery.date)
        return self.daily(other, contract, delivery.date)

    def through(self, feed: Feed, contract: Contract, until: date) -> date | None:
        """Up to which date the history of a feed counts; None where it has none, or none was delivered.

        Raises DeliveryFault where the file that states the date states something else.
        """
        if feed.history is None or feed.history.through_file is None:
            return (feed.history.through or date.max) if feed.history else None
        stated = self._delivery(feed, contract, until, feed.history, feed.history.through_file)
        if not stated.is_there():
            return None
        _ = stated.sha256
        text = stated.path.read_bytes()[:100].decode("ascii", "replace").strip()
        try:
            if text[4:5] != "-" or text[7:8] != "-":  # of the forms of ISO 8601 only this one, as everywhere else
                raise ValueError
            return date.fromisoformat(text)
        except ValueError:
            raise stated.fault(
                "bad_history_through", f"states {text[:20]!r}, not the last date of the history as 2025-12-28"
            ) from None

    def _delivery(
        self, feed: Feed, contract: Contract, day: date, where: Daily | History, path: str, flag: str | None = None
    ) -> Delivery:
        place, is_history, database = self.place_of(feed), isinstance(where, History), feed.format.type == "postgres"
        if isinstance(place, Unnamed) or isinstance(place, Database) != database:
            asked = "a PostgreSQL database" if database else "a directory or a URL of files"
            message = str(place) if isinstance(place, Unnamed) else f"the place where it is delivered is not {asked}"
            raise DeliveryFault(
                contract.id, feed.source, day.isoformat(), "unreadable", where.name, message,
                f"correct the variable, or the place in {feed.path if feed.at else 'bank.yaml'}",
            )  # fmt: skip
        if isinstance(place, Path):
            return Delivery(feed, contract, day, place / path, place / flag if flag else None, is_history)
        if isinstance(place, RemotePlace):
            origin: Origin = place.file(path, flag)
            staged = self.staging.path(origin, place.file(path).url)
        else:
            assert isinstance(place, Database)
            keys = [feed.columns[name].sql.strip().strip('"') for name in contract.key]
            origin = Extract(place.url, where, day, keys)
            staged = self.staging.path(origin, repr((place.url, where, day)))
        return Delivery(feed, contract, day, staged, None, is_history, origin, self.staging)
