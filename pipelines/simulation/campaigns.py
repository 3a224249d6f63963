"""Campaigns: whom they target, who is held out at random, and what a contact does to each member.

The individual effect is known here and nowhere else: it is the truth that an evaluation by hold-out has to find.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.simulation.people import CHANNELS, People
from pipelines.simulation.settings import Settings
from pipelines.simulation.streams import Streams

#: As the contract crm.campaign lists them.
CONTACT_CHANNELS = ("app_push", "sms", "phone", "branch", "wechat")
# The contact channel that suits each preference of people.CHANNELS, and yuan per contact of each (assumption).
_SUITS = np.array([3, 0, 2, 1, 4])
COSTS = (0.02, 0.05, 4.0, 12.0, 0.03)


@dataclass(frozen=True)
class Campaign:
    """One campaign: product key, channel number, first and last day, share held out."""

    number: int
    product: str
    channel: int
    starts: int
    ends: int
    holdout: float


@dataclass(frozen=True)
class Members:
    """Target group of one campaign: who is held out, and each one's probability to convert without and with contact."""

    person: np.ndarray
    held_out: np.ndarray
    base: np.ndarray
    effect: np.ndarray


def plan(settings: Settings, streams: Streams) -> tuple[Campaign, ...]:
    """The campaigns of the horizon."""
    rng, campaigning = streams.of("campaigns"), settings.campaigns
    offers = [product.key for product in settings.products if product.family in ("wealth", "card", "loan")]
    starts = range(3, settings.horizon_days - campaigning.length_days, campaigning.every_days)
    return tuple(
        Campaign(number, offers[int(rng.integers(len(offers)))], int(rng.integers(len(CONTACT_CHANNELS))), day,
                 day + campaigning.length_days, campaigning.holdout_share)
        for number, day in enumerate(starts)
    )  # fmt: skip


def draw_members(settings: Settings, campaign: Campaign, people: People, streams: Streams) -> Members:
    """Draw the target group: customers of value, held out by lot, with effects that differ by person and channel."""
    rng, campaigning = streams.of("campaigns.members", campaign.number), settings.campaigns
    chance = campaigning.target_share * np.clip(1 + 0.4 * people.value, 0.2, 2.0)
    adult = people.birth < -18 * 365
    drawn = rng.random(len(people)) < chance
    held_out = rng.random(len(people)) < campaign.holdout
    taste = rng.standard_normal(len(people))
    person = np.flatnonzero(drawn & adult & (people.join < campaign.starts) & (people.dormant > campaign.starts))
    value, digital = people.value[person], people.digital[person]
    base = np.clip(campaigning.base_rate * np.exp(0.5 * value - 0.125), 0.001, 0.4)
    suits = _SUITS[people.channel[person]] == campaign.channel
    pull = 0.6 + 1.6 * suits + 0.5 * taste[person] + 0.4 * (digital - 0.5) * (campaign.channel in (0, 4))
    effect = np.clip(campaigning.mean_effect * pull, -0.5 * base, 0.5)
    return Members(person.astype(np.int32), held_out[person], base.astype(np.float32), effect.astype(np.float32))


assert len(_SUITS) == len(CHANNELS)
