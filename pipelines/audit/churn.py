"""Checks that a list does not turn over: who came and who went since the release before, as shares of its members.

What belongs here: membership, by the condition that the contract states. What does not: numbers of rows (`volume`), and
why somebody is on a list, which the list itself says.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.audit.failures import SAMPLE_SIZE, shown_key
from pipelines.audit.gates import Verdict
from pipelines.audit.subject import Subject, verdict
from pipelines.audit.tables import Table, exact_path
from pipelines.contracts.expectations import mentioned

_DAY = "business_date"


@dataclass(frozen=True)
class Turnover:
    """Members of a list now and before, and how many of them are there only now, and only before."""

    now: int
    before: int
    entries: int
    exits: int

    @property
    def entered(self) -> float:
        """Share of the members now that were not there before."""
        return self.entries / self.now if self.now else 0.0

    @property
    def left(self) -> float:
        """Share of the members before that are not there now."""
        return self.exits / self.before if self.before else 0.0


def members(subject: Subject, product_id: str) -> Verdict:
    """Of a list no greater share of members is new, or gone, than the policy lets pass."""
    product = subject.catalog.products[product_id]
    condition = str(product.member)
    table = subject.tables.need(product_id, (*product.key, *mentioned(condition, product)))
    latest = subject.past.latest
    before = latest.file(product) if latest else None
    if before is None:
        why = subject.past.why or f"{latest.id if latest else 'no release'} does not have it"
        return Verdict("passed", f"{table.rows} rows; {why}: nothing to compare with")
    found = turnover(subject, table, before, condition)
    words = f"{found.now} members, {found.before} before, {found.entries} came and {found.exits} went"
    if found.before < subject.threshold("gates.churn_min_members"):
        return Verdict("passed", f"{words}: too few to judge")
    faults, limits = [], subject.catalog.policy.gates.turnover_of(product_id)
    if found.entered > (limit := subject.threshold(limits.entries)):
        faults.append(f"{found.entered:.0%} of the members are new, {limit:.0%} allowed")
    if found.left > (limit := subject.threshold(limits.exits)):
        faults.append(f"{found.left:.0%} of the members before are gone, {limit:.0%} allowed")
    return verdict(
        [f"{words}: {'; '.join(faults)}"] if faults else [], words, _changed(subject, table, before, condition)
    )


def turnover(subject: Subject, table: Table, before: Path, condition: str) -> Turnover:
    """How a list differs from the one in the file `before`."""
    now, then = (
        _members(table, table.view, condition),
        _members(table, f"read_parquet('{exact_path(before)}')", condition),
    )
    counts = subject.tables.rows(
        f"with now as ({now}), before as ({then}) select (select count(*) from now), (select count(*) from before), "
        f"(select count(*) from (from now except from before)), (select count(*) from (from before except from now))"
    )[0]
    return Turnover(*counts)


def _members(table: Table, source: str, condition: str) -> str:
    key = ", ".join(f'"{name}"' for name in table.contract.key if name != _DAY)
    return f"select distinct {key} from {source} where {condition}"


def _changed(subject: Subject, table: Table, before: Path, condition: str) -> list[dict[str, str | None]]:
    """Keys of a few that came, then of a few that went, as far as they may be shown."""
    names = [name for name in shown_key(table.contract) if name != _DAY]
    if not names:
        return []
    now, then = (
        _members(table, table.view, condition),
        _members(table, f"read_parquet('{exact_path(before)}')", condition),
    )
    rows = [
        (change, *row)
        for change, sql in (("came", f"{now} except {then}"), ("went", f"{then} except {now}"))
        for row in subject.tables.rows(
            f"select distinct {', '.join(names)} from ({sql}) order by all limit {(SAMPLE_SIZE + 1) // 2}"
        )
    ]
    return [dict(zip(("change", *names), row, strict=True)) for row in rows]
