"""Court cases against the party."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import Bank
from customer_360_oracle.party import Party, credit_codes
from customer_360_oracle.window import ZERO, delivered_share, share, total, within

CASE = "judicial.case"


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Cases filed, and cases open."""
    cases, courts = bank.of_parties(bank.on_record(CASE), CASE, "defendant", "case_key"), bank.deliveries(CASE)
    coded = credit_codes(bank)
    known = bank.delivered(CASE)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        mine = cases.get(party.party_id, [])
        numbered = party.has_identity_number or coded(party)
        asked = known and (numbered or mine)
        still = [each for each in mine if each["closed_on"] is None or each["closed_on"] > bank.as_of]
        return {
            "judicial_cases_365d": sum(within(each["filed_on"], bank.as_of, 365) for each in mine) if asked else None,
            "judicial_open_cases": len(still) if asked else None,
            "judicial_open_amount": total(each["amount"] or ZERO for each in still) if asked else None,
            "judicial_completeness": (
                delivered_share(bank.as_of, 365, courts.values(), len(courts)) if numbered else share(0, 1)
            ),
        }

    return tell
