"""What marketing delivers: campaigns, and whom they held out, contacted, heard from and converted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.campaigns import CONTACT_CHANNELS, COSTS
from pipelines.simulation.draws import recent
from pipelines.simulation.emitters.consent import in_force
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.keys import campaign_key, event_key
from pipelines.simulation.known import known, rows_of
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.campaigns import Campaign
    from pipelines.simulation.world import World

#: As the contract crm.contact lists them.
EVENTS = ("held_out", "contacted", "responded", "converted")
HELD_OUT, CONTACTED, RESPONDED, CONVERTED = range(len(EVENTS))
_SEASONS = ("冬季", "春季", "夏季", "秋季")
_RUNNING_AT_ONCE = 4


@delivers("crm.campaign", "campaigns")
def campaigns(world: World, day: int, source: str) -> pl.DataFrame:
    """The campaigns that have begun."""
    begun = [campaign for campaign in world.campaigns if campaign.starts <= day]
    names = {product.key: product.name for product in world.products}
    return pl.DataFrame({
        "campaign_key": pl.Series([campaign_key(each.number) for each in begun], dtype=pl.String),
        "campaign_name": pl.Series([_name(world, each, names[each.product]) for each in begun], dtype=pl.String),
        "product_key": pl.Series([each.product for each in begun], dtype=pl.String),
        "channel": pick(CONTACT_CHANNELS, np.array([each.channel for each in begun], dtype=np.int64)),
        "starts_on": dates(world, [each.starts for each in begun]),
        "ends_on": dates(world, [each.ends for each in begun]),
        "holdout_share": pl.Series([round(each.holdout * 10_000) for each in begun], dtype=pl.Int64),
        "cost_per_contact": pl.Series([round(COSTS[each.channel] * 100) for each in begun], dtype=pl.Int64),
    })  # fmt: skip


@delivers("crm.contact", "campaigns")
def contacts(world: World, day: int, source: str) -> pl.DataFrame:
    """Events of the day in the campaigns that run."""
    running = [campaign for campaign in world.campaigns if campaign.starts <= day <= campaign.ends]
    found = [(each, *_on(world, each, day)) for each in running]
    number = np.concatenate([np.full(len(row), each.number) for each, row, _, _ in found] or [np.empty(0, np.int64)])
    row = np.concatenate([row for _, row, _, _ in found] or [np.empty(0, np.int64)])
    event = np.concatenate([event for _, _, event, _ in found] or [np.empty(0, np.int64)])
    channel = np.concatenate([channel for *_, channel in found] or [np.empty(0, np.int64)])
    keys = [campaign_key(each.number) for each in world.campaigns]
    return pl.DataFrame({
        "contact_key": event_key("K", day, len(row)),
        "campaign_key": pick(keys, number),
        "customer_key": known(world, "crm")["key"].gather(row),
        "event": pick(EVENTS, event),
        "event_date": dates(world, np.full(len(row), day)),
        "channel": pick(CONTACT_CHANNELS, channel),
    })  # fmt: skip


def _name(world: World, campaign: Campaign, product: str) -> str:
    when = world.calendar.date(campaign.starts)
    return f"{when.year}年{_SEASONS[when.month % 12 // 3]}{product}营销{campaign.number + 1:02d}期"


def _on(world: World, campaign: Campaign, day: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CRM row, event and channel of the events that a campaign has on `day`."""
    row, event, channel, when = recent(
        world, "campaign.events", campaign.number, lambda _: _events(world, campaign), keep=_RUNNING_AT_ONCE
    )
    today = np.flatnonzero(when == day)
    return row[today], event[today], channel[today]


def _events(world: World, campaign: Campaign) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every event of a campaign: CRM row, kind, channel (-1 for none) and day, in the order of its members."""
    settings = load_scenarios().campaigns
    members = world.members(campaign)
    rng, count = world.streams.of("campaign.events", campaign.number), len(members.person)
    draw, answer, answered = rng.random(count), rng.random(count), rng.random(count)
    reached = campaign.starts + rng.integers(0, settings.contact_days, count)
    thinking = rng.exponential(settings.response_days, count)
    deciding = rng.exponential(settings.conversion_days, count)
    # Asked before lots are drawn, so that the two groups stay alike: no consent, neither contact nor hold-out.
    may = in_force(world, "marketing", campaign.starts - 1)[members.person]
    row = rows_of(world, "crm", "person")[members.person]
    treated, targeted = ~members.held_out, (row >= 0) & may
    converts = draw < members.base + members.effect * treated
    begins = np.where(treated, reached, campaign.starts)
    left = np.maximum(campaign.ends - begins, 1)
    converted = begins + 1 + deciding.astype(np.int64) % left  # every conversion falls into the window
    response = settings.response[CONTACT_CHANNELS[campaign.channel]]
    responds = treated & ((answer < response) | (converts & (answered < settings.answered)))
    responded = np.minimum(begins + thinking.astype(np.int64), np.where(converts, converted, campaign.ends))
    kinds = ((HELD_OUT, ~treated, begins), (CONTACTED, treated, begins), (RESPONDED, responds, responded),
             (CONVERTED, converts, converted))  # fmt: skip
    chosen = [(kind, np.flatnonzero(targeted & happens), when) for kind, happens, when in kinds]
    rows = np.concatenate([which for _, which, _ in chosen])
    event = np.concatenate([np.full(len(which), kind, dtype=np.int8) for kind, which, _ in chosen])
    channel = np.where(treated[rows], campaign.channel, -1)
    return row[rows], event, channel, np.concatenate([when[which] for _, which, when in chosen])
