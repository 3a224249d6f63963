"""How long the party has been with the bank, and whether it is active."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any

from customer_360_oracle.bank import Bank, threshold
from customer_360_oracle.flows import WINDOWS, booked
from customer_360_oracle.party import Party
from customer_360_oracle.window import share


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Relationship and stage of life."""
    opened: dict[str, date] = {row["account_key"]: row["opened_on"] for row in bank.on_record("core.account")}
    dormant, last = int(threshold("lifecycle.dormant_days")), defaultdict(list)
    for party, row in booked(bank):
        if (bank.as_of - row["known"]).days < max(dormant, *WINDOWS):
            last[party].append(row["known"])

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        since = min((opened[account] for account in party.owned | party.disposed), default=None)
        days = since and (bank.as_of - since).days
        idle = (bank.as_of - max(last[party.party_id])).days if last[party.party_id] else None
        if days is None:
            stage = "prospect"
        elif days < threshold("lifecycle.new_days"):
            stage = "new"
        else:
            stage = "active" if idle is not None and idle < dormant else "dormant"
        return {
            "relationship_since": since,
            "relationship_days": days,
            "lifecycle_stage": stage,
            "days_since_booking": idle,
            "lifecycle_completeness": share(bank.delivered("core.account_holder", "core.transaction"), 2),
        }

    return tell
