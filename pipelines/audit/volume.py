"""Checks that as much is delivered and published as usual, and that data is as fresh as usual.

Usual is what releases of the last business dates had: their median, and where there are enough of them how far they lie
from it (median absolute deviation). What does not belong here: who came and went (`churn`), and how figures are spread
(`drift`).
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.audit.gates import Verdict
from pipelines.audit.governance import COVERAGE, RECONCILIATION
from pipelines.audit.subject import Subject, verdict

_NORMAL = 1.4826  # a normal distribution's standard deviation, in median absolute deviations


def published(subject: Subject, product_id: str) -> Verdict:
    """A product has about as many rows as in the last releases."""
    rows = subject.tables.need(product_id).rows
    past = subject.past
    counts = [one.rows[product_id] for one in past.standing if product_id in one.rows]
    if not counts:
        return Verdict("passed", f"{rows} rows; {past.why or 'no earlier release has it'}: nothing to compare with")
    return _judged(subject, rows, counts)


def delivered(subject: Subject, contract_id: str) -> Verdict:
    """A contract was delivered with about as many rows as on the last business dates."""
    rows = delivered_rows(subject, contract_id)
    if rows is None:
        return Verdict("passed", "not delivered on this date")
    counts, least = subject.past.delivered.get(contract_id, []), int(subject.threshold("gates.min_releases"))
    if len(counts) < least:  # days differ, and the first release of a home was made from all of its history
        return Verdict("passed", f"{rows} rows; {len(counts)} releases before had any, {least} are needed to compare")
    return _judged(subject, rows, counts)


def fresh(subject: Subject, contract_id: str) -> Verdict:
    """Data of a contract is not older than daily delivery makes it, unless it was as old in a release before."""
    days = carried_days(subject, contract_id)
    if days is None:
        return Verdict("passed", "never delivered")
    before = subject.past.ages.get(contract_id, [])
    if not before:
        return Verdict("passed", f"{days} days old; {subject.past.why or 'not there before'}: nothing to compare with")
    longest = max([*before, int(subject.threshold("gates.fresh_max_carried_days"))])
    words = f"{days} days old, in {len(before)} releases before at most {longest}"
    return Verdict("failed" if days > longest else "passed", words)


def delivered_rows(subject: Subject, contract_id: str) -> int | None:
    """How many rows of a contract were delivered on the business date; None where nothing was."""
    table = subject.tables.need(RECONCILIATION, ("contract", "step", "measure", "expected", "business_date"))
    sql = (
        f"select cast(sum(expected) as bigint) from {table.view} "
        f"where step = 'ingest' and measure = 'rows' and contract = ? and business_date = ?"
    )
    ((rows,),) = subject.tables.rows(sql, [contract_id, subject.content.business_date])
    return rows


def carried_days(subject: Subject, contract_id: str) -> int | None:
    """By how many days data of a contract is carried; None where it was never delivered."""
    table = subject.tables.need(COVERAGE, ("contract", "carried_days", "business_date"))
    sql = f"select max(carried_days) from {table.view} where contract = ? and business_date = ?"
    ((days,),) = subject.tables.rows(sql, [contract_id, subject.content.business_date])
    return days


@dataclass(frozen=True)
class Change:
    """How far a number of rows lies from what is usual: as a share, and in robust deviations where these are known."""

    rows: int
    usual: float
    share: float
    deviations: float | None


def change(subject: Subject, rows: int, counts: Sequence[int]) -> Change | None:
    """How far `rows` lie from the `counts` of releases before; None where both are too few to judge."""
    usual, few = statistics.median(counts), subject.threshold("gates.volume_min_rows")
    if max(rows, usual) < few:
        return None
    # Of what is usual where rows are missing, of what there is where they are too many: more than are too few to judge,
    # since a list that begins multiplies from night to night.
    most = max(usual, few)
    share = 1 - rows / usual if rows < usual else 1 - most / rows if rows > most else 0.0
    if len(counts) < subject.threshold("gates.min_releases"):
        return Change(rows, usual, share, None)
    spread = _NORMAL * statistics.median(abs(count - usual) for count in counts)
    # A count varies by the root of it even where nothing changes.
    return Change(rows, usual, share, abs(rows - usual) / max(spread, usual**0.5, 1))


def _judged(subject: Subject, rows: int, counts: Sequence[int]) -> Verdict:
    words = f"{rows} rows; {_listed(statistics.median(counts))} in the median of {len(counts)} earlier"
    found = change(subject, rows, counts)
    if found is None:
        return Verdict("passed", f"{words}: too few to judge")
    limit, far = subject.threshold("gates.volume_max_change"), True
    if found.deviations is None:
        limit = 1 - (1 - limit) ** 2  # what is usual is not known well: the same step once more
    else:
        far = found.deviations > subject.threshold("gates.volume_max_robust_z")
        words += f", {found.deviations:.1f} deviations off"
    way = "missing" if rows < found.usual else "too many"
    said = f"{words}: {found.share:.0%} {way}, {limit:.0%} allowed"
    return verdict([said] if found.share > limit and far else [], words)


def _listed(number: float) -> str:
    return f"{number:.0f}" if number == int(number) else f"{number:.1f}"
