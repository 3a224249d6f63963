"""A bank: its time zone, calendar, currency, first and last date, and on which legal basis it uses data."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import StringConstraints, ValidationError, field_validator

from pipelines.contracts.document import Strict, faults, read_document
from pipelines.contracts.form import Stamps, check_place, holds_secret
from pipelines.contracts.model import PURPOSES, ContractError

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Name = Annotated[str, StringConstraints(min_length=1)]


class LegalBasis(Strict):
    """Why the bank may use data for `purpose`."""

    purpose: Literal[PURPOSES]  # type: ignore[valid-type]
    basis: Name
    article: Name


class Calendar(Strict):
    """Days on which a bank, or its offices, are closed."""

    closed_weekdays: tuple[Literal[_WEEKDAYS], ...] = ()  # type: ignore[valid-type]
    holidays: tuple[date, ...] = ()


class Objections(Strict):
    """How a customer objects to a use or takes a consent back, in the words of the bank."""

    en: Name
    zh: Name


class Bank(Strict):
    """One bank, as declared in `feeds/<bank>/bank.yaml`. Dates are business dates, both ends included.

    One that `extends` another is that bank with what its own folder states otherwise. `calendar` says which days have
    no business date; `office_calendar` on which days nobody works, where the bank books on such days too.
    `arrival_times` says whether the time at which a file was last written is when it arrived.
    """

    bank: str
    extends: str | None = None
    name: Name
    time_zone: str
    calendar: Calendar
    office_calendar: Calendar | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    jurisdiction: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    first_date: date
    last_date: date | None = None
    deliveries: Name
    arrival_times: Stamps = "modified"
    legal_basis: tuple[LegalBasis, ...]
    objections: Objections | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("not a time zone; write one as Europe/Prague") from error
        return zone

    @field_validator("deliveries")
    @classmethod
    def _known_places(cls, place: str) -> str:
        # What may be a secret is refused later, without being repeated.
        return place if holds_secret(place) else check_place(place)

    def is_business_date(self, day: date) -> bool:
        """Whether `day` is in the range and not closed."""
        in_range = self.first_date <= day and (self.last_date is None or day <= self.last_date)
        return in_range and self.is_open(day)

    def is_open(self, day: date) -> bool:
        """Whether the bank books on `day`, in its range or beyond."""
        return _is_open(self.calendar, day)

    def is_working_day(self, day: date) -> bool:
        """Whether people work on `day`; where no office calendar is stated, on every day that has a business date."""
        return _is_open(self.office_calendar or self.calendar, day)

    def business_dates(self, first: date, last: date) -> list[date]:
        """The business dates from `first` to `last`, in order."""
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [day for day in days if self.is_business_date(day)]


def _is_open(calendar: Calendar, day: date) -> bool:
    return _WEEKDAYS[day.weekday()] not in calendar.closed_weekdays and day not in calendar.holidays


def load_bank(path: Path) -> Bank:
    """Read one bank.yaml. Raises ContractError naming the field that is wrong."""
    given, _ = read_document(path, "a bank")
    if other := given.get("extends"):
        base, _ = read_document(path.parents[1] / str(other) / "bank.yaml", "a bank, which another extends")
        if "extends" in base:
            raise ContractError(f"{path}: extends: '{other}' extends a bank itself; name that one")
        given = base | given
    try:
        bank = Bank(**given)
    except ValidationError as error:
        raise ContractError(f"{path}: {faults(error, given)}") from error
    stated = [basis.purpose for basis in bank.legal_basis]
    wrong = (
        (bank.bank != path.parent.name, f"bank: '{bank.bank}' must be the name of its folder, '{path.parent.name}'"),
        (
            bank.last_date is not None and bank.last_date < bank.first_date,
            f"last_date: {bank.last_date} lies before first_date {bank.first_date}; correct one",
        ),
        *(
            (len(set(calendar.closed_weekdays)) == 7, f"{name}.closed_weekdays: closed every day; open one")
            for name, calendar in (("calendar", bank.calendar), ("office_calendar", bank.office_calendar or Calendar()))
        ),
        (
            holds_secret(bank.deliveries),
            "deliveries: may hold a password; write the address, or all of it, as {env:NAME}",
        ),
        (len(set(stated)) < len(stated), "legal_basis: a purpose has two bases; keep one"),
    )
    for is_wrong, message in wrong:
        if is_wrong:
            raise ContractError(f"{path}: {message}")
    return bank
