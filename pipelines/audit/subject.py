"""What the checks beyond single tables look at, and how they say what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipelines.audit.content import Content
from pipelines.audit.earlier import Past, read_past
from pipelines.audit.failures import SAMPLE_SIZE
from pipelines.audit.gates import Verdict
from pipelines.audit.tables import Tables
from pipelines.contracts.bank import Bank
from pipelines.contracts.feed import Feed
from pipelines.contracts.frequency import DAILY, Frequency, Schedule
from pipelines.contracts.load import Catalog


@dataclass(frozen=True)
class Subject:
    """A candidate under audit. `crosswalk` is its home's file of party ids, `shelf` where its releases lie."""

    directory: Path
    content: Content
    catalog: Catalog
    tables: Tables
    crosswalk: Path
    shelf: Path
    _past_of: dict[Frequency, Past] = field(default_factory=dict, repr=False)

    def threshold(self, name: str) -> float:
        """A number of the policy."""
        return self.catalog.policy.thresholds[name]

    @cached_property
    def past(self) -> Past:
        """The earlier releases that the candidate is held against. Raises NotAudited where one cannot be read."""
        return read_past(
            self.shelf,
            self.directory,
            self.content.business_date,
            int(self.threshold("gates.window_releases")),
            int(self.threshold("gates.window_days")),
        )

    def past_of(self, frequency: Frequency) -> Past:
        """The earlier releases in which deliveries of a contract are looked for: as many of its periods as of days.

        Raises NotAudited where one of them cannot be read.
        """
        if frequency == DAILY:
            return self.past
        if frequency not in self._past_of:
            days = int(self.threshold("gates.window_releases")) * frequency.longest
            self._past_of[frequency] = read_past(self.shelf, self.directory, self.content.business_date, None, days)
        return self._past_of[frequency]

    def schedule(self, contract_id: str) -> Schedule:
        """When deliveries of a source contract are due."""
        contract = self.catalog.sources[contract_id]
        return Schedule(contract.frequency, self.bank, contract.available_at)

    @cached_property
    def bank(self) -> Bank:
        """The bank of the candidate."""
        return self.catalog.bank(self.content.bank)

    @cached_property
    def agreed_on(self) -> frozenset[str]:
        """The source contracts that the bank agreed to deliver, and that a night can read."""
        return frozenset(feed.contract for feed in self.feeds if feed.readable)

    @cached_property
    def daily(self) -> frozenset[str]:
        """The source contracts of which the bank delivers a file for each date, not one history of all."""
        return frozenset(feed.contract for feed in self.feeds if feed.daily)

    @cached_property
    def feeds(self) -> tuple[Feed, ...]:
        """What the bank delivers."""
        return self.catalog.feeds(self.content.bank)


Check = Callable[[Subject], Verdict]
CheckEach = Callable[[Subject, str], Verdict]


def verdict(faults: Sequence[str], otherwise: str, failing_keys: Sequence[dict[str, str | None]] = ()) -> Verdict:
    """Failed with its faults, or else passed with what was looked at."""
    if faults:
        return Verdict("failed", "; ".join(faults), tuple(failing_keys[:SAMPLE_SIZE]))
    return Verdict("passed", otherwise)
