"""What landing a date again puts in doubt, and when the doubt is over.

A landed date stands on the state before it and on the parents that its rows refer to. Before either is replaced,
each landing that stands on it is put in doubt in its ledger, so that a run that is killed leaves none that nobody
would look at again. It is out of doubt once it is landed again, or once what it stands on proves to be the same.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import date
from threading import Lock

import duckdb

from pipelines.contracts.feed import Feed
from pipelines.contracts.load import Catalog
from pipelines.contracts.model import Contract
from pipelines.ingest import lake
from pipelines.ingest.ledger import Landing, Ledger
from pipelines.settings import Home


class Correction:
    """Follows one feed through a run: its own later dates, and the dates of the feeds that refer to its contract."""

    def __init__(self, catalog: Catalog, home: Home, feeds: tuple[Feed, ...], feed: Feed) -> None:
        self.contract: Contract = catalog.contract(feed.contract)
        self.ledger = _ledger(catalog, home, feed)
        self._catalog, self._home, self._source = catalog, home, feed.source
        self._children = [
            other for other in feeds
            if other.contract != feed.contract
            and any(c.references and c.references[0] == feed.contract for c in catalog.contract(other.contract).columns)
        ]  # fmt: skip
        # Where an earlier run was interrupted, the states that its doubts are about are lost: all are landed again.
        self._knows_states = not self.ledger.doubtful_dates()
        self._states: dict[date, int] | None = None
        self._later: list[Landing] = []
        self._doubted: list[tuple[Ledger, list[Landing]]] = []
        self._known: object = None
        self._concerned: list[Feed] = []

    def alone(self, dates: list[date], lock: Lock) -> AbstractContextManager[object]:
        """What keeps two feeds from putting the landings of a third in doubt at the same time, where any are there.

        A ledger is replaced as a whole, and doubt that two have raised may not be taken back by one of them.
        """
        self._concerned = [
            child for child in self._children
            if any(day >= dates[0] for day in _ledger(self._catalog, self._home, child).landed_dates())
        ]  # fmt: skip
        return lock if self._concerned else nullcontext()

    def begin(self, con: duckdb.DuckDBPyConnection, dates: list[date]) -> None:
        """Put in doubt what stands on `dates`, which are about to be written, and `dates` themselves."""
        landed = self.ledger.landed_dates()
        later = {day for day in landed if day > dates[-1]} if self.contract.delivery != "append" else set()
        if later and self._knows_states and self._states is None:
            self._states = lake.states(con, self._home, self.contract, self._source)
        self.ledger.doubt(landed & set(dates))
        self._later += self.ledger.doubt(later)
        self._doubted = []
        for child in self._concerned:
            book = _ledger(self._catalog, self._home, child)
            if doubted := book.doubt({day for day in book.landed_dates() if day >= dates[0]}):
                self._doubted.append((book, doubted))
        if self._doubted:
            self._known = self._known_keys(con)

    def end(self, con: duckdb.DuckDBPyConnection, dates: list[date]) -> None:
        """Take out of doubt what stands on the same as before, now that `dates` are written and recorded."""
        if self._doubted and self._known_keys(con) == self._known:
            for book, doubted in self._doubted:
                book.record(doubted)
        if self._later and self._states is not None:
            now = lake.states(con, self._home, self.contract, self._source)
            if _state_on(now, dates[-1]) == _state_on(self._states, dates[-1]):
                self.ledger.record([each for each in self._later if each.business_date > dates[-1]])
                self._later, self._states = [], None

    def _known_keys(self, con: duckdb.DuckDBPyConnection) -> object:
        known = lake.first_known(self._home, self.contract.id, self.contract.key[0])
        return con.execute(f"select count(*), bit_xor(hash(key, known)) from ({known})").fetchall()


def _ledger(catalog: Catalog, home: Home, feed: Feed) -> Ledger:
    return Ledger(home, catalog.derived["control.landing"], feed.contract, feed.source)


def _state_on(states: dict[date, int], day: date) -> int:
    return next((state for of, state in reversed(states.items()) if of <= day), 0)
