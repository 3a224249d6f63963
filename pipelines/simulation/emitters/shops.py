"""What the partner shops deliver: orders of buyers, as each shop knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.draws import WEEK, cents, codes, cumulated, mood, picks, recent, seconds, strain
from pipelines.simulation.frames import delivers, pick, times
from pipelines.simulation.keys import event_key
from pipelines.simulation.known import known, whose
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.partners import Shop
    from pipelines.simulation.world import World

#: As the contract ecommerce.order lists them.
CATEGORIES = ("grocery", "apparel", "electronics", "home", "baby", "beauty", "travel", "education", "virtual")
_PREFIX = {"taobu": "TB", "pinhao": "PH"}
#: Assumption: orders that are sent back in full; of the others, the share of their value goes back.
_WHOLE, _PART = 0.7, (0.1, 0.9)
#: Digital taste at which a buyer orders as often as the mean one.
_MEAN_TASTE = 0.6


@delivers("ecommerce.order", "taobu", "pinhao")
def orders(world: World, day: int, source: str) -> pl.DataFrame:
    """Orders of the day in the order of time; what is sent back on the same day is taken off."""
    settings, people = load_scenarios().shops, world.people
    shop: Shop = getattr(settings, source)
    buyers, rng = known(world, source), world.streams.of(f"orders.{source}", day)
    ends = recent(world, f"orders.{source}", day // WEEK, lambda week: _rates(world, source, week * WEEK))
    row = picks(rng, ends, shop.orders * pull(world, day))
    count, person = len(row), whose(world, source)[row]
    strained = strain(world, day)[person]
    category = codes(rng, [settings.categories[name][0] for name in CATEGORIES], count)
    median = np.array([settings.categories[name][1] for name in CATEGORIES])[category]
    earned = np.maximum(people.income[person] / np.mean(people.income), 0.1)
    amount = cents(
        rng, median * earned**settings.income_power * (1 - settings.cheaper * strained), settings.amount_sigma, count
    )
    sent_back = rng.random(count) < shop.returned
    share = np.where(rng.random(count) < _WHOLE, 1.0, rng.uniform(*_PART, count))
    # Whoever has no savings pays later anyway: the level says little, its growth more.
    habit = shop.pay_later * (2.0 - 4.0 * people.saving[person])
    columns = {
        "order_key": event_key(_PREFIX[source], day, count),
        "buyer_key": buyers["key"].gather(row),
        "delivery_address": buyers["address"].gather(row),
        "ordered_at": times(world, day, seconds(rng, settings.hours, count, in_order=True)),
        "category": pick(CATEGORIES, category),
        "amount": amount,
        "returned_amount": np.where(sent_back, np.rint(amount * share), 0).astype(np.int64),
        "is_pay_later": rng.random(count) < habit + settings.later_rise * strained,
    }
    if source == "taobu":
        columns["buyer_phone_hash"] = buyers["phone_hash"].gather(row)
    else:
        columns["buyer_phone"] = buyers["phone"].gather(row)
        columns["buyer_name"] = buyers["name"].gather(row)
    return pl.DataFrame(columns)


def pull(world: World, day: int) -> float:
    """How much people order on `day` against an ordinary one."""
    settings, when = load_scenarios().shops, world.calendar.date(day)
    holiday = settings.holiday.get(world.calendar.holiday(day) or "", 1.0)
    return settings.weekday[when.weekday()] * settings.peaks.get(f"{when:%m-%d}", 1.0) * holiday


def _rates(world: World, source: str, day: int) -> np.ndarray:
    """Running sum of what buyers order in the week from `day`, against the mean buyer."""
    people, settings = world.people, load_scenarios().shops
    person = whose(world, source)
    rate = people.digital[person] / _MEAN_TASTE * mood(world, world.calendar.month(day))[person]
    return cumulated(rate * (1 - settings.fall * strain(world, day)[person]))
