"""Reads scenarios.yaml: the numbers of channels, campaigns, service, consent, staff operations and partners.

What belongs here: the shape of that file. What does not: what the numbers do (`emitters`).
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Literal

from pipelines.simulation.partners import (
    Amount,
    Bureau,
    Days,
    Environment,
    Hours,
    Judicial,
    Markets,
    Medical,
    Shops,
    SocialSecurity,
    SupplyChain,
    Tax,
    Week,
)
from pipelines.simulation.settings import HERE, Positive, Share, Strict, read_section


class Noise(Strict):
    """What makes signals weak in healthy people too."""

    mood_sigma: Amount
    slow_sigma: Amount
    slow_days: tuple[Days, ...]
    deaf: Share


class App(Strict):
    """Sessions of app users."""

    sessions: Positive
    extra_events: Amount
    weekday: Week
    busy_seconds: Positive
    hours: Hours
    mix: dict[str, Share]
    fall: Share
    loan_seeking: Share
    after_flight: Share
    ring_takeover: Share


class Campaigns(Strict):
    """Contacts, responses and conversions."""

    contact_days: Days
    response: dict[str, Share]
    response_days: Positive
    conversion_days: Positive
    answered: Share


class Complaints(Strict):
    """Who complains about what, and how long answers take."""

    monthly: Positive
    fee_factor: Amount
    fee_value: Share
    bad_contact_factor: Amount
    distress_factor: Amount
    unknown_party: Share
    duplicate: Share
    duplicate_days: Positive
    complex: Share
    resolve_days: tuple[Positive, Positive]
    resolve_sigma: Amount
    respond_hours: Positive
    respond_sigma: Amount
    longest_days: Days
    history_months: Days
    severity: tuple[Share, Share, Share]
    channels: dict[str, Share]
    categories: dict[str, Share]


class Nps(Strict):
    """Answers to the survey."""

    yearly: Positive
    mean: float
    sigma: Positive
    complained: float
    distressed: float
    touchpoints: dict[str, Share]


class Term(Strict):
    """One consent that can be given: who gives it, what for, for which data and partner, and how often."""

    name: str
    who: Literal["person", "borrower", "company", "merchant", "supplier"]
    purpose: str
    data_class: str
    partner: str | None = None
    granted: Share
    later: Share
    withdrawn: Share


class Consent(Strict):
    """Consents given and withdrawn."""

    again: Share
    again_days: tuple[Days, Days]
    channels: dict[str, Share]
    versions: dict[str, date]
    terms: tuple[Term, ...]


class Audit(Strict):
    """What staff do, and what abnormal ones do."""

    operations: dict[str, Positive]
    closed_day: Share
    overtime: Share
    mix: dict[str, tuple[Share, Share, Share, Share, Share]]
    export_median: Positive
    export_sigma: Amount
    burst_monthly: Share
    burst_days: Days
    burst_edits: Positive
    burst_off_hours: Share


class Scenarios(Strict):
    """scenarios.yaml."""

    noise: Noise
    app: App
    campaigns: Campaigns
    complaints: Complaints
    nps: Nps
    consent: Consent
    audit: Audit
    shops: Shops
    markets: Markets
    supply_chain: SupplyChain
    medical: Medical
    tax: Tax
    judicial: Judicial
    bureau: Bureau
    social_security: SocialSecurity
    environment: Environment


@cache
def load_scenarios() -> Scenarios:
    """The numbers of all scenarios. Raises InputError naming the field that is wrong."""
    scenarios = read_section(HERE / "scenarios.yaml", Scenarios)
    assert isinstance(scenarios, Scenarios)
    return scenarios
