"""Environmental penalties of the party."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party, credit_codes
from customer_360_oracle.window import delivered_share, share, total, within

PENALTY = "environment.penalty"


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Penalties and fines."""
    penalties = bank.of_parties(bank.ever(PENALTY), PENALTY, "offender", "uscc_token")
    sources, known = bank.deliveries(PENALTY), bank.delivered(PENALTY)
    coded = credit_codes(bank)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine = penalties.get(party.party_id, [])
        year = [each for each in mine if within(each["penalised_on"], bank.as_of, 365)]
        asked = known and (coded(party) or mine)
        return {
            "penalties_365d": len(year) if asked else None,
            "penalty_amount_365d": total(each["amount"] for each in year) if asked else None,
            "environment_completeness": (
                delivered_share(bank.as_of, 365, sources.values(), len(sources)) if coded(party) else share(0, 1)
            ),
        }

    return tell
