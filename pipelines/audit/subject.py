"""What the checks beyond single tables look at, and how they say what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipelines.audit.content import Content
from pipelines.audit.earlier import Past, read_past
from pipelines.audit.failures import SAMPLE_SIZE
from pipelines.audit.gates import Verdict
from pipelines.audit.tables import Tables
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


Check = Callable[[Subject], Verdict]
CheckEach = Callable[[Subject, str], Verdict]


def verdict(faults: Sequence[str], otherwise: str, failing_keys: Sequence[dict[str, str | None]] = ()) -> Verdict:
    """Failed with its faults, or else passed with what was looked at."""
    if faults:
        return Verdict("failed", "; ".join(faults), tuple(failing_keys[:SAMPLE_SIZE]))
    return Verdict("passed", otherwise)
