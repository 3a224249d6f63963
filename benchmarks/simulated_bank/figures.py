"""The figures a banker would check, each beside what it imitates and within the range that it must keep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.simulated_bank import credit, effects, signals
from benchmarks.simulated_bank.observe import Observed
from pipelines.simulation.accounts import CORPORATE
from pipelines.simulation.records import records_of

_CENSUS = "Seventh National Population Census 2020, National Bureau of Statistics, communiqué no. 5"
_ASSUMPTION = "assumption"


@dataclass(frozen=True)
class Figure:
    """One figure: its value, the published value it imitates (None for an assumption), and its range."""

    name: str
    value: float
    low: float
    high: float
    unit: str = "share"
    published: float | None = None
    source: str = _ASSUMPTION

    @property
    def holds(self) -> bool:
        """Whether the value lies in its range."""
        return self.low <= self.value <= self.high


def figures(observed: Observed) -> list[Figure]:
    """Every figure of a world seen for about a year."""
    return [
        *_population(observed), *_money(observed), *_volume(observed), *_credit(observed), *_campaigns(observed),
        *_partners(observed), *_noise(observed),
    ]  # fmt: skip


def _population(observed: Observed) -> list[Figure]:
    people = observed.world.people
    age = people.age(0)
    adults = (people.join <= 0) & (age >= 18)
    return [
        Figure("people under 15", (age < 15).mean(), 0.13, 0.20, published=0.1795, source=_CENSUS),
        Figure("people of 15 to 59", ((age >= 15) & (age < 60)).mean(), 0.60, 0.69, published=0.6335, source=_CENSUS),
        Figure("people of 60 and over", (age >= 60).mean(), 0.165, 0.21, published=0.187, source=_CENSUS),
        Figure(
            "people per household", len(people) / (people.household.max() + 1), 2.5, 2.75, "people", 2.62,
            "Seventh National Population Census 2020, communiqué no. 2",
        ),
        Figure(
            "men", 1 - people.female.mean(), 0.49, 0.53, published=0.5124,
            source="Seventh National Population Census 2020, communiqué no. 4",
        ),
        Figure("customers who are adults", adults.sum() / (people.join <= 0).sum(), 0.9, 1.0),
    ]  # fmt: skip


def _money(observed: Observed) -> list[Figure]:
    world = observed.world
    own = (world.accounts.cls != CORPORATE) & (world.accounts.opened <= observed.days)
    income = world.people.income.mean() * 12 / 100
    balance = observed.balance[own] / 100
    return [
        Figure(
            "yearly income per head", income, 45_000, 62_000, "yuan", 54_188,
            "urban disposable income per head 2024, National Bureau of Statistics",
        ),
        Figure("median balance of a person's account", float(np.median(balance)), 2_000, 40_000, "yuan"),
        Figure("person accounts that were ever below zero", (observed.lowest[own] < 0).mean(), 0.0, 0.08),
        Figure(
            "use of credit card limits", _card_use(observed), 0.18, 0.45, published=0.3782,
            source="People's Bank of China, payment system in the third quarter of 2024",
        ),
        Figure("credit cards per customer", len(world.cards) / world.customers, 0.25, 0.45),
    ]  # fmt: skip


def _card_use(observed: Observed) -> float:
    last = observed.frames["card.statement"].filter(pl.col("day") >= observed.days - 31)
    issued = observed.world.cards.issued <= observed.days
    return float(last["statement_balance"].sum() / observed.world.cards.limit[issued].sum())


def _volume(observed: Observed) -> list[Figure]:
    world = observed.world
    per_day, purchases = daily_volume(observed, purchases=False), daily_volume(observed)
    weekday = np.array([world.calendar.weekday(day) for day in range(observed.days)])
    usual = np.arange(observed.days) >= 1  # the first day brings balances forward
    weekend = purchases[usual & (weekday >= 5)].mean() / purchases[usual & (weekday < 5)].mean()
    customers = (world.people.join <= observed.days // 2).sum()
    return [
        Figure("bookings per customer and day", per_day[usual].mean() / customers, 0.6, 1.4, "bookings"),
        Figure("purchases at weekends against other days", weekend, 1.03, 1.6, "ratio"),
    ]


def daily_volume(observed: Observed, purchases: bool = True) -> np.ndarray:
    """Bookings per day; `purchases` leaves out what has no merchant."""
    rows = observed.bookings.filter(pl.col("merchant_category").is_not_null()) if purchases else observed.bookings
    total = rows.group_by("day").agg(pl.col("n").sum())
    volume = np.zeros(observed.days)
    volume[total["day"].to_numpy()] = total["n"].to_numpy()
    return volume


def _credit(observed: Observed) -> list[Figure]:
    last = observed.days - 1
    rates = credit.roll_rates(observed, list(range(last - 180, last + 1, 30)))
    auc, defaults = signals.auc(observed)
    return [
        Figure(
            "NPL ratio of loans", credit.npl_ratio(observed, last), 0.008, 0.035, published=0.0176,
            source="city commercial banks at the end of 2024, China Banking Association",
        ),
        Figure("current loans late a month after", rates[0, 1:].sum(), 0.002, 0.03),
        Figure("loans 61-90 days late that roll on in a month", rates[3, 4], 0.5, 1.0),
        Figure(f"AUC of a plain model 90 days before default ({defaults} defaults)", auc, 0.75, 0.85, ""),
    ]  # fmt: skip


def _campaigns(observed: Observed) -> list[Figure]:
    found = effects.effects(observed)
    estimate, error, truth = effects.pooled(found)
    contacted = sum(each.contacted for each in found)
    return [
        Figure("responses per contact", sum(each.responses for each in found) / contacted, 0.02, 0.25),
        Figure("campaigns whose interval holds the true effect", np.mean([e.covered for e in found]), 0.80, 1.0),
        Figure("pooled effect, in standard errors from the truth", (estimate - truth) / error, -2.6, 2.6, "errors"),
    ]


def _partners(observed: Observed) -> list[Figure]:
    world = observed.world
    customer = world.people.join <= 0
    found = []
    for shop in ("taobu", "pinhao"):
        buyers = np.unique(records_of(world, shop)["person"].to_numpy())
        found.append(
            Figure(f"customers who buy at {shop}", np.isin(np.flatnonzero(customer), buyers).mean(), 0.25, 0.65)
        )
        found.append(Figure(f"buyers at {shop} who are customers", customer[buyers].mean(), 0.35, 0.85))
    return found


def _noise(observed: Observed) -> list[Figure]:
    world = observed.world
    core = records_of(world, "core").filter(pl.col("person") >= 0)
    crm = records_of(world, "crm").filter(pl.col("person") >= 0)
    right = core.unique("person").select("person", right="national_id")
    typed = crm.join(right, on="person", how="inner")
    wrong = typed.filter(pl.col("national_id").is_not_null() & (pl.col("national_id") != pl.col("right")))
    return [
        Figure("CRM records without a resident id", typed["national_id"].null_count() / len(typed), 0.05, 0.85),
        Figure("CRM records with a wrong resident id", len(wrong) / len(typed), 0.002, 0.1),
        Figure("people with two records in core", 1 - core["person"].n_unique() / len(core), 0.005, 0.03),
    ]
