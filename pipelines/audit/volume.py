"""Checks that as much is delivered as contracts say and as usual, as much published, and that data is as fresh.

Usual is what releases of the last business dates had: their median, and where there are enough of them how far they lie
from it (median absolute deviation). What does not belong here: who came and went (`churn`), and how figures are spread
(`drift`).
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipelines.audit.gates import Verdict
from pipelines.audit.governance import RECONCILIATION, ask, delivered_through
from pipelines.audit.subject import Subject, verdict
from pipelines.contracts.frequency import days
from pipelines.contracts.model import Contract

_NORMAL = 1.4826  # a normal distribution's standard deviation, in median absolute deviations
_NOT_AWAITED = "no feed of the bank delivers it, or no mart rests on it"


def published(subject: Subject, product_id: str) -> Verdict:
    """A product has about as many rows as in the last releases."""
    rows = subject.tables.need(product_id).rows
    past = subject.past
    counts = [one.rows[product_id] for one in past.standing if product_id in one.rows]
    if not counts:
        return Verdict("passed", f"{rows} rows; {past.why or 'no earlier release has it'}: nothing to compare with")
    return _judged(subject, rows, counts)


def delivered(subject: Subject, contract_id: str) -> Verdict:
    """A delivery has as many rows as its contract says, and about as many as the last ones of this contract."""
    contract, schedule, day = subject.catalog.sources[contract_id], subject.schedule(contract_id), _day(subject)
    through = delivered_through(subject)
    newest = through.get(contract_id)
    if newest != day:
        if newest is None and contract_id not in subject.agreed_on & through.keys():
            return Verdict("passed", _NOT_AWAITED)
        what = "due, and not delivered" if schedule.is_owed(newest, day) else "nothing is due"
        return Verdict("passed", f"{what}: {schedule.said(newest, day)}: no rows to judge")
    rows = delivered_rows(subject, contract_id)
    if rows is None:
        return Verdict("passed", f"not counted: {RECONCILIATION} has no row of it; reconciliation.present fails")
    counts = delivered_before(subject, contract_id)
    found = _promised(contract, rows) or _empty(subject, contract, rows, counts) or _usual(subject, rows, counts)
    if found.state == "passed":
        return found
    return replace(found, observed=f"{found.observed}; for {day}, {contract.frequency}: ask {contract.owner} why")


def fresh(subject: Subject, contract_id: str) -> Verdict:
    """Data of a contract is not further behind its frequency than it was in any release before.

    How far it may be by its contract is another gate's: `coverage.carried`, or `coverage.required`.
    """
    schedule, day = subject.schedule(contract_id), _day(subject)
    through = delivered_through(subject)
    newest = through.get(contract_id)
    if newest is None and contract_id not in subject.agreed_on & through.keys():
        return Verdict("passed", _NOT_AWAITED)
    late, before = behind(subject, contract_id)
    said = schedule.said(newest, day)
    if not late:
        return Verdict("passed", said)
    words = f"{days(late)} behind: {said}"
    if not before:
        return Verdict("passed", f"{words}; {subject.past.why or 'not there before'}: nothing to compare with")
    longest = max([*before, int(subject.threshold("gates.fresh_max_carried_days"))])
    words = f"{words}; in {len(before)} releases before at most {days(longest)}"
    return verdict([f"{words}; {ask(subject, contract_id)}"] if late > longest else [], words)


def _day(subject: Subject) -> date:
    return subject.content.business_date


def _promised(contract: Contract, rows: int) -> Verdict | None:
    """What the contract itself says of the number of rows; None where it is met, or says nothing."""
    least, most = contract.row_count or (0, None)
    if least <= rows and (most is None or rows <= most):
        return None
    promised = f"at least {least}" if most is None else f"{least} to {most}"
    return Verdict("failed", f"{rows} rows; the contract says {promised}")


def _empty(subject: Subject, contract: Contract, rows: int, counts: Sequence[int]) -> Verdict | None:
    """A delivery without a row: of an extract of all the last one had none either; of others one before had none.

    A history has few rows of a date, or none, and is no extract of that date: of a first release nothing is said.
    """
    if rows:
        return None
    if not counts:
        return Verdict("passed", "0 rows; no delivery before to compare with")
    if contract.delivery == "full" and contract.id in subject.daily:
        return Verdict("failed" if counts[0] else "passed", f"0 rows; {counts[0]} in the delivery before")
    if empty := sum(count == 0 for count in counts):
        return Verdict("passed", f"0 rows, as in {empty} of {len(counts)} deliveries before")
    if len(counts) >= subject.threshold("gates.min_releases"):
        return Verdict("failed", f"0 rows; none of {len(counts)} deliveries before was empty")
    return Verdict("passed", f"0 rows; {len(counts)} deliveries before are too few to say whether that is usual")


def _usual(subject: Subject, rows: int, counts: Sequence[int]) -> Verdict:
    least = int(subject.threshold("gates.min_releases"))
    if len(counts) < least:  # days differ, and the first release of a home was made from all of its history
        return Verdict("passed", f"{rows} rows; {len(counts)} deliveries before, {least} are needed to compare")
    return _judged(subject, rows, counts)


def delivered_rows(subject: Subject, contract_id: str) -> int | None:
    """How many rows of a contract were delivered for the business date; None where nothing was."""
    day = _day(subject)
    if delivered_through(subject).get(contract_id) != day:
        return None
    table = subject.tables.need(RECONCILIATION, ("contract", "step", "measure", "expected", "business_date"))
    sql = (
        f"select cast(sum(expected) as bigint) from {table.view} "
        f"where step = 'ingest' and measure = 'rows' and contract = ? and business_date = ?"
    )
    ((rows,),) = subject.tables.rows(sql, [contract_id, day])
    return rows


def delivered_before(subject: Subject, contract_id: str) -> list[int]:
    """Rows of the last deliveries of a contract before this one, the latest first; of monthly ones months back."""
    past = subject.past_of(subject.catalog.sources[contract_id].frequency)
    return past.delivered.get(contract_id, [])[: int(subject.threshold("gates.window_releases"))]


def behind(subject: Subject, contract_id: str) -> tuple[int, list[int]]:
    """By how many days a contract is behind its frequency, and was in each release before that had any of it."""
    schedule, newest = subject.schedule(contract_id), delivered_through(subject).get(contract_id)
    before = [schedule.behind(came, of) for of, came in subject.past.newest.get(contract_id, [])]
    return schedule.behind(newest, _day(subject)), before


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
