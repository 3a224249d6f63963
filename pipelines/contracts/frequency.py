"""How often a contract is delivered, and for which business dates a delivery is due by the calendar of a bank.

What belongs here: arithmetic of days. What does not: reading contracts (`odcs`), whether a delivery is there or came by
its hour (`pipelines.ingest.arrival`), and verdicts (`pipelines.audit`). Nothing here asks what time it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from pipelines.contracts.bank import Bank

_DAY = timedelta(days=1)
_UNITS = {
    **dict.fromkeys(("d", "day", "days"), ("day", 1)), **dict.fromkeys(("w", "week", "weeks"), ("week", 1)),
    **dict.fromkeys(("m", "month", "months"), ("month", 1)),
    **dict.fromkeys(("q", "quarter", "quarters"), ("month", 3)),
    **dict.fromkeys(("y", "yr", "year", "years"), ("month", 12)),
}  # fmt: skip
_MONTHS = {
    1: "monthly", 2: "every two months", 3: "quarterly", 4: "every four months", 6: "every half-year", 12: "yearly",
}  # fmt: skip


@dataclass(frozen=True)
class Frequency:
    """One delivery for each day, week, or block of `count` months; blocks of months begin with January."""

    unit: Literal["day", "week", "month"] = "day"
    count: int = 1

    def __str__(self) -> str:
        return {"day": "daily", "week": "weekly"}.get(self.unit) or _MONTHS[self.count]

    def period(self, day: date) -> tuple[date, date]:
        """The first and the last day of the period that `day` lies in; weeks begin on Monday."""
        if self.unit == "day":
            return day, day
        if self.unit == "week":
            monday = day - day.weekday() * _DAY
            return monday, monday + 6 * _DAY
        begin = (day.month - 1) // self.count * self.count
        years, month = divmod(begin + self.count, 12)
        return date(day.year, begin + 1, 1), date(day.year + years, month + 1, 1) - _DAY

    @property
    def longest(self) -> int:
        """Days of the longest period there is."""
        return {"day": 1, "week": 7}.get(self.unit) or 31 * self.count


DAILY = Frequency()


def days(number: int) -> str:
    """So many days, in words."""
    return f"{number} day" if number == 1 else f"{number} days"


def frequency_of(value: Any, unit: Any) -> Frequency | None:
    """The frequency that ODCS states as a value and its unit; None where no calendar has such periods."""
    known = _UNITS.get(str(unit).lower())
    if known is None or not isinstance(value, int) or isinstance(value, bool) or value < 1:
        return None
    name, times = known[0], known[1] * value
    if name != "month":
        return Frequency(name) if times == 1 else None  # type: ignore[arg-type]
    return Frequency("month", times) if times in _MONTHS else None


@dataclass(frozen=True)
class Schedule:
    """When deliveries of a contract are due from a bank.

    Each period owes one, due for the last business date in it; one for any business date of the period serves. A period
    without a business date owes nothing. Business dates are those of the bank's `calendar`, also beyond its last date.
    """

    frequency: Frequency
    bank: Bank
    available_at: str | None = None

    def due_date(self, day: date) -> date | None:
        """The date for which a delivery of the period of `day` is due; None where the bank is closed all through it."""
        first, last = self.frequency.period(day)
        while last >= first:
            if self.bank.is_open(last):
                return last
            last -= _DAY
        return None

    def owed(self, newest: date | None) -> date:
        """The first date for which a delivery is due where the last one came for `newest`, or where none ever came."""
        begin = self.bank.first_date if newest is None else self.frequency.period(newest)[1] + _DAY
        day = begin
        while True:
            due = self.due_date(day)
            if due is not None and due >= begin:
                return due
            day = self.frequency.period(day)[1] + _DAY

    def is_owed(self, newest: date | None, as_of: date) -> bool:
        """Whether a delivery is due by the end of `as_of`, where the last one came for `newest`."""
        return self.owed(newest) <= as_of

    def behind(self, newest: date | None, as_of: date) -> int:
        """Calendar days since the last business date on which nothing was owed; 0 where nothing is owed.

        What is delivered daily is by that as many days behind as its newest date is old.
        """
        owed = self.owed(newest)
        if owed > as_of:
            return 0
        before = owed - _DAY
        while not self.bank.is_open(before):
            before -= _DAY
        return (as_of - before).days

    def deadline(self, day: date) -> datetime:
        """When what is delivered for `day` has to be there: its hour, bank time, on the day after its due date."""
        zone = ZoneInfo(self.bank.time_zone)
        hour = time.fromisoformat(self.available_at or "23:59")
        return datetime.combine((self.due_date(day) or day) + _DAY, hour, zone)

    def said(self, newest: date | None, as_of: date) -> str:
        """What was due when and what came last, in words."""
        came = "nothing ever came" if newest is None else f"the last came for {newest}"
        owed = self.owed(newest)
        if owed > as_of:
            return f"{self.frequency}, next due for {owed}; {came}"
        by = f", by {self.deadline(owed):%H:%M} bank time on {self.deadline(owed):%Y-%m-%d}"
        return f"{self.frequency}, due for {owed}{by if self.available_at else ''}; {came}"
