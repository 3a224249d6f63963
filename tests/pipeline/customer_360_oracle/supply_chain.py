"""The party as a seller on supply chain platforms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party
from customer_360_oracle.sharing import Sharing
from customer_360_oracle.window import ZERO, delivered_share, share, total, within

INVOICE, SHIPMENT = "supply_chain.invoice", "supply_chain.shipment"


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Invoices, buyers and shipments."""
    invoices = Sharing(bank, INVOICE).rows(bank.on_record(INVOICE), "seller", "seller_uscc_token")
    platforms, shipped = bank.deliveries(INVOICE), bank.delivered(SHIPMENT)
    arrivals: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for each in bank.ever(SHIPMENT):
        arrivals[each["source"], each["invoice_key"]].append(each["arrived_on"])

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine = invoices.get(party.party_id, [])
        year = [each for each in mine if within(each["issued_on"], bank.as_of, 365)]
        amount, by_buyer = total(each["amount"] for each in year), defaultdict[Any, Decimal](lambda: ZERO)
        for each in year:
            by_buyer[each["source"], each["buyer_uscc_token"]] += each["amount"]
        overdue = total(
            each["amount"] for each in year
            if each["due_on"] < bank.as_of and (each["paid_on"] is None or each["paid_on"] > bank.as_of)
        )  # fmt: skip
        issued = (each["amount"] for each in year if within(each["issued_on"], bank.as_of, 90))
        arrived = sum(
            within(day, bank.as_of, 90) for each in mine for day in arrivals[each["source"], each["invoice_key"]]
        )
        delivered = [platforms[platform] for platform in {each["source"] for each in year}]
        return {
            "invoiced_90d": total(issued) if year else None,
            "invoice_buyers_365d": len(by_buyer) or None,
            "invoice_top_buyer_share_365d": share(max(by_buyer.values()), amount) if amount else None,
            "overdue_invoice_share_365d": share(overdue, amount) if amount else None,
            "shipments_90d": arrived if year and shipped else None,
            "supply_chain_completeness": delivered_share(bank.as_of, 365, delivered, len(delivered)),
        }

    return tell
