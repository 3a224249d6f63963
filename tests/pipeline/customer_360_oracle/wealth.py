"""Positions in wealth products, and assets under management."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party
from customer_360_oracle.window import ZERO, share, total


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Wealth and assets under management."""
    positions = bank.of_customers(bank.on_record("wealth.holding"), "core.party", "holder", "party_key")
    family = {row["product_key"]: row["product_family"] for row in bank.on_record("reference.product")}
    known = bank.delivered("wealth.holding")

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine = positions.get(party.party_id, [])
        value = total(each["market_value"] for each in mine)
        saved = total(each["market_value"] for each in mine if family.get(each["product_key"]) == "deposit")
        deposits = (row["balance"] or ZERO) + saved
        told = {
            "wealth_positions": len(mine),
            "wealth_market_value": value,
            "aum_deposits": deposits,
            "aum_wealth": value - saved,
            "aum": deposits + value - saved,
        }
        return {name: each if known else None for name, each in told.items()} | {
            "wealth_completeness": share(known, 1)
        }  # fmt: skip

    return tell
