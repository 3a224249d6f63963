"""Accounts, credit cards and wealth positions: who holds what since when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.companies import Companies
from pipelines.simulation.people import People
from pipelines.simulation.settings import Settings
from pipelines.simulation.streams import Streams

#: As the contract core.account lists them.
CLASSES = ("current", "savings", "term_deposit", "corporate")
CURRENT, SAVINGS, TERM_DEPOSIT, CORPORATE = 0, 1, 2, 3


@dataclass(frozen=True)
class Accounts:
    """One row per account; `opening` in cents is brought forward on its first day in the world."""

    is_company: np.ndarray
    holder: np.ndarray
    second: np.ndarray
    cls: np.ndarray
    opened: np.ndarray
    opening: np.ndarray
    via_duplicate: np.ndarray
    of_person: np.ndarray  # main account of each person, -1 for none
    of_company: np.ndarray

    def __len__(self) -> int:
        return len(self.holder)


@dataclass(frozen=True)
class Cards:
    """One row per credit card; `limit` in cents, `use` the share of it that is typically owed."""

    holder: np.ndarray
    account: np.ndarray
    limit: np.ndarray
    issued: np.ndarray
    cycle_day: np.ndarray
    use: np.ndarray
    of_person: np.ndarray  # card of each person, -1 for none

    def __len__(self) -> int:
        return len(self.holder)


@dataclass(frozen=True)
class Positions:
    """One row per wealth position; `product` counts the wealth products of the catalogue from 0."""

    person: np.ndarray
    product: np.ndarray
    invested: np.ndarray
    acquired: np.ndarray
    matures: np.ndarray
    redeemed: np.ndarray

    def __len__(self) -> int:
        return len(self.person)


def build_accounts(settings: Settings, people: People, companies: Companies, streams: Streams) -> Accounts:
    """Draw accounts: a current one for every customer, savings and deposits for some, one for each company."""
    rng, credit, horizon = streams.of("accounts"), settings.credit, settings.horizon_days
    members = np.flatnonzero(people.join < NEVER)
    count = len(members)
    saver = members[rng.random(count) < credit.savings_share]
    depositor = members[rng.random(count) < credit.term_deposit_share]
    firms = np.flatnonzero(companies.join < NEVER)
    holder = np.concatenate([members, saver, depositor, firms])
    cls = np.repeat([CURRENT, SAVINGS, TERM_DEPOSIT, CORPORATE], [count, len(saver), len(depositor), len(firms)])
    is_company = cls == CORPORATE
    join = np.where(is_company, companies.join[holder % len(companies)], people.join[holder % len(people)])
    later = np.where(np.isin(cls, (SAVINGS, TERM_DEPOSIT)), rng.exponential(700, len(cls)), 0).astype(np.int64)
    opened = np.where(join + later < horizon, join + later, NEVER).astype(np.int32)
    keep = opened < NEVER
    holder, cls, is_company, opened = holder[keep], cls[keep], is_company[keep], opened[keep]
    person = np.where(is_company, 0, holder)
    noise = np.exp(0.9 * rng.standard_normal(len(cls)))
    income = people.income[person]
    opening = np.choose(
        cls,
        [
            income * credit.current_months * noise,
            income * credit.savings_months * noise,
            credit.term_deposit_median * 100 * noise,
            companies.turnover[np.where(is_company, holder, 0)] * 0.5 * noise,
        ],
    )
    spouse = people.spouse[person]
    shared = ~is_company & (spouse >= 0) & (rng.random(len(cls)) < credit.second_holder_share)
    # A disponent must be on record when the account is opened.
    known = people.join[np.maximum(spouse, 0)] <= opened
    of_person, of_company = np.full(len(people), -1, np.int32), np.full(len(companies), -1, np.int32)
    main = np.flatnonzero(cls == CURRENT)
    of_person[holder[main]] = main
    of_company[holder[is_company]] = np.flatnonzero(is_company)
    return Accounts(
        is_company=is_company, holder=holder.astype(np.int32),
        second=np.where(shared & known, spouse, -1).astype(np.int32), cls=cls.astype(np.int8), opened=opened,
        opening=(np.round(opening / 100) * 100).astype(np.int64),
        via_duplicate=~is_company & (cls != CURRENT) & people.is_duplicate[person],
        of_person=of_person, of_company=of_company,
    )  # fmt: skip


def build_cards(settings: Settings, people: People, accounts: Accounts, streams: Streams) -> Cards:
    """Draw credit cards: adults with an income, the limit by income."""
    rng = streams.of("cards")
    age = people.age(0)
    wants = rng.random(len(people)) < settings.credit.card_share * np.where(people.digital > 0.5, 1.15, 0.8)
    holder = np.flatnonzero(wants & (people.join < NEVER) & (age >= 20) & (age < 66) & (people.income > 150_000))
    issued = people.join[holder] + rng.exponential(500, len(holder)).astype(np.int64)
    keep = issued < settings.horizon_days
    holder, issued = holder[keep], issued[keep]
    months = rng.uniform(1.5, 5.0, len(holder))
    of_person = np.full(len(people), -1, np.int32)
    of_person[holder] = np.arange(len(holder))
    use = rng.beta(1.9, 3.2, len(holder)) + 0.06 * np.clip(people.risk[holder], -2, 2)
    return Cards(
        holder=holder.astype(np.int32), account=accounts.of_person[holder],
        limit=(np.round(people.income[holder] * months / 100_000) * 100_000 + 200_000).astype(np.int64),
        issued=issued.astype(np.int32), cycle_day=rng.integers(1, 29, len(holder)).astype(np.int8),
        use=np.clip(use, 0.01, 0.95).astype(np.float32), of_person=of_person,
    )  # fmt: skip


def build_positions(settings: Settings, people: People, streams: Streams) -> Positions:
    """Draw wealth positions: people with money buy what their investor risk level allows."""
    rng, horizon = streams.of("positions"), settings.horizon_days
    wealth = [product for product in settings.products if product.family == "wealth"]
    grade, term = np.array([p.risk for p in wealth]), np.array([p.term for p in wealth])
    likes = rng.random(len(people)) < settings.credit.wealth_share * np.clip(1 + 0.5 * people.value, 0.1, 2.5)
    investor = np.flatnonzero(likes & (people.join < NEVER) & (people.investor_level > 0))
    person = np.repeat(investor, rng.integers(1, 7, len(investor)))
    level = people.investor_level[person]
    product = np.floor(rng.random(len(person)) * np.searchsorted(grade, level, side="right")).astype(np.int8)
    acquired = rng.integers(-400, horizon, len(person))
    acquired = np.maximum(acquired, people.join[person] + rng.integers(0, 30, len(person)))
    matures = np.where(term[product] > 0, acquired + term[product], NEVER)
    redeemed = np.minimum(np.where(matures < NEVER, NEVER, acquired + rng.integers(60, 1500, len(person))), matures)
    keep = acquired < horizon
    months = np.exp(rng.normal(0.9, 0.8, len(person)))
    return Positions(
        person=person[keep].astype(np.int32), product=product[keep],
        invested=(np.round(people.income[person] * months / 100_000) * 100_000 + 100_000).astype(np.int64)[keep],
        acquired=acquired[keep].astype(np.int32), matures=matures[keep].astype(np.int32),
        redeemed=redeemed[keep].astype(np.int32),
    )  # fmt: skip
