"""What the partner markets deliver: leases of stalls, and what each stall turned over on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.companies import MARKETS, STALL_CATEGORIES
from pipelines.simulation.draws import company_strain, slow
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.keys import lease_key, text_key
from pipelines.simulation.known import known, rows_of
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

#: Spread of the mean value of a sale from day to day, and days on which something is given back (assumption).
_TICKET_SIGMA, _REFUND_DAYS = 0.12, 0.15


@delivers("market.stall_lease", *MARKETS)
def leases(world: World, day: int, source: str) -> pl.DataFrame:
    """Every lease that has begun; its last day is known once it is over."""
    stalls, records = world.stalls, known(world, source)
    lease = np.flatnonzero((stalls.market == MARKETS.index(source)) & (stalls.leased_from <= day))
    row = rows_of(world, source, "company")[stalls.company[lease]]
    over = stalls.leased_to[lease]
    columns = {
        "lease_key": lease_key(lease, source),
        "stall_no": text_key("E" if source == MARKETS[0] else "W", stalls.stall_no[lease], 4),
        "merchant_name": records["name"].gather(row),
        "owner_name": records["owner_name"].gather(row),
        "category": pick(STALL_CATEGORIES, stalls.category[lease]),
        "monthly_rent": stalls.rent[lease],
        "leased_from": dates(world, stalls.leased_from[lease]),
        "leased_to": dates(world, np.where(over <= day, over, NEVER)),
    }
    if source == "market_east":
        columns["merchant_uscc"] = records["uscc"].gather(row)
    else:
        columns["owner_phone"] = records["phone"].gather(row)
    return pl.DataFrame(columns)


@delivers("market.daily_turnover", *MARKETS)
def turnover(world: World, day: int, source: str) -> pl.DataFrame:
    """Turnover of the stalls that were open on `day`."""
    settings, stalls = load_scenarios().markets, world.stalls
    rng = world.streams.of(f"turnover.{source}", day)
    lease = np.flatnonzero(
        (stalls.market == MARKETS.index(source)) & (stalls.leased_from <= day) & (stalls.leased_to >= day)
    )
    strained = company_strain(world, day)[stalls.company[lease]]
    shut, damped = settings.holiday.get(world.calendar.holiday(day) or "", (0.0, 1.0))
    closed = np.maximum(settings.closed + settings.closed_rise * strained, shut)
    is_open, noise = rng.random(len(lease)) >= closed, rng.standard_normal(len(lease))
    ticket = np.exp(_TICKET_SIGMA * rng.standard_normal(len(lease)))
    refunded = np.where(rng.random(len(lease)) < _REFUND_DAYS, rng.exponential(1.0, len(lease)), 0.0)
    kinds = [settings.categories[name] for name in STALL_CATEGORIES]
    category, month = stalls.category[lease], world.calendar.date(day).month - 1
    season = np.array([year[month] for _, year in kinds])[category] * settings.weekday[world.calendar.weekday(day)]
    mean = np.clip(world.companies.turnover[stalls.company[lease]] / 100 / settings.days, settings.least, settings.most)
    mean = mean * season * damped * slow(world, day)[stalls.company[lease]] * (1 - settings.fall * strained)
    sold = np.rint(100 * mean * np.exp(settings.sigma * noise - settings.sigma**2 / 2)).astype(np.int64)
    sale = np.array([value for value, _ in kinds])[category] * ticket * 100
    frame = pl.DataFrame({
        "lease_key": lease_key(lease, source),
        "trade_date": dates(world, np.full(len(lease), day)),
        "turnover": sold,
        "tickets": np.maximum(np.rint(sold / sale), 1).astype(np.int64),
        "refunds": np.rint(np.minimum(refunded * settings.refunds / _REFUND_DAYS, 0.5) * sold).astype(np.int64),
    })  # fmt: skip
    return frame.filter(pl.Series(is_open))
