"""People with a current account: which account, from when to when it is used, and their fixed habits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipelines.simulation.accounts import SAVINGS
from pipelines.simulation.behaviour.months import day_of_month
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.people import RETIRED, SELF_EMPLOYED

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: How somebody comes to money.
SALARIED, OWN_BUSINESS, PENSIONER, SUPPORTED = 0, 1, 2, 3
YOUNG, MIDDLE, SENIOR, WELL_OFF = 0, 1, 2, 3
_WEEK = 7
_OLD, _ADULT, _WELL_OFF_VALUE = 60, 30, 1.6


@dataclass(frozen=True)
class Holders:
    """One row per person with a current account; `row_of` finds the row of a person, -1 for none."""

    world: World
    person: np.ndarray
    account: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    source: np.ndarray
    income: np.ndarray
    opening: np.ndarray
    group: np.ndarray
    payday: np.ndarray
    savings: np.ndarray  # savings account, -1 for none
    row_of: np.ndarray

    def __len__(self) -> int:
        return len(self.person)

    def active(self, day: int) -> np.ndarray:
        """Whose account is in use on `day`."""
        return (self.starts <= day) & (day < self.ends)

    @cached_property
    def first_income(self) -> np.ndarray:
        """First day on which money comes regularly."""
        starts = np.maximum(self.starts, 0)
        ahead = self.payday - day_of_month(self.world, starts)
        waits = np.where(ahead >= 0, ahead, ahead + 31)
        # The self-employed earn every week; who is supported gets money at once.
        return starts + np.where(self.source == OWN_BUSINESS, _WEEK, np.where(self.source == SUPPORTED, 0, waits))

    def draw(self, habit: str) -> np.ndarray:
        """A lasting random number of each holder, 0 to 1."""
        return self.world.cached(
            f"holders.{habit}",
            lambda: self.world.streams.of(f"holders.{habit}").random(len(self), dtype=np.float32),
        )

    def day(self, habit: str, last: int = 28) -> np.ndarray:
        """A lasting day of the month of each holder, 1 to `last`."""
        return self.world.cached(f"holders.day.{habit}", lambda: (1 + self.draw(habit) * last).astype(np.int8))


def holders(world: World) -> Holders:
    """The holders of current accounts, by person."""
    return world.cached("holders", lambda: _build(world))


def _build(world: World) -> Holders:
    people, accounts, settings = world.people, world.accounts, behaviour()
    person = np.flatnonzero(accounts.of_person >= 0).astype(np.int32)
    account = accounts.of_person[person]
    starts = np.maximum(accounts.opened[account], people.join[person])
    gone = np.where(people.flight[person] < NEVER, people.flight[person] + settings.transfers.gone_days, NEVER)
    income, age = people.income[person], people.age(0)[person]
    occupation = people.occupation[person]
    source = np.where(occupation == SELF_EMPLOYED, OWN_BUSINESS, np.where(occupation == RETIRED, PENSIONER, SALARIED))
    source = np.where(income == 0, SUPPORTED, source)
    group = np.where(age >= _OLD, SENIOR, np.where(age < _ADULT, YOUNG, MIDDLE))
    group = np.where((people.value[person] > _WELL_OFF_VALUE) & (group == MIDDLE), WELL_OFF, group)
    elsewhere = world.streams.of("holders.paydays").choice(settings.income.employer_unknown_paydays, len(person))
    employer = world.employer[person]
    payday = np.where(employer >= 0, world.companies.payday[np.maximum(employer, 0)], elsewhere)
    payday = np.where(source == PENSIONER, settings.income.pension_day, payday)
    savings, row_of = np.full(len(people), -1, np.int32), np.full(len(people), -1, np.int32)
    kept = np.flatnonzero(accounts.cls == SAVINGS)
    savings[accounts.holder[kept]] = kept
    row_of[person] = np.arange(len(person))
    return Holders(
        world=world, person=person, account=account, starts=starts,
        ends=np.minimum(people.dormant[person], gone), source=source.astype(np.int8), income=income,
        opening=accounts.opening[account], group=group.astype(np.int8),
        payday=np.where(source == SUPPORTED, 1, payday).astype(np.int8), savings=savings[person], row_of=row_of,
    )  # fmt: skip
