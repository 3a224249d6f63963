"""What the party consents to, and whether marketing may contact it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank, Row, threshold
from customer_360_oracle.crm import contacts_of
from customer_360_oracle.party import Party
from customer_360_oracle.window import share, within

PURPOSES = ("marketing", "data_sharing", "bureau_query", "automated_marketing", "sensitive_processing")
CONTRACTS = ("consent.event", "crm.customer", "crm.contact")


def in_force(events: list[Row], purpose: str) -> bool:
    """Whether the latest event of some class of data and partner grants; one without a partner is of all of them."""
    state: dict[tuple[str, str | None], bool] = {}
    for each in sorted(events, key=lambda each: (each["event_time"], each["action"] == "withdraw")):
        if each["purpose"] == purpose:
            scope, granted = (each["data_class"], each["partner"]), each["action"] == "grant"
            if each["partner"] is None:
                state |= {other: granted for other in state if other[0] == each["data_class"]}
            state[scope] = granted
    return any(state.values())


def consents(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Consent by purpose."""
    said = [event for event in bank.ever("consent.event") if event["event_time"].date() <= bank.as_of]
    events = bank.of_customers(said, "core.party", "holder", "party_key")
    known = bank.delivered("consent.event")

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine = events.get(party.party_id, [])
        force = {purpose: in_force(mine, purpose) for purpose in PURPOSES}
        out = any(
            not force[each["purpose"]] for each in mine
            if each["action"] == "withdraw" and each["purpose"] in ("marketing", "automated_marketing")
        )  # fmt: skip
        told = {f"consent_{purpose}": force[purpose] for purpose in PURPOSES} | {"marketing_opt_out": out}
        return {name: each if known else None for name, each in told.items()} | {
            "consent_completeness": share(known, 1)
        }  # fmt: skip

    return tell


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Whether marketing may contact the party, and why not."""
    contacts, known = contacts_of(bank), bank.delivered("crm.contact")

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        recent = sum(
            each["event"] == "contacted" and within(each["known"], bank.as_of, 30)
            for each in contacts.get(party.party_id, [])
        )  # fmt: skip
        refusals = {
            "consent_unknown": row["consent_marketing"] is None,
            "opted_out": row["marketing_opt_out"],
            "no_consent": not row["consent_marketing"],
            "no_channel": not (row["contact_known"] or row["email_known"] or row["address_known"]),
            "contact_cap": recent >= threshold("contactability.max_contacts_30d"),
        }
        refusal = next((reason for reason, holds in refusals.items() if holds), None)
        return {
            "contacts_30d": recent if known else None,
            "may_be_contacted": refusal is None,
            "contact_refusal": refusal,
            "contactability_completeness": share(bank.delivered(*CONTRACTS), len(CONTRACTS)),
        }

    return tell
