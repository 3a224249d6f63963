"""What the party buys at partner shops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party
from customer_360_oracle.sharing import Sharing
from customer_360_oracle.window import delivered_share, share, total, within

CONTRACT = "ecommerce.order"


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Orders of all buyers that are the party."""
    orders = Sharing(bank, CONTRACT).rows(bank.ever(CONTRACT), "buyer", "buyer_key")
    shops = bank.deliveries(CONTRACT)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        year = [each for each in orders.get(party.party_id, []) if within(each["known"], bank.as_of, 365)]
        recent = [each for each in year if within(each["known"], bank.as_of, 90)]
        amount = total(each["amount"] for each in recent)
        returned = total(each["returned_amount"] for each in recent)
        later = total(each["amount"] for each in recent if each["is_pay_later"])
        delivered = [shops[shop] for shop in {each["source"] for each in year}]
        return {
            "orders_90d": len(recent) if year else None,
            "order_amount_90d": amount if year else None,
            "order_return_share_90d": share(returned, amount) if amount else None,
            "pay_later_share_90d": share(later, amount) if amount else None,
            "order_days_90d": len({each["known"] for each in recent}) if year else None,
            "ecommerce_completeness": delivered_share(bank.as_of, 90, delivered, len(shops)),
        }

    return tell
