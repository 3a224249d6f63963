"""The people of the city: households, age, work, income, latent traits, and what they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.distress import Distressed, Timeline, draw_timeline
from pipelines.simulation.settings import Settings
from pipelines.simulation.streams import Streams

#: As the contract crm.customer lists them.
OCCUPATIONS = (
    "public_service", "professional", "clerical", "sales_service", "agriculture", "production", "military",
    "self_employed", "student", "retired", "other",
)  # fmt: skip
SELF_EMPLOYED, STUDENT, RETIRED = 7, 8, 9
EDUCATIONS = ("primary", "secondary", "vocational", "bachelor", "master", "doctor")
CHANNELS = ("branch", "app", "phone", "sms", "wechat")
# Assumption: shares of occupations among people of working age, and what they earn against the median.
_OCCUPATION_SHARES = (0.06, 0.13, 0.12, 0.26, 0.06, 0.20, 0.004, 0.126, 0.0, 0.0, 0.04)
_OCCUPATION_PAY = np.array([1.25, 1.55, 1.10, 0.85, 0.60, 0.95, 1.20, 1.05, 0.0, 0.60, 0.70])
_YEAR = 365.25


@dataclass(frozen=True)
class People(Distressed):
    """One row per person; day numbers as int32, money in cents, -1 for nobody or nothing."""

    household: np.ndarray
    spouse: np.ndarray
    birth: np.ndarray
    female: np.ndarray
    district: np.ndarray
    education: np.ndarray
    occupation: np.ndarray
    income: np.ndarray
    join: np.ndarray
    risk: np.ndarray
    value: np.ndarray
    digital: np.ndarray
    saving: np.ndarray
    channel: np.ndarray
    investor_level: np.ndarray
    address: np.ndarray
    phone: np.ndarray
    device: np.ndarray
    ring: np.ndarray
    dormant: np.ndarray
    flight: np.ndarray
    is_duplicate: np.ndarray
    timeline: Timeline

    def __len__(self) -> int:
        return len(self.birth)

    def age(self, day: int) -> np.ndarray:
        """Whole years of age on `day`; negative before birth."""
        return np.floor((day - self.birth) / _YEAR).astype(np.int16)


def build_people(settings: Settings, customers: int, streams: Streams) -> People:
    """Draw the city: `customers` of its people are customers when the world begins, others join later."""
    population = settings.population
    count = round(customers * population.people_per_customer)
    household, place = _households(streams, population.household_sizes, count)
    birth, female, spouse = _families(streams, household, place, population.spouse_share)
    rng = streams.of("people.traits")
    size = int(household[-1]) + 1
    inhabitants = np.array([district.inhabitants for district in settings.districts], dtype=float)
    home = rng.choice(len(inhabitants), size, p=inhabitants / inhabitants.sum()).astype(np.int8)
    family = rng.standard_normal(size)[household]  # what a household has in common
    risk = (0.4 * family + np.sqrt(1 - 0.4**2) * rng.standard_normal(count)).astype(np.float32)
    age = -birth / _YEAR
    occupation = _occupations(rng, age)
    education = _education(rng, age, occupation)
    salary = np.array([district.salary for district in settings.districts], dtype=float)
    pay = _OCCUPATION_PAY[occupation] * (salary / np.average(salary, weights=inhabitants))[home[household]]
    pay *= 1 + 0.18 * (education - 2) - 0.06 * np.clip(risk, -2, 2)
    income = population.income_median * pay * np.exp(population.income_sigma * rng.standard_normal(count))
    digital = np.clip(rng.beta(3.0, 2.0, count) + (40 - age) / 150, 0.02, 0.98).astype(np.float32)
    value = (0.6 * np.log1p(income / 5000) + 0.8 * rng.standard_normal(count)).astype(np.float32)
    channel = np.where(rng.random(count) < digital, rng.choice([1, 3, 4], count, p=[0.5, 0.15, 0.35]),
                       rng.choice([0, 2, 3], count, p=[0.45, 0.35, 0.20])).astype(np.int8)  # fmt: skip
    join = _join_days(streams, settings, customers, age, digital)
    is_customer = join < NEVER
    phone, device = _shared(streams, settings, household, place, age)
    ring, phone, device, address = _rings(streams, settings, customers, join, risk, phone, device, household)
    level = np.clip(np.round(2.6 + 0.5 * value - 0.01 * (age - 40) + 0.8 * rng.standard_normal(count)), 1, 5)
    dormant = rng.random(count) < population.dormant_share
    flight = np.floor(rng.exponential(365.0 / population.flight_yearly, count))
    horizon = settings.horizon_days
    return People(
        household=household, spouse=spouse, birth=birth, female=female, district=home[household],
        education=education.astype(np.int8), occupation=occupation.astype(np.int8),
        income=np.round(income * 100).astype(np.int64), join=join, risk=risk, value=value, digital=digital,
        saving=np.clip(rng.normal(0.22, 0.08, count) - 0.03 * risk, 0.02, 0.5).astype(np.float32), channel=channel,
        investor_level=np.where(rng.random(count) < 0.6, level, 0).astype(np.int8), address=address, phone=phone,
        device=device, ring=ring,
        dormant=np.where(dormant & is_customer, rng.integers(-365, horizon, count), NEVER).astype(np.int32),
        flight=np.where((flight < horizon) & is_customer, flight, NEVER).astype(np.int32),
        is_duplicate=(rng.random(count) < population.duplicate_share) & is_customer,
        timeline=draw_timeline(streams.of("people.distress"), risk, settings.distress, horizon),
    )  # fmt: skip


def _households(streams: Streams, shares: tuple[float, ...], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Household of each person, and the person's place in it: 0 the head, 1 the second adult or a child, and so on."""
    sizes = streams.of("people.households").choice(np.arange(1, len(shares) + 1), count, p=np.array(shares))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    used = int(np.searchsorted(starts, count, side="left"))
    household = np.repeat(np.arange(used, dtype=np.int32), sizes[:used])[:count]
    place = (np.arange(count) - starts[household]).astype(np.int8)
    return household, place


def _families(
    streams: Streams, household: np.ndarray, place: np.ndarray, spouse_share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Birth day, sex and spouse of each person: heads, their spouses, children, and parents of older heads."""
    rng, count = streams.of("people.families"), len(household)
    heads = np.flatnonzero(place == 0)
    head = heads[household]
    # Age structure of adults, roughly that of the 2020 census: triangular, most often 38.
    head_age = rng.triangular(20, 38, 92, len(heads))[household]
    is_spouse = (place == 1) & (rng.random(count) < spouse_share)
    gap = rng.normal(0, 3.0, count)
    is_parent = (place >= 2) & (rng.random(count) < 0.08) & (head_age < 60)
    generation = rng.uniform(23, 40, count)
    age = np.where(place == 0, head_age, np.where(is_spouse, head_age - gap, head_age - generation))
    # Children of heads too young to have them are small children instead.
    age = np.where(age < 0.05, rng.uniform(0.05, 10.0, count), age)
    age = np.minimum(np.where(is_parent, head_age + generation - 4, age), 99.0)
    female = rng.random(count) < 0.488  # 2020 census: 51.24 % men
    female = np.where(is_spouse, ~female[head], female)
    spouse = np.full(count, -1, dtype=np.int32)
    second = np.flatnonzero(is_spouse)
    spouse[second], spouse[head[second]] = head[second], second
    return np.floor(-age * _YEAR).astype(np.int32), female, spouse


def _occupations(rng: np.random.Generator, age: np.ndarray) -> np.ndarray:
    count = len(age)
    shares = np.array(_OCCUPATION_SHARES) / sum(_OCCUPATION_SHARES)
    occupation = np.searchsorted(np.cumsum(shares), rng.random(count)).clip(0, len(OCCUPATIONS) - 1)
    studies = (age < 18) | ((age < 23) & (rng.random(count) < 0.55))
    # Statutory retirement of 2024: 60 for men, 50 or 55 for women; here one spread for all.
    retires = age > rng.normal(59, 2.5, count)
    return np.where(studies, STUDENT, np.where(retires, RETIRED, occupation))


def _education(rng: np.random.Generator, age: np.ndarray, occupation: np.ndarray) -> np.ndarray:
    score = rng.normal(0, 1, len(age)) + (45 - age) / 40 + np.isin(occupation, (0, 1)) * 1.0
    return np.searchsorted([-1.3, -0.2, 0.7, 1.9, 2.9], score)


def _join_days(
    streams: Streams, settings: Settings, customers: int, age: np.ndarray, digital: np.ndarray
) -> np.ndarray:
    """Day each person becomes a customer: `customers` of them before the world begins, growth after."""
    rng, population = streams.of("people.join"), settings.population
    later = round(customers * population.yearly_growth * settings.horizon_days / 365)
    score = rng.gumbel(size=len(age)) + 1.2 * digital + np.where(age < 16, -50.0, 0.0) - np.abs(age - 42) / 40
    order = np.argsort(-score, kind="stable")
    join = np.full(len(age), NEVER, dtype=np.int32)
    tenure = np.ceil(rng.exponential(population.tenure_years * 365, customers))
    limit = np.maximum((age[order[:customers]] - 15) * 365, 1)  # nobody joins as a small child
    join[order[:customers]] = -np.minimum(tenure, limit).astype(np.int32)
    adults = order[customers : customers + later]
    adults = adults[age[adults] >= 16]
    join[adults] = rng.integers(1, settings.horizon_days, len(adults))
    return join


def _shared(
    streams: Streams, settings: Settings, household: np.ndarray, place: np.ndarray, age: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Phone and device of each person: their own number, or the head's where the family shares one."""
    rng, own = streams.of("people.shared"), np.arange(len(household), dtype=np.int32)
    head = np.flatnonzero(place == 0).astype(np.int32)[household]
    without = (place > 0) & ((age < 12) | (rng.random(len(own)) < settings.population.shared_phone))
    phone = np.where(without, head, own)
    device = np.where((place > 0) & (rng.random(len(own)) < settings.population.shared_device), head, own)
    return phone, device


def _rings(
    streams: Streams, settings: Settings, customers: int, join: np.ndarray, risk: np.ndarray,
    phone: np.ndarray, device: np.ndarray, household: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Plant fraud rings among risky customers: all share a device, most a phone and an address."""
    rng, planted = streams.of("people.rings"), settings.planted
    ring = np.full(len(join), -1, dtype=np.int32)
    phone, device, address = phone.copy(), device.copy(), household.copy()
    count = max(2, round(customers / planted.customers_per_ring))
    low, high = planted.ring_size
    sizes = rng.integers(low, high + 1, count)
    candidates = np.flatnonzero((join <= 0) & (risk > 0.3))
    members = rng.permutation(candidates)[: sizes.sum()]
    ring[members] = np.repeat(np.arange(count), sizes)[: len(members)]
    first = members[np.concatenate([[0], np.cumsum(sizes)[:-1]]).clip(0, len(members) - 1)]
    leader = first[ring[members]]
    device[members] = device[leader]
    phone[members] = np.where(rng.random(len(members)) < 0.6, phone[leader], phone[members])
    address[members] = np.where(rng.random(len(members)) < 0.6, household[leader], household[members])
    return ring, phone, device, address
