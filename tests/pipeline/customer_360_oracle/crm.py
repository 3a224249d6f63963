"""What the CRM says of the party, and how it answers to campaigns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank, Row
from customer_360_oracle.identity import records_of, survivor
from customer_360_oracle.party import Party
from customer_360_oracle.window import covered, share, within

STATED = (
    "occupation", "education", "marital_status", "annual_income", "channel_preference", "investor_risk_level",
)  # fmt: skip
CONTACT = "crm.contact"


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Attributes by survivorship."""
    of = records_of(bank, everyone)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        told = {name: survivor(of(party), name) for name in STATED}
        return told | {"crm_completeness": share(sum(each is not None for each in told.values()), len(told))}

    return tell


def contacts_of(bank: Bank) -> dict[str, list[Row]]:
    """What happened in campaigns, by party."""
    return bank.of_customers(bank.ever(CONTACT), "crm.customer", "customer", "customer_key")


def campaigns(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Contacts, responses and conversions."""
    contacts, known = contacts_of(bank), bank.delivered(CONTACT)
    latest = max((day for days in bank.deliveries(CONTACT).values() for day in days), default=None)
    completeness = covered(bank.as_of, 365, bank.first_row(CONTACT), latest)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        def count(event: str, days: int) -> int | None:
            mine = (each["known"] for each in contacts.get(party.party_id, []) if each["event"] == event)
            return sum(within(day, bank.as_of, days) for day in mine) if party.crm and known else None

        return {
            "campaign_contacts_90d": count("contacted", 90),
            "campaign_responses_90d": count("responded", 90),
            "campaign_conversions_365d": count("converted", 365),
            "campaign_completeness": completeness if party.crm else share(0, 1),
        }

    return tell
