"""Reads behaviour.yaml: the numbers of bookings, loans, cards and positions.

What belongs here: the shape of that file. What does not: what the numbers do.
"""

from __future__ import annotations

from functools import cache

from pipelines.simulation.settings import HERE, Positive, Share, Strict, read_section

Groups = tuple[Share, Share, Share, Share]
Week = tuple[float, float, float, float, float, float, float]
Range = tuple[float, float]

#: As the contract core.transaction lists them.
CATEGORIES = (
    "grocery", "dining", "transport", "travel", "education", "medical", "online", "entertainment", "utilities",
    "housing", "telecom", "wholesale",
)  # fmt: skip


class Bookings(Strict):
    """Volume and counterparties."""

    per_customer_day: Positive
    not_purchases: Positive
    banks: tuple[str, ...]
    own_bank: str
    outside_accounts: int
    late_posting: Share
    whole_yuan: Share


class Income(Strict):
    """Salaries, pensions, receipts and allowances."""

    employer_unknown_paydays: tuple[int, ...]
    pension_day: int
    bonus_share: Share
    bonus_days_before: tuple[int, int]
    loss_share: Share
    loss: Share
    receipts_every_days: int
    receipts_sigma: Positive
    allowance: Positive
    allowance_spread: Positive
    allowance_limit: Share
    late_wages: Share
    late_wages_days: int


class Spending(Strict):
    """Purchases by card."""

    mix: dict[str, Groups]
    price: dict[str, Positive]
    sigma: dict[str, Positive]
    weekday: dict[str, Week]
    holiday: dict[str, dict[str, float]]
    festival_run_up: dict[str, float]
    shopping_days: tuple[tuple[int, int, int, float], ...]
    summer: dict[str, float]
    term_begins: dict[str, float]
    saves_until: Share
    mood: Positive
    taste: Positive
    undigital: Positive
    fall: Share
    dearest: Share
    supported_kept: Share
    kept: Share
    floor: Share
    cushion_months: Positive
    lean_share: Share


class Bills(Strict):
    """Standing orders, bills and fees."""

    rent_share: Share
    rent_of_income: Range
    insurance_share: Share
    insurance_of_income: Range
    leasing_share: Share
    leasing_of_income: Range
    utilities_share: Share
    utilities: Positive
    summer_utilities: Positive
    sigma: Positive
    usual_income: Positive
    most_usual: Positive
    statement_shares: tuple[Share, Share, Share]
    telecom_share: Share
    telecom: Positive
    fee_share: Share
    fee: Positive
    company_fee: Positive


class Transfers(Strict):
    """Cash, transfers between people, and money that leaves."""

    cash_share: Share
    cash_per_month: Positive
    cash_dislike: Positive
    cash_sigma: Positive
    out_share: Share
    out_per_month: Positive
    dearest: Share
    out_sigma: Positive
    round_share: Share
    family_share: Share
    drain: Share
    flight: Share
    flight_days: int
    gone_days: int
    every_days: int


class Interest(Strict):
    """Interest that the bank pays and charges."""

    days: tuple[tuple[int, int], ...]
    spread: Range
    penalty_from: Share
    penalty: Range
    penalty_day: int


class Firms(Strict):
    """Accounts of companies."""

    receipts_per_day: tuple[float, float, float, float]
    weekday: Week
    festival: Share
    sigma: Positive
    fall: Share
    from_core: Share
    tax: Share
    tax_day: int
    margin: Share
    cushion: Positive
    cushion_saved: Share
    fixed_limit: Share
    supplier_days: int
    supplier_spread: Range
    core_limit: Share
    supplier_rows: Share


class Lending(Strict):
    """How loans are repaid."""

    late_share: Share
    late_in_distress: Share
    late_days: tuple[int, int]
    partial_share: Share
    partial: Share
    catch_up_days: int
    on_order: Share
    through_partners: Share
    overstated: float
    stated_sigma: Positive
    asks_more: Share
    pledged: tuple[Share, Share, Share, Share]
    decided_days: int
    guarantor_unnumbered: Share
    appraisal_days: int
    appraisal_drift: tuple[float, float, float]
    passed_on: Share


class CardUse(Strict):
    """How cards are used and paid."""

    debit_share: Share
    debit_days: int
    gold_value: float
    junior_age: int
    due_days: int
    minimum_share: Share
    minimum: Positive
    transactor_share: Share
    transactor_risk: float
    full_until: Share
    funded_from: Positive
    revolver_pays: Range
    income_share: Share
    sigma: Positive
    season: dict[int, Positive]
    rise: Share
    missed_growth: Share
    advance_share: Share
    advance_in_distress: Share
    advance_spread: Range
    advance: Share


class Wealth(Strict):
    """How positions move in value, and the money of purchases and redemptions."""

    volatility: tuple[float, float, float, float, float]
    funded_from: Share
    leaves: Share
    leaves_days: int


class Behaviour(Strict):
    """behaviour.yaml."""

    bookings: Bookings
    income: Income
    spending: Spending
    bills: Bills
    transfers: Transfers
    interest: Interest
    companies: Firms
    lending: Lending
    cards: CardUse
    wealth: Wealth


@cache
def behaviour() -> Behaviour:
    """The numbers of behaviour."""
    found = read_section(HERE / "behaviour.yaml", Behaviour)
    assert isinstance(found, Behaviour)
    return found
