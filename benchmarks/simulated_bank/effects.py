"""Whether the hold-out of each campaign recovers the effect that the world knows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.simulated_bank.observe import Observed
from pipelines.simulation.keys import campaign_key
from pipelines.simulation.records import records_of

_Z = 1.959964  # two-sided 95 %


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Score interval of a share (Wilson 1927)."""
    share, spread = successes / trials, _Z**2 / trials
    centre = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    # At the ends it is exact; in doubles it may be a hair beside them.
    return max(centre - half, 0.0), min(centre + half, 1.0)


def difference(a: int, m: int, b: int, n: int) -> tuple[float, float]:
    """Interval of a/m - b/n from the score intervals of both (Newcombe 1998, method 10): holds for rare conversions."""
    p, q, (low_p, high_p), (low_q, high_q) = a / m, b / n, wilson(a, m), wilson(b, n)
    return p - q - math.hypot(p - low_p, high_q - q), p - q + math.hypot(high_p - p, q - low_q)


@dataclass(frozen=True)
class Effect:
    """One campaign: what the hold-out says (difference of conversion rates, standard error), and the truth."""

    number: int
    channel: int
    contacted: int
    held_out: int
    responses: int
    estimate: float
    low: float
    high: float
    error: float
    truth: float

    @property
    def covered(self) -> bool:
        """Whether the 95 % interval holds the truth."""
        return self.low <= self.truth <= self.high


def effects(observed: Observed) -> list[Effect]:
    """Every campaign that ended within the days seen."""
    world = observed.world
    contacts = observed.frames["crm.contact"].with_columns(pl.col("event", "campaign_key").cast(pl.String))
    people = records_of(world, "crm").select(pl.col("key").alias("customer_key"), "person")
    found = []
    for campaign in world.campaigns:
        if campaign.ends >= observed.days:
            continue
        own = contacts.filter(pl.col("campaign_key") == campaign_key(campaign.number))
        by_event = {name: set(own.filter(pl.col("event") == name)["customer_key"]) for name in
                    ("contacted", "held_out", "responded", "converted")}  # fmt: skip
        contacted, held_out, converted = by_event["contacted"], by_event["held_out"], by_event["converted"]
        p, q = len(contacted & converted) / len(contacted), len(held_out & converted) / len(held_out)
        error = np.sqrt(p * (1 - p) / len(contacted) + q * (1 - q) / len(held_out))
        interval = difference(
            len(contacted & converted), len(contacted), len(held_out & converted), len(held_out)
        )  # fmt: skip
        members = world.members(campaign)
        effect = dict(zip(members.person.tolist(), members.effect.tolist(), strict=True))
        reached = people.filter(pl.col("customer_key").is_in(list(contacted)))["person"].to_list()
        truth = float(np.mean([effect[person] for person in reached]))
        found.append(
            Effect(campaign.number, campaign.channel, len(contacted), len(held_out), len(by_event["responded"]),
                   p - q, *interval, float(error), truth)
        )  # fmt: skip
    return found


def pooled(found: list[Effect]) -> tuple[float, float, float]:
    """Estimate, standard error and truth over all campaigns, weighted by the size of their groups.

    Weights by estimated precision would favour campaigns that happened to convert little.
    """
    weight = np.array([1 / (1 / each.contacted + 1 / each.held_out) for each in found])
    weight /= weight.sum()
    estimate = float(weight @ [each.estimate for each in found])
    truth = float(weight @ [each.truth for each in found])
    return estimate, float(np.sqrt(weight**2 @ np.square([each.error for each in found]))), truth
