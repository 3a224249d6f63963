"""Who the party is: type, status, master data by survivorship, and whether it can be reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from customer_360_oracle.bank import POLICY, Bank, Row
from customer_360_oracle.market import running
from customer_360_oracle.party import Party
from customer_360_oracle.window import share

KEYS = {"core.party": "party_key", "crm.customer": "customer_key", "registry.company": "registration_key"}
STATED = ("gender", "district_key", "industry_code", "household_size")


def survivor(records: dict[str, list[Row]], attribute: str) -> Any:
    """Whose word counts: the first contract that states it, and of its records the one that changed last."""
    for contract in POLICY["survivorship"][attribute]:
        stating = [row for row in records.get(contract, []) if row[attribute] is not None]
        if stating:
            # Of several that changed on one day, the one with the smallest source and key.
            last = max(row["known"] for row in stating)
            changed = [row for row in stating if row["known"] == last]
            return min(changed, key=lambda row: (row["source"], row[KEYS[contract]]))[attribute]
    return None


def records_of(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party], dict[str, list[Row]]]:
    """The records of a party that survivorship asks, by contract."""
    companies = bank.of_parties(bank.on_record("registry.company"), "registry.company", "company", "registration_key")
    return lambda party: {
        "core.party": party.core, "crm.customer": party.crm, "registry.company": companies.get(party.party_id, []),
    }  # fmt: skip


def block(bank: Bank, everyone: dict[str, Party]) -> Callable[[Party, dict[str, Any]], dict[str, Any]]:
    """Master data and reachability."""
    of, leases = records_of(bank, everyone), running(bank)

    def tell(party: Party, row: dict[str, Any]) -> dict[str, Any]:
        told = {name: survivor(of(party), name) for name in STATED}
        month, person = survivor(of(party), "birth_month"), party.kind == "person"
        known = [told["gender"], month, told["district_key"]] if person else [
            told["industry_code"], told["district_key"]
        ]  # fmt: skip
        kind = "merchant" if party.party_id in leases else "person" if person else "company"
        both = [*party.core, *party.crm]
        return told | {
            "party_type": kind,
            "customer_status": "customer" if party.core else "prospect",
            "age_years": month and ((bank.as_of.year - month.year) * 12 + bank.as_of.month - month.month) // 12,
            "contact_known": any(each["phone_token"] for each in both),
            "email_known": any(each["email_token"] for each in party.crm),
            "address_known": any(each["address_token"] for each in both),
            "identity_completeness": share(sum(each is not None for each in known), len(known)),
        }

    return tell
