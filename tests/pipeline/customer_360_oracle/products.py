"""What the party holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank, Row
from customer_360_oracle.party import Party
from customer_360_oracle.window import share

CONTRACTS = ("core.account_holder", "card.account", "loan.contract", "core.standing_order")


def cards(bank: Bank) -> dict[str, list[Row]]:
    """Cards on record by the party of the holding that they were issued for."""
    accounts = {row["account_key"] for row in bank.on_record("core.account")}
    standing = [row for row in bank.on_record("core.account_holder") if row["account_key"] in accounts]
    holders = bank.of_customers(standing, "core.party", "holder", "party_key")
    holder = {row["holding_key"]: party for party, rows in holders.items() for row in rows}
    found: dict[str, list[Row]] = {}
    for row in bank.on_record("card.account"):
        if row["holding_key"] in holder:
            found.setdefault(holder[row["holding_key"]], []).append(row)
    return found


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Counts of accounts, cards, loans and standing orders."""
    held = cards(bank)
    granted = Counter(row["account_key"] for row in bank.ever("loan.contract"))
    orders = Counter(row["account_key"] for row in bank.on_record("core.standing_order"))
    loans_known, cards_known, orders_known = (
        bank.delivered(each) for each in ("loan.contract", "card.account", "core.standing_order")
    )

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        return {
            "accounts_owned": len(party.owned),
            "accounts_disposed": len(party.disposed),
            "cards_held": len(held.get(party.party_id, [])) if cards_known else None,
            "loans_granted": sum(granted[account] for account in party.owned) if loans_known else None,
            "standing_orders": sum(orders[account] for account in party.owned) if orders_known else None,
            "products_completeness": share(bank.delivered(*CONTRACTS), len(CONTRACTS)),
        }

    return tell
