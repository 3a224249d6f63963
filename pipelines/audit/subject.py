"""What the checks beyond single tables look at, and how they say what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.audit.content import Content
from pipelines.audit.failures import SAMPLE_SIZE
from pipelines.audit.gates import Verdict
from pipelines.audit.tables import Tables
from pipelines.contracts.load import Catalog


@dataclass(frozen=True)
class Subject:
    """A candidate under audit. `crosswalk` is the file of the home that holds its party ids."""

    directory: Path
    content: Content
    catalog: Catalog
    tables: Tables
    crosswalk: Path


Check = Callable[[Subject], Verdict]


def verdict(faults: Sequence[str], otherwise: str, failing_keys: Sequence[dict[str, str | None]] = ()) -> Verdict:
    """Failed with its faults, or else passed with what was looked at."""
    if faults:
        return Verdict("failed", "; ".join(faults), tuple(failing_keys[:SAMPLE_SIZE]))
    return Verdict("passed", otherwise)
