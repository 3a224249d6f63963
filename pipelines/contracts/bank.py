"""A bank: its time zone, calendar, currency, first and last date, and on which legal basis it uses data."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.contracts.model import ContractError

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LegalBasis(_Strict):
    """Why the bank may use data for `purpose`."""

    purpose: str
    basis: str
    article: str


class Calendar(_Strict):
    """Days without a business date."""

    closed_weekdays: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    holidays: tuple[date, ...] = ()


class Bank(_Strict):
    """One bank, as declared in `feeds/<bank>/bank.yaml`. Dates are business dates, both ends included."""

    bank: str
    name: str
    time_zone: str
    calendar: Calendar
    currency: str
    jurisdiction: str
    first_date: date
    last_date: date | None = None
    deliveries: str
    legal_basis: tuple[LegalBasis, ...]

    def is_business_date(self, day: date) -> bool:
        """Whether `day` is in the range and not closed."""
        in_range = self.first_date <= day and (self.last_date is None or day <= self.last_date)
        closed = _WEEKDAYS[day.weekday()] in self.calendar.closed_weekdays or day in self.calendar.holidays
        return in_range and not closed

    def business_dates(self, first: date, last: date) -> list[date]:
        """The business dates from `first` to `last`, in order."""
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [day for day in days if self.is_business_date(day)]


def load_bank(path: Path) -> Bank:
    """Read one bank.yaml. Raises ContractError naming the field that is wrong."""
    try:
        bank = Bank(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError, TypeError) as error:
        raise ContractError(f"{path}: not a bank: {error}") from error
    if bank.bank != path.parent.name:
        raise ContractError(f"{path}: bank: '{bank.bank}' must be the name of its folder, '{path.parent.name}'")
    return bank
