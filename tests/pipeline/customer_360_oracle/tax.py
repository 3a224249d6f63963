"""Tax returns of the party."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party
from customer_360_oracle.sharing import Sharing
from customer_360_oracle.window import delivered_share, total, within

CONTRACT = "tax.filing"


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Revenue, lateness and grade."""
    filings = Sharing(bank, CONTRACT).rows(bank.ever(CONTRACT), "taxpayer", "uscc_token")
    sources = bank.deliveries(CONTRACT)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        year = [each for each in filings.get(party.party_id, []) if within(each["filed_on"], bank.as_of, 365)]
        year.sort(key=lambda each: (each["filed_on"], each["known"], each["filing_key"]))
        revenue = {
            (each["source"], each["uscc_token"], each["period"]): each["declared_revenue"]
            for each in year if each["tax_type"] == "vat"
        }  # fmt: skip
        grades = [each["credit_grade"] for each in year if each["credit_grade"]]
        delivered = [sources[source] for source in {each["source"] for each in year}]
        return {
            "tax_revenue_365d": total(revenue.values()) if revenue else None,
            "tax_late_filings_365d": sum(each["is_late"] for each in year) if year else None,
            "tax_grade": grades[-1] if grades else None,
            "tax_completeness": delivered_share(bank.as_of, 365, delivered, len(delivered)),
        }

    return tell
