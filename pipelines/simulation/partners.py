"""The numbers of the partners of the bank in scenarios.yaml: shops, markets, chains, hospital and authorities.

What belongs here: the shape of these sections. What does not: what the numbers do (`emitters`).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipelines.simulation.settings import Positive, Share, Strict

Amount = Annotated[float, Field(ge=0)]
Days = Annotated[int, Field(ge=0)]
Week = Annotated[tuple[Amount, ...], Field(min_length=7, max_length=7)]
Hours = Annotated[tuple[Amount, ...], Field(min_length=24, max_length=24)]
Year = Annotated[tuple[Amount, ...], Field(min_length=12, max_length=12)]


class Shop(Strict):
    """One partner shop."""

    orders: Positive
    pay_later: Share
    returned: Share


class Shops(Strict):
    """Orders at partner shops."""

    taobu: Shop
    pinhao: Shop
    weekday: Week
    peaks: dict[str, Amount]
    holiday: dict[str, Amount]
    fall: Share
    later_rise: Share
    cheaper: Share
    amount_sigma: Amount
    income_power: Amount
    hours: Hours
    categories: dict[str, tuple[Share, Positive]]


class Markets(Strict):
    """Turnover of stalls."""

    weekday: Week
    closed: Share
    closed_rise: Share
    holiday: dict[str, tuple[Share, Share]]
    days: Positive
    least: Positive
    most: Positive
    sigma: Amount
    fall: Share
    refunds: Share
    categories: dict[str, tuple[Positive, Year]]


class SupplyChain(Strict):
    """Invoices and shipments around core enterprises."""

    monthly: Positive
    turnover_share: Share
    tier_two: Share
    tier_two_share: Share
    distributor_share: Share
    terms: tuple[Days, ...]
    amount_sigma: Amount
    late_days: Positive
    late_share: Share
    distress_days: Positive
    unpaid_days: Days
    fall: Share
    cancelled: Share
    history_months: Days
    shipments: tuple[Share, Share, Share]
    transit_days: Positive
    unit_price: Positive


class Medical(Strict):
    """Payments at the partner hospital."""

    daily: Positive
    age_pull: tuple[Amount, ...]
    weekday: Week
    hospitals: Annotated[int, Field(ge=1)]
    departments: dict[str, tuple[Share, Positive, Share]]
    sigma: Amount
    insured: Share


class Tax(Strict):
    """Tax returns of companies that authorised the bank."""

    deadline: Days
    on_the_last_days: Share
    late: Share
    late_rise: Share
    late_days: Positive
    never: Share
    late_most: Days
    vat: Share
    income: Share
    margin: Share
    sigma: Amount
    fall: Share
    declared: Share
    grades: tuple[Share, Share, Share, Share, Share]


class Judicial(Strict):
    """Court cases; pairs are of people and of companies."""

    ordinary: tuple[Share, Share]
    early: tuple[Share, Share]
    after: tuple[Share, Share]
    after_days: tuple[Days, Days]
    enforced: Share
    enforced_days: tuple[Days, Days]
    dishonest: Share
    dishonest_days: tuple[Days, Days]
    removed_days: Days
    closing_days: Positive
    closing_sigma: Amount
    history_days: Days
    amount_median: tuple[Positive, Positive]
    amount_sigma: Amount
    amount_missing: Share
    ordinary_types: tuple[Share, Share, Share, Share, Share]


class Bureau(Strict):
    """What reports of the credit bureau say of debts elsewhere."""

    review_share: Share
    other_loans: Positive
    other_debt: Positive
    other_sigma: Amount
    debt_rise: Amount
    card_months: Positive
    card_use: Share
    use_rise: Share
    inquiries: Positive
    inquiries_rise: Amount
    old_arrears: Share
    early_arrears: Share
    arrears_days: Positive


class SocialSecurity(Strict):
    """Monthly contributions of insured people who authorised the bank."""

    pay_from: Days
    pay_until: Days
    late: Share
    late_rise: Share
    late_days: Days
    job_loss: Share
    gap_share: Share
    floor: Positive
    ceiling: Positive
    base_share: tuple[Share, Share]


class Environment(Strict):
    """Penalties of the environmental authority."""

    polluter: Amount
    others: Amount
    violations: dict[str, tuple[Share, Positive]]
    sigma: Amount
