"""What core delivers of accounts and standing orders, and the product catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import keys
from pipelines.simulation.accounts import CLASSES
from pipelines.simulation.behaviour import counterparties
from pipelines.simulation.behaviour.holders import holders
from pipelines.simulation.behaviour.instalments import schedule
from pipelines.simulation.behaviour.interest import PRODUCTS
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.behaviour.standing import LOAN, ORDER_PURPOSES, orders
from pipelines.simulation.emitters.bookings import account_keys
from pipelines.simulation.frames import dates, delivers, pick, snapshots

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_FREQUENCIES = ("monthly", "weekly", "after_transaction")


@snapshots("core.account", "core")
def accounts(world: World, day: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Every account opened by `day`."""
    frame = world.cached("accounts.frame", lambda: _accounts(world))
    return frame, np.flatnonzero(world.accounts.opened <= day)


def _accounts(world: World) -> pl.DataFrame:
    every, people, companies = world.accounts, world.people, world.companies
    district = np.where(
        every.is_company,
        companies.district[np.where(every.is_company, every.holder, 0)],
        people.district[np.where(every.is_company, 0, every.holder)],
    )
    frequency = world.streams.of("accounts.statements").choice(3, len(every), p=behaviour().bills.statement_shares)
    return pl.DataFrame(
        {
            "account_key": account_keys(world),
            "district_key": pick([each.key for each in world.districts], district),
            "statement_frequency": pick(_FREQUENCIES, frequency),
            "opened_on": dates(world, every.opened),
            "account_class": pick(CLASSES, every.cls),
            "product_key": pick(PRODUCTS, every.cls),
        }
    )


@snapshots("core.standing_order", "core")
def standing_orders(world: World, day: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Standing orders in force on `day`; those of loans end with the loan, others with the use of the account."""
    frame, starts, ends = world.cached("orders.frame", lambda: _orders(world))
    return frame, np.flatnonzero((starts <= day) & (day < ends))


def _orders(world: World) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    every, loans, people = orders(world), world.loans, holders(world)
    on_order = world.streams.of("orders.loans").random(len(loans)) < behaviour().lending.on_order
    loan = np.flatnonzero(on_order & (loans.account >= 0))
    count = len(every.row)
    starts = np.concatenate([every.starts, loans.granted[loan]])
    ends = np.concatenate([people.ends[every.row], schedule(world).ends[loan] + 1])
    partner = np.concatenate([every.partner, np.full(len(loan), -1)])
    account = np.concatenate([every.account, loans.account[loan]])
    frame = pl.DataFrame(
        {
            "order_key": keys.text_key("SO", keys.spread(np.arange(count + len(loan)), 41)),
            "account_key": account_keys(world).gather(pl.Series(account.astype(np.uint32))),
            "counterparty_bank": counterparties.gather(counterparties.bank_codes(world), partner),
            "counterparty_account": counterparties.gather(counterparties.account_texts(world), partner),
            "amount": np.concatenate([every.amount, loans.payment[loan]]),
            "purpose": pick(ORDER_PURPOSES, np.concatenate([every.kind, np.full(len(loan), LOAN)])),
            "START_DT": dates(world, starts),
        }
    )
    return frame, starts, ends


@delivers("reference.product", "reference")
def products(world: World, day: int, source: str) -> pl.DataFrame:
    """The catalogue; every product is older than the world."""
    every = world.products
    years = np.array([-365 * (1 + number % 7) for number in range(len(every))])
    return pl.DataFrame(
        {
            "product_key": [each.key for each in every],
            "product_name": [each.name for each in every],
            "product_family": [each.family for each in every],
            "risk_grade": pl.Series([each.risk for each in every], dtype=pl.Int64),
            "annual_rate": pl.Series(
                [None if each.rate is None else round(each.rate * 10_000) for each in every], dtype=pl.Int64
            ),
            "minimum_amount": pl.Series([round(each.minimum * 100) for each in every], dtype=pl.Int64),
            "launched_on": dates(world, years),
        }
    )
