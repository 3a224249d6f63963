"""What a bank would see of a simulated world in so many days, added up from what its systems deliver.

What belongs here: one pass over the emitters' frames. What does not: any figure (`figures`), any latent value but the
number of a person behind a key.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.simulation import emitters, keys
from pipelines.simulation.calendar import NEVER
from pipelines.simulation.frames import EMITTERS
from pipelines.simulation.records import records_of
from pipelines.simulation.world import World

assert emitters  # importing it registers what systems deliver
WEEK = 7
_KEPT = {
    ("loan.repayment", "lending"), ("card.statement", "cards"), ("crm.contact", "campaigns"),
    ("judicial.case", "court"), ("bureau.credit_report", "bureau"), ("loan.application", "lending"),
}  # fmt: skip


@dataclass(frozen=True)
class Observed:
    """Sums over the days 0 to `days` - 1. Arrays by week have one row per week; money in cents."""

    world: World
    days: int
    bookings: pl.DataFrame  # day, merchant_category, n, cents
    inflow: np.ndarray  # week x account
    outflow: np.ndarray
    purchases: np.ndarray
    wages: np.ndarray  # salaries and pensions received
    orders: np.ndarray  # week x person, cents at partner shops
    lowest: np.ndarray  # lowest end-of-day balance of each account
    balance: np.ndarray  # at the end
    logins: np.ndarray  # week x person
    turnover: np.ndarray  # week x stall
    frames: dict[str, pl.DataFrame]  # by contract, with `day`


def observe(world: World, days: int) -> Observed:
    """Generate `days` days and add them up."""
    weeks, accounts = -(-days // WEEK), len(world.accounts)
    number = pl.DataFrame({"account_key": keys.account_key(np.arange(accounts)), "row": np.arange(accounts)})
    users = records_of(world, "app").select(pl.col("key").alias("app_user_key"), "person")
    inflow, outflow, purchases, wages = (np.zeros((weeks, accounts)) for _ in range(4))
    logins, orders = np.zeros((weeks, len(world.people))), np.zeros((weeks, len(world.people)))
    buyers = {
        shop: records_of(world, shop).select(pl.col("key").alias("buyer_key"), "person") for shop in ("taobu", "pinhao")
    }
    turnover = np.zeros((weeks, len(world.stalls)))
    balance, lowest = np.zeros(accounts), np.full(accounts, np.inf)
    leases = {
        market: pl.DataFrame({"lease_key": keys.lease_key(rows, market), "row": rows})
        for code, market in enumerate(("market_east", "market_west"))
        for rows in [np.flatnonzero(world.stalls.market == code)]
    }
    per_day, kept = [], {contract: [] for contract, _ in _KEPT}
    for day in range(days):
        week = day // WEEK
        booked = EMITTERS["core.transaction", "core"](world, day, "core").join(number, on="account_key", how="left")
        rows = booked["row"].to_numpy()
        cents = booked["amount"].to_numpy().astype(float)
        credit = (booked["direction"].cast(pl.String) == "credit").to_numpy()
        came = np.bincount(rows[credit], cents[credit], accounts)
        went = np.bincount(rows[~credit], cents[~credit], accounts)
        inflow[week] += came
        outflow[week] += went
        bought = booked["merchant_category"].is_not_null().to_numpy()
        purchases[week] += np.bincount(rows[bought], cents[bought], accounts)
        paid = credit & booked["purpose"].cast(pl.String).is_in(["salary", "pension"]).fill_null(False).to_numpy()
        wages[week] += np.bincount(rows[paid], cents[paid], accounts)
        balance += came - went
        open_ = world.accounts.opened <= day
        lowest = np.where(open_, np.minimum(lowest, balance), lowest)
        per_day.append(
            booked.group_by(pl.col("merchant_category").cast(pl.String)).agg(n=pl.len(), cents=pl.col("amount").sum())
            .with_columns(day=pl.lit(day))
        )  # fmt: skip
        seen = EMITTERS["channel.app_event", "app"](world, day, "app")
        seen = seen.filter(pl.col("event_type").cast(pl.String) == "login").join(users, on="app_user_key")
        logins[week] += np.bincount(seen["person"].to_numpy(), minlength=len(world.people))
        for shop, buyer in buyers.items():
            sold = EMITTERS["ecommerce.order", shop](world, day, shop).join(buyer, on="buyer_key")
            orders[week] += np.bincount(sold["person"].to_numpy(), sold["amount"].to_numpy(), len(world.people))
        for market, lease in leases.items():
            sold = EMITTERS["market.daily_turnover", market](world, day, market).join(lease, on="lease_key")
            turnover[week] += np.bincount(sold["row"].to_numpy(), sold["turnover"].to_numpy(), len(world.stalls))
        for contract, source in _KEPT:
            kept[contract].append(EMITTERS[contract, source](world, day, source).with_columns(day=pl.lit(day)))
        world.forget("day:")
    frames = {contract: pl.concat(parts, how="vertical_relaxed") for contract, parts in kept.items()}
    lowest[~np.isfinite(lowest)] = 0
    return Observed(
        world, days, pl.concat(per_day), inflow, outflow, purchases, wages, orders, lowest, balance, logins, turnover,
        frames,
    )  # fmt: skip


def loan_numbers(observed: Observed) -> pl.DataFrame:
    """Key and row number of each loan that was granted in time to be seen."""
    granted = np.flatnonzero(observed.world.loans.granted < min(observed.days, NEVER))
    return pl.DataFrame({"loan_key": keys.loan_key(granted), "loan": granted})
