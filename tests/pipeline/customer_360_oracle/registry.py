"""What the public register says of the party."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party, credit_codes
from customer_360_oracle.window import share

COMPANY, ROLE = "registry.company", "registry.role"


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """The company, and the roles of a person."""
    companies = bank.of_parties(bank.on_record(COMPANY), COMPANY, "company", "registration_key")
    roles = bank.of_parties(bank.on_record(ROLE), ROLE, "person", "role_key")
    known, coded = bank.delivered(ROLE), credit_codes(bank)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        found = max(companies.get(party.party_id, []), key=lambda each: each["known"], default=None)
        led = roles.get(party.party_id, [])
        held = [
            each for each in led
            if each["since"] <= bank.as_of and (each["until"] is None or bank.as_of <= each["until"])
        ]  # fmt: skip
        named = bool(led) or party.has_identity_number
        asked = [each for each, applies in ((bool(found), coded(party)), (bool(known), named)) if applies]
        return {
            "company_status": found and found["status"],
            "registered_capital": found and found["registered_capital"],
            "company_age_days": found and (bank.as_of - found["founded_on"]).days,
            "is_srdi": found and found["is_srdi"],
            "roles_held": len(held) if known and named else None,
            "registry_completeness": share(sum(asked), len(asked)) if asked else share(0, 1),
        }

    return tell
