"""What the card system delivers: cards, and statements of credit cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.simulation import keys
from pipelines.simulation.accounts import CURRENT
from pipelines.simulation.behaviour import revolving
from pipelines.simulation.behaviour.parameters import behaviour
from pipelines.simulation.frames import dates, delivers, pick, snapshots

if TYPE_CHECKING:
    from pipelines.simulation.world import World

_TYPES = ("junior", "classic", "gold")
_JUNIOR, _CLASSIC, _GOLD = range(3)
_KINDS = ("debit", "credit")


@snapshots("card.account", "cards")
def cards(world: World, day: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Every card issued by `day`: debit cards of current accounts, then credit cards."""
    frame, issued = world.cached("cards.frame", lambda: _cards(world))
    return frame, np.flatnonzero(issued <= day)


def _cards(world: World) -> tuple[pl.DataFrame, np.ndarray]:
    accounts, credit, people, settings = world.accounts, world.cards, world.people, behaviour().cards
    rng = world.streams.of("cards.debit")
    draws, wait = rng.random(len(accounts)), rng.integers(0, settings.debit_days + 1, len(accounts))
    debit = np.flatnonzero((accounts.cls == CURRENT) & (draws < settings.debit_share))
    holder = np.concatenate([accounts.holder[debit], credit.holder])
    issued = np.concatenate([accounts.opened[debit] + wait[debit], credit.issued])
    young = (issued - people.birth[holder]) < settings.junior_age * 365.25
    type_ = np.where(people.value[holder] > settings.gold_value, _GOLD, _CLASSIC)
    is_credit = np.repeat([0, 1], [len(debit), len(credit)])
    limit = pl.Series(np.concatenate([np.full(len(debit), -1), credit.limit]))
    frame = pl.DataFrame(
        {
            "card_key": pl.concat([keys.debit_card_key(debit), keys.credit_card_key(np.arange(len(credit)))]),
            "holding_key": keys.holding_key(np.concatenate([debit, credit.account])),
            "card_type": pick(_TYPES, np.where(young & (is_credit == 0), _JUNIOR, type_)),
            "issued_on": dates(world, issued),
            "card_kind": pick(_KINDS, is_credit),
            "credit_limit": limit.set(limit < 0, None),
        }
    )
    return frame, issued


@delivers("card.statement", "cards")
def statements(world: World, day: int, source: str) -> pl.DataFrame:
    """Statements of the cycles that close on `day`, with what was paid for the one before."""
    month = world.calendar.month(day)
    now, before = revolving.balances(world, month), revolving.payments(world, month - 1)
    chosen = revolving.closing_on(world, day)
    balance = now.balance[chosen]
    return pl.DataFrame(
        {
            "statement_key": keys.event_key("ST", day, len(chosen)),
            "card_key": keys.credit_card_key(chosen),
            "statement_date": dates(world, np.full(len(chosen), day)),
            "due_date": dates(world, np.full(len(chosen), day + behaviour().cards.due_days)),
            "statement_balance": balance,
            "minimum_due": revolving.minimum_due(balance),
            "paid_amount": before[chosen],
            "cash_advance_amount": now.advance[chosen],
        }
    )
