"""The world: everything long-lived, drawn once from settings, number of customers and seed.

What belongs here: the parts of a world and how they are put together. What does not: what happens on a day (emitters).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipelines.simulation.accounts import (
    Accounts,
    Cards,
    Positions,
    build_accounts,
    build_cards,
    build_positions,
)  # fmt: skip
from pipelines.simulation.calendar import NEVER, Calendar
from pipelines.simulation.campaigns import Campaign, Members, draw_members, plan
from pipelines.simulation.companies import Companies, Stalls, build_companies, build_stalls
from pipelines.simulation.loans import Loans, build_loans
from pipelines.simulation.people import People, build_people
from pipelines.simulation.settings import District, Product, Settings
from pipelines.simulation.streams import Streams

#: As the contract reference.staff lists them.
ROLES = ("relationship_manager", "teller", "call_agent", "risk_officer", "operations")
_ROLE_SHARES = (0.35, 0.35, 0.12, 0.08, 0.10)


@dataclass(frozen=True)
class Staff:
    """One row per member of staff; `abnormal` ones edit customer data as their peers do not."""

    role: np.ndarray
    branch: np.ndarray
    district: np.ndarray
    hired: np.ndarray
    left: np.ndarray
    abnormal: np.ndarray

    def __len__(self) -> int:
        return len(self.role)


@dataclass(frozen=True, eq=False)
class World:
    """One world. Nothing in it changes; `cached` keeps what emitters derive from it once."""

    settings: Settings
    customers: int
    seed: int
    streams: Streams
    calendar: Calendar
    people: People
    companies: Companies
    employer: np.ndarray  # company that each person works for, -1 for none
    stalls: Stalls
    accounts: Accounts
    loans: Loans
    declined: Loans
    cards: Cards
    positions: Positions
    staff: Staff
    campaigns: tuple[Campaign, ...]
    _kept: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def districts(self) -> tuple[District, ...]:
        """The districts of the city."""
        return self.settings.districts

    @property
    def products(self) -> tuple[Product, ...]:
        """The catalogue."""
        return self.settings.products

    @property
    def wealth_products(self) -> tuple[Product, ...]:
        """The wealth products, in the order that positions count them."""
        return tuple(product for product in self.products if product.family == "wealth")

    def members(self, campaign: Campaign) -> Members:
        """The target group of a campaign."""
        return draw_members(self.settings, campaign, self.people, self.streams)

    def cached(self, name: str, build: Callable[[], Any]) -> Any:
        """What `build` returned the first time it was asked for under this name."""
        if name not in self._kept:
            self._kept[name] = build()
        return self._kept[name]

    def forget(self, prefix: str) -> None:
        """Drop what was kept under names that begin with `prefix`: results of a day that is over."""
        for name in [name for name in self._kept if name.startswith(prefix)]:
            del self._kept[name]


def build_world(settings: Settings, customers: int, seed: int) -> World:
    """Draw a world in which the bank has `customers` people as customers when it begins."""
    streams = Streams(seed)
    people = build_people(settings, customers, streams)
    companies, employer = build_companies(settings, customers, people, streams)
    accounts = build_accounts(settings, people, companies, streams)
    loans, declined = build_loans(settings, people, companies, accounts, streams)
    return World(
        settings=settings,
        customers=customers,
        seed=seed,
        streams=streams,
        calendar=settings.calendar,
        people=people,
        companies=companies,
        employer=employer,
        stalls=build_stalls(settings, customers, companies, streams),
        accounts=accounts,
        loans=loans,
        declined=declined,
        cards=build_cards(settings, people, accounts, streams),
        positions=build_positions(settings, people, streams),
        staff=_staff(settings, customers, streams),
        campaigns=plan(settings, streams),
    )


def _staff(settings: Settings, customers: int, streams: Streams) -> Staff:
    rng = streams.of("staff")
    count = max(30, round(customers / settings.population.customers_per_staff))
    branches = max(len(settings.districts), count // 12)
    branch = rng.integers(0, branches, count)
    hired = -rng.integers(30, 6000, count)
    leaves = rng.random(count) < 0.15
    abnormal = np.zeros(count, dtype=bool)
    abnormal[rng.permutation(count)[: max(2, round(count * settings.planted.abnormal_staff))]] = True
    return Staff(
        role=rng.choice(len(ROLES), count, p=_ROLE_SHARES).astype(np.int8),
        branch=branch.astype(np.int32),
        district=(branch % len(settings.districts)).astype(np.int8),
        hired=hired.astype(np.int32),
        left=np.where(leaves & ~abnormal, rng.integers(1, settings.horizon_days, count), NEVER).astype(np.int32),
        abnormal=abnormal,
    )
