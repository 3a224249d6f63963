"""Reads noise.yaml: how wrong each system's records are. What the rates do: the modules beside it."""

from __future__ import annotations

from functools import cache

from pydantic import Field, model_validator

from pipelines.simulation.settings import HERE, Positive, Share, Strict, read_section


class Variants(Strict):
    """How a wrong name is wrong."""

    homophone: Share
    similar: Share
    missing: Share
    traditional: Share
    pinyin: Share
    swapped: Share
    padded: Share

    @model_validator(mode="after")
    def _whole(self) -> Variants:
        if abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"shares add up to {sum(self.shares):.3f}, not to 1")
        return self

    @property
    def shares(self) -> tuple[float, ...]:
        """In the order of the fields."""
        return tuple(self.model_dump().values())


class People(Strict):
    """What is odd about people whatever the system."""

    recycled_phone: Share
    origin_elsewhere: Share
    origin_other_district: Share


class Core(Strict):
    """The core banking system."""

    national_id_missing: Share
    national_id_wrong: Share
    old_phone: Share
    phone_missing: Share
    phone_corrected_yearly: Share
    padded_name: Share
    address_missing: Share
    employer_missing: Share
    occupation_missing: Share
    uscc_missing: Share
    company_address_missing: Share
    duplicate_name: Share
    duplicate_phone: Share
    duplicate_national_id_missing: Share
    duplicate_after_days: Positive


class Crm(Strict):
    """The CRM."""

    coverage: Share
    party_key_missing: Share
    party_key_wrong: Share
    name_variant: Share
    national_id_missing: Share
    national_id_wrong: Share
    old_phone: Share
    phone_missing: Share
    email: Share
    address_missing: Share
    address_short: Share
    field_missing: Share
    channel_missing: Share
    duplicates: Share
    income_sigma: Positive
    divorced: Share
    widowed: Share
    moved_yearly: Share
    phone_yearly: Share
    deleted_yearly: Share
    reassessed_days: tuple[int, int]
    level_changes: tuple[Share, Share, Share]


class App(Strict):
    """The mobile app."""

    share: Share
    old_phone: Share
    phone_missing: Share


class Taobu(Strict):
    """The shop that hands over hashes of phones."""

    share: Share
    old_phone: Share
    phone_missing: Share
    address_office: Share
    address_short: Share


class Pinhao(Taobu):
    """The shop that hands over phones, and names as buyers give them."""

    name_missing: Share
    name_nickname: Share
    name_courtesy: Share
    name_variant: Share


class MarketEast(Strict):
    """The market that knows credit codes."""

    uscc_missing: Share
    uscc_wrong: Share
    short_name: Share
    owner_variant: Share


class MarketWest(Strict):
    """The market that knows phones."""

    old_phone: Share
    phone_missing: Share
    short_name: Share
    owner_variant: Share


class Hospital(Strict):
    """The hospital."""

    share: Share
    national_id_missing: Share
    national_id_wrong: Share
    name_variant: Share


class Registry(Strict):
    """The public register of companies."""

    national_id: Share
    name_padded: Share
    changed_yearly: Share
    deregistered_yearly: Share
    abnormal_after_default: Share
    abnormal_days: int = Field(ge=1)
    shareholders: Share
    supervisor: Share
    employees_sigma: Positive


class Court(Strict):
    """The courts."""

    national_id: Share
    uscc: Share


class CodesOnly(Strict):
    """A system that knows companies by their credit code alone."""

    uscc_wrong: Share


class SocialSecurity(Strict):
    """Social security."""

    national_id_wrong: Share
    employer_missing: Share


class Bureau(Strict):
    """The credit bureau."""

    national_id_wrong: Share


class Payroll(Strict):
    """Which employers pay salaries through the bank."""

    smallest: int = Field(ge=1)
    share: Share
    after_days: Positive


class Noise(Strict):
    """noise.yaml."""

    variants: Variants
    people: People
    core: Core
    crm: Crm
    app: App
    taobu: Taobu
    pinhao: Pinhao
    market_east: MarketEast
    market_west: MarketWest
    hospital: Hospital
    registry: Registry
    court: Court
    tax: CodesOnly
    supply_chain: CodesOnly
    environment: CodesOnly
    social_security: SocialSecurity
    bureau: Bureau
    payroll: Payroll


@cache
def load_noise() -> Noise:
    """The noise of the world."""
    noise = read_section(HERE / "noise.yaml", Noise)
    assert isinstance(noise, Noise)
    return noise
