"""Who has a row, and what a party is known by: its records, its accounts, its numbers.

Belongs here: what several blocks ask of a party. Does not belong here: any column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from customer_360_oracle.bank import Bank, Row
from customer_360_oracle.sharing import Sharing

REGISTERED = ("registry.company", "company")
# Who is known by these lets them tell.
NAMING = (
    ("market.stall_lease", "merchant"),
    ("supply_chain.invoice", "seller"),
    ("supply_chain.invoice", "buyer"),
)


@dataclass
class Party:
    """A party on the business date, with its records that are on record on it."""

    party_id: str
    kind: str
    core: list[Row] = field(default_factory=list)
    crm: list[Row] = field(default_factory=list)
    owned: set[str] = field(default_factory=set)
    disposed: set[str] = field(default_factory=set)

    @cached_property
    def has_identity_number(self) -> bool:
        """Whether an identity number is on record."""
        return any(row["national_id_token"] for row in [*self.core, *self.crm])


def credit_codes(bank: Bank) -> Callable[[Party], bool]:
    """Whether a credit code of a party is on record, in core or in the public register."""
    companies = bank.of_parties(bank.on_record("registry.company"), "registry.company", "company", "registration_key")
    return lambda party: party.party_id in companies or any(row["uscc_token"] for row in party.core)


def parties(bank: Bank) -> dict[str, Party]:
    """Every party that has a row."""
    core = bank.of_parties(bank.on_record("core.party"), "core.party", "holder", "party_key")
    crm = bank.of_parties(bank.on_record("crm.customer"), "crm.customer", "customer", "customer_key")
    sharing = {contract: Sharing(bank, contract) for contract, _ in NAMING}
    named = {
        row["party_id"]
        for row in bank.crosswalk
        if bank.kinds[row["party_id"]] == "organisation"
        and (
            (row["contract"], row["role"]) == REGISTERED
            or ((row["contract"], row["role"]) in NAMING
                and sharing[row["contract"]].word(row["party_id"], row["source"]))
        )
    }  # fmt: skip
    found = {
        party: Party(party, bank.kinds[party], core.get(party, []), crm.get(party, []))
        for party in {*core, *crm, *named}
    }
    for role, account_of in holdings(bank, bank.as_of).items():
        for party, accounts in account_of.items():
            if role == "owner":
                found[party].owned |= accounts
            else:
                found[party].disposed |= accounts
    for each in found.values():
        each.disposed -= each.owned
    return found


def holdings(bank: Bank, day: date) -> dict[str, dict[str, set[str]]]:
    """Accounts by role and party on a day: holding, account and party are all on record on it."""
    customers = {row["party_key"] for row in bank.on_record("core.party", day)}
    accounts = {row["account_key"] for row in bank.on_record("core.account", day)}
    party = {key: party for (_, key), party in bank.links["core.party", "holder"].items()}
    found: dict[str, dict[str, set[str]]] = {"owner": defaultdict(set), "disponent": defaultdict(set)}
    for row in bank.on_record("core.account_holder", day):
        if row["party_key"] in customers and row["account_key"] in accounts:
            found[row["role"]][party[row["party_key"]]].add(row["account_key"])
    return found
