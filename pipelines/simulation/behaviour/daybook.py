"""All bookings of a day, purchases apart: they are most, and have neither purpose nor counterparty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.simulation.behaviour import firms, income, interest, obligations, standing, transfers
from pipelines.simulation.behaviour.budget import able
from pipelines.simulation.behaviour.journal import Lines, merge
from pipelines.simulation.behaviour.months import lately
from pipelines.simulation.behaviour.purchases import purchases

if TYPE_CHECKING:
    from pipelines.simulation.world import World


@dataclass(frozen=True)
class Daybook:
    """The bookings of a day: purchases by card, and all others."""

    purchases: Lines
    others: Lines


#: What is booked on a day besides purchases, in the order of the bank's runs.
RUNS = (
    interest.brought_forward,
    interest.interest,
    income.salaries,
    income.pensions,
    income.receipts,
    income.allowances,
    income.support,
    firms.receipts,
    obligations.loans,
    obligations.cards,
    obligations.wealth,
    lambda world, day: standing.paid(world, day, able(world, day)),
    transfers.bills,
    transfers.savings,
    transfers.drains,
    transfers.out,
    transfers.cash,
    firms.suppliers,
    firms.taxes,
    income.wages_debited,
    interest.fees,
    interest.penalties,
)


def daybook(world: World, day: int) -> Daybook:
    """The bookings posted on `day`; kept for a few days, as transactions and control totals both need them."""

    def build() -> Daybook:
        others = merge(line for run in RUNS for line in run(world, day))
        return Daybook(purchases(world, day), others)

    return lately(world, "daybook", day, build)
