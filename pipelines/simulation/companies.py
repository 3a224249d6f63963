"""The companies of the city: industry, size, people behind them, supply chains, stalls in markets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.distress import Distressed, Timeline, draw_timeline
from pipelines.simulation.people import RETIRED, SELF_EMPLOYED, STUDENT, People
from pipelines.simulation.settings import Settings
from pipelines.simulation.streams import Streams

#: Sections of GB/T 4754-2017 that occur here, and (assumption) their shares of companies.
INDUSTRIES = ("A", "C", "E", "F", "G", "H", "I", "K", "L", "M", "O", "P", "Q", "R")
_INDUSTRY_SHARES = (0.03, 0.16, 0.08, 0.33, 0.05, 0.10, 0.05, 0.03, 0.06, 0.03, 0.05, 0.01, 0.01, 0.01)
MANUFACTURING, TRADE, CATERING = 1, 3, 5
MICRO, SMALL, MEDIUM, CORE = 0, 1, 2, 3
_SIZE_SHARES = (0.74, 0.22, 0.036, 0.004)
# Assumption: median monthly turnover in yuan, and employees against each other, by size.
_TURNOVER = np.array([60_000, 450_000, 4_000_000, 45_000_000])
_WEIGHT = np.array([2.0, 14.0, 110.0, 900.0])
STALL_CATEGORIES = ("vegetables", "meat", "seafood", "grain", "clothing", "hardware", "electronics", "catering")
_STALL_SHARES = (0.26, 0.12, 0.09, 0.09, 0.18, 0.10, 0.06, 0.10)
MARKETS = ("market_east", "market_west")


@dataclass(frozen=True)
class Companies(Distressed):
    """One row per company; money in cents, day numbers as int32, -1 for none."""

    industry: np.ndarray
    size: np.ndarray
    founded: np.ndarray
    owner: np.ndarray
    legal_rep: np.ndarray
    district: np.ndarray
    employees: np.ndarray
    capital: np.ndarray
    turnover: np.ndarray
    risk: np.ndarray
    core: np.ndarray
    join: np.ndarray
    srdi: np.ndarray
    polluter: np.ndarray
    payday: np.ndarray
    timeline: Timeline

    def __len__(self) -> int:
        return len(self.industry)


@dataclass(frozen=True)
class Stalls:
    """One row per lease of a stall: the company that trades there, in which market, selling what."""

    company: np.ndarray
    market: np.ndarray
    stall_no: np.ndarray
    category: np.ndarray
    rent: np.ndarray
    leased_from: np.ndarray
    leased_to: np.ndarray

    def __len__(self) -> int:
        return len(self.company)


def build_companies(
    settings: Settings, customers: int, people: People, streams: Streams
) -> tuple[Companies, np.ndarray]:
    """Draw the companies, and the employer of each person (-1 for none)."""
    population = settings.population
    count = max(40, round(customers / population.customers_per_company))
    rng = streams.of("companies.traits")
    size = rng.choice(4, count, p=_SIZE_SHARES)
    size[: max(3, count // 300)] = CORE  # a city without core enterprises has no supply chains
    industry = rng.choice(len(INDUSTRIES), count, p=_INDUSTRY_SHARES)
    industry[size == CORE] = np.resize([MANUFACTURING, TRADE], int((size == CORE).sum()))
    employer = _employers(streams, settings, people, size)
    owner, legal_rep = _owners(streams, people, count)
    founded = -np.ceil(rng.gamma(2.0, 4.0, count) * 365).astype(np.int32) - 60
    turnover = _TURNOVER[size] * np.exp(0.7 * rng.standard_normal(count)) * 100
    risk = (0.5 * people.risk[owner] + np.sqrt(0.75) * rng.standard_normal(count) - 0.35 * size).astype(np.float32)
    cores = np.flatnonzero(size == CORE)
    in_chain = (size < CORE) & (rng.random(count) < np.where(np.isin(industry, (MANUFACTURING, TRADE)), 0.30, 0.08))
    is_customer = (rng.random(count) < population.company_customer_share) | (size == CORE)
    tenure = np.minimum(np.ceil(rng.exponential(5 * 365, count)), -founded)
    later = rng.random(count) < 0.08
    join = np.where(later, rng.integers(1, settings.horizon_days, count), -tenure)
    factor = settings.distress.company_factor
    companies = Companies(
        industry=industry.astype(np.int8), size=size.astype(np.int8), founded=founded, owner=owner,
        legal_rep=legal_rep, district=people.district[owner],
        employees=np.bincount(employer[employer >= 0], minlength=count).astype(np.int32),
        capital=(np.round(turnover / 100 * rng.uniform(0.5, 6, count), -4) * 100 + 3_000_000).astype(np.int64),
        turnover=turnover.astype(np.int64), risk=risk,
        core=np.where(in_chain, cores[rng.integers(0, len(cores), count)], -1).astype(np.int32),
        join=np.where(is_customer, join, NEVER).astype(np.int32),
        srdi=np.isin(size, (SMALL, MEDIUM)) & (rng.random(count) < population.srdi_share * 5) & (industry == 1),
        polluter=(industry == MANUFACTURING) & (rng.random(count) < population.polluter_share * 6),
        payday=rng.choice([5, 8, 10, 15, 20, 25, 28], count).astype(np.int8),
        timeline=draw_timeline(
            streams.of("companies.distress"), risk, settings.distress, settings.horizon_days, factor
        ),
    )  # fmt: skip
    return companies, employer


def build_stalls(settings: Settings, customers: int, companies: Companies, streams: Streams) -> Stalls:
    """Lease stalls of the two markets to micro companies, oldest first."""
    rng = streams.of("companies.stalls")
    count = max(12, round(customers / settings.population.customers_per_stall))
    traders = np.flatnonzero((companies.size == MICRO) & np.isin(companies.industry, (TRADE, CATERING)))
    company = np.sort(rng.permutation(traders)[:count]).astype(np.int32)
    count = len(company)
    ends = rng.random(count) < 0.15
    return Stalls(
        company=company,
        market=rng.integers(0, 2, count).astype(np.int8),
        stall_no=np.arange(1, count + 1, dtype=np.int32),
        category=rng.choice(len(STALL_CATEGORIES), count, p=_STALL_SHARES).astype(np.int8),
        rent=np.round(rng.uniform(1200, 9000, count), -1).astype(np.int64) * 100,
        leased_from=-np.minimum(rng.integers(30, 2200, count), -companies.founded[company]).astype(np.int32),
        leased_to=np.where(ends, rng.integers(60, settings.horizon_days, count), NEVER).astype(np.int32),
    )


def _employers(streams: Streams, settings: Settings, people: People, size: np.ndarray) -> np.ndarray:
    """Company that each earner works for, drawn by the size of companies; -1 for everybody else."""
    rng = streams.of("companies.employers")
    works = ~np.isin(people.occupation, (SELF_EMPLOYED, STUDENT, RETIRED)) & (people.birth < -16 * 365)
    here = works & (rng.random(len(people)) < settings.population.employed_here)
    weight = _WEIGHT[size] * np.exp(0.6 * rng.standard_normal(len(size)))
    chosen = np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(len(people))).clip(0, len(size) - 1)
    return np.where(here, chosen, -1).astype(np.int32)


def _owners(streams: Streams, people: People, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Owner and legal representative of each company: mostly self-employed, mostly the same person."""
    rng = streams.of("companies.owners")
    adult = (people.birth < -25 * 365) & (people.birth > -68 * 365)
    score = rng.random(len(people)) + (people.occupation == SELF_EMPLOYED) * 0.8 - ~adult * 10.0
    owner = np.argsort(-score, kind="stable")[:count].astype(np.int32)
    owner = owner[rng.permutation(count)]
    stand_in = rng.choice(np.flatnonzero(adult), count).astype(np.int32)
    relative = np.where(people.spouse[owner] >= 0, people.spouse[owner], stand_in)
    draw = rng.random(count)
    return owner, np.where(draw < 0.88, owner, np.where(draw < 0.95, relative, stand_in)).astype(np.int32)
