"""The days of the simulated world: numbers, months, weekdays, holidays and their pull on behaviour.

Days are numbers, 0 is the world's first; months are numbers too, 0 is the month of day 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

NEVER = 2**30


@dataclass(frozen=True)
class Holiday:
    """A public holiday of mainland China: its first day and how many days it lasts (State Council notices)."""

    name: str
    first: date
    days: int


@dataclass(frozen=True)
class Calendar:
    """Dates of a world that begins on `start`."""

    start: date
    holidays: tuple[Holiday, ...]

    def date(self, day: int) -> date:
        """The date of day number `day`."""
        return self.start + timedelta(days=int(day))

    def day(self, when: date) -> int:
        """The day number of a date."""
        return (when - self.start).days

    def weekday(self, day: int) -> int:
        """0 is Monday."""
        return self.date(day).weekday()

    def day_of_month(self, day: int) -> int:
        """1 to 31."""
        return self.date(day).day

    def month(self, day: int) -> int:
        """The number of the month that `day` lies in."""
        when = self.date(day)
        return (when.year - self.start.year) * 12 + when.month - self.start.month

    def first_of_month(self, month: int) -> int:
        """The day number of the first day of month number `month`."""
        months = self.start.year * 12 + self.start.month - 1 + month
        return self.day(date(months // 12, months % 12 + 1, 1))

    def holiday(self, day: int) -> str | None:
        """Name of the holiday that `day` belongs to."""
        when = self.date(day)
        for holiday in self.holidays:
            if 0 <= (when - holiday.first).days < holiday.days:
                return holiday.name
        return None

    def days_until(self, name: str, day: int) -> int | None:
        """Days from `day` to the next first day of the holiday `name`, 0 on it; None where none follows."""
        ahead = [(holiday.first - self.date(day)).days for holiday in self.holidays if holiday.name == name]
        return min((days for days in ahead if days >= 0), default=None)

    def is_working_day(self, day: int) -> bool:
        """Whether offices work on `day`; days worked in exchange for a holiday are left out."""
        return self.weekday(day) < 5 and self.holiday(day) is None
