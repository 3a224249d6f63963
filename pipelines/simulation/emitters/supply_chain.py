"""What the supply-chain platform delivers: invoices around core enterprises, and the goods shipped on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation.calendar import NEVER
from pipelines.simulation.companies import TRADE
from pipelines.simulation.draws import cents, codes, company_strain, recent, slow
from pipelines.simulation.frames import dates, delivers, pick
from pipelines.simulation.keys import text_key
from pipelines.simulation.known import known, rows_of
from pipelines.simulation.scenarios import load_scenarios

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_MONTHS_BACK = 100  # months before the world that keys leave room for
_SHORTEST = 28
_EARLY_DAYS = 6  # assumption: who pays on time does so within these days before the due date
_CANCELLED_WITHIN = 5
_LOADING_DAYS = 8  # assumption: goods leave within these days after the invoice


@dataclass(frozen=True)
class Links:
    """Who sells to whom: companies, cents a month, days of credit."""

    seller: np.ndarray
    buyer: np.ndarray
    monthly: np.ndarray
    terms: np.ndarray


@dataclass(frozen=True)
class Invoices:
    """The invoices of a month, with what becomes of them, and their shipments (`of` is the row of the invoice)."""

    seller: np.ndarray
    buyer: np.ndarray
    issued: np.ndarray
    due: np.ndarray
    amount: np.ndarray
    paid: np.ndarray
    cancelled: np.ndarray
    of: np.ndarray
    shipped: np.ndarray
    arrived: np.ndarray
    quantity: np.ndarray


@delivers("supply_chain.invoice", "supply_chain")
def invoices(world: World, day: int, source: str) -> pl.DataFrame:
    """Invoices issued, paid or withdrawn on `day`; on the first day also those of the months before."""
    return pl.concat([_invoices(world, day, month) for month in _months(world, day)])


@delivers("supply_chain.shipment", "supply_chain")
def shipments(world: World, day: int, source: str) -> pl.DataFrame:
    """Shipments that arrived on `day`."""
    return pl.concat([_shipments(world, day, month) for month in _months(world, day)])


def _months(world: World, day: int) -> range:
    settings, this = load_scenarios().supply_chain, world.calendar.month(day)
    longest = (settings.unpaid_days + max(settings.terms)) // _SHORTEST + 1
    return range(this - max(longest, settings.history_months), this + 1)


def _month(world: World, month: int) -> Invoices:
    keep = len(_months(world, 0)) + 1
    return recent(world, "invoices", month, lambda number: _draw(world, number), keep=keep)


def _invoices(world: World, day: int, month: int) -> pl.DataFrame:
    drawn = _month(world, month)
    if day == 0:
        row = np.flatnonzero((drawn.issued <= 0) & (drawn.cancelled > 0))
    else:
        row = np.flatnonzero((drawn.issued == day) | (drawn.paid == day) | (drawn.cancelled == day))
    uscc, paid = _uscc(world), drawn.paid[row]
    return pl.DataFrame({
        "invoice_key": _key("INV", month, row),
        "seller_uscc": uscc.gather(_rows(world)[drawn.seller[row]]),
        "buyer_uscc": uscc.gather(_rows(world)[drawn.buyer[row]]),
        "issued_on": dates(world, drawn.issued[row]),
        "due_on": dates(world, drawn.due[row]),
        "amount": drawn.amount[row],
        "paid_on": dates(world, np.where(paid <= day, paid, NEVER)),
        "updated_on": dates(world, np.full(len(row), day)),
        "op": pick(("U", "D"), (drawn.cancelled[row] == day).astype(np.int64)),
    })  # fmt: skip


def _shipments(world: World, day: int, month: int) -> pl.DataFrame:
    drawn = _month(world, month)
    row = np.flatnonzero(drawn.arrived == day)
    return pl.DataFrame({
        "shipment_key": _key("SHP", month, row),
        "invoice_key": _key("INV", month, drawn.of[row]),
        "shipped_on": dates(world, drawn.shipped[row]),
        "arrived_on": dates(world, drawn.arrived[row]),
        "quantity": drawn.quantity[row],
    })  # fmt: skip


def _key(prefix: str, month: int, row: np.ndarray) -> pl.Series:
    return text_key(f"{prefix}{month + _MONTHS_BACK:03d}", row, 8).cast(pl.String)


def _uscc(world: World) -> pl.Series:
    return known(world, "supply_chain")["uscc"]


def _rows(world: World) -> np.ndarray:
    """Row of the platform's record of each company, -1 for those it does not know."""
    return rows_of(world, "supply_chain", "company")


def _links(world: World) -> Links:
    """Suppliers sell to their core enterprise and some to each other; distributors buy from the core enterprise."""
    settings, companies = load_scenarios().supply_chain, world.companies
    rng, member = world.streams.of("supply_chain.links"), np.flatnonzero(companies.core >= 0)
    core, volume = companies.core[member], companies.turnover[member] * settings.turnover_share
    distributes = (rng.random(len(member)) < settings.distributor_share) & (companies.industry[member] == TRADE)
    seller, buyer = np.where(distributes, core, member), np.where(distributes, member, core)
    # The next supplier of the same chain is the second tier of some.
    by_core = np.argsort(core, kind="stable")
    following = np.empty(len(member), dtype=np.int64)
    following[by_core] = np.roll(by_core, -1)
    second = (rng.random(len(member)) < settings.tier_two) & ~distributes & (core[following] == core)
    second &= following != np.arange(len(member))
    bought = companies.turnover[member] * settings.tier_two_share
    seller = np.concatenate([seller, member[following[second]]])
    buyer = np.concatenate([buyer, member[second]])
    terms = np.array(settings.terms)[rng.integers(0, len(settings.terms), len(seller))]
    both = (_rows(world)[seller] >= 0) & (_rows(world)[buyer] >= 0)
    return Links(*(column[both] for column in (seller, buyer, np.concatenate([volume, bought[second]]), terms)))


def _draw(world: World, month: int) -> Invoices:
    settings, first = load_scenarios().supply_chain, world.calendar.first_of_month(month)
    links = world.cached("supply_chain.links", lambda: _links(world))
    rng, days = world.streams.of("supply_chain.invoices", month), world.calendar.first_of_month(month + 1) - first
    strained, ups = company_strain(world, first + days // 2), slow(world, first + days // 2)
    damped = 1 - settings.fall * np.maximum(strained[links.seller], strained[links.buyer])
    link = np.repeat(np.arange(len(links.seller)), rng.poisson(settings.monthly * damped * ups[links.seller]))
    count, seller, buyer, terms = len(link), links.seller[link], links.buyer[link], links.terms[link]
    issued = first + rng.integers(0, days, count)
    amount = cents(rng, links.monthly[link] / 100 / settings.monthly, settings.amount_sigma, count)
    due = issued + terms
    late = np.where(rng.random(count) < settings.late_share, rng.exponential(settings.late_days, count),
                    -rng.integers(0, _EARLY_DAYS, count))  # fmt: skip
    drained = np.zeros(count)
    for length in settings.terms:  # how the buyer does when it has to pay
        rows = terms == length
        drained[rows] = company_strain(world, first + days // 2 + length)[buyer[rows]]
    late = late + rng.exponential(settings.distress_days, count) * drained
    withdrawn = rng.random(count) < settings.cancelled
    cancelled = np.where(withdrawn, issued + rng.integers(1, _CANCELLED_WITHIN + 1, count), NEVER)
    paid = np.where(withdrawn | (late > settings.unpaid_days), NEVER, due + np.floor(late))
    parts = np.where(withdrawn, 0, 1 + codes(rng, settings.shipments, count))
    of = np.repeat(np.arange(count), parts)
    shipped = issued[of] + rng.integers(0, _LOADING_DAYS, len(of))
    arrived = shipped + 1 + np.floor(rng.exponential(settings.transit_days, len(of))).astype(np.int64)
    units = amount[of] / parts[of] / (settings.unit_price * 100)
    return Invoices(
        seller=seller, buyer=buyer, issued=issued, due=due, amount=amount, paid=paid.astype(np.int64),
        cancelled=cancelled, of=of, shipped=shipped, arrived=arrived,
        quantity=np.maximum(np.rint(units), 1).astype(np.int64),
    )  # fmt: skip
