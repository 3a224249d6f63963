"""Reads the numbers of the world. Every one lies in settings.yaml; none in code."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.settings import InputError
from pipelines.simulation.calendar import Calendar, Holiday

HERE = Path(__file__).parent
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class Strict(BaseModel):
    """A section of settings: nothing unknown, nothing missing, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Population(Strict):
    """Who lives in the city."""

    people_per_customer: Positive
    customers_per_company: Positive
    customers_per_stall: Positive
    customers_per_staff: Positive
    yearly_growth: Share
    household_sizes: tuple[Share, ...]
    spouse_share: Share
    tenure_years: Positive
    income_median: Positive
    income_sigma: Positive
    employed_here: Share
    shared_phone: Share
    shared_device: Share
    duplicate_share: Share
    dormant_share: Share
    flight_yearly: Share
    company_customer_share: Share
    srdi_share: Share
    polluter_share: Share


class Distress(Strict):
    """How financial distress begins, shows and ends."""

    yearly_shocks: Positive
    company_factor: Positive
    risk_slope: Positive
    before_days: int
    peak_days_median: Positive
    peak_days_sigma: Positive
    miss_share: Share
    default_share: Share
    cure_share: Share
    silent_share: Share
    recovery_days: Positive


class Credit(Strict):
    """Which products people and companies have."""

    mortgage_share: Share
    vehicle_share: Share
    consumer_share: Share
    business_share: Share
    decline_share: Share
    withdraw_share: Share
    guaranteed_consumer: Share
    guaranteed_business: Share
    card_share: Share
    savings_share: Share
    term_deposit_share: Share
    second_holder_share: Share
    wealth_share: Share
    current_months: Positive
    savings_months: Positive
    term_deposit_median: Positive


class Planted(Strict):
    """What is hidden in the data for detectors to find."""

    customers_per_ring: Positive
    ring_size: tuple[int, int]
    companies_per_circle: Positive
    circle_size: tuple[int, int]
    abnormal_staff: Share


class Campaigning(Strict):
    """Campaigns and what they achieve."""

    every_days: int
    length_days: int
    target_share: Share
    holdout_share: Share
    base_rate: Share
    mean_effect: Share


class District(Strict):
    """A district of the invented city: inhabitants in thousands, mean salary in yuan a month."""

    key: str
    name: str
    region: str
    inhabitants: int
    salary: int
    unemployment: Share


class Product(Strict):
    """A product of the catalogue; `term` in days, 0 is open-ended."""

    key: str
    name: str
    family: str
    risk: int | None = None
    rate: float | None = None
    minimum: float
    term: int = 0


class Settings(Strict):
    """settings.yaml."""

    world_start: date
    horizon_days: int
    population: Population
    distress: Distress
    credit: Credit
    planted: Planted
    campaigns: Campaigning
    holidays: tuple[Holiday, ...]
    districts: tuple[District, ...]
    products: tuple[Product, ...]

    @property
    def calendar(self) -> Calendar:
        """The days of this world."""
        return Calendar(self.world_start, self.holidays)


def read_section(path: Path, model: type[Strict]) -> Strict:
    """A settings file as `model`. Raises InputError naming file and field."""
    try:
        return model(**yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {place}: {first['msg']}; correct it") from error


@cache
def load_settings() -> Settings:
    """The settings of the world."""
    settings = read_section(HERE / "settings.yaml", Settings)
    assert isinstance(settings, Settings)
    return settings
